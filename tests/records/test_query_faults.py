"""Faults of queries that were once there: what a consent opens, what a log holds, what goes before a person."""

# ruff: noqa: F811 - the fixture of another file

import datetime

import pytest
from django.utils import timezone

from creditplatform.core.enums import AccessResult
from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import AccessLog
from records.enums import AuthorisationState, Outcome
from records.models import Authorisation, Query
from records.queries.asking import ask_eligibility
from records.services import authorisations, queries
from records.services.queries import Draft
from tests.cast import PERSON_NUMBER, Cast
from tests.records.queries_world import NAME, UNKNOWN, fined, purpose, question
from tests.records.test_machine_deliveries import Machine
from tests.records.test_machine_queries import (
    BATCH,
    CASE,
    CONSENTS,
    ELIGIBILITY,
    RECORDS,
    ask,
    ask_bad,
    body,
    last_line,
    listed,
    people,
    receipt,
    system,  # noqa: F401
)


def test_a_persons_number_as_case_number_stands_in_no_log(system: Machine, cast: Cast) -> None:
    given = receipt(cast)
    for code in ("green-channel", "loan"):
        system.call("POST", ELIGIBILITY, body(code, given.number, case_number=PERSON_NUMBER))
        assert last_line().case_number == ""
    answer = system.call("POST", CONSENTS, body(case_number=PERSON_NUMBER))
    assert answer.json()["problems"][0]["code"] == "holds_number"


def test_an_answer_goes_before_a_person_as_it_was_given_and_only_while_consent_lasts(
    system: Machine, cast: Cast
) -> None:
    given = receipt(cast)
    said = ask(system, ELIGIBILITY, body(reference=given.number))
    fined()
    asked = ask(system, f"{ELIGIBILITY}review/", {"access": said["access"]}, 201)
    assert asked["automatic_answer"] == said["outcome"] == "yes"
    other = receipt(cast, case_number="2")
    again = ask(system, ELIGIBILITY, body(reference=other.number, case_number="2"))
    authorisations.revoke(authorisation=Authorisation.objects.get(pk=other.pk), user=cast.person)
    refused = system.call("POST", f"{ELIGIBILITY}review/", {"access": again["access"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_authorised")


def test_a_used_consent_can_be_withdrawn_and_then_opens_nothing_more(system: Machine, cast: Cast) -> None:
    fined()
    purpose("special-industry", needs_approval=True)
    given = receipt(cast, "special-industry")
    waiting = ask(system, RECORDS, body("special-industry", given.number), 202)
    address = waiting["address"].removeprefix("http://testserver")
    queries.approve(query=Query.objects.get(), user=cast.supervisor)
    ask(system, f"{address}/result/", {})
    used = Authorisation.objects.get(pk=given.pk)
    assert used.state == AuthorisationState.USED
    authorisations.revoke(authorisation=used, user=cast.person)
    assert system.call("POST", f"{address}/result/").status_code == 403
    assert last_line().result == AccessResult.REFUSED


def test_with_approval_too_a_missing_consent_leaves_its_line_and_the_one_named_is_used(
    system: Machine, cast: Cast
) -> None:
    purpose("special-industry", needs_approval=True)
    assert system.call("POST", RECORDS, body("special-industry", "a" * 26)).status_code == 403
    assert last_line().result == AccessResult.REFUSED
    first, named = (receipt(cast, "special-industry", case_number=case) for case in "12")
    ask(system, RECORDS, body("special-industry", named.number), 202)
    queries.approve(query=Query.objects.get(), user=cast.supervisor)
    queries.open_result(query=Query.objects.get(), user=None)
    uses = [Authorisation.objects.get(pk=one.pk).uses for one in (first, named)]
    assert uses == [0, 1]


def test_a_partial_consent_that_ends_first_hides_no_whole_one(cast: Cast) -> None:
    part = receipt(cast, granted=["judgment-defaulter"])
    whole = receipt(cast, case_number="2")
    Authorisation.objects.filter(pk=part.pk).update(expires_at=timezone.now() + datetime.timedelta(hours=1))
    assert ask_eligibility(question(purpose("green-channel"))).answer.outcome == Outcome.YES
    assert [Authorisation.objects.get(pk=one.pk).uses for one in (part, whole)] == [0, 1]


def test_another_list_of_the_same_length_is_another_list(system: Machine, cast: Cast) -> None:
    key = {"Idempotency-Key": "list-1"}
    assert system.call("POST", BATCH, listed(), **key).status_code == 202
    other = [*people()[:1], {"name": "示例丙", "number": UNKNOWN.number}]
    answer = system.call("POST", BATCH, listed(people=other), **key)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


def test_everything_wrong_with_a_question_is_told_at_once(system: Machine, cast: Cast) -> None:
    said = ask_bad(system, {"purpose": "green-channel", "number": "441300199001011230"})
    assert {one["field"] for one in said["problems"]} == {"authority", "case_number", "name", "number"}


def test_whoever_may_not_open_a_query_leaves_no_refusal_in_the_name_of_another(cast: Cast) -> None:
    wanted = purpose("green-channel")
    given = receipt(cast)
    draft = Draft(
        agency=given.agency, user=cast.clerk, purpose=wanted.code, kind="eligibility", name=NAME,
        document="resident_id", number=PERSON_NUMBER, case_number=CASE,
    )  # fmt: skip
    query = queries.submit(draft)
    authorisations.revoke(authorisation=given, user=cast.person)
    before = AccessLog.objects.count()
    with pytest.raises(NotPermitted):
        queries.open_result(query=query, user=cast.supervisor)
    assert AccessLog.objects.count() == before


def test_a_record_that_fell_away_is_named_no_more(cast: Cast) -> None:
    record = fined()
    assert queries.records_named([record.pk]) == [record]
    type(record).objects.filter(pk=record.pk).update(withheld=True)
    assert queries.records_named([record.pk]) == []
