"""A lost answer about a report costs no second use: under its key it is had again while the consent lasts."""

# ruff: noqa: F811 - the fixtures of another file

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from creditplatform.core import audit
from creditplatform.core.enums import AccessResult, Door, Scope
from creditplatform.core.models import AccessLog
from records.enums import AuthorisationState
from records.models import Authorisation, CreditReport, KeptAnswer
from records.queries.disclosure import REPEATED
from records.services.reports import revoke_report
from tests.cast import Cast
from tests.records.queries_world import CASE, consent, fined, purpose
from tests.records.report_world import has_authority
from tests.records.test_machine_deliveries import Machine
from tests.records.test_unit_reports import (
    INDUSTRY,
    _can_be_signed,  # noqa: F401
    given,  # noqa: F401
    lines,
    path,
    system,  # noqa: F401
    withdrawn,
)

KEY = "0b9f6d5e-6f0c-4b55-9a0e-2f8f7d1c3a41"


def order(machine: Machine, number: str, key: str = KEY, case: str = CASE) -> Any:
    address, headers = f"/api/v1/authorisations/{number}/report/", {"Idempotency-Key": key}
    return machine.call("POST", address, {"case_number": case}, **headers)


def test_the_same_call_gets_the_same_report_and_takes_one_use(system: Machine, given: Authorisation) -> None:
    first, again = order(system, given.number), order(system, given.number)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["Idempotent-Replay"] == "true" and "Idempotent-Replay" not in first.headers
    assert again.headers["Cache-Control"] == "no-store"
    given.refresh_from_db()
    assert (given.uses, given.state, CreditReport.objects.count()) == (1, AuthorisationState.USED, 1)
    one, two = lines(AccessResult.SHOWN)
    assert (two.fields, two.subject_ref) == ([*one.fields, REPEATED], one.subject_ref)
    assert (two.purpose, two.reference, two.case_number) == (INDUSTRY, given.number, CASE)
    assert system.get(path(again.json()["pdf"]), Accept="application/pdf").status_code == 200
    assert order(system, given.number, "another").status_code == 403


def test_another_body_under_the_key_is_told_and_takes_nothing(system: Machine, cast: Cast) -> None:
    given = consent(purpose(INDUSTRY), cast.clerk, cast.person, uses=3)
    order(system, given.number)
    for number, case in ((given.number, "2"), ("a" * 26, CASE)):
        answer = order(system, number, case=case)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert order(system, given.number, "two words").json()["code"] == "idempotency_key_invalid"
    given.refresh_from_db()
    assert (given.uses, KeptAnswer.objects.count()) == (1, 1)
    assert order(Machine(Scope.QUERIES_WRITE), given.number).status_code == 201, "the key is the client's own"


@pytest.mark.parametrize("cause", ["consent", "report", "purpose"])
def test_once_anything_it_rests_on_is_withdrawn_it_is_refused_in_the_usual_words(
    system: Machine, cast: Cast, given: Authorisation, cause: str
) -> None:
    order(system, given.number)
    given.refresh_from_db()
    with audit.context(actor=None, door=Door.WEB, reason="test"):
        if cause == "consent":
            withdrawn(cast, given)
        elif cause == "report":
            revoke_report(report=CreditReport.objects.get(), user=cast.person)
        else:
            purpose(INDUSTRY, state="retired")
    answer = order(system, given.number)
    assert answer.status_code == 403 and answer.content == order(system, "a" * 26, "unknown").content
    refused = AccessLog.objects.filter(result=AccessResult.REFUSED).order_by("pk")
    assert list(refused.values_list("subject_ref", flat=True)) == [given.subject_id, 0]
    assert not AccessLog.objects.filter(fields__contains=[REPEATED]).exists()


def test_a_refusal_is_not_kept(system: Machine, given: Authorisation) -> None:
    assert order(system, "a" * 26).status_code == 403 and not KeptAnswer.objects.exists()
    assert order(system, given.number).status_code == 201, "the key is still free"


@pytest.mark.django_db(transaction=True)
def test_two_calls_at_the_same_moment_make_one_report(policy: None) -> None:
    has_authority()
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        cast = Cast.assemble()
        fined()
        given = consent(purpose(INDUSTRY), cast.clerk, cast.person, uses=3)
    machine = Machine(Scope.QUERIES_WRITE)

    def once(_turn: int) -> Any:
        try:
            return order(machine, given.number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(once, range(3)))
    assert {answer.status_code for answer in found} == {201} and len({answer.content for answer in found}) == 1
    assert Authorisation.objects.get(pk=given.pk).uses == 1 and CreditReport.objects.count() == 1
