"""What a record said on a day that is past: read from the rows that changes have replaced."""

import datetime
from collections.abc import Collection
from typing import Any

from django.db.models import Model, Q
from django.utils import timezone

from records.models import CreditRecord
from records.querysets import CreditRecordQuerySet


def as_it_stood(record: CreditRecord, on: datetime.date) -> Model | None:
    """The record as it stood at the end of that day: a former row of its history, or itself; None before it came in.

    A former row has the same fields. One query.
    """
    end = end_of(on)
    if record.received_at >= end:
        return None
    tracked: Any = CreditRecord
    replaced = tracked.pgh_event_model.objects.filter(pgh_obj_id=record.pk, pgh_created_at__gte=end)
    former: Model | None = replaced.order_by("pgh_id").first()
    return former or record


def standing_on(
    subject_id: int, on: datetime.date, *, openness: Collection[str], today: datetime.date
) -> list[CreditRecordQuerySet]:
    """The records of a person that might be shown at the end of a past day: those unchanged since, and former rows.

    A record that may no longer be kept today is not brought back from its history.
    """
    end, tracked = end_of(on), CreditRecord
    events: Any = tracked.pgh_event_model  # type: ignore[attr-defined]
    kept = CreditRecord.objects.kept(on=today).filter(subject=subject_id, received_at__lt=end)
    keys = list(kept.values_list("pk", flat=True))
    replaced = events.objects.filter(pgh_obj_id__in=keys, pgh_created_at__gte=end)
    first = dict(replaced.order_by("pgh_obj_id", "-pgh_id").values_list("pgh_obj_id", "pgh_id"))
    since: CreditRecordQuerySet = CreditRecord.objects.filter(pk__in=set(keys) - set(first))
    former = CreditRecordQuerySet(events).filter(Q(pk__in=list(first.values())), subject=subject_id)
    return [rows.disclosable(on=on, openness=openness) for rows in (since, former)]


def end_of(day: datetime.date) -> datetime.datetime:
    """The first instant after a day."""
    return timezone.make_aware(datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time.min))
