"""For every named constraint of the exchange one act that offends it."""

import datetime
from typing import Any

from django.utils import timezone

from records.models import ChangeEvent, ExchangePeer, PeerEntry, PeerReceipt, ReceivedBlock, ReceivedRecord
from tests.records.provocations import provokes
from tests.records.world import World


def a_draft_peer(w: World, **values: Any) -> ExchangePeer:
    words = {"code": "draft", "name": "甲", "name_en": "A", "kind": "provincial", "agency": w.market, **values}
    return ExchangePeer.objects.create(**words)


def a_receipt(w: World, peer: ExchangePeer, **values: Any) -> PeerReceipt:
    now = timezone.now()
    words: dict[str, Any] = {
        "peer": peer, "number": 1, "record": w.record, "site_id": w.record.site_id, "cause": "revoked",
        "ended_at": now, "due_on": now.date() + datetime.timedelta(days=1), **values,
    }  # fmt: skip
    return PeerReceipt.objects.create(**words)


@provokes("exchange_peer_two_people")
def _(w: World) -> None:
    basis = w.version.legal_basis
    a_draft_peer(w, active=True, legal_basis=basis, proposed_by=w.cast.centre, approved_by=w.cast.centre)


@provokes("exchange_peer_push_complete")
def _(w: World) -> None:
    a_draft_peer(w, push_url="https://example.org/api/v1/", push_client_id="x")


@provokes("peer_entry_once")
def _(w: World) -> None:
    peer = a_draft_peer(w)
    for _turn in range(2):
        PeerEntry.objects.create(peer=peer, entry_id=w.record.entry_id)


@provokes("change_event_numbers_its_records")
def _(w: World) -> None:
    ChangeEvent.objects.create(first=101, last=105, kind="added", record_ids=[w.record.pk], at=timezone.now())


@provokes("change_event_cause")
def _(w: World) -> None:
    ChangeEvent.objects.create(first=101, last=101, kind="withdrawn", record_ids=[w.record.pk], at=timezone.now())


@provokes("peer_receipt_once")
def _(w: World) -> None:
    peer = a_draft_peer(w)
    a_receipt(w, peer)
    a_receipt(w, peer)


@provokes("peer_receipt_confirmed_with_proof")
def _(w: World) -> None:
    a_receipt(w, a_draft_peer(w), confirmed_at=timezone.now(), sent_at=timezone.now())


@provokes("received_block_once")
def _(w: World) -> None:
    peer = a_draft_peer(w)
    for _turn in range(2):
        ReceivedBlock.objects.create(peer=peer, key="k", answer={})


@provokes("received_record_once")
def _(w: World) -> None:
    peer = a_draft_peer(w)
    for _turn in range(2):
        ReceivedRecord.objects.create(peer=peer, token="t", number=1)
