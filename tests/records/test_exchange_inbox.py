"""Changes that another platform hands in: one pipeline, the source stays who decided, ends are followed."""

import json
from typing import Any

import pytest
from django.test import Client

from creditplatform.core.enums import Door, Scope
from records.enums import Direction
from records.exchange.giving import hand_over
from records.models import CreditRecord, ExchangePeer, FeedBatch, ReceivedBlock, ReceivedRecord
from tests.cast import Cast
from tests.deliveries import ingest, one_record, penalty, quick_passwords  # noqa: F401
from tests.exchange_peers import DEFAULTER, PENALTY, a_peer, revoke
from tests.machines import bearer
from tests.publicity.world import defaulter

pytestmark = pytest.mark.usefixtures("context")


def hand_in(peer: ExchangePeer, *items: dict[str, Any], key: str = "", client: Any = None) -> Any:
    headers = {**bearer(client or peer.client), **({"Idempotency-Key": key} if key else {})}
    return Client().post(
        "/api/v1/exchange/inbox/", json.dumps({"changes": items}), content_type="application/json", headers=headers
    )


def taken(peer: ExchangePeer, *items: dict[str, Any], key: str = "") -> dict[str, Any]:
    answer = hand_in(peer, *items, key=key)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def city(cast: Cast, *entries: str, persons: bool = False, **values: Any) -> ExchangePeer:
    """A peer that hands in changes."""
    return a_peer(cast, *(entries or (PENALTY,)), code="city", direction=Direction.TAKEN, persons=persons, **values)


def item(number: int, record: int = 1, **values: Any) -> dict[str, Any]:
    """An addition of a penalty as the platform of a city would tell of it."""
    cells = {code: text for code, text in penalty(record).items() if text}
    return {
        "number": number, "kind": "added", "cause": "", "at": "2026-11-01T10:00:00+08:00", "token": f"token-{record}",
        "entry": PENALTY, "document_number": cells["CF_WSH"], "unit": {"code": "hz-market"},
        "decided_on": cells["CF_JDRQ"], "field": "", "disputed": False, "values": cells, **values,
    }  # fmt: skip


def ending(number: int, record: int = 1, cause: str = "revoked") -> dict[str, Any]:
    return {"number": number, "kind": "withdrawn", "cause": cause, "token": f"token-{record}", "entry": PENALTY}


def test_an_addition_becomes_a_record_of_the_unit_that_decided(cast: Cast) -> None:
    answer = taken(city(cast), item(1), item(2, 2))
    assert answer == {"upto": 2, "accepted": 2, "unchanged": 0, "set_aside": 0, "confirmed": [], "refused": []}
    record = CreditRecord.objects.get(document_number=item(1)["document_number"])
    assert (record.agency.code, record.state) == ("hz-market", "in_force")
    batch = FeedBatch.objects.get(pk=record.batch_id)
    assert (batch.feed.agency.code, batch.state, batch.received, batch.accepted) == ("hz-market", "applied", 2, 2)
    assert batch.feed.code.startswith("from-city-hz-market")


def test_a_correction_makes_a_new_version_and_the_same_again_changes_nothing(cast: Cast) -> None:
    peer, first = city(cast), item(1)
    taken(peer, first)
    corrected = item(2, kind="corrected", values={**first["values"], "CF_NR": "罚款二万元"})
    assert taken(peer, corrected)["accepted"] == 1
    assert CreditRecord.objects.get().payload["CF_NR"] == "罚款二万元"
    assert taken(peer, first, key="late")["unchanged"] == 1  # an older change that comes late turns nothing back
    assert CreditRecord.objects.get().payload["CF_NR"] == "罚款二万元"


@pytest.mark.parametrize(
    ("cause", "state"),
    [("revoked", "revoked"), ("repaired", "repaired"), ("expired", "expired"), ("archived", "archived")],
)
def test_a_withdrawal_ends_the_record_at_once_and_is_confirmed_in_the_answer(
    cast: Cast, cause: str, state: str
) -> None:
    peer = city(cast)
    taken(peer, item(1))
    answer = taken(peer, ending(2, cause=cause))
    record = CreditRecord.objects.get()
    assert record.state == state
    assert answer["confirmed"] == [{"number": 2, "proof": f"ended: {record.token}"}]
    assert not CreditRecord.objects.publishable().exists()


def test_a_record_withheld_there_is_withheld_here_until_it_comes_back(cast: Cast) -> None:
    peer = city(cast)
    taken(peer, item(1), ending(2, cause="withheld"))
    assert not CreditRecord.objects.filter(withheld=False).exists()
    taken(peer, item(3, kind="corrected", disputed=True))
    record = CreditRecord.objects.get()
    assert (record.withheld, record.disputed, record.state) == (False, True, "in_force")


def test_a_repair_taken_back_there_restores_the_record_here(cast: Cast) -> None:
    peer = city(cast)
    taken(peer, item(1))
    taken(peer, ending(2, cause="repaired"))
    taken(peer, item(3, kind="corrected"))
    assert CreditRecord.objects.get().state == "in_force"


def test_an_end_that_overtakes_its_beginning_wins(cast: Cast) -> None:
    peer = city(cast)
    assert taken(peer, ending(2))["confirmed"] == [{"number": 2, "proof": "nothing on file"}]
    taken(peer, item(1))
    assert not CreditRecord.objects.exists()


def test_the_same_block_again_gets_the_same_answer(cast: Cast) -> None:
    peer = city(cast)
    first = taken(peer, item(1), ending(2, 2), key="block-1")
    assert taken(peer, item(1), ending(2, 2), key="block-1") == first
    assert (ReceivedBlock.objects.count(), FeedBatch.objects.count(), CreditRecord.objects.count()) == (1, 1, 1)


def test_a_key_stands_for_one_block(cast: Cast) -> None:
    peer = city(cast)
    taken(peer, item(1), key="block-1")
    answer = hand_in(peer, item(2, 2), key="block-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert CreditRecord.objects.count() == 1


def test_what_is_wrong_with_a_row_is_set_aside_and_said(cast: Cast) -> None:
    peer, good = city(cast), item(1)
    bad = item(2, 2, values={**item(2, 2)["values"], "CF_XDR_SHXYM": "91441300MA0000002X"})
    answer = taken(peer, good, bad)
    assert (answer["accepted"], answer["set_aside"]) == (1, 1)
    assert [refusal["number"] for refusal in answer["refused"]] == [2]
    batch = FeedBatch.objects.get()
    assert (batch.received, batch.accepted, batch.quarantined) == (2, 1, 1)
    assert ReceivedRecord.objects.count() == 1


REFUSED = {
    "entry_not_agreed": {"entry": "administrative-licence"},
    "unit_unknown": {"unit": {"code": "nobody"}},
}


@pytest.mark.parametrize("code", REFUSED)
def test_a_change_that_is_not_the_peers_to_make_is_refused_alone(cast: Cast, code: str) -> None:
    answer = taken(city(cast), item(1), item(2, 2, **REFUSED[code]))
    assert answer["accepted"] == 1
    assert answer["refused"] == [{"number": 2, "code": code}]


def test_a_unit_of_another_site_is_none_of_the_peers(cast: Cast) -> None:
    record = one_record(5)
    answer = taken(city(cast, site=record.site), item(1, unit={"code": "gs-market"}))
    assert answer["refused"] == [{"number": 1, "code": "unit_unknown"}]


def test_what_the_unit_delivered_here_itself_is_not_overwritten(cast: Cast) -> None:
    ingest(penalty(1))
    changed = item(1, values={**item(1)["values"], "CF_NR": "罚款二万元"})
    answer = taken(city(cast), changed, item(2, 2))
    assert answer["refused"] == [{"number": 1, "code": "delivered_by_the_unit"}]
    assert CreditRecord.objects.get(document_number=item(1)["document_number"]).payload["CF_NR"] != "罚款二万元"


@pytest.mark.parametrize("agreed", [True, False])
def test_records_of_persons_are_taken_only_where_that_is_agreed(cast: Cast, agreed: bool) -> None:
    giver = a_peer(cast, DEFAULTER, persons=True)
    defaulter()
    told = hand_over(peer=giver, after=0, limit=10, door=Door.API).items
    CreditRecord.objects.filter(pk__gt=0)._raw_delete("default")
    answer = taken(city(cast, DEFAULTER, persons=agreed), *told)
    assert answer["accepted"] == int(agreed)
    assert [refusal["code"] for refusal in answer["refused"]] == ([] if agreed else ["persons_not_agreed"])


BAD = [
    "x", "[]", '{"changes": 1}', '{"changes": [{"number": 1}]}',
    json.dumps({"changes": [ending(2), ending(1)]}), json.dumps({"changes": [ending(1), ending(1)]}),
    json.dumps({"changes": [ending(0)]}), json.dumps({"changes": [ending(1, cause="whatever")]}),
    json.dumps({"changes": [{**ending(1), "kind": "deleted"}]}),
]  # fmt: skip


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_a_block_that_is_none_is_refused_whole(cast: Cast, body: str) -> None:
    peer = city(cast)
    answer = Client().post(
        "/api/v1/exchange/inbox/", body, content_type="application/json", headers=bearer(peer.client)
    )
    assert answer.status_code == 400 and answer.json()["code"] in (
        "malformed",
        "out_of_order",
        "cause_unknown",
        "parse_error",
    )
    assert not ReceivedBlock.objects.exists()


def test_only_a_peer_with_the_scope_hands_in(cast: Cast) -> None:
    peer = city(cast, scopes=(Scope.EXCHANGE_READ,))
    assert hand_in(peer, item(1)).status_code == 403
    ExchangePeer.objects.update(active=False)
    assert hand_in(a_peer(cast, PENALTY, code="x", direction=Direction.GIVEN), item(1)).json()["accepted"] == 0


def test_fields_that_are_not_agreed_to_come_are_not_missed(cast: Cast) -> None:
    giver = a_peer(cast, PENALTY)
    record = one_record(7)
    (told,) = hand_over(peer=giver, after=0, limit=10, door=Door.API).items
    assert "CF_FRDB" not in told["values"], "the name of the legal representative is personal"
    CreditRecord.objects.filter(pk=record.pk)._raw_delete("default")
    answer = taken(city(cast), told)
    assert (answer["accepted"], answer["refused"]) == (1, [])


def test_what_came_from_a_peer_goes_on_to_the_next_one(cast: Cast) -> None:
    peer, above = city(cast), a_peer(cast, PENALTY, code="above")
    taken(peer, item(1))
    assert len(hand_over(peer=above, after=0, limit=10, door=Door.API).items) == 1
    taken(peer, ending(2))
    (told,) = hand_over(peer=above, after=1, limit=10, door=Door.API).items
    assert (told["kind"], told["cause"]) == ("withdrawn", "revoked")


def test_all_that_a_platform_tells_another_one_takes(cast: Cast) -> None:
    giver = a_peer(cast, PENALTY, persons=True)
    record = one_record(7)
    (told,) = hand_over(peer=giver, after=0, limit=10, door=Door.API).items
    before = bytes(record.digest)
    CreditRecord.objects.filter(pk=record.pk)._raw_delete("default")
    answer = taken(city(cast, persons=True), told)
    assert answer["refused"] == []
    assert answer["accepted"] == 1
    assert bytes(CreditRecord.objects.get().digest) == before
    revoke(cast, CreditRecord.objects.get())
