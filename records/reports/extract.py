"""Which records a report shows, and a digest that tells later whether they are still the same."""

import datetime
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from records.history import standing_on
from records.models import CreditRecord, Subject
from records.queries.grants import TO_THE_PERSON
from records.querysets import CreditRecordQuerySet
from records.reports.order import Order
from records.reports.sections import Item, contributed

RELATED = ("entry", "version__legal_basis", "agency")


@dataclass(frozen=True)
class Extract:
    """The records and further items of a report; a record of a past day is a row of its history, of the same fields."""

    records: list[Any]
    further: dict[str, list[Item]]


def extract(subject: Subject, order: Order, *, today: datetime.date) -> Extract:
    """What a report shows: disclosed records only, newest decision first; about five queries, whatever the length.

    Withheld, repaired, revoked and expired records are not in it; nor, in the state of a past day, what may no longer
    be kept today.
    """
    openness = order.grant.openness if order.grant else TO_THE_PERSON
    if order.as_of < today:
        sets = standing_on(subject.pk, order.as_of, openness=openness, today=today)
    else:
        sets = [CreditRecord.objects.filter(subject=subject.pk).disclosable(on=order.as_of, openness=openness)]
    records = [record for rows in sets for record in _chosen(rows, order)]
    records.sort(key=lambda record: (record.decided_on, key_of(record)), reverse=True)
    further = contributed(subject.pk, order.as_of) if order.own and not order.special else {}
    return Extract(records, further)


def _chosen(rows: CreditRecordQuerySet, order: Order) -> CreditRecordQuerySet:
    wanted = Q()
    if order.entries:
        wanted &= Q(entry__code__in=order.entries)
    if order.grant:
        wanted &= Q(entry__code__in=order.grant.scope.entries)
    if order.period_from:
        wanted &= Q(decided_on__gte=order.period_from)
    if order.period_until:
        wanted &= Q(decided_on__lte=order.period_until)
    return rows.filter(wanted).select_related(*RELATED).prefetch_related("version__fields")


def key_of(record: Any) -> int:
    """The key of a record, also where it is a former row of its history."""
    return int(getattr(record, "pgh_obj_id", None) or record.pk)


def digest(subject: Subject, found: Extract) -> str:
    """SHA-256 over what the report rests on: no words, so that neither language nor wording changes it."""
    parts = [
        bytes(subject.number_index).hex(),
        bytes(subject.name_index).hex(),
        sorted(_fingerprint(record) for record in found.records),
        sorted((code, item.key, item.state) for code, items in found.further.items() for item in items),
    ]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def _fingerprint(record: Any) -> list[Any]:
    statement = hashlib.sha256((record.statement or "").encode()).hexdigest()
    return [
        key_of(record), bytes(record.digest).hex(), record.version_id, record.agency_id, record.document_number,
        record.decided_on, record.effects, record.tier, record.disputed, record.repairable_from,
        record.publish_until, statement,
    ]  # fmt: skip
