"""Keep the figures of the months: count those that are open and have changed, and those that were never counted."""

import datetime

from django.db.models import Max
from django.db.models.functions import TruncMonth
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.deadlines import add_months
from creditplatform.core.enums import Door
from records.figures.counting import Span, count_month
from records.figures.rules import first_day
from records.models import FeedBatch, MonthlyFigure

# A batch may bear an end a little older than the moment at which others see it.
OVERLAP = datetime.timedelta(minutes=15)


def refresh_figures(*, on: datetime.date | None = None, door: Door = Door.TIMER) -> list[datetime.date]:
    """Count the months that need it, each in a transaction of its own; returns them.

    A month stays open until the one after it has ended: then its figures stand, and what is corrected later counts
    where it comes in. It costs two small questions while nothing was delivered.
    """
    today = on or timezone.localdate()
    current = first_day(today)
    never = _never_counted(before=add_months(current, 1))
    due = sorted({*never, *(month for month in (add_months(current, -1), current) if _changed(month))})
    for month in due:
        with audit.context(actor=None, door=door, reason="figures of a month"):
            count_month(month)
    return due


def _changed(month: datetime.date) -> bool:
    """Whether a batch ended since the month was counted; one of the evening before may bring its records in it, too."""
    counted = MonthlyFigure.objects.filter(month=month).aggregate(at=Max("computed_at"))["at"]
    span = Span(month)
    since = span.start - datetime.timedelta(days=1)
    ended = FeedBatch.objects.filter(received_at__gte=since, received_at__lt=span.end, finished_at__isnull=False)
    return ended.filter(finished_at__gt=counted - OVERLAP).exists() if counted else ended.exists()


def _never_counted(*, before: datetime.date) -> set[datetime.date]:
    months = FeedBatch.objects.annotate(month=TruncMonth("received_at")).order_by().values_list("month").distinct()
    known = set(MonthlyFigure.objects.order_by().values_list("month", flat=True).distinct())
    return {month for (at,) in months if (month := first_day(timezone.localdate(at))) < before} - known
