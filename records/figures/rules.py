"""What is on time, what is complete and what is wanting, as pure functions of dates and counts.

The statements of `records.figures.counting` and `records.figures.silence` say the same by set; a test compares them.
"""

import calendar as months
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import IntEnum, StrEnum

from creditplatform.core.deadlines import Calendar, YearNotAnnounced, add_months, add_working_days, working_days_between
from records.enums import Rhythm

# Guofa [2016] No. 33 names licences and penalties; for other acts no law sets a day, so none is judged.
ACTS_WITH_DEADLINE = ("licence", "penalty")
CLOCK = "clock.publish.working_days"
RATES = ("timeliness", "compliance", "completeness")
_DAY = datetime.timedelta(days=1)
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


class Judgement(StrEnum):
    """Whether a decision was reported within its days."""

    ON_TIME = "on_time"
    LATE = "late"
    UNJUDGED = "unjudged"


class Punctuality(IntEnum):
    """How a unit stands with a monthly report, the gravest last."""

    ON_TIME = 0
    WAITED_FOR = 1
    LATE = 2
    MISSING = 3


@dataclass(frozen=True)
class Timeliness:
    """The judgement on one decision; `days_late` in working days, begun ones counted."""

    judgement: Judgement
    days_late: int = 0


def timeliness(decided_on: datetime.date, received_on: datetime.date, days: int, calendar: Calendar) -> Timeliness:
    """Whether a decision was reported within so many working days, the day of the decision not counted.

    A day off after the last day is late already and counts with the working day that follows. Where working days of a
    year on the way are not announced nothing is judged. Guofa [2016] No. 33.
    """
    if received_on <= decided_on:
        return Timeliness(Judgement.ON_TIME)
    try:
        elapsed = working_days_between(decided_on, received_on, calendar)
        worked = calendar.entry(received_on).working
    except YearNotAnnounced:
        return Timeliness(Judgement.UNJUDGED)
    if elapsed < days or (elapsed == days and worked):
        return Timeliness(Judgement.ON_TIME)
    return Timeliness(Judgement.LATE, max(1, elapsed - days))


def expected_by(rhythm: str, last_on: datetime.date, calendar: Calendar) -> datetime.date | None:
    """The last day on which the delivery after the one of `last_on` keeps what the feed promised.

    Daily: the next working day; weekly: Sunday of the week after; monthly: last day of the month after. None for a
    feed that comes once. Raises YearNotAnnounced.
    """
    if rhythm == Rhythm.DAILY:
        return add_working_days(last_on, 1, calendar)
    if rhythm == Rhythm.WEEKLY:
        return last_on + datetime.timedelta(days=13 - last_on.weekday())
    if rhythm == Rhythm.MONTHLY:
        return last_day(add_months(first_day(last_on), 1))
    return None


def silent_before(rhythm: str, today: datetime.date, last_worked: datetime.date | None) -> datetime.date | None:
    """A feed whose last delivery lies before this day has let a whole expected period pass; see `expected_by`.

    `last_worked` is the last working day before today, None where it is not known: then a daily feed is not judged.
    """
    if rhythm == Rhythm.DAILY:
        return last_worked
    if rhythm == Rhythm.WEEKLY:
        return today - datetime.timedelta(days=7 + today.weekday())
    if rhythm == Rhythm.MONTHLY:
        return add_months(first_day(today), -1)
    return None


def rate(part: int, whole: int) -> Decimal | None:
    """A share in percent with one decimal; None where there is nothing to take a share of."""
    if not whole:
        return None
    return (Decimal(100 * part) / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)


def score(rates: Mapping[str, Decimal | None], weights: Mapping[str, int]) -> Decimal | None:
    """The weighted mean of the rates there are, in points of 100; None where there is none.

    A rate that cannot be taken (nothing was due) is left out with its weight, so that it neither helps nor harms.
    """
    there = {name: value for name, value in rates.items() if value is not None and weights.get(name)}
    total = sum(weights[name] for name in there)
    if not total:
        return None
    summed = sum((value * weights[name] for name, value in there.items()), Decimal(0))
    return (summed / total).quantize(Decimal("0.1"), ROUND_HALF_UP)


def first_day(day: datetime.date) -> datetime.date:
    """The first day of the month of a day, by which the month is named."""
    return day.replace(day=1)


def last_day(day: datetime.date) -> datetime.date:
    """The last day of the month of a day."""
    return day.replace(day=months.monthrange(day.year, day.month)[1])


def parse_month(text: str) -> datetime.date | None:
    """The first day of a month written like 2026-10; None for anything else."""
    found = _MONTH.fullmatch(text)
    return datetime.date(int(found[1]), int(found[2]), 1) if found else None


def punctuality(handed_in_on: datetime.date | None, due_on: datetime.date | None, today: datetime.date) -> Punctuality:
    """On time or late where it was handed in; else waited for until its last day, and missing after it.

    Nothing is late or missing while no last day is in force.
    """
    after = due_on is not None and (handed_in_on or today) > due_on
    if handed_in_on:
        return Punctuality.LATE if after else Punctuality.ON_TIME
    return Punctuality.MISSING if after else Punctuality.WAITED_FOR


def due_on(month: datetime.date, day: int) -> datetime.date:
    """The last day for the report on a month: that day of the following month, or its last one."""
    following = add_months(first_day(month), 1)
    return min(following + (day - 1) * _DAY, last_day(following))
