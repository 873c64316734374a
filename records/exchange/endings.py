"""What a withdrawal elsewhere does to the record here: it ends by the table of its procedure, step by platform."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from records.enums import ChangeCause
from records.exchange.wire import Item
from records.models import CreditRecord
from records.workflows.credit_record import CREDIT_RECORD

STEPS = {
    ChangeCause.EXPIRED: "expire",
    ChangeCause.REPAIRED: "repaired_at_source",
    ChangeCause.REVOKED: "revoked_at_source",
    ChangeCause.ARCHIVED: "archive",
}


def follow(causes: Mapping[Any, str]) -> None:
    """End these records for the causes named; one that has ended stays as it is. Must run in an audit context."""
    for record in CreditRecord.objects.filter(pk__in=causes):
        cause = causes[record.pk]
        if cause == ChangeCause.WITHHELD:
            CreditRecord.objects.filter(pk=record.pk).update(withheld=True, changed_at=timezone.now())
        elif record.state in CREDIT_RECORD.step(STEPS[ChangeCause(cause)]).source:
            CREDIT_RECORD.take(STEPS[ChangeCause(cause)], record, user=None)


def restore(items: Mapping[int, Item]) -> None:
    """Bring marks and state of records up to what their source says of them now. Must run in an audit context."""
    for record in CreditRecord.objects.filter(pk__in=items):
        item, marks = items[record.pk], {}
        if record.disputed != item.disputed:
            marks["disputed"] = item.disputed
        if record.withheld:
            marks["withheld"] = False
        if marks:
            CreditRecord.objects.filter(pk=record.pk).update(**marks, changed_at=timezone.now())
        if record.state in CREDIT_RECORD.step("restored_at_source").source:
            CREDIT_RECORD.take("restored_at_source", record, user=None)
