"""Business systems ask over the interface: consent or statute named in each call; refusals tell nobody anything."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from creditplatform.core.enums import AccessResult, Authority, Door, Scope
from creditplatform.core.models import AccessLog
from creditplatform.core.vault import public_token
from creditplatform.core.wording import in_yuan
from records import tasks
from records.api.queries import forms
from records.api.queries.batches import KEY
from records.enums import AuthorisationState, BatchCheckState, Outcome, QueryState
from records.models import Authorisation, BatchCheck, BatchCheckRow, HumanReview, Query
from records.models.record import TOKEN_KIND
from records.queries.uses import use
from records.services import authorisations, queries
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast
from tests.records.queries_world import NAME, STRANGER_NAME, UNKNOWN, consent, fined, purpose
from tests.records.test_machine_deliveries import Machine

ELIGIBILITY, RECORDS = "/api/v1/eligibility/", "/api/v1/queries/"
BATCH, CONSENTS = "/api/v1/queries/batch/", "/api/v1/authorisations/"
ALL = (Scope.ELIGIBILITY_READ, Scope.QUERIES_WRITE, Scope.AUTHORISATIONS_WRITE)
CASE = "惠市监核〔2026〕1号"


@pytest.fixture
def system(cast: Cast, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The system of the market unit; checks of lists wait until the test works them off."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(tasks.process_check, "delay", lambda _batch: None)
    return Machine(*ALL)


def body(code: str = "green-channel", reference: str = "", **changes: Any) -> dict[str, Any]:
    words = {
        "purpose": code, "authority": "consent", "reference": reference, "case_number": CASE, "name": NAME,
        "number": PERSON_NUMBER,
    }  # fmt: skip
    return {**words, **changes}


def wish(code: str = "green-channel", **changes: Any) -> dict[str, Any]:
    """A request to a person for consent: no authority is named, since it is asked for."""
    said = body(code, **changes)
    return {name: text for name, text in said.items() if name not in ("authority", "reference")}


def receipt(cast: Cast, code: str = "green-channel", **words: Any) -> Authorisation:
    return consent(purpose(code), cast.clerk, cast.person, **words)


def ask(system: Machine, address: str, said: Any, status: int = 200) -> dict[str, Any]:
    answer = system.call("POST", address, said)
    assert answer.status_code == status, answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


def last_line() -> AccessLog:
    return AccessLog.objects.order_by("-pk")[0]


def test_a_clean_record_is_yes_and_takes_one_use(system: Machine, cast: Cast) -> None:
    given = receipt(cast, uses=2)
    said = ask(system, ELIGIBILITY, body(reference=given.number))
    assert (said["outcome"], said["records"]) == ("yes", [])
    assert said["rule"]["years"] == 3 and said["rule"]["legal_basis"]
    assert Authorisation.objects.get(pk=given.pk).uses == 1
    line = last_line()
    assert (line.authority, line.reference, line.case_number, line.door) == (
        Authority.CONSENT, given.number, CASE, Door.API,
    )  # fmt: skip


def test_a_fine_is_no_with_the_record_it_rests_on_and_no_score(system: Machine, cast: Cast) -> None:
    record = fined()
    said = ask(system, ELIGIBILITY, body(reference=receipt(cast).number))
    assert said["outcome"] == "no"
    assert [one["record"] for one in said["records"]] == [record.token]
    assert set(said) == {"outcome", "reasons", "rule", "records", "review", "access"}
    assert PERSON_NUMBER not in str(said) and NAME not in str(said)


def test_an_answer_goes_before_a_person_once(system: Machine, cast: Cast) -> None:
    fined()
    said = ask(system, ELIGIBILITY, body(reference=receipt(cast).number))
    asked = ask(system, f"{ELIGIBILITY}review/", {"access": said["access"], "words": "罚款已缴清"}, 201)
    assert asked["automatic_answer"] == "no"
    assert HumanReview.objects.get().words == "罚款已缴清"
    again = system.call("POST", f"{ELIGIBILITY}review/", {"access": said["access"]})
    assert (again.status_code, again.json()["code"]) == (409, "before_a_person")
    found = system.get(f"{ELIGIBILITY}review/{asked['review']}/").json()
    assert (found["state"], found["decision"]) == ("requested", "")


def test_a_look_of_another_unit_goes_before_nobody(system: Machine, cast: Cast) -> None:
    said = ask(system, ELIGIBILITY, body(reference=receipt(cast).number))
    other = Machine(Scope.ELIGIBILITY_READ, agency="gs-market")
    for token in (said["access"], "a" * 26, "x", 7):
        answer = other.call("POST", f"{ELIGIBILITY}review/", {"access": token})
        assert answer.status_code == 404, token


def test_records_come_with_the_fields_that_are_open_and_the_statement(system: Machine, cast: Cast) -> None:
    record = fined()
    queries_given = receipt(cast, "special-industry")
    type(record).objects.filter(pk=record.pk).update(statement="我已缴清")
    (said,) = ask(system, RECORDS, body("special-industry", queries_given.number))["records"]
    assert (said["record"], said["statement"], said["disputed"]) == (record.token, "我已缴清", False)
    assert {"罚款一万元", record.document_number} <= {field["value"] for field in said["fields"]}
    assert PERSON_NUMBER not in str(said)


def test_an_amount_comes_with_its_unit_in_every_language(system: Machine, cast: Cast) -> None:
    fined(CF_NR_FK="10")
    given = receipt(cast, "special-industry", uses=2)
    for language in ("zh", "en"):
        answer = system.call("POST", RECORDS, body("special-industry", given.number), **{"Accept-Language": language})
        (one,) = answer.json()["records"]
        fields = {field["code"]: field for field in one["fields"]}
        assert (fields["CF_NR_FK"]["value"], fields["CF_NR_FK"]["unit"]) == ("10", "万元")
        assert {field["unit"] for code, field in fields.items() if code != "CF_NR_FK"} == {""}
        assert all(set(field) == set(forms.OpenFieldForm().fields) for field in fields.values())
    assert in_yuan("10").startswith("100,000"), "what pages and reports say of the same field"


def test_the_statement_goes_with_the_records_a_yes_or_no_rests_on(system: Machine, cast: Cast) -> None:
    record, given = fined(), receipt(cast, uses=2)
    (silent,) = ask(system, ELIGIBILITY, body(reference=given.number))["records"]
    type(record).objects.filter(pk=record.pk).update(statement="我已缴清")
    (said,) = ask(system, ELIGIBILITY, body(reference=given.number))["records"]
    assert (silent["statement"], said["statement"]) == ("", "我已缴清")
    assert set(forms.NamedRecordForm().fields) == set(said)


def test_a_statute_is_named_by_its_code_and_opens_what_it_says(system: Machine, cast: Cast) -> None:
    wanted = purpose("company-officer")
    by_statute = body("company-officer", wanted.legal_basis_id, authority="statute")
    assert ask(system, RECORDS, by_statute)["records"] == []
    assert last_line().authority == Authority.STATUTE
    for changes, code in (
        ({"reference": "penalty-law-48"}, "wrong_statute"),
        ({"authority": "consent"}, "wrong_authority"),
        ({"authority": "order of the boss"}, "unknown"),
    ):
        said = ask(system, RECORDS, {**by_statute, **changes}, 400)
        assert code in {one["code"] for one in said["problems"]}


def spoiled(cast: Cast) -> dict[str, dict[str, Any]]:
    """Calls that no consent covers, each for a reason of its own."""
    late, spent, part = receipt(cast), receipt(cast), receipt(cast, granted=["judgment-defaulter"])
    Authorisation.objects.filter(pk=late.pk).update(
        valid_from=timezone.now() - datetime.timedelta(days=2),
        expires_at=timezone.now() - datetime.timedelta(seconds=1),
    )
    use(spent)
    withdrawn, good = receipt(cast), receipt(cast)
    authorisations.revoke(authorisation=withdrawn, user=cast.person)
    return {
        "too late by a second": body(reference=late.number),
        "used once too often": body(reference=spent.number),
        "withdrawn": body(reference=withdrawn.number),
        "not for the whole purpose": body(reference=part.number),
        "for another purpose": body("permissive-acceptance", good.number),
        "of another person": body(reference=good.number, name=STRANGER_NAME, number=STRANGER_NUMBER),
        "under another name": body(reference=good.number, name="马示例"),
        "of somebody unknown": body(reference=good.number, number=UNKNOWN.number),
        "guessed": body(reference="a" * 26),
    }


def test_every_refusal_reads_alike_and_has_its_line(system: Machine, cast: Cast) -> None:
    fined()
    said = set()
    for why, wanted in spoiled(cast).items():
        before = AccessLog.objects.count()
        answer = system.call("POST", ELIGIBILITY, wanted)
        assert answer.status_code == 403, (why, answer.content.decode())
        said.add(answer.content)
        assert AccessLog.objects.count() == before + 1, why
        assert last_line().result == AccessResult.REFUSED, why
    assert len(said) == 1


def test_a_consent_of_another_unit_is_none(system: Machine, cast: Cast) -> None:
    given = receipt(cast)
    other = Machine(*ALL, agency="hz-tax")
    assert other.call("POST", ELIGIBILITY, body(reference=given.number)).status_code == 403
    assert other.get(f"{CONSENTS}{given.number}/").status_code == 404
    assert Authorisation.objects.get(pk=given.pk).uses == 0


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"number": "441300199001011230"}, "number", "wrong_check_digit"),
        ({"number": "x"}, "number", None),
        ({"document": "passport of Atlantis"}, "document", "document_kind_unknown"),
        ({"name": " 　 "}, "name", "required"),
        ({"case_number": ""}, "case_number", "required"),
        ({"case_number": PERSON_NUMBER}, "case_number", "holds_number"),
        ({"reference": ""}, "reference", "required"),
        ({"purpose": 7}, "purpose", "malformed"),
        ({"name": "林\x00示例"}, "name", "malformed"),
    ],
)
def test_bad_input_is_named_by_field_and_not_repeated(
    system: Machine, cast: Cast, changes: dict[str, Any], field: str, code: str | None
) -> None:
    given = receipt(cast)
    said = ask_bad(system, {**body(reference=given.number), **changes})
    problems = {one["field"]: one["code"] for one in said["problems"]}
    assert field in problems and (code is None or problems[field] == code), problems
    assert PERSON_NUMBER not in str(said)
    assert Authorisation.objects.get(pk=given.pk).uses == 0


def ask_bad(system: Machine, said: Any) -> dict[str, Any]:
    answer = system.call("POST", ELIGIBILITY, said)
    assert answer.status_code == 400, answer.content.decode()
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("said", [b"{", b"[]", b'"x"', b"\xff"])
def test_a_body_that_is_no_object_is_told(system: Machine, said: bytes) -> None:
    for address in (ELIGIBILITY, RECORDS, BATCH, CONSENTS, f"{ELIGIBILITY}review/"):
        answer = system.call("POST", address, said)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), address


def test_spaces_and_full_width_letters_do_not_matter(system: Machine, cast: Cast) -> None:
    fined()
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in PERSON_NUMBER)
    given = receipt(cast, uses=2)
    for number, name in ((wide, f"{NAME} "), (f" {PERSON_NUMBER} ", f"{NAME[0]} {NAME[1:]}")):
        said = ask(system, ELIGIBILITY, body(reference=given.number, number=number, name=name))
        assert said["outcome"] == "no"


@pytest.mark.parametrize(
    ("address", "scope"),
    [(ELIGIBILITY, Scope.QUERIES_WRITE), (RECORDS, Scope.ELIGIBILITY_READ), (BATCH, Scope.ELIGIBILITY_READ),
     (CONSENTS, Scope.QUERIES_WRITE)],
)  # fmt: skip
def test_a_token_without_the_scope_opens_nothing(cast: Cast, address: str, scope: Scope) -> None:
    answer = Machine(scope).call("POST", address, body())
    assert answer.status_code == 403
    assert not AccessLog.objects.exists()


def test_a_purpose_that_is_not_the_units_is_refused_and_registered(system: Machine, cast: Cast) -> None:
    answer = system.call("POST", RECORDS, body("loan", "a" * 26))
    assert (answer.status_code, answer.json()["code"]) == (403, "purpose_not_open")
    assert last_line().result == AccessResult.REFUSED


# --- approval by a second person ----------------------------------------------------------------


def test_a_purpose_with_approval_waits_for_a_second_person(system: Machine, cast: Cast) -> None:
    record = fined()
    purpose("special-industry", needs_approval=True)
    given = receipt(cast, "special-industry")
    waiting = ask(system, RECORDS, body("special-industry", given.number), 202)
    address = waiting["address"].removeprefix("http://testserver")
    assert waiting["state"] == "submitted"
    early = system.call("POST", f"{address}/result/")
    assert early.status_code == 409
    queries.approve(query=Query.objects.get(), user=cast.supervisor)
    assert system.get(address).json()["state"] == QueryState.APPROVED
    (said,) = ask(system, f"{address}/result/", {})["records"]
    assert said["record"] == record.token
    assert Authorisation.objects.get(pk=given.pk).uses == 1
    ask(system, f"{address}/result/", {})
    assert Authorisation.objects.get(pk=given.pk).uses == 1
    assert Machine(*ALL).get(address).status_code == 404


# --- lists --------------------------------------------------------------------------------------


def people(*more: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": NAME, "number": PERSON_NUMBER}, {"name": STRANGER_NAME, "number": STRANGER_NUMBER}, *more]


def listed(**changes: Any) -> dict[str, Any]:
    words = {"purpose": "green-channel", "authority": "consent", "case_number": CASE, "people": people()}
    return {**words, **changes}


def test_a_list_is_checked_and_its_answers_read_by_page(system: Machine, cast: Cast) -> None:
    record = fined()
    receipt(cast)
    sent = ask(system, BATCH, listed(people=people({"name": "", "number": "x"})), 202)
    address = sent["address"].removeprefix("http://testserver")
    assert (sent["state"], sent["rows"]) == ("checking", 3)
    assert system.get(f"{address}/results/").status_code == 409
    assert tasks.process_check.apply(args=[BatchCheck.objects.get().pk]).get() == BatchCheckState.DONE
    assert system.get(address).json()["checked"] == 3
    first = system.get(f"{address}/results/?limit=2").json()
    assert [(one["outcome"], one["problem"]) for one in first["results"]] == [("no", ""), ("", "not_authorised")]
    assert first["results"][0]["records"] == [public_token(TOKEN_KIND, record.pk)]
    rest = system.get(first["next"].removeprefix("http://testserver")).json()
    assert [one["problem"] for one in rest["results"]] == ["number_invalid"] and rest["next"] is None
    assert set(AccessLog.objects.values_list("door", flat=True)) == {Door.API}
    assert Machine(*ALL).get(address).status_code == 404


def test_a_list_sent_twice_under_one_key_is_checked_once(system: Machine, cast: Cast) -> None:
    key = {"Idempotency-Key": "list-1"}
    answers = [system.call("POST", BATCH, listed(), **key) for _turn in range(2)]
    first, again = (answer.json() for answer in answers)
    assert first == again and BatchCheck.objects.count() == 1
    assert {answer.headers["Location"] for answer in answers} == {first["address"]}
    other = system.call("POST", BATCH, listed(people=people()[:1]), **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


def test_without_a_key_each_call_is_a_list_of_its_own_as_the_description_says(system: Machine, cast: Cast) -> None:
    given = receipt(cast, uses=2)
    for _turn in range(2):
        ask(system, BATCH, listed(), 202)
    for batch in BatchCheck.objects.all():
        tasks.process_check.apply(args=[batch.pk])
    assert Authorisation.objects.get(pk=given.pk).uses == 2
    assert "may be left out" in KEY.description


@pytest.mark.parametrize(
    "wrong", [None, "x", [], [1], [{"name": 1, "number": "2"}], {"name": "x"}, [{"name": "x", "number": None}]]
)
def test_what_is_no_list_of_persons_is_told(system: Machine, wrong: Any) -> None:
    said = system.call("POST", BATCH, listed(people=wrong))
    assert said.status_code == 400 and said.json()["problems"][0]["field"] == "people"
    assert not BatchCheck.objects.exists()


def test_a_list_by_statute_names_it(system: Machine, cast: Cast) -> None:
    wanted = purpose("green-channel", needs_consent=False)
    wrong = system.call("POST", BATCH, listed(authority="statute"))
    assert wrong.json()["problems"][0]["field"] == "reference"
    ask(system, BATCH, listed(authority="statute", reference=wanted.legal_basis_id), 202)
    tasks.process_check.apply(args=[BatchCheck.objects.get().pk])
    assert set(BatchCheckRow.objects.values_list("outcome", flat=True)) == {Outcome.YES}


# --- consent ------------------------------------------------------------------------------------


def test_a_consent_is_asked_for_granted_and_used(system: Machine, cast: Cast) -> None:
    asked = ask(system, CONSENTS, {**wish(), "message": "绿色通道"}, 201)
    found = Authorisation.objects.get()
    assert (asked["state"], asked["uses_left"], found.message) == ("requested", 0, "绿色通道")
    assert ask(system, ELIGIBILITY, body(reference=asked["authorisation"]), 403)
    authorisations.grant(
        authorisation=found, user=cast.person, fields=found.requested_fields,
        expires_at=timezone.now() + datetime.timedelta(days=3), uses_allowed=1,
    )  # fmt: skip
    state = system.get(f"{CONSENTS}{asked['authorisation']}/").json()
    assert (state["state"], state["uses_left"]) == (AuthorisationState.GRANTED, 1)
    assert ask(system, ELIGIBILITY, body(reference=asked["authorisation"]))["outcome"] == "yes"


def test_asking_for_consent_does_not_tell_who_is_on_file(system: Machine, cast: Cast) -> None:
    on_file, unknown = (
        ask(system, CONSENTS, wish(number=number), 201) for number in (PERSON_NUMBER, UNKNOWN.number)
    )  # fmt: skip
    changing = {"authorisation", "answer_until"}
    assert {k: v for k, v in on_file.items() if k not in changing} == {
        k: v for k, v in unknown.items() if k not in changing
    }


def test_more_than_the_purpose_covers_is_not_asked_for(system: Machine, cast: Cast) -> None:
    for fields, code in ((["honesty-model"], "outside_purpose"), ("x", "malformed"), ([1], "malformed")):
        answer = system.call("POST", CONSENTS, {**wish(), "fields": fields})
        assert (answer.status_code, answer.json()["problems"][0]["code"]) == (400, code), fields


def test_a_client_has_so_many_calls_a_minute(system: Machine, cast: Cast, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    codes = [system.call("POST", ELIGIBILITY, body(reference="a" * 26)).status_code for _turn in range(3)]
    assert 429 in codes and codes[0] == 403


def test_the_log_names_the_unit_and_nobody_else(system: Machine, cast: Cast) -> None:
    ask(system, ELIGIBILITY, body(reference=receipt(cast).number))
    line = last_line()
    assert line.agency is not None and line.agency.code == "hz-market" and line.actor is None
