"""Deadlines in working days, calendar days and months that can say how they came about.

The day something starts is not counted (Civil Code Art. 201); a month ends on the day of the same number, or
on the last day of a shorter month (Art. 202).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from operator import itemgetter

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from creditplatform.core.wording import after_one_another, clauses, full_stop
from creditplatform.core.workdays import (
    HOLIDAY_NAMES,
    SATURDAY,
    Calendar,
    CalendarEntry,
    YearNotAnnounced,
    add_working_days,
    days_from_library,
    is_working_day,
    working_days_between,
)

__all__ = [
    "HOLIDAY_NAMES",
    "Calendar",
    "CalendarEntry",
    "Deadline",
    "Explanation",
    "Extension",
    "Reason",
    "Suspension",
    "Unit",
    "YearNotAnnounced",
    "add_months",
    "add_working_days",
    "compute",
    "days_from_library",
    "is_working_day",
    "working_days_between",
]

UNNAMED_HOLIDAY = gettext_noop("public holiday")
_ONE_DAY = timedelta(days=1)


class Unit(StrEnum):
    """What a period is counted in."""

    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    MONTHS = "months"

    __hash__ = str.__hash__


class Reason(StrEnum):
    """Why a deadline is not simply the start plus the number of days."""

    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    ADJUSTED_WORKDAY = "adjusted_workday"
    SUSPENSION = "suspension"
    EXTENSION = "extension"
    MOVED = "moved"


@dataclass(frozen=True)
class Suspension:
    """Days on which the clock stands still, first and last included; `reason` in words for people."""

    from_on: date
    until_on: date
    reason: str = ""

    def __post_init__(self) -> None:
        if self.until_on < self.from_on:
            raise ValueError("A suspension cannot end before it begins.")

    def covers(self, day: date) -> bool:
        """Whether the clock stands still on a day."""
        return self.from_on <= day <= self.until_on


@dataclass(frozen=True)
class Extension:
    """More time, in the unit of the deadline; `reason` in words for people."""

    amount: int
    reason: str = ""

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError("An extension cannot shorten a deadline.")


@dataclass(frozen=True)
class Explanation:
    """One stretch that made the deadline what it is.

    `days` counts the days of the stretch; of an extension it is the amount added, in the deadline's unit.
    """

    reason: Reason
    from_on: date
    until_on: date
    days: int
    name: str = ""
    unit: Unit = Unit.WORKING_DAYS

    def sentence(self) -> str:
        """The stretch in words of the active language."""
        template = _SENTENCES[self.reason, self.from_on != self.until_on]
        name = gettext(self.name) if self.name else ""
        amount = _amount(self.days, self.unit) if self.reason is Reason.EXTENSION else ""
        values = {"from": self.from_on, "until": self.until_on, "name": name, "amount": amount}
        return (str(template) % values).rstrip(" :：")


_SENTENCES: dict[tuple[Reason, bool], Promise] = {
    (Reason.WEEKEND, False): _("%(from)s: weekend, not counted"),
    (Reason.WEEKEND, True): _("%(from)s to %(until)s: weekend, not counted"),
    (Reason.HOLIDAY, False): _("%(from)s: %(name)s, not counted"),
    (Reason.HOLIDAY, True): _("%(from)s to %(until)s: %(name)s, not counted"),
    (Reason.ADJUSTED_WORKDAY, False): _("%(from)s: weekend worked in return for %(name)s, counted"),
    (Reason.ADJUSTED_WORKDAY, True): _("%(from)s to %(until)s: weekend worked in return for %(name)s, counted"),
    (Reason.SUSPENSION, False): _("%(from)s: clock stopped: %(name)s"),
    (Reason.SUSPENSION, True): _("%(from)s to %(until)s: clock stopped: %(name)s"),
    (Reason.EXTENSION, False): _("extended by %(amount)s: %(name)s"),
    (Reason.EXTENSION, True): _("extended by %(amount)s: %(name)s"),
    (Reason.MOVED, False): _("%(from)s: last day is no working day, so the next working day counts"),
    (Reason.MOVED, True): _("%(from)s to %(until)s: the last day is no working day, so the next working day counts"),
}


@dataclass(frozen=True)
class Deadline:
    """A day by which something is due, and everything that went into it.

    `days` is the amount given at first, in `unit`, without extensions.
    """

    due_on: date
    started_on: date
    days: int
    unit: Unit
    suspensions: tuple[Suspension, ...] = ()
    extensions: tuple[Extension, ...] = ()
    moved_from: date | None = None
    calendar: Calendar | None = field(default=None, repr=False, compare=False)

    def explain(self) -> list[Explanation]:
        """Every stretch that was skipped, counted against expectation or added, in the order of time."""
        last = self.moved_from or self.due_on
        marked = [(day, mark) for day in _days_after(self.started_on, last) if (mark := self._mark(day))]
        stretches = [_stretch(list(run), self.unit) for run in _runs(marked)]
        added = [
            Explanation(Reason.EXTENSION, self.due_on, self.due_on, extra.amount, extra.reason, self.unit)
            for extra in self.extensions
        ]
        return [*stretches, *self._moved(), *added]

    def sentence(self) -> str:
        """The deadline and its explanation as one text of the active language."""
        head = gettext("Due on %(due)s: %(amount)s after %(start)s.") % {
            "due": self.due_on,
            "amount": _amount(self.days, self.unit),
            "start": self.started_on,
        }
        details = clauses(item.sentence() for item in self.explain())
        return after_one_another([head, full_stop(details)]) if details else head

    def _mark(self, day: date) -> tuple[Reason, str] | None:
        for suspension in self.suspensions:
            if suspension.covers(day):
                return Reason.SUSPENSION, suspension.reason
        if self.unit is not Unit.WORKING_DAYS or self.calendar is None:
            return None
        working, name = self.calendar.entry(day)
        if working:
            return (Reason.ADJUSTED_WORKDAY, name) if day.weekday() >= SATURDAY else None
        if name or day.weekday() < SATURDAY:
            return Reason.HOLIDAY, name or UNNAMED_HOLIDAY
        return Reason.WEEKEND, ""

    def _moved(self) -> list[Explanation]:
        if self.moved_from is None:
            return []
        last = self.due_on - _ONE_DAY
        return [Explanation(Reason.MOVED, self.moved_from, last, (self.due_on - self.moved_from).days)]


def compute(
    start: date,
    amount: int,
    unit: Unit | str,
    calendar: Calendar,
    suspensions: Iterable[Suspension] = (),
    extensions: Iterable[Extension] = (),
    *,
    move_to_working_day: bool = False,
) -> Deadline:
    """The deadline `amount` units after `start`; neither `start` nor suspended days are counted.

    Extensions lengthen it in the same unit. `move_to_working_day` puts a last day that is not worked on the
    next one that is (Civil Code Art. 203), which periods of calendar days and months for acts of people need
    and periods of publication do not. Raises YearNotAnnounced if working days of an unannounced year are
    needed, ValueError if the amount is negative.
    """
    if amount < 0:
        raise ValueError("The length of a period cannot be negative.")
    unit, stops, added = Unit(unit), tuple(suspensions), tuple(extensions)
    due = _count(start, amount + sum(extra.amount for extra in added), unit, calendar, stops)
    moved_to = due
    while move_to_working_day and not calendar.entry(moved_to).working:
        moved_to += _ONE_DAY
    moved_from = due if moved_to != due else None
    return Deadline(moved_to, start, amount, unit, stops, added, moved_from, calendar)


def add_months(start: date, n: int) -> date:
    """The day of the same number n months later, or the last day of a shorter month."""
    years, month = divmod(start.year * 12 + start.month - 1 + n, 12)
    return date(years, month + 1, min(start.day, monthrange(years, month + 1)[1]))


def _count(start: date, total: int, unit: Unit, calendar: Calendar, stops: tuple[Suspension, ...]) -> date:
    if unit is Unit.WORKING_DAYS and not stops:
        return add_working_days(start, total, calendar)
    if unit is Unit.MONTHS:
        total = (add_months(start, total) - start).days
    day = start
    while total > 0:
        day += _ONE_DAY
        suspended = any(stop.covers(day) for stop in stops)
        if not suspended and (unit is not Unit.WORKING_DAYS or calendar.entry(day).working):
            total -= 1
    return day


def _days_after(start: date, last: date) -> Iterator[date]:
    for offset in range(1, (last - start).days + 1):
        yield start + timedelta(days=offset)


_Marked = tuple[date, tuple[Reason, str]]


def _runs(marked: list[_Marked]) -> Iterator[Iterator[_Marked]]:
    """Neighbouring days with the same mark, together."""
    numbered = ((day.toordinal() - index, mark, (day, mark)) for index, (day, mark) in enumerate(marked))
    for _key, run in groupby(numbered, key=itemgetter(0, 1)):
        yield (item[2] for item in run)


def _stretch(run: list[_Marked], unit: Unit) -> Explanation:
    reason, name = run[0][1]
    return Explanation(reason, run[0][0], run[-1][0], len(run), name, unit)


def _amount(number: int, unit: Unit) -> str:
    values = {"number": number}
    if unit is Unit.WORKING_DAYS:
        return ngettext("%(number)s working day", "%(number)s working days", number) % values
    if unit is Unit.CALENDAR_DAYS:
        return ngettext("%(number)s day", "%(number)s days", number) % values
    return ngettext("%(number)s month", "%(number)s months", number) % values
