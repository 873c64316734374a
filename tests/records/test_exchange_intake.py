"""What a peer hands in is taken only as far as it is agreed, well formed and the peer's own; all else goes on."""

import hashlib
import importlib
import json
from typing import Any

import pytest
from django.db import connection

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import Agency, OutboxEvent, StepEvent
from records.enums import Direction
from records.exchange import taking
from records.feeds.selectors import feeds_of
from records.models import (
    CatalogueEntry,
    CreditRecord,
    Entitlement,
    ExchangePeer,
    Feed,
    QuarantinedRow,
    ReceivedRecord,
)
from records.services.correction import content_of
from records.services.entry import form_feeds
from records.workflows.credit_record import CREDIT_RECORD
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import ingest, penalty, person_penalty, quick_passwords  # noqa: F401
from tests.exchange_peers import PENALTY, a_peer, revoke
from tests.records import tie_entries
from tests.records.test_exchange_inbox import city, ending, hand_in, item, taken
from tests.records.tie_entries import STATUS, WHAT, WHO, row

pytestmark = pytest.mark.usefixtures("context")


def person(number: int, name: str = "林示例", **values: Any) -> dict[str, Any]:
    """An addition about a natural person."""
    cells = {code: text for code, text in person_penalty(number, name, PERSON_NUMBER).items() if text}
    return {**item(number), "document_number": cells["CF_WSH"], "values": cells, **values}


def refusals(answer: dict[str, Any]) -> list[tuple[int, str]]:
    return [(refusal["number"], refusal["code"]) for refusal in answer["refused"]]


def one() -> CreditRecord:
    return CreditRecord.objects.get()


def update(**values: Any) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        CreditRecord.objects.update(**values)


# --- rows that only the store sets aside ------------------------------------------------------------------


def test_a_person_on_file_under_another_name_is_set_aside_and_the_block_goes_on(cast: Cast) -> None:
    ingest(person_penalty(9, "林示例", PERSON_NUMBER))
    peer = city(cast, persons=True)
    answer = taken(peer, person(1, "马示例"), item(2, 2))
    assert (refusals(answer), answer["accepted"], answer["set_aside"]) == ([(1, "name_differs")], 1, 1)
    assert QuarantinedRow.objects.get().problems == [{"field": "", "code": "name_differs"}]


def test_two_tokens_that_contradict_each_other_are_not_taken_both(cast: Cast) -> None:
    other = item(2, token="another", values={**item(1)["values"], "CF_NR": "罚款三万元"})
    answer = taken(city(cast), item(1), other)
    assert (refusals(answer), answer["accepted"]) == ([(2, "duplicate_in_file")], 1)


# --- ends that were followed, and ends of one's own -------------------------------------------------------


def test_what_a_peer_revoked_comes_back_with_its_correction(cast: Cast) -> None:
    peer = city(cast)
    taken(peer, item(1))
    taken(peer, ending(2))
    assert refusals(taken(peer, item(3, kind="corrected"))) == []
    assert one().state == "in_force"
    topics = list(OutboxEvent.objects.order_by("pk").values_list("topic", flat=True))
    assert topics == ["records.withdrawn", "records.reinstated"]


@pytest.mark.parametrize("cells", [{}, {"CF_NR": "罚款二万元"}])
def test_what_the_unit_revoked_here_stays_revoked(cast: Cast, cells: dict[str, str]) -> None:
    peer = city(cast)
    taken(peer, item(1))
    revoke(cast, one())
    answer = taken(peer, item(2, kind="corrected", values={**item(1)["values"], **cells}))
    assert (one().state, refusals(answer)) == ("revoked", [(2, "withdrawn_here")])
    assert one().payload["CF_NR"] == "罚款一万元"


@pytest.mark.parametrize(("cause", "topic"), [("expired", "expired"), ("repaired", "")])
def test_what_a_peer_ended_it_restores_and_whoever_heard_of_the_end_hears_of_it(
    cast: Cast, cause: str, topic: str
) -> None:
    peer = city(cast)
    taken(peer, item(1))
    taken(peer, ending(2, cause=cause))
    assert one().state == cause
    taken(peer, item(3, kind="corrected"))
    assert one().state == "in_force"
    told = list(OutboxEvent.objects.order_by("pk").values_list("topic", flat=True))
    assert told == [*([f"records.{topic}"] if topic else []), "records.reinstated"]


def test_what_ended_here_is_not_restored_by_an_unrelated_correction(cast: Cast) -> None:
    peer = city(cast)
    taken(peer, item(1))
    with audit.context(actor=None, door=Door.TIMER, reason="test"):
        CREDIT_RECORD.take("expire", one(), user=None)
    taken(peer, item(2, kind="corrected"))
    assert one().state == "expired"


def test_nothing_is_restored_past_its_period(cast: Cast) -> None:
    peer = city(cast)
    taken(peer, item(1))
    taken(peer, ending(2, cause="repaired"))
    day = one().decided_on
    update(publish_until=day, repairable_from=day)
    taken(peer, item(3, kind="corrected"))
    assert one().state == "repaired"


def test_a_repair_survives_a_revocation_that_was_taken_back(cast: Cast) -> None:
    peer = city(cast)
    taken(peer, item(1))
    update(state="repaired")
    StepEvent.objects.create(
        workflow="credit_record", case_ref=one().pk, step="repair", from_state="in_force", to_state="repaired"
    )
    taken(peer, ending(2))
    taken(peer, item(3, kind="corrected"))
    assert one().state == "repaired"


def test_a_peer_takes_back_only_the_marks_it_has_set(cast: Cast) -> None:
    peer = city(cast)
    taken(peer, item(1), item(2, 2, disputed=True))
    update(disputed=True, withheld=True)
    taken(peer, item(3, kind="corrected"), item(4, 2, kind="corrected"))
    marks = dict(CreditRecord.objects.values_list("document_number", "disputed"))
    assert marks == {item(1)["document_number"]: True, item(2, 2)["document_number"]: False}
    assert not CreditRecord.objects.filter(withheld=False).exists()
    taken(peer, ending(5, cause="withheld"), item(6, kind="corrected"))
    assert not CreditRecord.objects.filter(withheld=False).exists()


# --- whose records ----------------------------------------------------------------------------------------


def test_a_code_that_begins_like_another_opens_nothing(cast: Cast) -> None:
    longer, shorter = city(cast), a_peer(cast, PENALTY, code="c", direction=Direction.TAKEN)
    ExchangePeer.objects.filter(pk=longer.pk).update(code="c-hz")
    taken(longer, item(1))
    changed = item(1, values={**item(1)["values"], "CF_NR": "罚款二万元"})
    assert refusals(taken(shorter, changed)) == [(1, "delivered_by_the_unit")]
    assert Feed.objects.get(batches__isnull=False).peer == longer


def test_a_record_that_the_unit_delivered_itself_is_neither_changed_nor_ended_by_the_peer(cast: Cast) -> None:
    peer = city(cast)
    taken(peer, item(1))
    ingest(penalty(1, CF_NR="罚款五万元"))
    answer = taken(peer, ending(2))
    assert (refusals(answer), answer["confirmed"], one().state) == ([(2, "delivered_by_the_unit")], [], "in_force")
    assert refusals(taken(peer, item(3, kind="corrected"))) == [(3, "delivered_by_the_unit")]


def test_feeds_of_a_peer_are_offered_to_nobody(cast: Cast) -> None:
    taken(city(cast), item(1))
    made, unit = Feed.objects.get(peer__isnull=False), Agency.objects.get(code="hz-market")
    assert made.code not in [feed["code"] for feed in feeds_of(unit)]
    entitlement = Entitlement.objects.get(agency=unit, entry__code=PENALTY)
    assert made not in form_feeds(entitlement)


def test_feeds_that_peers_had_opened_before_become_theirs(cast: Cast) -> None:
    migration = importlib.import_module("records.migrations.0022_exchange_ownership")
    peer, entry = city(cast), CatalogueEntry.objects.get(code=PENALTY)
    a_peer(cast, PENALTY, code="city-hz", direction=Direction.TAKEN)
    words = "from-city-hz-market-administrative-penalty-"
    old = tie_entries.feed(f"{words[:47]}-{hashlib.sha256(words.encode()).hexdigest()[:12]}", entry)
    like = tie_entries.feed(f"{words[:47]}-0123456789ab", entry)
    with connection.cursor() as cursor:
        cursor.execute(migration.FEEDS_OF_PEERS)
    assert list(Feed.objects.filter(pk__in=[old.pk, like.pk]).order_by("pk").values_list("peer", flat=True)) == [
        peer.pk, None,
    ]  # fmt: skip


# --- what was not agreed ----------------------------------------------------------------------------------


def test_fields_that_were_not_agreed_are_not_kept(cast: Cast) -> None:
    peer = city(cast, fields=["CF_NR", "CF_CFLB", "CF_NR_FK"])
    assert refusals(taken(peer, item(1))) == []
    content = content_of(one())
    assert content["CF_NR"] and not content.get("CF_WFXW") and not content.get("CF_FRDB")


def test_nothing_of_persons_is_kept_where_they_are_not_agreed(cast: Cast) -> None:
    bad = {**person(2)["values"], "CF_XDR_ZJHM": "441302199001010000"}
    unsaid = {**person(3)["values"], "CF_XDR_LB": "某人"}
    answer = taken(city(cast), item(1), person(2, values=bad, token="b"), person(3, values=unsaid, token="c"))
    assert refusals(answer) == [(2, "persons_not_agreed"), (3, "kind_unknown")]
    assert (answer["accepted"], answer["set_aside"], QuarantinedRow.objects.count()) == (1, 0, 0)


# --- what is well formed and cannot be all the same -------------------------------------------------------

MALFORMED: list[tuple[dict[str, Any], str]] = [
    (ending(1, cause="disputed"), "cause_unknown"), (ending(1, cause=""), "cause_unknown"),
    ({**ending(1), "number": 2**63}, "malformed"), (item(1, token="x" * 65), "malformed"),
    (item(1, token="x\0"), "malformed"), (item(1, unit={"code": "\0"}), "malformed"),
    (item(1, values={"CF_NR": "\0"}), "malformed"), (item(1, field="x" * 61), "malformed"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "code"), MALFORMED, ids=range(len(MALFORMED)))
def test_what_no_table_can_hold_is_refused_before_it_gets_there(cast: Cast, bad: dict[str, Any], code: str) -> None:
    answer = hand_in(city(cast), bad)
    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (400, code), answer.content


def test_a_key_field_that_nobody_knows_is_refused_alone(cast: Cast) -> None:
    answer = taken(city(cast), item(1, field="astrology"), item(2, 2))
    assert (refusals(answer), answer["accepted"]) == ([(1, "field_unknown")], 1)


@pytest.mark.parametrize(("day", "code"), [("", "required"), ("x", "not_a_date"), ("2999-01-01", "date_in_future")])
def test_an_undated_entry_needs_its_day(cast: Cast, day: str, code: str) -> None:
    entry = "ecommerce-dishonesty"
    Entitlement.objects.get_or_create(
        agency=Agency.objects.get(code="hz-market"), entry=CatalogueEntry.objects.get(code=entry)
    )
    answer = taken(city(cast, entry, PENALTY), item(1, entry=entry, decided_on=day), item(2, 2))
    assert (refusals(answer), answer["accepted"]) == ([(1, code)], 1)


def test_a_unit_that_may_not_send_the_entry_is_refused_alone(cast: Cast) -> None:
    schools = tie_entries.entry("schools-only", (*WHO, *WHAT), source_kinds=["school"])
    answer = taken(city(cast, PENALTY, "schools-only"), item(1, entry=schools.code), item(2, 2))
    assert (refusals(answer), answer["accepted"]) == ([(1, "source_kind_not_allowed")], 1)


def test_a_status_that_takes_the_decision_back_ends_its_record(cast: Cast) -> None:
    tie_entries.feed("own", tie_entries.entry("status", (*WHO, *WHAT, *STATUS)))
    peer = city(cast, "status", persons=True)
    cells = row(1, PERSON_NUMBER, status="正常")

    def told(number: int, **values: str) -> dict[str, Any]:
        return item(number, entry="status", values={**cells, **values})

    assert refusals(taken(peer, told(1, status="撤销"))) == [(1, "withdrawn_unknown")]
    taken(peer, told(2))
    assert taken(peer, told(3, status="撤销"))["accepted"] == 1
    assert (one().state, ReceivedRecord.objects.get().number) == ("revoked", 3)
    assert refusals(taken(peer, told(4))) == []
    assert one().state == "in_force"


def test_of_a_group_that_fails_all_but_the_cause_is_taken(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = taking.Incoming.take

    def broken(self: Any, group: Any) -> Any:
        outcome = honest(self, group)
        if any(one.number == 2 for one in group.items):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1/0")
        return outcome

    monkeypatch.setattr(taking.Incoming, "take", broken)
    answer = taken(city(cast), item(1), item(2, 2), item(3, 3))
    assert (refusals(answer), answer["accepted"]) == ([(2, "internal")], 2)
    assert CreditRecord.objects.count() == ReceivedRecord.objects.count() == 2


def test_a_block_of_more_than_two_megabytes_is_taken(cast: Cast) -> None:
    padded = item(3, 3, values={**item(3, 3)["values"], **{f"X{at}": "z" * 90_000 for at in range(32)}})
    assert len(json.dumps(padded)) > 2_621_440
    assert taken(city(cast), padded)["accepted"] == 1
