"""Working days, months and deadlines that explain themselves."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from creditplatform.core.deadlines import (
    Calendar,
    CalendarEntry,
    Extension,
    Reason,
    Suspension,
    Unit,
    YearNotAnnounced,
    add_months,
    add_working_days,
    compute,
    days_from_library,
    is_working_day,
    working_days_between,
)

FIRST_YEAR, LAST_YEAR = 2022, 2026


@lru_cache(maxsize=1)
def announced() -> Calendar:
    """The calendar of the years 2022 to 2026."""
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    return Calendar.from_days(row for year in years for row in days_from_library(year))


starts = st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR - 1, 6, 30))
amounts = st.integers(1, 60)
units = st.sampled_from(Unit)
suspensions = st.lists(
    st.builds(
        lambda day, length: Suspension(day, day + timedelta(days=length), "waiting"),
        starts,
        st.integers(0, 20),
    ),
    max_size=3,
)


# --- the calendar


def test_holidays_and_weekends_worked_in_return() -> None:
    calendar = announced()
    assert not is_working_day(date(2026, 10, 1), calendar)
    assert is_working_day(date(2026, 10, 10), calendar)  # a Saturday
    assert not is_working_day(date(2026, 10, 11), calendar)
    assert calendar.entry(date(2026, 10, 10)) == CalendarEntry(True, "National Day")
    assert calendar.announced_years == frozenset(range(FIRST_YEAR, LAST_YEAR + 1))


def test_the_library_gives_every_day_of_a_year() -> None:
    for year, count in ((2024, 366), (2026, 365)):
        rows = days_from_library(year)
        assert [row[0] for row in rows] == [date(year, 1, 1) + timedelta(days=n) for n in range(count)]
    assert sum(working for _day, working, _name in days_from_library(2026)) == 248


@pytest.mark.parametrize("year", [2003, 2027, 2100])
def test_a_year_the_library_does_not_hold_is_refused(year: int) -> None:
    with pytest.raises(YearNotAnnounced) as refused:
        days_from_library(year)
    assert refused.value.year == year
    assert str(year) in str(refused.value)


def test_a_year_with_a_day_missing_is_not_announced() -> None:
    calendar = Calendar.from_days(days_from_library(2026)[:-1])
    assert calendar.announced_years == frozenset()
    with pytest.raises(YearNotAnnounced):
        is_working_day(date(2026, 1, 5), calendar)


def test_a_year_may_be_declared_announced_with_its_exceptions_only() -> None:
    calendar = Calendar({date(2027, 1, 1): CalendarEntry(False, "New Year's Day")}, announced_years=[2027])
    assert not is_working_day(date(2027, 1, 1), calendar)
    assert not is_working_day(date(2027, 1, 2), calendar)
    assert is_working_day(date(2027, 1, 4), calendar)


def test_a_calendar_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        announced().holidays = []  # type: ignore[attr-defined]


# --- counting


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        (date(2026, 9, 21), 20, date(2026, 10, 26)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 10, 9), 1, date(2026, 10, 10)),
        (date(2026, 10, 3), 1, date(2026, 10, 8)),
        (date(2025, 12, 31), 1, date(2026, 1, 4)),
        (date(2026, 10, 3), 0, date(2026, 10, 3)),
    ],
)
def test_known_deadlines(start: date, n: int, due: date) -> None:
    assert add_working_days(start, n, announced()) == due


@given(starts, amounts)
def test_adding_and_counting_agree(start: date, n: int) -> None:
    due = add_working_days(start, n, announced())
    assert working_days_between(start, due, announced()) == n
    assert working_days_between(due, start, announced()) == -n


@given(starts, amounts)
def test_a_deadline_lands_on_a_working_day_after_the_start(start: date, n: int) -> None:
    due = add_working_days(start, n, announced())
    assert due > start
    assert is_working_day(due, announced())


@given(starts, amounts)
def test_more_days_or_a_later_start_never_end_earlier(start: date, n: int) -> None:
    due = add_working_days(start, n, announced())
    assert add_working_days(start, n + 1, announced()) > due
    assert add_working_days(start + timedelta(days=1), n, announced()) >= due


@given(starts, st.integers(0, 400))
def test_counting_is_the_sum_over_the_days(start: date, length: int) -> None:
    days = [start + timedelta(days=n) for n in range(1, length + 1)]
    expected = sum(is_working_day(day, announced()) for day in days)
    assert working_days_between(start, start + timedelta(days=length), announced()) == expected


def test_a_year_not_announced_is_refused_and_named() -> None:
    calendar = announced()
    for refused in (
        lambda: add_working_days(date(2026, 12, 20), 30, calendar),
        lambda: add_working_days(date(2027, 3, 1), 1, calendar),
        lambda: working_days_between(date(2026, 12, 20), date(2027, 1, 5), calendar),
        lambda: working_days_between(date(2027, 1, 5), date(2026, 12, 20), calendar),
        lambda: compute(
            date(2026, 12, 20),
            30,
            Unit.WORKING_DAYS,
            calendar,
            [Suspension(date(2026, 12, 24), date(2026, 12, 24))],
        ),
    ):
        with pytest.raises(YearNotAnnounced, match="2027"):
            refused()


def test_a_gap_between_announced_years_is_never_jumped() -> None:
    calendar = Calendar.from_days([*days_from_library(2022), *days_from_library(2024)])
    with pytest.raises(YearNotAnnounced, match="2023"):
        add_working_days(date(2022, 12, 30), 5, calendar)
    with pytest.raises(YearNotAnnounced, match="2025"):
        add_working_days(date(2024, 12, 30), 5, calendar)


def test_negative_amounts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_working_days(date(2026, 1, 5), -1, announced())
    with pytest.raises(ValueError, match="negative"):
        compute(date(2026, 1, 5), -1, Unit.MONTHS, announced())
    with pytest.raises(ValueError, match="shorten"):
        Extension(-1)
    with pytest.raises(ValueError, match="end before"):
        Suspension(date(2026, 1, 5), date(2026, 1, 4))


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2024, 2, 29), 36, date(2027, 2, 28)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_months_end_on_the_same_number_or_the_last_day(start: date, n: int, due: date) -> None:
    assert add_months(start, n) == due
    assert compute(start, n, "months", announced()).due_on == due


# --- deadlines


@given(starts, amounts)
def test_without_interruption_a_deadline_is_the_plain_count(start: date, n: int) -> None:
    assert compute(start, n, Unit.WORKING_DAYS, announced()).due_on == add_working_days(start, n, announced())
    assert compute(start, n, Unit.CALENDAR_DAYS, announced()).due_on == start + timedelta(days=n)


@given(starts, st.integers(1, 12), units, suspensions)
def test_suspended_days_are_never_counted(start: date, n: int, unit: Unit, stops: list[Suspension]) -> None:
    deadline = compute(start, n, unit, announced(), stops)
    plain = compute(start, n, unit, announced())
    assert deadline.due_on >= plain.due_on
    assert not any(stop.covers(deadline.due_on) for stop in stops)
    counted = [
        day
        for day in _days(start, deadline.due_on)
        if not any(stop.covers(day) for stop in stops)
        and (unit is not Unit.WORKING_DAYS or is_working_day(day, announced()))
    ]
    expected = (plain.due_on - start).days if unit is not Unit.WORKING_DAYS else n
    assert len(counted) == expected


@given(starts, st.integers(1, 12), units, st.integers(0, 5))
def test_an_extension_is_the_same_as_a_longer_period(start: date, n: int, unit: Unit, more: int) -> None:
    extended = compute(start, n, unit, announced(), extensions=[Extension(more, "expert opinion")])
    assert extended.due_on == compute(start, n + more, unit, announced()).due_on
    assert extended.days == n


@given(starts, st.integers(1, 30), suspensions)
def test_the_explanation_accounts_for_every_day(start: date, n: int, stops: list[Suspension]) -> None:
    deadline = compute(start, n, Unit.WORKING_DAYS, announced(), stops)
    items = deadline.explain()
    skipped = sum(item.days for item in items if item.reason is not Reason.ADJUSTED_WORKDAY)
    assert (deadline.due_on - start).days == n + skipped
    assert all(start < item.from_on <= item.until_on <= deadline.due_on for item in items)
    assert all(one.until_on < other.from_on for one, other in pairwise(items))


def test_a_deadline_tells_each_stretch() -> None:
    deadline = compute(
        date(2026, 9, 21),
        20,
        Unit.WORKING_DAYS,
        announced(),
        [Suspension(date(2026, 10, 12), date(2026, 10, 13), "papers asked for")],
        [Extension(3, "expert opinion")],
    )
    assert deadline.due_on == date(2026, 11, 2)
    told = [(item.reason, item.from_on, item.until_on, item.days, item.name) for item in deadline.explain()]
    assert told[:5] == [
        (Reason.HOLIDAY, date(2026, 9, 25), date(2026, 9, 27), 3, "Mid-autumn Festival"),
        (Reason.HOLIDAY, date(2026, 10, 1), date(2026, 10, 7), 7, "National Day"),
        (Reason.ADJUSTED_WORKDAY, date(2026, 10, 10), date(2026, 10, 10), 1, "National Day"),
        (Reason.WEEKEND, date(2026, 10, 11), date(2026, 10, 11), 1, ""),
        (Reason.SUSPENSION, date(2026, 10, 12), date(2026, 10, 13), 2, "papers asked for"),
    ]
    assert told[-1] == (Reason.EXTENSION, date(2026, 11, 2), date(2026, 11, 2), 3, "expert opinion")
    with translation.override("en"):
        sentence = deadline.sentence()
    assert sentence.startswith("Due on 2026-11-02: 20 working days after 2026-09-21. ")
    assert "2026-10-01 to 2026-10-07: National Day, not counted" in sentence
    assert "2026-10-12 to 2026-10-13: clock stopped: papers asked for" in sentence
    assert "extended by 3 working days: expert opinion" in sentence


def test_sentences_without_reason_or_name_stay_tidy() -> None:
    calendar = Calendar({date(2026, 3, 4): CalendarEntry(False)}, announced_years=[2026])
    deadline = compute(date(2026, 3, 2), 2, "working_days", calendar, [Suspension(date(2026, 3, 3), date(2026, 3, 3))])
    with translation.override("en"):
        assert [item.sentence() for item in deadline.explain()] == [
            "2026-03-03: clock stopped",
            "2026-03-04: public holiday, not counted",
        ]
        short = compute(date(2026, 3, 9), 1, "working_days", calendar)
        assert short.sentence() == "Due on 2026-03-10: 1 working day after 2026-03-09."


def test_a_last_day_off_may_move_to_the_next_working_day() -> None:
    plain = compute(date(2026, 8, 2), 2, Unit.MONTHS, announced())
    moved = compute(date(2026, 8, 2), 2, Unit.MONTHS, announced(), move_to_working_day=True)
    assert (plain.due_on, plain.explain()) == (date(2026, 10, 2), [])
    assert (moved.due_on, moved.moved_from) == (date(2026, 10, 8), date(2026, 10, 2))
    [item] = moved.explain()
    assert (item.reason, item.from_on, item.until_on) == (Reason.MOVED, date(2026, 10, 2), date(2026, 10, 7))
    with translation.override("en"):
        assert moved.sentence().startswith("Due on 2026-10-08: 2 months after 2026-08-02. ")


@given(starts, st.integers(0, 12), units)
def test_moving_lands_on_a_working_day_and_only_if_needed(start: date, n: int, unit: Unit) -> None:
    plain = compute(start, n, unit, announced())
    moved = compute(start, n, unit, announced(), move_to_working_day=True)
    assert is_working_day(moved.due_on, announced())
    assert (moved.due_on == plain.due_on) == is_working_day(plain.due_on, announced())


def test_long_periods_of_publication_need_no_calendar() -> None:
    assert compute(date(2026, 8, 2), 36, Unit.MONTHS, announced()).due_on == date(2029, 8, 2)


def _days(start: date, last: date) -> list[date]:
    return [start + timedelta(days=n) for n in range(1, (last - start).days + 1)]
