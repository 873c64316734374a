"""The calendar of working days, kept in a table that staff can amend."""

from creditplatform.core.deadlines import Calendar
from creditplatform.core.models import CalendarDay


def load_calendar() -> Calendar:
    """All announced days in one query; a year without rows is one not yet announced."""
    rows = CalendarDay.objects.values_list("day", "working", "name")
    return Calendar.from_days(rows)
