"""A lost answer costs nothing: under its key it is had again, once looked at and each time written down."""

# ruff: noqa: F811 - the fixture of another file

import datetime
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import AccessResult, Authority, Door, Scope
from creditplatform.core.models import AccessLog
from records.look_selectors import looks
from records.models import Authorisation, KeptAnswer, Query, Subject
from records.queries.answered import AnswerOutdated, must_stand
from records.queries.disclosure import REPEATED
from records.queries.uses import use
from records.services import authorisations, kept_answers, query_upkeep
from tests.cast import STRANGER_NUMBER, Cast
from tests.records.queries_world import fined, purpose
from tests.records.test_machine_deliveries import Machine
from tests.records.test_machine_queries import (
    ALL,
    ELIGIBILITY,
    RECORDS,
    ask,
    body,
    last_line,
    receipt,
    system,  # noqa: F401
)

KEY = {"Idempotency-Key": "0b9f6d5e-6f0c-4b55-9a0e-2f8f7d1c3a41"}


def call(machine: Machine, said: Any, address: str = ELIGIBILITY, **headers: str) -> Any:
    return machine.call("POST", address, said, **{**KEY, **headers})


def uses(given: Authorisation) -> int:
    return Authorisation.objects.get(pk=given.pk).uses


@pytest.mark.parametrize(("address", "code"), [(ELIGIBILITY, "green-channel"), (RECORDS, "special-industry")])
def test_an_answer_asked_for_again_is_the_same_and_takes_no_use(
    system: Machine, cast: Cast, address: str, code: str
) -> None:
    fined()
    given = receipt(cast, code)  # its last use
    first = call(system, body(code, given.number), address)
    assert (first.status_code, "Idempotent-Replay" in first.headers) == (200, False)
    again = [call(system, body(code, given.number), address) for _turn in range(2)]
    assert {answer.content for answer in again} == {first.content}
    assert {(answer.status_code, answer.headers["Idempotent-Replay"]) for answer in again} == {(200, "true")}
    assert {answer.headers["Cache-Control"] for answer in again} == {"no-store"}
    assert uses(given) == 1
    kept = KeptAnswer.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM records_keptanswer")
        assert b"outcome" not in bytes(cursor.fetchone()[0]) and kept.answer and "records" in kept.answer


def test_every_repetition_is_a_look_that_the_person_reads(system: Machine, cast: Cast) -> None:
    record = fined()
    given = receipt(cast)
    for _turn in range(2):
        call(system, body(reference=given.number))
    one, two = AccessLog.objects.filter(door=Door.API).order_by("pk")
    same = ("purpose", "authority", "reference", "case_number", "subject_ref", "result", "agency_id", "actor_id")
    assert [getattr(one, name) for name in same] == [getattr(two, name) for name in same]
    assert (set(two.fields) - set(one.fields), two.subject_ref) == ({REPEATED}, record.subject_id)
    newest = looks(Subject.objects.get(pk=record.subject_id))[0]
    assert newest.row.pk == two.pk and len(newest.shown) == len(one.fields) + 1


def test_the_key_stands_for_one_question(system: Machine, cast: Cast) -> None:
    given = receipt(cast, uses=3)
    call(system, body(reference=given.number))
    for said, address in (
        (body(reference=given.number, case_number="2"), ELIGIBILITY),
        (body(reference=given.number, number=STRANGER_NUMBER), ELIGIBILITY),
        (body(reference=given.number), RECORDS),
    ):
        answer = call(system, said, address)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert uses(given) == 1 and AccessLog.objects.filter(door=Door.API).count() == 1
    wrong = call(system, body(reference=given.number), **{"Idempotency-Key": "two words"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "idempotency_key_invalid")
    assert call(system, body(reference=given.number), **{"Idempotency-Key": "other"}).status_code == 200
    assert uses(given) == 2


def test_the_key_is_the_clients_own(system: Machine, cast: Cast) -> None:
    given = receipt(cast, uses=2)
    call(system, body(reference=given.number))
    assert call(Machine(*ALL, agency="hz-tax"), body(reference=given.number)).status_code == 403
    assert "Idempotent-Replay" not in call(Machine(*ALL), body(reference=given.number)).headers
    assert uses(given) == 2


def test_after_its_hours_it_is_asked_anew_and_takes_a_use(system: Machine, cast: Cast) -> None:
    given = receipt(cast, uses=2)
    call(system, body(reference=given.number))
    KeptAnswer.objects.update(keep_until=timezone.now())
    anew = call(system, body(reference=given.number))
    assert (anew.status_code, "Idempotent-Replay" in anew.headers, uses(given)) == (200, False, 2)
    assert KeptAnswer.objects.count() == 1


def test_nothing_is_given_again_once_the_consent_is_withdrawn(system: Machine, cast: Cast) -> None:
    given = receipt(cast, uses=2)
    call(system, body(reference=given.number))
    authorisations.revoke(authorisation=Authorisation.objects.get(pk=given.pk), user=cast.person)
    refused = call(system, body(reference=given.number))
    assert (refused.status_code, refused.json()["code"]) == (403, "not_authorised")
    line = last_line()
    assert (line.result, line.authority, line.subject_ref) == (
        AccessResult.REFUSED, Authority.CONSENT, Subject.objects.by_number(given.number_index).get().pk,
    )  # fmt: skip


@pytest.mark.parametrize(
    "fate",
    [{"state": "repaired"}, {"state": "revoked"}, {"withheld": True}, {"disputed": True}, {"statement": "已缴清"}],
)
@pytest.mark.parametrize(("address", "code"), [(ELIGIBILITY, "green-channel"), (RECORDS, "special-industry")])
def test_an_answer_whose_records_have_changed_is_not_given_again(
    system: Machine, cast: Cast, address: str, code: str, fate: dict[str, Any]
) -> None:
    record, given = fined(), receipt(cast, code, uses=2)
    call(system, body(code, given.number), address)
    before = AccessLog.objects.count()
    type(record).objects.filter(pk=record.pk).update(**fate, changed_at=timezone.now())
    answer = call(system, body(code, given.number), address)
    assert (answer.status_code, answer.json()["code"]) == (409, "answer_outdated")
    assert not AccessLog.objects.filter(fields__contains=[REPEATED]).exists()
    assert AccessLog.objects.count() == before + 1 and last_line().result == AccessResult.REFUSED
    fresh = call(system, body(code, given.number), address, **{"Idempotency-Key": "another"})
    assert fresh.status_code == 200 and uses(given) == 2


def test_a_record_that_is_published_no_more_makes_an_answer_old(cast: Cast) -> None:
    record, a_day = fined(), datetime.timedelta(days=1)
    ended = timezone.make_aware(datetime.datetime.combine(record.publish_until, datetime.time(12)))
    with time_machine.travel(ended - a_day):
        must_stand([record.pk], ended - 2 * a_day)
    with time_machine.travel(ended), pytest.raises(AnswerOutdated):
        must_stand([record.pk], ended - a_day)


def test_a_refusal_is_not_kept(system: Machine, cast: Cast) -> None:
    given = receipt(cast)
    use(given)
    assert call(system, body(reference=given.number)).status_code == 403
    assert not KeptAnswer.objects.exists()


def test_by_statute_too_and_while_the_purpose_is_open(system: Machine, cast: Cast) -> None:
    wanted = purpose("company-officer")
    said = body("company-officer", wanted.legal_basis_id, authority="statute")
    assert [call(system, said, RECORDS).status_code for _turn in range(2)] == [200, 200]
    purpose("company-officer", state="retired")
    closed = call(system, said, RECORDS)
    assert (closed.status_code, closed.json()["code"]) == (403, "purpose_not_open")
    assert last_line().result == AccessResult.REFUSED


def test_what_waits_for_approval_is_registered_once(system: Machine, cast: Cast) -> None:
    purpose("special-industry", needs_approval=True)
    given = receipt(cast, "special-industry")
    first, again = (call(system, body("special-industry", given.number), RECORDS) for _turn in range(2))
    assert (first.status_code, again.status_code, again.content) == (202, 202, first.content)
    assert again.headers["Idempotent-Replay"] == "true" and Query.objects.count() == 1


def test_the_upkeep_removes_what_is_over_and_nothing_else(system: Machine, cast: Cast) -> None:
    given = receipt(cast, uses=2)
    call(system, body(reference=given.number))
    today = timezone.localdate()
    assert query_upkeep.run_all(on=today, door=Door.COMMAND)["kept_answers_removed"] == 0
    later = today + datetime.timedelta(days=2)
    assert kept_answers.remove_due(on=later, door=Door.COMMAND) == 1
    assert kept_answers.remove_due(on=later, door=Door.COMMAND) == 0 and not KeptAnswer.objects.exists()


def test_without_the_header_a_call_asks_for_nothing_of_it(system: Machine, cast: Cast) -> None:
    wanted = purpose("company-officer")
    said = body("company-officer", wanted.legal_basis_id, authority="statute")
    ask(system, RECORDS, said)
    with CaptureQueriesContext(connection) as asked:
        ask(system, RECORDS, said)
    text = " ".join(query["sql"] for query in asked.captured_queries)
    assert "keptanswer" not in text and "advisory" not in text


@pytest.mark.django_db(transaction=True)
def test_two_calls_at_the_same_moment_do_the_work_once(policy: None) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        given = receipt(Cast.assemble(), uses=2)
    machine = Machine(Scope.ELIGIBILITY_READ)

    def ask_once(_turn: int) -> Any:
        try:
            return call(machine, body(reference=given.number))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask_once, range(4)))
    assert {answer.status_code for answer in found} == {200} and len({answer.content for answer in found}) == 1
    assert sorted("Idempotent-Replay" in answer.headers for answer in found) == [False, True, True, True]
    assert uses(given) == 1 and AccessLog.objects.filter(door=Door.API).count() == 4
