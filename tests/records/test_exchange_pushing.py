"""Pushing: only what the peer says it has counts, one bad peer stops nobody, what did not arrive was not told."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from creditplatform.core.models import AccessLog
from records.enums import OwnPurpose
from records.exchange import client as client_module
from records.exchange import pushing
from records.exchange.client import PeerClient, PeerFailed
from records.exchange.numbering import newest_number, number_changes, told
from records.exchange.wire import Answer, read_answer
from records.models import CreditRecord, ExchangePeer, PeerDelivery, PeerReceipt, PeerState
from records.services.peers import tell_again
from tests.cast import Cast
from tests.deliveries import ingest, one_record, penalty, quick_passwords  # noqa: F401
from tests.exchange_peers import DEFAULTER, PENALTY, a_peer, revoke
from tests.publicity.world import defaulter

pytestmark = pytest.mark.usefixtures("context")
Sent = list[tuple[str, list[dict[str, Any]]]]


class Far:
    """Stands for the peers: what was sent, under which keys, and how they answer."""

    def __init__(self) -> None:
        self.sent: Sent = []
        self.answers: Callable[[str, list[dict[str, Any]]], Answer] = lambda _peer, items: _all_taken(items)
        self.fails_at_once = ""

    def connect(self, _client: PeerClient) -> None:
        if self.fails_at_once:
            raise PeerFailed(self.fails_at_once)

    def hand_in(self, client: PeerClient, body: bytes, key: str) -> Answer:
        items = msgspec.json.decode(body)["changes"]
        self.sent.append((key, items))
        return self.answers(client.peer.code, items)


def _all_taken(items: list[dict[str, Any]]) -> Answer:
    confirmed = [{"number": i["number"], "proof": "ended"} for i in items if i["kind"] == "withdrawn"]
    return msgspec.convert({"upto": items[-1]["number"], "confirmed": confirmed}, Answer)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Far:
    made = Far()
    monkeypatch.setattr(PeerClient, "connect", lambda self: made.connect(self))
    monkeypatch.setattr(PeerClient, "hand_in", lambda self, body, key: made.hand_in(self, body, key))
    return made


def pushed(cast: Cast, *entries: str, code: str = "province", **values: Any) -> ExchangePeer:
    return a_peer(
        cast, *(entries or (PENALTY,)), code=code, push_url="https://example.org/api/v1/", push_client_id="us",
        push_secret="word", **values,
    )  # fmt: skip


def state(peer: ExchangePeer) -> PeerState:
    return PeerState.objects.get(peer=peer)


def failing(code: str, *, perhaps_taken: bool = False) -> Callable[..., Answer]:
    def fail(*_args: Any) -> Answer:
        raise PeerFailed(code, perhaps_taken=perhaps_taken)

    return fail


def test_only_what_the_peer_says_it_has_counts(cast: Cast, far: Far) -> None:
    peer = pushed(cast)
    ingest(*(penalty(number) for number in range(1, 6)))
    far.answers = lambda _peer, items: Answer(upto=min(items[-1]["number"], items[0]["number"] + 1))
    assert pushing.push_to(peer) == 5
    assert [[item["number"] for item in items] for _key, items in far.sent] == [[1, 2, 3, 4, 5], [3, 4, 5], [5]]
    assert state(peer).confirmed == 5


def test_a_peer_that_takes_nothing_is_tried_again_later(cast: Cast, far: Far) -> None:
    peer = pushed(cast)
    one_record()
    far.answers = lambda _peer, _items: Answer(upto=0)
    assert pushing.push_to(peer) == 0
    assert (state(peer).confirmed, state(peer).last_error, len(far.sent)) == (0, "nothing_taken", 1)


def test_to_be_told_again_is_not_undone_by_what_was_on_its_way(cast: Cast, far: Far) -> None:
    peer, record = pushed(cast), one_record()
    pushing.push_to(peer)
    revoke(cast, record)
    far.answers = lambda _peer, items: Answer(upto=items[-1]["number"])  # nothing confirmed
    pushing.push_to(peer)
    ingest(penalty(2))

    def meanwhile(_peer: str, items: list[dict[str, Any]]) -> Answer:
        tell_again(user=cast.centre, peer=peer)
        return _all_taken(items)

    far.answers = meanwhile
    pushing.push_to(peer)
    assert state(peer).confirmed == 1
    before = len(far.sent)
    far.answers = lambda _peer, items: _all_taken(items)
    pushing.push_to(peer)
    assert [item["number"] for item in far.sent[before][1]] == [2, 3]
    assert state(peer).confirmed == 3 and not PeerReceipt.objects.filter(confirmed_at=None).exists()


def test_a_block_told_again_bears_another_key(cast: Cast, far: Far) -> None:
    peer, record = pushed(cast), one_record()
    pushing.push_to(peer)
    revoke(cast, record)
    far.answers = lambda _peer, items: Answer(upto=items[-1]["number"])
    pushing.push_to(peer)
    tell_again(user=cast.centre, peer=peer)
    pushing.push_to(peer)
    (one, first), (other, second) = far.sent[-2:]
    assert first == second and one != other


def test_one_bad_peer_stops_nobody_else(cast: Cast, far: Far) -> None:
    bad, good = pushed(cast, code="a"), pushed(cast, code="b")
    one_record()

    def broken(peer: str, items: list[dict[str, Any]]) -> Answer:
        if peer == "a":
            raise ValueError("x")
        return _all_taken(items)

    far.answers = broken
    assert pushing.push_all() == 1
    assert (state(bad).last_error, state(bad).attempts, state(good).confirmed) == ("internal", 1, 1)


def test_pages_are_closed_by_their_size_too(cast: Cast, far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "PAGE_BYTES", 3000)
    peer = pushed(cast)
    ingest(*(penalty(number) for number in range(1, 10)))
    assert pushing.push_to(peer) == 9
    assert len(far.sent) > 2 and all(len(msgspec.json.encode(items)) < 3100 for _key, items in far.sent)
    assert [item["number"] for _key, items in far.sent for item in items] == list(range(1, 10))


def test_a_block_that_is_too_much_is_cut(cast: Cast, far: Far) -> None:
    peer = pushed(cast)
    ingest(*(penalty(number) for number in range(1, 9)))
    far.answers = failing("http_413")
    pushing.push_to(peer, limit=8)
    pushing.push_to(peer, limit=8)
    assert [len(items) for _key, items in far.sent] == [8, 4]
    far.answers = lambda _peer, items: _all_taken(items)
    assert pushing.push_to(peer, limit=8) == 8
    assert [len(items) for _key, items in far.sent[2:]] == [2, 2, 2, 2]


def test_a_run_ends_after_so_many_pages(cast: Cast, far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "MOST_PAGES", 2)
    peer = pushed(cast)
    ingest(*(penalty(number) for number in range(1, 6)))
    assert [pushing.push_to(peer, limit=2) for _turn in range(3)] == [4, 1, 0]


def test_nothing_is_written_down_before_the_peer_lets_us_in(cast: Cast, far: Far) -> None:
    peer = pushed(cast, DEFAULTER, persons=True)
    defaulter()
    far.fails_at_once = "unreachable"
    pushing.push_to(peer)
    assert state(peer).last_error == "unreachable"
    assert not PeerDelivery.objects.exists()
    assert not AccessLog.objects.filter(purpose=OwnPurpose.EXCHANGE).exists()


@pytest.mark.parametrize("perhaps", [True, False])
def test_what_surely_did_not_arrive_was_not_told(cast: Cast, far: Far, perhaps: bool) -> None:
    peer, record = pushed(cast), one_record()
    far.answers = failing("http_403", perhaps_taken=perhaps)
    pushing.push_to(peer)
    assert (record.pk in told([record.pk]).get(peer.pk, set())) == perhaps
    revoke(cast, record)
    number_changes()
    assert PeerReceipt.objects.exists() == perhaps
    far.answers = lambda _peer, items: _all_taken(items)
    pushing.push_to(peer)
    assert state(peer).confirmed == newest_number()
    assert CreditRecord.objects.get().state == "revoked"


@pytest.mark.parametrize(
    "body",
    [b'{"upto": -1}', b'{"upto": 9223372036854775808}', b'{"upto": 1, "refused": [{"number": 1, "code": "\\u0000"}]}',
     b'{"upto": 1, "confirmed": [{"number": 1, "proof": ""}]}'],
)  # fmt: skip
def test_an_answer_that_cannot_be_is_none(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_answer(body)


@pytest.fixture
def dripping() -> Iterator[int]:
    """A server that sends its headers byte by byte."""
    listening = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        line, _address = listening.accept()
        with line:
            while not ended.is_set():
                line.sendall(b"H")
                time.sleep(0.05)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listening.getsockname()[1])
    ended.set()
    thread.join(5)
    listening.close()


def test_a_call_ends_however_slowly_the_peer_answers(
    cast: Cast, dripping: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "CALL_SECONDS", 0.5)
    peer = pushed(cast)
    peer.push_url = f"http://127.0.0.1:{dripping}/api/v1/"
    with pytest.raises(PeerFailed) as failure:
        PeerClient(peer).connect()
    assert failure.value.code == "too_slow"
