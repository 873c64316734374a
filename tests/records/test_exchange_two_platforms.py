"""A city and a province, each a running platform: real HTTP, a killed peer; nothing lost, nothing twice."""

import base64
import json
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.enums import Direction
from records.exchange.numbering import newest_number
from records.exchange.pushing import due_peers, push_to
from records.models import CreditRecord, ExchangePeer, PeerReceipt, PeerState
from records.services import expiry
from tests.cast import Cast
from tests.deliveries import ingest, one_record, penalty, quick_passwords  # noqa: F401
from tests.exchange_peers import PENALTY, a_peer, revoke
from tests.machines import SECRET
from tests.second_platform import SecondPlatform

ROWS, BLOCK = 400, 20
RECORDS = "SELECT document_number, state FROM records_creditrecord"
BLOCKS = "SELECT count(*) FROM records_receivedblock"


@pytest.fixture
def cast_on_file(policy: None) -> Cast:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        return Cast.assemble()


@pytest.fixture
def province(cast_on_file: Cast, tmp_path: Path) -> Iterator[SecondPlatform]:
    """The province knows the city, by a client of its own; the city is not set up yet."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        a_peer(cast_on_file, PENALTY, code="city", direction=Direction.TAKEN)
    second = SecondPlatform(tmp_path)
    try:
        second.copy_database()
        second.start()
        yield second
    finally:
        second.remove()


def to_province(cast: Cast, province: SecondPlatform) -> ExchangePeer:
    """The city's side: where the province is reached, with the secret of its client there."""
    client = ExchangePeer.objects.get(code="city").client
    assert client
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        return a_peer(
            cast, PENALTY, push_url=province.address, push_client_id=client.client_id, push_secret=SECRET, client=None
        )


def test_a_city_pushes_and_the_province_follows_though_it_is_killed_on_the_way(
    cast_on_file: Cast, province: SecondPlatform
) -> None:
    peer = to_province(cast_on_file, province)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        ingest(*(penalty(number) for number in range(1, ROWS + 1)))
    _push_until_killed(peer, province)
    state = PeerState.objects.get(peer=peer)
    assert 0 < state.confirmed < ROWS and state.attempts == 1 and state.last_error == "unreachable"
    assert peer not in due_peers(), "it waits before it tries again"

    province.start()
    push_to(peer, limit=100)
    city = dict(CreditRecord.objects.values_list("document_number", "state"))
    assert dict(province.ask(RECORDS)) == city and len(province.ask(RECORDS)) == ROWS
    assert province.ask("SELECT sum(accepted) FROM records_feedbatch") == [(ROWS,)], "nothing was taken twice"

    _change_of_all_kinds(cast_on_file)
    push_to(peer)
    assert dict(province.ask(RECORDS)) == dict(CreditRecord.objects.values_list("document_number", "state"))
    amended = "SELECT count(*) FROM records_creditrecord WHERE payload->>'CF_NR' = '罚款二万元'"
    assert province.ask(amended) == [(1,)]
    assert PeerReceipt.objects.count() == 3
    assert not PeerReceipt.objects.filter(confirmed_at=None).exists()
    assert all(proof.startswith("ended: ") for proof in PeerReceipt.objects.values_list("proof", flat=True))
    state.refresh_from_db()
    assert (state.confirmed, state.attempts, state.last_error, state.refused) == (newest_number(), 0, "", [])
    before = province.ask(BLOCKS)
    assert push_to(peer) == 0 and province.ask(BLOCKS) == before


def _push_until_killed(peer: ExchangePeer, province: SecondPlatform) -> None:
    def push() -> None:
        try:
            push_to(peer, limit=BLOCK)
        finally:
            connection.close()

    pushing = threading.Thread(target=push)
    pushing.start()
    end = time.monotonic() + 30
    while province.ask(BLOCKS)[0][0] < 3:
        assert time.monotonic() < end
        time.sleep(0.02)
    province.kill()
    pushing.join(timeout=60)


def _change_of_all_kinds(cast: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        ingest(penalty(1, CF_NR="罚款二万元"), penalty(2), penalty(ROWS + 1))
    first, second, third = CreditRecord.objects.order_by("-pk")[1:4]
    revoke(cast, first)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        CreditRecord.objects.filter(pk=second.pk).update(withheld=True)
        day = timezone.localdate()
        CreditRecord.objects.filter(pk=third.pk).update(publish_until=day, repairable_from=day)
        assert expiry.expire_due(on=day) == 1


def test_a_peer_fetches_and_confirms_over_http(cast_on_file: Cast, live_server: Any) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        peer = a_peer(cast_on_file, PENALTY)
        record = one_record()
    assert peer.client
    base = f"{live_server.url}/api/v1/"
    basic = base64.b64encode(f"{peer.client.client_id}:{SECRET}".encode()).decode()
    form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
    token = _call(f"{base}token/", form, Authorization=f"Basic {basic}")["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    page = _call(f"{base}changes/?after=0", None, **bearer)
    assert [item["kind"] for item in page["changes"]] == ["added"]
    revoke(cast_on_file, record)
    page = _call(f"{base}changes/?after={page['next']}", None, **bearer)
    numbers = [item["number"] for item in page["changes"]]
    said = json.dumps({"upto": page["next"], "withdrawals": numbers}).encode()
    answer = _call(f"{base}changes/confirm/", said, **bearer, **{"Content-Type": "application/json"})
    assert answer == {"confirmed": 1, "unknown": [], "open": 0}


def _call(address: str, body: bytes | None, **headers: str) -> dict[str, Any]:
    with urllib.request.urlopen(urllib.request.Request(address, data=body, headers=headers)) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
        return found


def test_a_wrong_secret_and_a_peer_that_is_away_are_tried_again_later(
    cast_on_file: Cast, province: SecondPlatform
) -> None:
    peer = to_province(cast_on_file, province)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        one_record()
        ExchangePeer.objects.filter(pk=peer.pk).update(push_secret="wrong")
    peer.refresh_from_db()
    assert push_to(peer) == 0
    state = PeerState.objects.get(peer=peer)
    assert state.last_error in ("http_401", "http_400") and state.next_attempt_at > timezone.now()
    province.kill()
    push_to(peer)
    state.refresh_from_db()
    assert (state.last_error, state.attempts, state.confirmed) == ("unreachable", 2, 0)
