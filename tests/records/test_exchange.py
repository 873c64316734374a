"""The ordered feed of changes: what a peer is told, what it is not, and what it confirms."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from creditplatform.core.enums import Authority, Door, Scope
from creditplatform.core.models import AccessLog
from records.enums import FieldRole, FieldType, OwnPurpose, PeerKind
from records.exchange.numbering import changes_after, newest_number, number_changes
from records.models import ChangeEvent, CreditRecord, EntryVersion, ExchangePeer, PeerDelivery, PeerReceipt, PeerState
from records.services import expiry
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast
from tests.deliveries import credit_code, ingest, one_record, penalty, person_penalty, quick_passwords  # noqa: F401
from tests.exchange_peers import DEFAULTER, PENALTY, a_peer, revoke
from tests.machines import bearer, machine
from tests.publicity.world import PERSON_NAME, defaulter
from tests.publicity.world import PERSON_NUMBER as DEFAULTER_NUMBER
from tests.records import tie_entries

FIRM_FIELDS = (
    tie_entries.field("name", FieldRole.SUBJECT_NAME, required="always"),
    tie_entries.field("code", FieldRole.CREDIT_CODE, FieldType.CODE, required="always"),
    *tie_entries.WHAT,
    tie_entries.field("boss", FieldRole.LEGAL_REPRESENTATIVE, personal=True),
    tie_entries.field("boss_number", FieldRole.LEGAL_REPRESENTATIVE_NUMBER, FieldType.CODE, personal=True),
)
HEAD = {"number", "kind", "cause", "at", "token", "entry", "document_number"}
CONTENT = HEAD | {"unit", "decided_on", "field", "disputed", "statement", "values"}


def ask(peer: ExchangePeer, after: str = "0", **more: Any) -> Any:
    return Client().get("/api/v1/changes/", {"after": after, **more}, headers=bearer(peer.client))


def changes(peer: ExchangePeer, after: str = "0", **more: Any) -> list[dict[str, Any]]:
    answer = ask(peer, after, **more)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["changes"]
    return found


def confirm(peer: ExchangePeer, cursor: str, numbers: list[int]) -> Any:
    return Client().post(
        "/api/v1/changes/confirm/", {"upto": cursor, "withdrawals": numbers}, content_type="application/json",
        headers=bearer(peer.client),
    )  # fmt: skip


def events() -> list[tuple[str, str, int]]:
    number_changes()
    return [(e.kind, e.cause, len(e.record_ids)) for e in ChangeEvent.objects.all()]


# --- how changes come about ------------------------------------------------------------------------------


def test_every_door_leaves_its_change_in_order(cast: Cast) -> None:
    ingest(penalty(1), penalty(2))
    ingest(penalty(1, CF_NR="罚款二万元"), penalty(2))
    first = CreditRecord.objects.order_by("pk")[0]
    revoke(cast, first)
    CreditRecord.objects.exclude(pk=first.pk).update(disputed=True)
    CreditRecord.objects.exclude(pk=first.pk).update(disputed=False)
    CreditRecord.objects.exclude(pk=first.pk).update(withheld=True)
    assert events() == [
        ("added", "", 2), ("corrected", "", 1), ("withdrawn", "revoked", 1), ("corrected", "disputed", 1),
        ("corrected", "undisputed", 1), ("withdrawn", "withheld", 1),
    ]  # fmt: skip
    assert [change.number for change in changes_after(0, 100)] == list(range(1, 8))
    assert [change.number for change in changes_after(1, 3)] == [2, 3, 4]


def test_expiry_and_archiving_are_withdrawals(cast: Cast) -> None:
    record = one_record()
    assert record.publish_until and record.retain_until
    expiry.expire_due(on=record.publish_until)
    expiry.archive_due(on=record.retain_until)
    assert events()[1:] == [("withdrawn", "expired", 1), ("withdrawn", "archived", 1)]


def test_what_changes_nothing_is_no_change(cast: Cast) -> None:
    ingest(penalty(1))
    number_changes()
    before = newest_number()
    ingest(penalty(1))
    CreditRecord.objects.update(changed_at=timezone.now())
    number_changes()
    assert newest_number() == before


def test_a_delivery_costs_one_note_whatever_its_rows(cast: Cast) -> None:
    with CaptureQueriesContext(connection) as few:
        ingest(penalty(1))
    with CaptureQueriesContext(connection) as many:
        ingest(*(penalty(number) for number in range(2, 60)))
    assert len(many) <= len(few)
    assert events() == [("added", "", 1), ("added", "", 58)]


# --- what a peer is told ----------------------------------------------------------------------------------


def test_an_addition_bears_exactly_these_fields(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    record = one_record()
    (told,) = changes(peer)
    assert set(told) == CONTENT
    assert (told["kind"], told["token"], told["unit"]["code"]) == ("added", record.token, "hz-market")
    assert told["values"]["CF_WSH"] == record.document_number
    assert "CF_FRDB_ZJHM" not in told["values"]


def test_a_withdrawal_bears_no_content(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    record = one_record()
    changes(peer)
    revoke(cast, record)
    told = changes(peer)
    assert [set(item) for item in told] == [HEAD]
    assert (told[0]["kind"], told[0]["cause"], told[0]["number"]) == ("withdrawn", "revoked", 2)


def test_who_was_never_told_of_a_record_hears_nothing_of_its_end(cast: Cast) -> None:
    told, other = a_peer(cast, PENALTY), a_peer(cast, "administrative-licence", code="other")
    record = one_record()
    changes(told)
    revoke(cast, record)
    late = a_peer(cast, PENALTY, code="late")
    assert len(changes(told)) == 1
    assert changes(other) == [] and changes(late) == []


def test_a_record_past_its_period_is_not_told_though_no_worker_ran(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    one_record()
    CreditRecord.objects.update(publish_until=timezone.localdate(), repairable_from=timezone.localdate())
    assert changes(peer) == []


def test_only_the_fields_agreed_go_out_beside_what_identifies_the_record(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY, fields=["CF_NR"])
    one_record()
    (told,) = changes(peer)
    assert "CF_NR" in told["values"] and "CF_WFXW" not in told["values"]
    assert {"CF_XDR_MC", "CF_XDR_SHXYM", "CF_WSH", "CF_JDRQ"} <= set(told["values"])


def test_only_records_of_the_site_agreed_go_out(cast: Cast) -> None:
    huizhou = one_record()
    peer = a_peer(cast, PENALTY, site=huizhou.site)
    ingest(penalty(2), feed="gs-market-penalty")
    assert [item["token"] for item in changes(peer)] == [huizhou.token]


def test_a_person_goes_out_only_where_openness_and_entitlement_say_so_and_it_is_written_down(cast: Cast) -> None:
    without, with_persons = a_peer(cast, DEFAULTER, PENALTY), a_peer(cast, DEFAULTER, code="p", persons=True)
    open_person = defaulter()
    ingest(person_penalty(2, "林示例", PERSON_NUMBER), person_penalty(3, "马示例", STRANGER_NUMBER))
    assert changes(without) == []
    assert not AccessLog.objects.filter(purpose=OwnPurpose.EXCHANGE).exists()
    (told,) = changes(with_persons)
    assert told["token"] == open_person.token
    assert DEFAULTER_NUMBER in told["values"].values() and PERSON_NAME in told["values"].values()
    line = AccessLog.objects.get(purpose=OwnPurpose.EXCHANGE)
    assert (line.subject_ref, line.authority, line.door) == (open_person.subject_id, Authority.STATUTE, Door.API)
    assert line.agency == with_persons.agency and "社会信用条例" in line.reference
    assert line.fields == ["judgment-defaulter", "name", "number"]


def test_a_credit_reporting_agency_gets_only_what_is_public(cast: Cast) -> None:
    authority = a_peer(cast, PENALTY)
    reporting = a_peer(cast, PENALTY, code="agency", kind=PeerKind.CREDIT_AGENCY)
    one_record(CF_NR_FK="", CF_CFLB="警告", CF_NR="警告")
    assert CreditRecord.objects.get().tier == "minor"
    assert len(changes(authority)) == 1
    assert changes(reporting) == []


def test_nothing_goes_out_on_a_basis_that_has_ended(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    one_record()
    peer.legal_basis.in_force_until = timezone.localdate()
    peer.legal_basis.save()
    assert ask(peer).status_code == 403


def test_a_record_whose_openness_ended_is_told_no_more(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    record = one_record()
    basis = EntryVersion.objects.get(pk=record.version_id).legal_basis
    assert basis
    basis.in_force_until = timezone.localdate()
    basis.save()
    assert changes(peer) == []


def test_the_cost_of_a_page_does_not_grow_with_its_records(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    ingest(penalty(1), penalty(2))
    with CaptureQueriesContext(connection) as few:
        assert len(changes(peer)) == 2
    ingest(*(penalty(number) for number in range(3, 40)))
    with CaptureQueriesContext(connection) as many:
        assert len(changes(peer)) == 39
    assert len(many) <= len(few) + 1


def test_a_record_that_a_correction_narrows_is_withdrawn_where_it_was_told(cast: Cast) -> None:
    public = {"kind": PeerKind.CREDIT_AGENCY}
    told_of, never = a_peer(cast, PENALTY, **public), a_peer(cast, PENALTY, code="never", **public)
    minor = {"CF_NR_FK": "", "CF_CFLB": "警告"}
    one_record()
    cursor = ask(told_of).json()["next"]
    ingest(penalty(1, **minor, CF_NR="警告"))
    assert CreditRecord.objects.get().tier == "minor"
    for _turn in range(2):  # the same question again is answered the same
        (end,) = changes(told_of, cursor)
        assert set(end) == HEAD and (end["kind"], end["cause"]) == ("withdrawn", "expired")
    assert changes(never) == []
    receipt = PeerReceipt.objects.get()
    assert (receipt.peer, receipt.number, receipt.cause, receipt.attempts) == (told_of, end["number"], "expired", 2)
    assert changes(told_of)[:1] == [end], "a full copy begins with nothing that is over"
    ingest(penalty(1, **minor, CF_NR="再次警告"))
    assert changes(told_of, ask(told_of, cursor, limit=1).json()["next"]) == [], "its end is told once"
    ingest(penalty(1, CF_NR="罚款四万元"))
    assert changes(told_of, cursor)[-1]["kind"] == "corrected"


def test_who_stands_for_a_company_is_noted_where_that_person_is_on_file(cast: Cast) -> None:
    ingest(person_penalty(2, "林示例", PERSON_NUMBER))
    person = CreditRecord.objects.get()
    entry = tie_entries.entry("firms", FIRM_FIELDS, subject_kinds=["organisation"])
    tie_entries.feed("firms", entry)
    firm = {"name": "示例有限公司", "code": credit_code(5), "document_number": "证1", "decided_on": "2026-03-01"}
    ingest({**firm, "boss": "林示例", "boss_number": PERSON_NUMBER}, feed="firms")
    (told,) = changes(a_peer(cast, "firms", persons=True))
    assert told["values"]["boss_number"] == PERSON_NUMBER
    line = AccessLog.objects.get(purpose=OwnPurpose.EXCHANGE)
    assert (line.subject_ref, line.fields) == (person.subject_id, ["firms", "name", "number"])
    changes(a_peer(cast, "firms", code="without"))
    assert AccessLog.objects.filter(purpose=OwnPurpose.EXCHANGE).count() == 1


# --- cursors ----------------------------------------------------------------------------------------------


def test_pages_follow_each_other_without_gap_or_repetition(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    ingest(*(penalty(number) for number in range(1, 8)))
    cursor, numbers = "0", []
    while True:
        answer = ask(peer, cursor, limit=3).json()
        numbers += [item["number"] for item in answer["changes"]]
        cursor = answer["next"]
        if not answer["more"]:
            break
    assert numbers == list(range(1, 8))
    assert changes(peer, cursor) == []


@pytest.mark.parametrize("after", ["1", "abc", "WzEsMV0:x:y", "-1", "%00"])
def test_a_cursor_somebody_made_up_is_refused(cast: Cast, after: str) -> None:
    answer = ask(a_peer(cast, PENALTY), after)
    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (400, "invalid_cursor")


def test_a_cursor_serves_its_peer_alone(cast: Cast) -> None:
    one, other = a_peer(cast, PENALTY), a_peer(cast, PENALTY, code="other")
    cursor = ask(one).json()["next"]
    assert ask(other, cursor).status_code == 400


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-3", "9999999999", "0005000000", "1" * 5000])
def test_a_limit_out_of_range_is_refused(cast: Cast, limit: str) -> None:
    assert ask(a_peer(cast, PENALTY), limit=limit).status_code == 400


def test_only_a_peers_client_with_the_scope_comes_in(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY, scopes=(Scope.EXCHANGE_WRITE,))
    nobody = machine(Scope.EXCHANGE_READ, name="nobody")
    assert ask(peer).status_code == 403
    assert Client().get("/api/v1/changes/", headers=bearer(nobody)).status_code == 403
    assert Client().get("/api/v1/changes/").status_code == 401


def test_a_paused_peer_is_told_nothing(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    ExchangePeer.objects.update(paused=True)
    assert ask(peer).status_code == 403


# --- confirmations ----------------------------------------------------------------------------------------


def test_each_withdrawal_waits_for_its_confirmation_from_the_day_it_happened(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    record = one_record()
    changes(peer)
    revoke(cast, record)
    number_changes()
    receipt = PeerReceipt.objects.get()
    assert (receipt.peer, receipt.record, receipt.cause, receipt.sent_at) == (peer, record, "revoked", None)
    assert timezone.localdate() < receipt.due_on <= timezone.localdate() + datetime.timedelta(days=12)
    answer = ask(peer).json()
    receipt.refresh_from_db()
    assert receipt.sent_at and receipt.attempts == 1
    said = confirm(peer, answer["next"], [receipt.number, 99]).json()
    assert said == {"confirmed": 1, "unknown": [99], "open": 0}
    receipt.refresh_from_db()
    assert receipt.confirmed_at and peer.client.client_id in receipt.proof
    assert PeerState.objects.get().confirmed == receipt.number
    first = receipt.confirmed_at
    confirm(peer, answer["next"], [receipt.number])
    receipt.refresh_from_db()
    assert receipt.confirmed_at == first


def test_a_peer_confirms_only_what_it_was_told(cast: Cast) -> None:
    peer, other = a_peer(cast, PENALTY), a_peer(cast, PENALTY, code="other")
    record = one_record()
    changes(peer)
    revoke(cast, record)
    number_changes()
    assert confirm(peer, "0", [2]).json()["unknown"] == [2]  # not told yet
    changes(peer)
    assert confirm(other, "0", [2]).json()["unknown"] == [2]
    assert PeerReceipt.objects.get().confirmed_at is None


@pytest.mark.parametrize("body", ["[]", "x", '{"withdrawals": 3}', '{"withdrawals": ["a"]}', '{"upto": "nonsense"}'])
def test_a_confirmation_that_is_none_is_refused(cast: Cast, body: str) -> None:
    peer = a_peer(cast, PENALTY)
    answer = Client().post(
        "/api/v1/changes/confirm/", body, content_type="application/json", headers=bearer(peer.client)
    )
    assert answer.status_code == 400


def test_a_delivery_says_which_records_were_told(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    record = one_record()
    changes(peer)
    delivery = PeerDelivery.objects.get()
    assert (delivery.peer, delivery.records, delivery.withdrawn) == (peer, [record.pk], [])
    assert (delivery.after, delivery.upto, delivery.door) == (0, 1, Door.API)
