"""What a record said on a day that is past: read from the rows that changes have replaced."""

import datetime
from typing import Any

from django.db.models import Model
from django.utils import timezone

from records.models import CreditRecord


def as_it_stood(record: CreditRecord, on: datetime.date) -> Model | None:
    """The record as it stood at the end of that day: a former row of its history, or itself; None before it came in.

    A former row has the same fields. One query.
    """
    end = timezone.make_aware(datetime.datetime.combine(on + datetime.timedelta(days=1), datetime.time.min))
    if record.received_at >= end:
        return None
    tracked: Any = CreditRecord
    replaced = tracked.pgh_event_model.objects.filter(pgh_obj_id=record.pk, pgh_created_at__gte=end)
    former: Model | None = replaced.order_by("pgh_id").first()
    return former or record
