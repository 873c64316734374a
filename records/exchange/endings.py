"""What a withdrawal elsewhere does to the record here: it ends by the table of its procedure, step by platform.

Both ways only what a peer brought is touched, and only what a peer did is undone: an end or a mark that comes from the
unit or from the platform itself stays, whatever is told elsewhere.
"""

from collections.abc import Iterable, Mapping

from django.utils import timezone

from creditplatform.core.models import StepEvent
from records.enums import ChangeCause, RecordState
from records.exchange.wire import Item
from records.models import CreditRecord, ExchangePeer, ReceivedRecord
from records.services.public_words import end_public_words
from records.workflows.credit_record import CREDIT_RECORD

STEPS = {
    ChangeCause.EXPIRED: "expired_at_source",
    ChangeCause.REPAIRED: "repaired_at_source",
    ChangeCause.REVOKED: "revoked_at_source",
    ChangeCause.ARCHIVED: "archive",
}
FOLLOWED = frozenset({"expired_at_source", "repaired_at_source"})
RESTORABLE = frozenset({RecordState.EXPIRED, RecordState.REPAIRED})  # a revoked one comes back with its content


def foreign(peer: ExchangePeer, records: Iterable[int]) -> set[int]:
    """Which of these records are no longer the peer's to end: their unit has delivered or corrected them here."""
    wanted = set(records)
    return wanted - set(CreditRecord.objects.from_peer(peer.pk).filter(pk__in=wanted).values_list("pk", flat=True))


def follow(peer: ExchangePeer, causes: Mapping[int, str]) -> None:
    """End these records for the causes named; one that has ended stays as it is. Must run in an audit context."""
    for record in CreditRecord.objects.from_peer(peer.pk).filter(pk__in=causes):
        cause = ChangeCause(causes[record.pk])
        if cause == ChangeCause.WITHHELD:
            _withhold(peer, record)
        elif record.state in CREDIT_RECORD.step(STEPS[cause]).source:
            CREDIT_RECORD.take(STEPS[cause], record, user=None)


def restore(peer: ExchangePeer, items: Mapping[int, Item]) -> None:
    """Bring marks and state of records up to what their source says of them now. Must run in an audit context."""
    records = list(CreditRecord.objects.from_peer(peer.pk).filter(pk__in=items))
    links = {link.record_id: link for link in ReceivedRecord.objects.filter(peer=peer, record__in=records)}
    followed = _followed([record for record in records if record.state in RESTORABLE])
    today = timezone.localdate()
    for record in records:
        _mark(record, links[record.pk], items[record.pk])
        _say(record, links[record.pk], items[record.pk])
        if record.pk in followed and (record.publish_until is None or record.publish_until > today):
            CREDIT_RECORD.take("restored_at_source", record, user=None)


def _withhold(peer: ExchangePeer, record: CreditRecord) -> None:
    if not record.withheld:
        CreditRecord.objects.filter(pk=record.pk).update(withheld=True, changed_at=timezone.now())
        ReceivedRecord.objects.filter(peer=peer, record=record).update(withheld=True)


def _mark(record: CreditRecord, link: ReceivedRecord, item: Item) -> None:
    """Set the mark of a dispute, or take back the marks that the peer has set."""
    marks = {}
    if item.disputed and not record.disputed:
        marks["disputed"] = True
    if link.disputed and not item.disputed:
        marks["disputed"] = False
    if link.withheld:
        marks["withheld"] = False
    if marks:
        CreditRecord.objects.filter(pk=record.pk).update(**marks, changed_at=timezone.now())
        ReceivedRecord.objects.filter(pk=link.pk).update(**marks)


def _say(record: CreditRecord, link: ReceivedRecord, item: Item) -> None:
    """Let the person's statement follow what was said at the source; words written here since stay."""
    said = item.statement
    if said is not None and (record.statement or "") == (link.statement or "") != said:
        CreditRecord.objects.filter(pk=record.pk).update(statement=said or None)
        end_public_words(record)
        ReceivedRecord.objects.filter(pk=link.pk).update(statement=said or None)


def _followed(records: list[CreditRecord]) -> set[int]:
    """Those of these records that bear their state because a peer said so."""
    states = {record.pk: record.state for record in records}
    events = StepEvent.objects.filter(workflow=CREDIT_RECORD.name, case_ref__in=states)
    # One that came back repaired as before was repaired by whoever had said so first.
    events = events.exclude(step="reinstate_repaired_by_source").order_by("at", "pk")
    last = {
        record: step for record, step, to in events.values_list("case_ref", "step", "to_state") if to == states[record]
    }
    return {record for record, step in last.items() if step in FOLLOWED}
