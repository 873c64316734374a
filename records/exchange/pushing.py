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
from records.exchange.giving import USUAL, Page, confirm, hand_over, undo
from records.exchange.numbering import newest_number, number_changes
from records.exchange.wire import Answer
from records.models import ExchangePeer, PeerState

LOCK_SPACE = 0x45585048
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
REFUSALS_KEPT = 200
MOST_PAGES = 100  # in one run, so that no peer keeps the others waiting
PAGE_BYTES = 2 * 1024**2  # below what common servers take in one body
TOO_MUCH, MOST_HALVINGS = frozenset({"http_400", "http_413"}), 9
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
    return sum(_push_in_any_case(peer) for peer in due_peers())


def _push_in_any_case(peer: ExchangePeer) -> int:
    """An error of ours with one peer keeps nothing from the others."""
    try:
        return push_to(peer)
    except Exception as error:
        log.error("push_broke", peer=peer.code, kind=type(error).__name__)
        _try_later(peer, "internal")
        return 0


def push_to(peer: ExchangePeer, *, limit: int = USUAL) -> int:
    """Push what a peer does not have yet; returns the number of changes that were taken.

    A block is written down before it is sent and counts only once it was answered; a crash between the two sends it
    again, which the peer knows by its key and by the numbers. While another sender is at work, nothing is done.
    """
    with _only_sender(peer.pk) as alone:
        if not alone:
            return 0
        push = _Push(peer, limit)
        try:
            push.run()
        except PeerFailed as failure:
            _try_later(peer, failure.code)
        except NotPermitted:
            log.info("push_stopped", peer=peer.code)
        return push.taken


class _Push:
    """One run with one peer: page after page, until it has all, is to be told again, or others wait too long."""

    def __init__(self, peer: ExchangePeer, limit: int) -> None:
        state = PeerState.objects.get_or_create(peer=peer)[0]
        # A block that was too much, or that the peer cannot read, is cut smaller and smaller.
        halvings = min(state.attempts, MOST_HALVINGS) if state.last_error in TOO_MUCH else 0
        self.peer, self.client, self.taken = peer, PeerClient(peer), 0
        self._limit, self._bytes = max(1, limit >> halvings), PAGE_BYTES >> halvings
        self._upto, self._turn = state.confirmed, state.turn

    def run(self) -> None:
        """Raises PeerFailed, NotPermitted."""
        for _page in range(MOST_PAGES):
            number_changes()
            if newest_number() <= self._upto or not self._step():
                return

    def _step(self) -> bool:
        """Tell one page; whether to go on."""
        self.client.connect()
        page = hand_over(peer=self.peer, after=self._upto, limit=self._limit, door=Door.TIMER, most_bytes=self._bytes)
        reached = self._sent(page) if page.items else page.upto
        confirm(peer=self.peer, upto=reached, numbers=(), proof="", door=Door.TIMER, turn=self._turn)
        self._upto = reached
        return PeerState.objects.filter(peer=self.peer, turn=self._turn).exists()

    def _sent(self, page: Page) -> int:
        """Send a page; returns the number that the peer has reached by its own account."""
        body = msgspec.json.encode({"changes": page.items})
        digest = hashlib.sha256(body).hexdigest()
        try:
            answer = self.client.hand_in(body, f"{self._turn}.{digest}" if self._turn else digest)
        except PeerFailed as failure:
            if not failure.perhaps_taken:
                undo(peer=self.peer, page=page, after=self._upto)
            raise
        reached = page.upto if answer.upto >= page.items[-1]["number"] else answer.upto
        if reached <= self._upto:
            raise PeerFailed("nothing_taken")
        _note(self.peer, answer)
        self.taken += sum(item["number"] <= reached for item in page.items)
        return reached


def _note(peer: ExchangePeer, answer: Answer) -> None:
    """Withdrawals are confirmed each with its own proof; what was not taken is kept for the desk."""
    for proof in sorted({item.proof for item in answer.confirmed}):
        numbers = [item.number for item in answer.confirmed if item.proof == proof]
        confirm(peer=peer, upto=0, numbers=numbers, proof=proof, door=Door.TIMER)
    state = PeerState.objects.get(peer=peer)
    refused = [*state.refused, *({"number": item.number, "code": item.code[:60]} for item in answer.refused)]
    PeerState.objects.filter(peer=peer).update(attempts=0, last_error="", refused=refused[-REFUSALS_KEPT:])


def _try_later(peer: ExchangePeer, code: str) -> None:
    state = PeerState.objects.get_or_create(peer=peer)[0]
    pause = min(FIRST_PAUSE * 2 ** min(state.attempts, 12), LONGEST_PAUSE)
    log.warning("push_failed", peer=peer.code, code=code, attempts=state.attempts + 1)
    PeerState.objects.filter(peer=peer).update(
        attempts=state.attempts + 1, next_attempt_at=timezone.now() + pause, last_error=code
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
