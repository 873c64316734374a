"""Pushing to peers: one sender per peer, block after block from where it stopped, later and later after a failure."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import structlog
from django.db import connection
from django.utils import timezone

from creditplatform.core.enums import Door
from creditplatform.core.errors import NotPermitted
from records.exchange.client import PeerClient, PeerFailed
from records.exchange.giving import USUAL, Page, confirm, hand_over
from records.exchange.numbering import number_changes
from records.exchange.wire import Answer
from records.models import ExchangePeer, PeerState

LOCK_SPACE = 0x45585048
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
REFUSALS_KEPT = 200
log = structlog.get_logger(__name__)


def due_peers() -> list[ExchangePeer]:
    """Peers to push to whose time has come."""
    now = timezone.now()
    peers = ExchangePeer.objects.served(on=timezone.localdate()).exclude(push_url="").filter(paused=False)
    waiting = PeerState.objects.filter(next_attempt_at__gt=now).values("peer")
    return list(peers.exclude(pk__in=waiting).select_related("agency", "legal_basis"))


def push_all() -> int:
    """Push to every peer whose time has come; returns the number of changes that were taken."""
    number_changes()
    return sum(push_to(peer) for peer in due_peers())


def push_to(peer: ExchangePeer, *, limit: int = USUAL) -> int:
    """Push what a peer does not have yet; returns the number of changes that were taken.

    A block is written down before it is sent and counts only once it was answered; a crash between the two sends it
    again, which the peer knows by its key and by the numbers. While another sender is at work, nothing is done.
    """
    with _only_sender(peer.pk) as alone:
        if not alone:
            return 0
        taken, client = 0, PeerClient(peer)
        try:
            for page in _pages(peer, limit):
                if page.items:
                    _note(peer, page, _send(client, page))
                    taken += len(page.items)
                else:
                    confirm(peer=peer, upto=page.upto, numbers=(), proof="", door=Door.TIMER)
        except PeerFailed as failure:
            _try_later(peer, failure)
        except NotPermitted:
            log.info("push_stopped", peer=peer.code)
    return taken


def _pages(peer: ExchangePeer, limit: int) -> Iterator[Page]:
    state, more = PeerState.objects.get_or_create(peer=peer)[0], True
    upto = state.confirmed
    while more:
        page = hand_over(peer=peer, after=upto, limit=limit, door=Door.TIMER)
        if page.upto == upto:
            return
        yield page
        upto, more = page.upto, page.more


def _send(client: PeerClient, page: Page) -> Answer:
    body = msgspec.json.encode({"changes": page.items})
    return client.hand_in(body, hashlib.sha256(body).hexdigest())


def _note(peer: ExchangePeer, page: Page, answer: Answer) -> None:
    """Withdrawals are confirmed each with its own proof; what was not taken is kept for the desk."""
    for proof in sorted({item.proof for item in answer.confirmed}):
        numbers = [item.number for item in answer.confirmed if item.proof == proof]
        confirm(peer=peer, upto=0, numbers=numbers, proof=proof, door=Door.TIMER)
    confirm(peer=peer, upto=page.upto, numbers=(), proof="", door=Door.TIMER)
    state = PeerState.objects.get(peer=peer)
    refused = [*state.refused, *({"number": item.number, "code": item.code[:60]} for item in answer.refused)]
    PeerState.objects.filter(peer=peer).update(attempts=0, last_error="", refused=refused[-REFUSALS_KEPT:])


def _try_later(peer: ExchangePeer, failure: PeerFailed) -> None:
    state = PeerState.objects.get_or_create(peer=peer)[0]
    pause = min(FIRST_PAUSE * 2 ** min(state.attempts, 12), LONGEST_PAUSE)
    log.warning("push_failed", peer=peer.code, code=failure.code, attempts=state.attempts + 1)
    PeerState.objects.filter(peer=peer).update(
        attempts=state.attempts + 1, next_attempt_at=timezone.now() + pause, last_error=failure.code
    )


@contextmanager
def _only_sender(peer_id: int) -> Iterator[bool]:
    """Whether this is the one sender of the peer; the lock dies with the process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, peer_id])
        alone = cursor.fetchone()[0]
        try:
            yield alone
        finally:
            if alone and not cursor.closed and connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, peer_id])
