"""A client reads for what its unit may ask, and what it reads is enough to ask."""

# ruff: noqa: F811 - the fixture of another file

import datetime

from django.utils import timezone

from creditplatform.core.enums import Scope
from records.api.queries.purposes import OPEN, PurposeForm
from records.models import Purpose, PurposeUser
from tests.cast import Cast
from tests.records.queries_world import market, purpose
from tests.records.test_machine_deliveries import Machine
from tests.records.test_machine_queries import CONSENTS, ELIGIBILITY, RECORDS, ask, body, receipt, system, wish  # noqa: F401

ADDRESS = "/api/v1/purposes/"


def listed(machine: Machine, address: str = ADDRESS) -> dict[str, dict[str, object]]:
    answer = machine.get(address)
    assert answer.status_code == 200, answer.content.decode()
    return {one["code"]: one for one in answer.json()["purposes"]}


def test_the_purposes_of_the_own_unit_and_no_other(system: Machine, cast: Cast) -> None:
    found = listed(system)
    assert set(found) == set(Purpose.objects.open_to(market()).values_list("code", flat=True)) and found
    assert found == listed(system, ADDRESS.rstrip("/"))
    other = listed(Machine(Scope.QUERIES_WRITE, agency="hz-tax"))
    assert set(other) != set(found)
    assert all(set(one) == set(PurposeForm().fields) for one in (*found.values(), *OPEN["purposes"]))


def test_it_says_all_that_a_question_must_name(system: Machine, cast: Cast) -> None:
    found = listed(system)
    green, officer = found["green-channel"], found["company-officer"]
    wanted = purpose("green-channel")
    assert (green["name"], green["name_en"], green["fields"]) == (wanted.name, wanted.name_en, wanted.fields)
    assert (green["needs_consent"], green["authority"], green["reference"]) == (True, "consent", "")
    assert (green["longest_days"], green["most_uses"]) == (wanted.longest_days, wanted.most_uses)
    assert (officer["needs_consent"], officer["longest_days"], officer["most_uses"]) == (False, None, None)
    named = {"authority": str(officer["authority"])}
    assert ask(system, RECORDS, body("company-officer", str(officer["reference"]), **named))["records"] == []
    assert ask(system, CONSENTS, {**wish(), "fields": green["fields"]}, 201)
    for code, one in found.items():
        if not one["needs_consent"] or one["needs_approval"]:
            continue
        for address, covers in ((ELIGIBILITY, one["eligibility"]), (RECORDS, one["records"])):
            status = 200 if covers else 400
            assert ask(system, address, body(code, receipt(cast, code).number), status), (code, address)


def test_what_is_closed_is_not_listed(system: Machine, cast: Cast) -> None:
    today = timezone.localdate()
    purpose("green-channel", state="retired")
    purpose("special-industry", state="draft")
    user = PurposeUser.objects.get(purpose="company-officer", agency=market())
    PurposeUser.objects.filter(pk=user.pk).update(valid_from=today - datetime.timedelta(days=2), valid_until=today)
    assert not {"green-channel", "special-industry", "company-officer", "loan"} & set(listed(system))


def test_it_takes_the_scope_of_queries(cast: Cast) -> None:
    assert Machine(Scope.ELIGIBILITY_READ, Scope.AUTHORISATIONS_WRITE).get(ADDRESS).status_code == 403
    assert Machine(Scope.QUERIES_WRITE).call("POST", ADDRESS, {}).status_code == 405
