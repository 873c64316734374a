"""One statement that counts a month of all units: records by their first receipt, batches by their delivery.

It reads the records of that month alone (by the narrow index on the time of receipt), numbers the working days of the
announced years once, and judges groups of equal dates instead of single records. No personal value is touched:
completeness counts which open fields bear a text, never which.
"""

import datetime
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils import timezone

from creditplatform.core.deadlines import add_months
from records.figures.rules import ACTS_WITH_DEADLINE, CLOCK
from records.models.feed import OPEN_STATES

# Years whose every day is on file, in runs without a gap: between two days of one run every working day is known.
WORKING_DAYS = """
years AS (
    SELECT year, year - row_number() OVER (ORDER BY year) AS run FROM (
        SELECT extract(year FROM day)::int AS year FROM core_calendarday GROUP BY 1
        HAVING count(*) = make_date(extract(year FROM min(day))::int + 1, 1, 1)
            - make_date(extract(year FROM min(day))::int, 1, 1)
    ) complete
), days AS (
    SELECT d.day, d.working, y.run, sum(d.working::int) OVER (ORDER BY d.day) AS n
    FROM core_calendarday d JOIN years y ON y.year = extract(year FROM d.day)::int
)"""
# Optional fields of every version that stand in the open content of a record; a conditional field that is due and
# empty never gets past the check, and one that is not due is not missing.
OPTIONAL_FIELDS = """
optional AS (
    SELECT version_id, array_agg(code) AS codes FROM records_entryfield
    WHERE required = 'never' AND one_of = '' AND NOT personal
        AND role IN ('', 'valid_from', 'valid_until', 'ended_on', 'licence_number', 'source_name', 'source_code')
    GROUP BY version_id
)"""
RECORDS = """
received AS (
    SELECT r.agency_id, r.entry_id, r.version_id, r.site_id, r.decided_on,
        (r.received_at AT TIME ZONE %(zone)s)::date AS received_on, count(*) AS n,
        sum(coalesce(cardinality(o.codes), 0)) AS optional,
        sum((SELECT count(*) FROM unnest(o.codes) c WHERE coalesce(r.payload ->> c, '') <> '')) AS filled
    FROM records_creditrecord r LEFT JOIN optional o USING (version_id)
    WHERE r.received_at >= %(start)s AND r.received_at < %(end)s
    GROUP BY 1, 2, 3, 4, 5, 6
), measured AS (
    SELECT r.*, v.act = ANY(%(acts)s) AS due, k.allowed, b.n - a.n AS elapsed, b.working, a.run = b.run AS known
    FROM received r
    JOIN records_entryversion v ON v.id = r.version_id
    LEFT JOIN days a ON a.day = r.decided_on
    LEFT JOIN days b ON b.day = r.received_on
    LEFT JOIN LATERAL (
        SELECT (c.value #>> '{}')::int AS allowed FROM core_rulevalue c
        WHERE c.key = %(clock)s AND c.in_force AND (c.site_id = r.site_id OR c.site_id IS NULL)
            AND c.valid_from <= r.decided_on AND (c.valid_until IS NULL OR c.valid_until > r.decided_on)
        ORDER BY c.site_id NULLS LAST LIMIT 1
    ) k ON true
), judged AS (
    SELECT m.*, CASE
        WHEN NOT due THEN ''
        WHEN received_on <= decided_on THEN 'on_time'
        WHEN allowed IS NULL OR known IS NOT TRUE THEN 'unjudged'
        WHEN elapsed < allowed OR (elapsed = allowed AND working) THEN 'on_time'
        ELSE 'late' END AS judgement, greatest(1, elapsed - allowed) AS over
    FROM measured m
), recorded AS (
    SELECT agency_id, entry_id, sum(n) AS recorded, sum(optional) AS optional, sum(filled) AS filled,
        sum(n) FILTER (WHERE judgement = 'on_time') AS on_time, sum(n) FILTER (WHERE judgement = 'late') AS late,
        sum(n) FILTER (WHERE judgement = 'unjudged') AS unjudged,
        sum(n * over) FILTER (WHERE judgement = 'late') AS days_late,
        max(over) FILTER (WHERE judgement = 'late') AS most_late
    FROM judged GROUP BY 1, 2
)"""
# Corrections of single records bear a reason and are nobody's delivery; rows set aside that came back mended, or were
# checked once more, were counted when they came first.
BATCHES = """
batches AS (
    SELECT f.agency_id, f.entry_id, b.* FROM records_feedbatch b JOIN records_feed f ON f.id = b.feed_id
    WHERE b.received_at >= %(start)s AND b.received_at < %(end)s AND b.state <> ALL(%(open)s) AND b.reason IS NULL
        AND NOT b.rerun AND NOT b.notes ? 'mends'
), delivered AS (
    SELECT agency_id, entry_id, count(*) AS batches, count(*) FILTER (WHERE state = 'refused') AS refused,
        sum(received) AS received, sum(accepted) AS accepted, sum(unchanged) AS unchanged,
        sum(quarantined) AS quarantined, sum(rejected) AS rejected
    FROM batches GROUP BY 1, 2
), coded AS (
    SELECT agency_id, entry_id, jsonb_object_agg(code, n) AS problems FROM (
        SELECT b.agency_id, b.entry_id, p.key AS code, sum(p.value::int) AS n
        FROM batches b CROSS JOIN LATERAL jsonb_each_text(b.problems) p GROUP BY 1, 2, 3
    ) one GROUP BY 1, 2
)"""
COUNTS = (
    "batches", "refused", "received", "accepted", "unchanged", "quarantined", "rejected", "recorded", "on_time",
    "late", "unjudged", "days_late", "most_late", "optional", "filled",
)  # fmt: skip
COUNT_MONTH = f"""
WITH {WORKING_DAYS}, {OPTIONAL_FIELDS}, {RECORDS}, {BATCHES}
INSERT INTO records_monthlyfigure (agency_id, entry_id, month, problems, computed_at, {", ".join(COUNTS)})
SELECT agency_id, entry_id, %(month)s, coalesce(problems, '{{}}'), now(),
    {", ".join(f"coalesce({name}, 0)" for name in COUNTS)}
FROM recorded FULL JOIN delivered USING (agency_id, entry_id) LEFT JOIN coded USING (agency_id, entry_id)
ON CONFLICT (month, agency_id, entry_id) DO UPDATE SET
    problems = excluded.problems, computed_at = excluded.computed_at,
    {", ".join(f"{name} = excluded.{name}" for name in COUNTS)}
"""  # noqa: S608 - the names are ours


@dataclass(frozen=True)
class Span:
    """A month and the instants at which it begins and ends in local time."""

    month: datetime.date

    @property
    def start(self) -> datetime.datetime:
        """Midnight of its first day."""
        return timezone.make_aware(datetime.datetime.combine(self.month, datetime.time()))

    @property
    def end(self) -> datetime.datetime:
        """Midnight after its last day."""
        return timezone.make_aware(datetime.datetime.combine(add_months(self.month, 1), datetime.time()))


def count_month(month: datetime.date) -> int:
    """Count a month of all units anew; returns for how many pairs of unit and entry. Must run in an audit context."""
    span = Span(month)
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_MONTH,
            {
                "month": month,
                "start": span.start,
                "end": span.end,
                "zone": settings.TIME_ZONE,
                "clock": CLOCK,
                "acts": list(ACTS_WITH_DEADLINE),
                "open": [state.value for state in OPEN_STATES],
            },
        )
        counted: int = cursor.rowcount
    return counted
