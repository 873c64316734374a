"""Small worlds for figures: penalties of a unit with the days of decision and receipt chosen by the test."""

import datetime
from collections.abc import Iterable

from django.utils import timezone

from creditplatform.core.models import Agency, RuleValue
from records.models import CreditRecord, FeedBatch
from tests.deliveries import FEED, ingest, penalty

OCTOBER = datetime.date(2026, 10, 1)
Pair = tuple[datetime.date, datetime.date]


def noon(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time(12)))


def arrived(pairs: Iterable[Pair], *, feed: str = FEED, first: int = 100, on: datetime.date | None = None) -> FeedBatch:
    """Penalties decided and received on these days; the batch came on `on`. Must run in an audit context."""
    chosen = list(pairs)
    rows = [penalty(first + at, CF_JDRQ=decided.isoformat()) for at, (decided, _received) in enumerate(chosen)]
    batch = ingest(*rows, feed=feed)
    assert batch.accepted == len(chosen), batch.problems
    for at, (_decided, received) in enumerate(chosen):
        number = f"惠市监罚〔2026〕{first + at}号"
        CreditRecord.objects.filter(batch_id=batch.pk, document_number=number).update(received_at=noon(received))
    return came_on(batch, on or OCTOBER)


def came_on(batch: FeedBatch, day: datetime.date) -> FeedBatch:
    """Let a batch be of the past."""
    FeedBatch.objects.filter(pk=batch.pk).update(received_at=noon(day))
    batch.refresh_from_db()
    return batch


def in_force(key: str, value: int) -> None:
    """Bring a rule value into force that is delivered as a draft. Must run in an audit context."""
    RuleValue.objects.filter(key=key).update(in_force=True, confirmed=True, value=value)


def market() -> Agency:
    return Agency.objects.select_related("site").get(code="hz-market")
