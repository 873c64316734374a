"""Bodies of questions about persons: an unknown field is refused before anything is used, what is missing is named."""

# ruff: noqa: F811 - the fixture of another file

from typing import Any

import pytest
import yaml
from django.test import Client

from creditplatform.core.enums import Scope
from creditplatform.core.models import AccessLog
from records.enums import AuthorisationState
from records.models import Authorisation, BatchCheck, CreditReport, KeptAnswer, PriorNotice, Query
from records.services import queries
from tests.cast import PERSON_NUMBER, Cast
from tests.records import test_announcements_by_machine as announcing
from tests.records.queries_world import CASE, NAME, fined, purpose
from tests.records.report_world import has_authority
from tests.records.test_machine_deliveries import Machine
from tests.records.test_machine_queries import (
    BATCH,
    CONSENTS,
    ELIGIBILITY,
    RECORDS,
    ask,
    body,
    last_line,
    listed,
    people,
    receipt,
    system,  # noqa: F401
    wish,
)

MORE = {"fields": ["administrative-penalty"], "score": True}
ANNOUNCEMENTS, REVIEW = "/api/v1/announcements/", f"{ELIGIBILITY}review/"


def unknown(answer: Any) -> list[str]:
    """The fields that were refused as unknown, and nothing else was wrong."""
    assert answer.status_code == 400, answer.content.decode()
    assert {one["code"] for one in answer.json()["problems"]} == {"unknown_field"}
    return [one["field"] for one in answer.json()["problems"]]


def wrong(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400, answer.content.decode()
    return {one["field"]: one["code"] for one in answer.json()["problems"]}


@pytest.mark.parametrize(("address", "code"), [(ELIGIBILITY, "green-channel"), (RECORDS, "special-industry")])
def test_whoever_asks_for_less_is_refused_and_keeps_the_only_use(
    system: Machine, cast: Cast, address: str, code: str
) -> None:
    fined()
    given = receipt(cast, code)
    answer = system.call("POST", address, body(code, given.number, **MORE), **{"Idempotency-Key": "k"})
    assert unknown(answer) == ["fields", "score"]
    given.refresh_from_db()
    assert (given.uses, given.state) == (0, AuthorisationState.GRANTED)
    assert not KeptAnswer.objects.exists() and last_line().result == "refused"
    assert ask(system, address, body(code, given.number))


def test_no_call_about_persons_takes_a_field_it_does_not_know(system: Machine, cast: Cast) -> None:
    has_authority()
    given = receipt(cast, "special-industry")
    ticket = ask(system, ELIGIBILITY, body(reference=receipt(cast).number))["access"]
    before = AccessLog.objects.count()
    assert unknown(system.call("POST", BATCH, listed(**MORE))) == ["fields", "score"]
    assert unknown(system.call("POST", CONSENTS, wish(score=True))) == ["score"]
    assert unknown(system.call("POST", CONSENTS, body())) == ["authority", "reference"]
    assert unknown(system.call("POST", REVIEW, {"access": ticket, **MORE})) == ["fields", "score"]
    address = f"{CONSENTS}{given.number}/report/"
    assert unknown(system.call("POST", address, {"case_number": CASE, **MORE})) == ["fields", "score"]
    feeding = Machine(Scope.FEEDS_WRITE)
    assert unknown(feeding.call("POST", ANNOUNCEMENTS, announcing.said(**MORE))) == ["fields", "score"]
    given.refresh_from_db()
    assert given.uses == 0 and AccessLog.objects.count() == before
    for nothing in (BatchCheck, CreditReport, PriorNotice):
        assert not nothing.objects.exists(), nothing


def test_a_person_of_a_list_has_no_more_fields_than_that(system: Machine, cast: Cast) -> None:
    more = {"name": "李示例", "number": PERSON_NUMBER, "documant": "passport", "fields": []}
    answer = system.call("POST", BATCH, listed(people=people(more, more)))
    assert unknown(answer) == ["people.documant", "people.fields"]


def test_what_is_no_name_of_a_field_is_not_repeated(system: Machine, cast: Cast) -> None:
    for name in (PERSON_NUMBER, NAME, f"n{PERSON_NUMBER}", "x" * 41, "two words", ""):
        answer = system.call("POST", ELIGIBILITY, body(reference="a" * 26, **{name: 1}))
        assert unknown(answer) == [""], name
        assert not name or name not in answer.content.decode()
    many = {f"field{place}": 1 for place in range(2000)}
    assert len(unknown(system.call("POST", ELIGIBILITY, body(reference="a" * 26, **many)))) == 50


def test_an_approved_query_is_opened_with_nothing_in_the_body(system: Machine, cast: Cast) -> None:
    purpose("special-industry", needs_approval=True)
    given = receipt(cast, "special-industry")
    address = ask(system, RECORDS, body("special-industry", given.number), 202)["address"]
    result = f"{address.removeprefix('http://testserver')}/result/"
    queries.approve(query=Query.objects.get(), user=cast.supervisor)
    assert unknown(system.call("POST", result, MORE)) == ["fields", "score"]
    assert system.call("POST", result, b"x", "text/csv").status_code == 415
    assert Authorisation.objects.get(pk=given.pk).uses == 0
    assert ask(system, result, {}) == ask(system, result, b"")


def test_an_empty_body_names_every_required_field_as_the_description_does(system: Machine, cast: Cast) -> None:
    schema = yaml.safe_load(Client().get("/api/v1/schema/").content)
    number = receipt(cast, "special-industry").number
    addresses = {
        ELIGIBILITY: "", RECORDS: "", BATCH: "", CONSENTS: "", REVIEW: "",
        "/api/v1/authorisations/{number}/report/": number, ANNOUNCEMENTS: "",
    }  # fmt: skip
    for address, number in addresses.items():
        machine = Machine(Scope.FEEDS_WRITE) if address == ANNOUNCEMENTS else system
        form = schema["paths"][address]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        described = schema["components"]["schemas"][form.rpartition("/")[2]]
        assert described["additionalProperties"] is False, address
        found = wrong(machine.call("POST", address.format(number=number), {}))
        assert set(found.values()) == {"required"}, address
        assert set(found) == set(described["required"]), address
    person = schema["components"]["schemas"]["PersonForm"]
    assert person["additionalProperties"] is False
    row = schema["paths"]["/api/v1/feeds/{feed}/batches/"]["post"]["requestBody"]["content"]["application/json"]
    assert "additionalProperties: false" not in yaml.dump(row), "deliveries say themselves what they take"


def test_everything_wrong_is_told_at_once_and_each_field_once(system: Machine, cast: Cast) -> None:
    said = body("green-channel", "", authority="statute", name="", number="441300199001011230", score=1, case_number=7)
    answer = system.call("POST", ELIGIBILITY, said)
    assert wrong(answer) == {
        "score": "unknown_field", "reference": "required", "name": "required", "case_number": "malformed",
        "authority": "wrong_authority", "number": "wrong_check_digit",
    }  # fmt: skip
    assert len(answer.json()["problems"]) == 6
    assert wrong(system.call("POST", CONSENTS, wish(document="x"))) == {"document": "document_kind_unknown"}


def test_a_purpose_that_gives_no_yes_or_no_is_refused_alike_alone_and_in_lists(system: Machine, cast: Cast) -> None:
    purpose("special-industry", gives_eligibility=False)
    given = receipt(cast, "special-industry")
    one = system.call("POST", ELIGIBILITY, body("special-industry", given.number))
    many = system.call("POST", BATCH, listed(purpose="special-industry"))
    assert one.json() == many.json() and wrong(one) == {"purpose": "outside_purpose"}
    assert Authorisation.objects.get(pk=given.pk).uses == 0
    purpose("green-channel", gives_records=False)
    assert wrong(system.call("POST", RECORDS, body(reference="a" * 26))) == {"purpose": "outside_purpose"}
    for address, said in ((ELIGIBILITY, body("loan", "a" * 26)), (BATCH, listed(purpose="loan"))):
        answer = system.call("POST", address, said)
        assert (answer.status_code, answer.json()["code"]) == (403, "purpose_not_open")
