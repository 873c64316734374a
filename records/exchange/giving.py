"""Handing changes over to a peer, by its own question or by push, and taking its confirmations."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.audit.access import record_disclosures
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import AccessLog
from records.enums import OwnPurpose
from records.exchange.contents import Item, Teller, Told
from records.exchange.numbering import changes_after, expect, number_changes, told_upto
from records.models import ExchangePeer, PeerDelivery, PeerReceipt, PeerState

MOST = 1000
USUAL = 500


@dataclass(frozen=True)
class Page:
    """One stretch of the feed as a peer is told of it; `upto` is the number to go on from."""

    items: list[Item]
    upto: int
    more: bool
    delivery: int | None = None


def served(peer: ExchangePeer) -> bool:
    """Whether the peer is approved, not paused, and its legal basis holds today."""
    return not peer.paused and ExchangePeer.objects.served(on=timezone.localdate()).filter(pk=peer.pk).exists()


def hand_over(*, peer: ExchangePeer, after: int, limit: int, door: Door, most_bytes: int = 0) -> Page:
    """Tell a peer of at most `limit` changes after a number, and write down first what it is told.

    With `most_bytes` the page ends before its items are larger than that, but for a single one.

    The same question again is answered anew: what may no longer be shared by then is left out. Raises NotPermitted.
    """
    number_changes()
    if not served(peer):
        raise NotPermitted
    changes = changes_after(after, limit + 1)
    page, more = changes[:limit], len(changes) > limit
    with audit.context(actor=None, door=door, reason="exchange", authority=_authority(peer), agency_id=peer.agency_id):
        known = told_upto(peer.pk, [change.record_id for change in page])
        told_now = Teller(peer, timezone.localdate()).tell(page, known, most_bytes=most_bytes)
        upto = told_now.upto or after
        delivery = _write_down(peer, told_now, after, upto, door)
    return Page(told_now.items, upto, more or upto < (page[-1].number if page else after), delivery)


def undo(*, peer: ExchangePeer, page: Page, after: int) -> None:
    """Note that a page surely did not arrive: what it told counts as not told."""
    if page.delivery:
        PeerDelivery.objects.create(
            peer=peer, after=after, upto=page.upto, door=Door.TIMER, undoes_id=page.delivery
        )  # fmt: skip


@transaction.atomic
def confirm(
    *, peer: ExchangePeer, upto: int, numbers: Iterable[int], proof: str, door: Door, turn: int | None = None
) -> list[int]:
    """Note that a peer has everything up to a number and has followed these withdrawals; returns those unknown.

    A confirmation that comes twice changes nothing; the first one counts. With a `turn` the number counts only while
    the peer is in it: once it is to be told again, what was on its way before does not lead it on.
    """
    wanted = set(numbers)
    with audit.context(actor=None, door=door, reason="exchange confirmed", agency_id=peer.agency_id):
        told_of = PeerReceipt.objects.filter(peer=peer, number__in=wanted, sent_at__isnull=False)
        known = set(told_of.values_list("number", flat=True))
        told_of.filter(confirmed_at=None).update(confirmed_at=timezone.now(), proof=proof[:200])
        state = _state(peer)
        states = PeerState.objects.filter(pk=state.pk)
        states.update(last_contact_at=timezone.now())
        in_turn = states if turn is None else states.filter(turn=turn)
        in_turn.update(confirmed=Greatest(F("confirmed"), min(upto, state.handed_over)))
    return sorted(wanted - known)


def _state(peer: ExchangePeer) -> PeerState:
    return PeerState.objects.get_or_create(peer=peer)[0]


def _authority(peer: ExchangePeer) -> str:
    return peer.legal_basis.original_citation if peer.legal_basis else ""


def _write_down(peer: ExchangePeer, now: Told, after: int, upto: int, door: Door) -> int | None:
    """Whose data are about to go out, what was told and withdrawn, and how far the peer has been led."""
    record_disclosures(
        [
            AccessLog(
                subject_ref=subject, actor=None, agency=peer.agency, purpose=OwnPurpose.EXCHANGE,
                authority=Authority.STATUTE, reference=_authority(peer)[:200], fields=sorted(fields), door=door,
                result=AccessResult.SHOWN,
            )
            for subject, fields in now.persons.items()
        ]
    )  # fmt: skip
    delivery = None
    if now.items:
        delivery = PeerDelivery.objects.create(
            peer=peer, after=after, upto=upto, records=sorted(set(now.given)), door=door,
            withdrawn=sorted({change.record_id for change in now.withdrawn}),
        )  # fmt: skip
    if now.withdrawn:
        expect(peer.pk, now.withdrawn)
        numbers = [change.number for change in now.withdrawn]
        PeerReceipt.objects.filter(peer=peer, number__in=numbers).update(
            sent_at=timezone.now(), attempts=F("attempts") + 1
        )
    state = PeerState.objects.filter(pk=_state(peer).pk)
    state.update(handed_over=Greatest(F("handed_over"), upto))
    if door == Door.API:  # it has asked by itself
        state.update(last_contact_at=timezone.now())
    return delivery.pk if delivery else None
