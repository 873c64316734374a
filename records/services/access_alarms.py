"""Which accesses a second person looks at (H4.1, G8): drawn by sample, and alarms, by set over the access log of a day.

Each statement finds lines of one day and opens a review for each that has none; so a day may be gone through as often
as one likes. What a check of many persons has written counts as one act of its own: it was asked for, approved and
listed as such, and is neither unusual in number nor at night. All systems of a unit together have bounds of their own,
and work at any hour.
"""

import datetime
import math
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from creditplatform.core import audit, vault
from creditplatform.core.calendars import load_calendar
from creditplatform.core.deadlines import Calendar, Unit, compute
from creditplatform.core.enums import Authority, Door
from creditplatform.core.rules import RuleBook, load_rulebook
from creditplatform.core.workdays import SATURDAY, YearNotAnnounced, is_working_day
from records.enums import HAVE_STOOD, AffiliationRole, BatchCheckState, OwnPurpose, ReviewCause
from records.queries.disclosure import DISCLOSED

HISTORY_DAYS = 90
DAYS_LOOKED_BACK = 3
CLOCK = "clock.access_review.working_days"
BY_STAFF = [Authority.CONSENT.value, Authority.STATUTE.value, Authority.DUTY.value]
QUERIES = [Authority.CONSENT.value, Authority.STATUTE.value]
WORKED_OFF = [BatchCheckState.CHECKING.value, BatchCheckState.DONE.value, BatchCheckState.CLEARED.value]
WORKS_THERE = [
    AffiliationRole.LEGAL_REPRESENTATIVE.value,
    AffiliationRole.RESPONSIBLE_PERSON.value,
    AffiliationRole.PRACTITIONER.value,
]

OPEN = """
WITH looks AS (
    SELECT l.id, l.at, l.actor_id, l.agency_id, l.subject_ref, l.authority, l.case_number, l.purpose, l.door,
        EXISTS (
            SELECT 1 FROM records_batchcheck b WHERE b.agency_id = l.agency_id AND b.case_number = l.case_number
                AND b.purpose_id = l.purpose AND b.state = ANY(%(worked_off)s)
                AND b.asked_by_id IS NOT DISTINCT FROM l.actor_id
                AND (l.result = 'refused' OR l.fields @> %(yes_or_no)s::varchar[])
                AND b.decided_at <= l.at AND (b.done_at IS NULL OR l.at <= b.done_at)
        ) AS of_batch
    FROM core_accesslog l
    WHERE l.at >= %(start)s AND l.at < %(end)s AND l.agency_id IS NOT NULL AND l.authority = ANY(%(by_staff)s)
        AND l.purpose <> %(exchange)s
), {found}
INSERT INTO records_accessreview
    (access_id, access_at, subject_id, actor_id, agency_id, cause, number, state, opened_at, due_on)
SELECT f.id, f.at, s.id, f.actor_id, f.agency_id, %(cause)s, f.number, 'open', now(), %(due_on)s
FROM found f LEFT JOIN records_subject s ON s.id = f.subject_ref
ON CONFLICT (access_id, cause) DO NOTHING
RETURNING id
"""
# At least one of every unit and day, at most so many; which ones nobody can know beforehand, and every run the same.
# What was done to accounts at the window is drawn by itself: looks beside it, however many, keep no act out.
SAMPLE = """
ranked AS (
    SELECT *, count(*) OVER drawn AS total, row_number() OVER (drawn ORDER BY md5(id::text || %(salt)s)) AS place
    FROM looks WINDOW drawn AS (PARTITION BY agency_id, purpose = %(window_act)s)
), found AS (
    SELECT *, 1 AS number FROM ranked
    WHERE place <= least(%(most)s, greatest(1, ceil(total * %(percent)s / 100.0)))
)
"""
VOLUME = """
counts AS (
    SELECT actor_id, count(*) AS n FROM looks WHERE actor_id IS NOT NULL AND NOT of_batch GROUP BY actor_id
), usual AS (
    SELECT actor_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY n) AS median FROM (
        SELECT l.actor_id, count(*) AS n FROM core_accesslog l
        WHERE l.at >= %(history)s AND l.at < %(start)s AND l.agency_id IS NOT NULL AND l.authority = ANY(%(by_staff)s)
            AND l.actor_id IN (SELECT actor_id FROM counts WHERE n > %(floor)s)
        GROUP BY l.actor_id, (l.at AT TIME ZONE %(zone)s)::date
    ) days GROUP BY actor_id
), found AS (
    SELECT DISTINCT ON (k.actor_id) k.*, c.n AS number
    FROM looks k JOIN counts c USING (actor_id) LEFT JOIN usual u USING (actor_id)
    WHERE NOT k.of_batch AND (c.n > %(ceiling)s OR (c.n > %(floor)s AND c.n > %(factor)s * u.median))
    ORDER BY k.actor_id, k.at DESC, k.id DESC
)
"""
# What systems of a unit ask through the interface, counted by the unit.
MACHINE_VOLUME = """
counts AS (
    SELECT agency_id, count(*) AS n FROM looks
    WHERE actor_id IS NULL AND door = %(interface)s AND authority = ANY(%(queries)s) AND NOT of_batch GROUP BY agency_id
), usual AS (
    SELECT agency_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY n) AS median FROM (
        SELECT l.agency_id, count(*) AS n FROM core_accesslog l
        WHERE l.at >= %(history)s AND l.at < %(start)s AND l.actor_id IS NULL AND l.door = %(interface)s
            AND l.authority = ANY(%(queries)s) AND l.purpose <> %(exchange)s
            AND l.agency_id IN (SELECT agency_id FROM counts WHERE n > %(machine_floor)s AND n <= %(machine_ceiling)s)
            AND NOT EXISTS (
                SELECT 1 FROM records_batchcheck b WHERE b.agency_id = l.agency_id AND b.case_number = l.case_number
                    AND b.purpose_id = l.purpose AND b.state = ANY(%(worked_off)s) AND b.asked_by_id IS NULL
                    AND (l.result = 'refused' OR l.fields @> %(yes_or_no)s::varchar[])
                    AND b.decided_at <= l.at AND (b.done_at IS NULL OR l.at <= b.done_at)
            )
        GROUP BY l.agency_id, (l.at AT TIME ZONE %(zone)s)::date
    ) days GROUP BY agency_id
), found AS (
    SELECT DISTINCT ON (k.agency_id) k.*, c.n AS number
    FROM looks k JOIN counts c USING (agency_id) LEFT JOIN usual u USING (agency_id)
    WHERE k.actor_id IS NULL AND k.door = %(interface)s AND k.authority = ANY(%(queries)s) AND NOT k.of_batch
        AND (c.n > %(machine_ceiling)s OR (c.n > %(machine_floor)s AND c.n > %(machine_factor)s * u.median))
    ORDER BY k.agency_id, k.at DESC, k.id DESC
)
"""
NIGHT = """
found AS (
    SELECT DISTINCT ON (actor_id) *, count(*) OVER (PARTITION BY actor_id) AS number FROM looks
    WHERE actor_id IS NOT NULL AND NOT of_batch AND (
        NOT %(worked)s OR extract(hour FROM at AT TIME ZONE %(zone)s) < %(from)s
        OR extract(hour FROM at AT TIME ZONE %(zone)s) >= %(until)s
    )
    ORDER BY actor_id, at DESC, id DESC
)
"""
OF_SOMEBODY = """
{before}found AS (
    SELECT DISTINCT ON (k.actor_id, k.subject_ref) k.*,
        count(*) OVER (PARTITION BY k.actor_id, k.subject_ref) AS number
    FROM looks k JOIN records_realnamebinding own ON own.user_id = k.actor_id
    WHERE {tied}
    ORDER BY k.actor_id, k.subject_ref, k.at DESC, k.id DESC
)
"""
OWN = OF_SOMEBODY.format(before="", tied="own.subject_id = k.subject_ref")
RELATIVE = OF_SOMEBODY.format(
    before="",
    tied="""own.subject_id <> k.subject_ref AND EXISTS (
        SELECT 1 FROM records_representation r WHERE r.state = ANY(%(stood)s) AND (
            (r.person_id = k.subject_ref AND r.representative_id = own.subject_id)
            OR (r.representative_id = k.subject_ref AND r.person_id = own.subject_id)
        )
    )""",
)
COLLEAGUE = OF_SOMEBODY.format(
    before="""ties AS NOT MATERIALIZED (
        SELECT person_id AS person, organisation_id AS organisation FROM records_affiliation
        WHERE role = ANY(%(works_there)s) AND valid_from <= %(day)s
            AND (valid_until IS NULL OR valid_until > %(day)s)
        UNION ALL
        SELECT subject_id, employer_id FROM records_keygroupmembership
        WHERE employer_id IS NOT NULL AND valid_from <= %(day)s AND (valid_until IS NULL OR valid_until > %(day)s)
    ), """,
    tied="""own.subject_id <> k.subject_ref AND k.authority = ANY(%(queries)s) AND (
        EXISTS (
            SELECT 1 FROM records_realnamebinding other JOIN core_membership m ON m.user_id = other.user_id
            WHERE other.subject_id = k.subject_ref AND m.agency_id = k.agency_id AND m.valid_from <= %(day)s
                AND (m.valid_until IS NULL OR m.valid_until > %(day)s)
        ) OR EXISTS (
            SELECT 1 FROM ties mine JOIN ties theirs USING (organisation)
            WHERE mine.person = own.subject_id AND theirs.person = k.subject_ref
        )
    )""",
)
NO_CASE = """
found AS (
    SELECT DISTINCT ON (agency_id, actor_id) *, count(*) OVER (PARTITION BY agency_id, actor_id) AS number FROM looks
    WHERE case_number = '' AND authority = ANY(%(queries)s)
    ORDER BY agency_id, actor_id, at DESC, id DESC
)
"""
ONE_CASE_MANY_PERSONS = """
cases AS (
    SELECT DISTINCT agency_id, case_number FROM looks
    WHERE case_number <> '' AND authority = ANY(%(queries)s) AND NOT of_batch
), crowded AS (
    SELECT l.agency_id, l.case_number, count(DISTINCT l.subject_ref) AS number
    FROM core_accesslog l JOIN cases USING (agency_id, case_number)
    WHERE l.at >= %(history)s AND l.at < %(end)s AND l.authority = ANY(%(queries)s) AND NOT EXISTS (
        SELECT 1 FROM records_batchcheck b WHERE b.agency_id = l.agency_id AND b.case_number = l.case_number
            AND b.purpose_id = l.purpose AND b.state = ANY(%(worked_off)s)
            AND b.asked_by_id IS NOT DISTINCT FROM l.actor_id
            AND (l.result = 'refused' OR l.fields @> %(yes_or_no)s::varchar[])
            AND b.decided_at <= l.at AND (b.done_at IS NULL OR l.at <= b.done_at)
    )
    GROUP BY 1, 2 HAVING count(DISTINCT l.subject_ref) > %(most_persons)s
), found AS (
    SELECT DISTINCT ON (k.agency_id, k.case_number) k.*, c.number
    FROM looks k JOIN crowded c USING (agency_id, case_number) WHERE k.authority = ANY(%(queries)s) AND NOT k.of_batch
    ORDER BY k.agency_id, k.case_number, k.at DESC, k.id DESC
)
"""
FOUND: tuple[tuple[ReviewCause, str], ...] = (
    (ReviewCause.SAMPLE, SAMPLE),
    (ReviewCause.VOLUME, VOLUME),
    (ReviewCause.VOLUME, MACHINE_VOLUME),
    (ReviewCause.NIGHT, NIGHT),
    (ReviewCause.OWN, OWN),
    (ReviewCause.RELATIVE, RELATIVE),
    (ReviewCause.COLLEAGUE, COLLEAGUE),
    (ReviewCause.NO_CASE, NO_CASE),
    (ReviewCause.NO_CASE, ONE_CASE_MANY_PERSONS),
)


@dataclass(frozen=True)
class Day:
    """A day of the access log and the bounds in force on it."""

    day: datetime.date
    worked: bool
    due_on: datetime.date
    rules: RuleBook

    @classmethod
    def of(cls, day: datetime.date, today: datetime.date) -> "Day":
        """That day, looked at `today`. Raises RuleMissing."""
        calendar, rules = load_calendar(), load_rulebook()
        return cls(day, worked(day, calendar), due_after(today, rules.value(CLOCK, today), calendar), rules)

    def parameters(self) -> dict[str, Any]:
        """What the statements ask for."""
        start, zone = _midnight(self.day), timezone.get_default_timezone_name()
        value = {
            name: self.rules.value(f"review.{key}", self.day)
            for name, key in {
                "percent": "sample.percent", "most": "sample.most", "ceiling": "volume.ceiling",
                "factor": "volume.factor", "floor": "volume.floor", "from": "hours.from", "until": "hours.until",
                "most_persons": "case.most_persons", "machine_ceiling": "machine_volume.ceiling",
                "machine_factor": "machine_volume.factor", "machine_floor": "machine_volume.floor",
            }.items()
        }  # fmt: skip
        return {
            **value,
            "start": start,
            "end": _midnight(self.day + datetime.timedelta(days=1)),
            "history": start - datetime.timedelta(days=HISTORY_DAYS),
            "day": self.day,
            "zone": zone,
            "worked": self.worked,
            "due_on": self.due_on,
            "salt": vault.blind_index(self.day.isoformat(), "records.AccessReview.sample").hex(),
            "by_staff": BY_STAFF,
            "queries": QUERIES,
            "worked_off": WORKED_OFF,
            "works_there": WORKS_THERE,
            "stood": [state.value for state in HAVE_STOOD],
            "exchange": OwnPurpose.EXCHANGE.value,
            "window_act": OwnPurpose.WINDOW_ACT.value,
            "yes_or_no": [DISCLOSED],
            "interface": Door.API.value,
        }


def worked(day: datetime.date, calendar: Calendar) -> bool:
    """Whether a day is worked; one of a year not announced yet counts by its weekday."""
    try:
        return is_working_day(day, calendar)
    except YearNotAnnounced:
        return day.weekday() < SATURDAY


def due_after(day: datetime.date, days: int, calendar: Calendar) -> datetime.date:
    """So many working days after a day; counted in weeks of five days where a year is not announced yet."""
    try:
        return compute(day, days, Unit.WORKING_DAYS, calendar).due_on
    except YearNotAnnounced:
        return day + datetime.timedelta(days=math.ceil(days * 7 / SATURDAY))


def review_day(*, day: datetime.date, today: datetime.date, door: Door) -> dict[str, int]:
    """Open the reviews of one day of the access log that are not open yet; how many, by cause.

    One statement per cause; costs what was looked at in the last 90 days at most.
    """
    parameters, opened = Day.of(day, today).parameters(), dict[str, int]()
    with audit.context(actor=None, door=door, reason="reviews of accesses drawn"), connection.cursor() as cursor:
        for cause, found in FOUND:
            cursor.execute(OPEN.format(found=found), {**parameters, "cause": cause.value})
            opened[cause.value] = opened.get(cause.value, 0) + cursor.rowcount
    return opened


def review_last_days(*, today: datetime.date, door: Door) -> int:
    """The same for the days that have ended, so that a night without a worker is made up for; how many were opened."""
    days = [today - datetime.timedelta(days=back) for back in range(DAYS_LOOKED_BACK, 0, -1)]
    return sum(sum(review_day(day=day, today=today, door=door).values()) for day in days)


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()), timezone.get_default_timezone())
