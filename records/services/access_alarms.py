"""Which accesses a second person looks at (H4.1, G8): drawn by sample, and alarms, by set over the access log of a day.

Each statement finds lines of one day and opens a review for each that has none; so a day may be gone through as often
as one likes. What a check of many persons has written counts as one act of whoever asked for it, at the time at which
it was asked for. All systems of a unit together have bounds of their own, and work at any hour.
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
from records.enums import HAVE_STOOD, AffiliationRole, BatchCheckState, NotChecked, OwnPurpose
from records.queries.disclosure import DISCLOSED, LISTED_AGAIN
from records.services.access_statements import FOUND, OPEN

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
                "list_rows": "uncovered.rows", "list_percent": "uncovered.percent",
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
            "again": [LISTED_AGAIN],
            "no_consent": NotChecked.CONSENT.value,
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
