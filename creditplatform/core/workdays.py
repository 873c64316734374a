"""The calendar of working days: which days count, for the years the State Council has announced.

A year not announced is refused, never guessed: its holidays and the weekends worked in return are unknown.
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import isleap
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple

import chinese_calendar
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from creditplatform.core.errors import CreditError

SATURDAY = 5

HOLIDAY_NAMES = (  # as the library writes them, here so that they are translated
    gettext_noop("New Year's Day"),
    gettext_noop("Spring Festival"),
    gettext_noop("Tomb-sweeping Day"),
    gettext_noop("Labour Day"),
    gettext_noop("Dragon Boat Festival"),
    gettext_noop("National Day"),
    gettext_noop("Mid-autumn Festival"),
    gettext_noop("Anti-Fascist 70th Day"),
)


class YearNotAnnounced(CreditError):
    """Working days of a year are asked for whose holidays are not yet announced; `year` says which."""

    def __init__(self, year: int) -> None:
        super().__init__(
            "year_not_announced",
            _(
                "The holidays of %(year)s are not yet announced, so its working days cannot be counted. "
                "Enter them in the calendar once the State Council has published its notice."
            ),
            year=year,
        )
        self.args = (year,)  # so that a worker can send the error on
        self.year = year


class CalendarEntry(NamedTuple):
    """One day: whether it is worked, and the holiday it belongs to (also for weekends worked in return)."""

    working: bool
    name: str = ""


class Calendar:
    """The announced years, day by day; immutable.

    A year counts as announced only if every one of its days is there, unless `announced_years` names the
    years: then a day that is missing is worked from Monday to Friday.
    """

    __slots__ = ("_days", "_working", "announced_years")

    def __init__(self, days: dict[date, CalendarEntry], announced_years: Iterable[int] | None = None) -> None:
        complete = frozenset(announced_years) if announced_years is not None else _complete_years(days)
        filled = {
            day: days.get(day) or CalendarEntry(day.weekday() < SATURDAY)
            for year in sorted(complete)
            for day in days_of_year(year)
        }
        self.announced_years: frozenset[int] = complete
        self._days = MappingProxyType(filled)
        self._working = [day for day, entry in filled.items() if entry.working]

    @classmethod
    def from_days(cls, rows: Iterable[tuple[date, bool, str]]) -> Calendar:
        """From rows of day, worked or not, and name of the holiday, as the table holds them."""
        return cls({day: CalendarEntry(working, name) for day, working, name in rows})

    def entry(self, day: date) -> CalendarEntry:
        """What the calendar says of a day. Raises YearNotAnnounced."""
        try:
            return self._days[day]
        except KeyError:
            raise YearNotAnnounced(day.year) from None

    def require(self, first: date, last: date) -> None:
        """Raises YearNotAnnounced for the earliest year from `first` to `last` that is not announced."""
        for year in range(first.year, last.year + 1):
            if year not in self.announced_years:
                raise YearNotAnnounced(year)

    def working_days_until(self, day: date) -> int:
        """How many working days of the announced years lie on or before a day."""
        return bisect_right(self._working, day)

    def working_day(self, position: int) -> date | None:
        """The working day at a position counted from 1; None beyond the last announced one."""
        return self._working[position - 1] if position <= len(self._working) else None


def is_working_day(day: date, calendar: Calendar) -> bool:
    """Whether a day is worked. Raises YearNotAnnounced."""
    return calendar.entry(day).working


def add_working_days(start: date, n: int, calendar: Calendar) -> date:
    """The nth working day after `start`, which itself is not counted; for 0 the same day.

    Raises YearNotAnnounced if the way leads through a year not announced, ValueError if n is negative.
    """
    if n < 0:
        raise ValueError("A number of working days cannot be negative.")
    calendar.require(start, start)
    if n == 0:
        return start
    found = calendar.working_day(calendar.working_days_until(start) + n)
    if found is None:
        raise YearNotAnnounced(_first_gap_after(start.year, calendar))
    calendar.require(start, found)
    return found


def working_days_between(a: date, b: date, calendar: Calendar) -> int:
    """The working days after `a` up to and including `b`; negative if `b` lies before `a`.

    Raises YearNotAnnounced.
    """
    calendar.require(min(a, b), max(a, b))
    return calendar.working_days_until(b) - calendar.working_days_until(a)


def days_from_library(year: int) -> list[tuple[date, bool, str]]:
    """All days of a year as the library knows them: day, worked or not, name of the holiday or ''.

    Raises YearNotAnnounced for a year that this release of the library does not hold (it begins in 2004).
    """
    try:
        details = [(day, *chinese_calendar.get_holiday_detail(day)) for day in days_of_year(year)]
    except NotImplementedError:
        raise YearNotAnnounced(year) from None
    return [(day, not off, name or "") for day, off, name in details]


def days_of_year(year: int) -> list[date]:
    """All days of a year, in order."""
    first = date(year, 1, 1)
    return [first + timedelta(days=offset) for offset in range(366 if isleap(year) else 365)]


def _complete_years(days: Iterable[date]) -> frozenset[int]:
    counts = Counter(day.year for day in days)
    return frozenset(year for year, count in counts.items() if count == len(days_of_year(year)))


def _first_gap_after(year: int, calendar: Calendar) -> int:
    while year in calendar.announced_years:
        year += 1
    return year
