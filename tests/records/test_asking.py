"""One question about one person: who may be shown what, on what authority, and what the log says of it."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import AccessLog, Agency, User
from records.enums import Openness, Outcome, PurposeState, Reason, RecordState
from records.identifiers import identifier, name_index
from records.models import Authorisation, CreditRecord, LegalBasis, Purpose, PurposeUser, Subject
from records.queries.asking import ask_eligibility, ask_records, refuse
from records.queries.disclosure import NOBODY, Asker
from records.queries.grants import (
    NotAuthorised,
    PurposeNotOpen,
    grant_by_consent,
    grant_by_statute,
    permitted_purpose,
)
from records.queries.uses import use
from records.services import authorisations, expiry
from records.services.purposes import load_purposes
from records.services.statements import write_statement
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import (
    CASE,
    NAME,
    ON_FILE,
    STRANGER,
    STRANGER_NAME,
    UNKNOWN,
    asked,
    consent,
    fined,
    market,
    purpose,
    question,
)  # fmt: skip

pytestmark = pytest.mark.django_db


def _line() -> AccessLog:
    return AccessLog.objects.latest("pk")


# --- by consent ------------------------------------------------------------------------------------


def test_consent_opens_what_purpose_and_person_allow_and_nothing_else(cast: Cast) -> None:
    record, wanted = fined(), purpose("special-industry")
    receipt = consent(wanted, cast.clerk, cast.person, granted=["administrative-penalty"], uses=2)
    (seen,) = ask_records(question(wanted, user=cast.clerk))
    assert seen.record.pk == record.pk
    codes = {field.code for field, _text in seen.fields}
    assert codes and not any(field.personal for field, _text in seen.fields)
    line = _line()
    assert (line.subject_ref, line.actor, line.agency) == (record.subject_id, cast.clerk, market())
    assert (line.purpose, line.authority, line.reference) == (wanted.code, Authority.CONSENT, receipt.number)
    assert (line.case_number, line.fields, line.result) == (CASE, ["administrative-penalty"], AccessResult.SHOWN)
    receipt.refresh_from_db()
    assert receipt.uses == 1


def test_a_field_alone_shows_that_field_alone(cast: Cast) -> None:
    fined()
    wanted = purpose("special-industry", fields=["administrative-penalty.CF_NR"])
    consent(wanted, cast.clerk, cast.person)
    (seen,) = ask_records(question(wanted, user=cast.clerk))
    assert [field.code for field, _text in seen.fields] == ["CF_NR"]


def test_a_kind_the_person_left_out_is_not_shown(cast: Cast) -> None:
    fined()
    wanted = purpose("special-industry")
    consent(wanted, cast.clerk, cast.person, granted=["teacher-qualification"])
    assert ask_records(question(wanted, user=cast.clerk)) == []
    assert _line().result == AccessResult.NOTHING


def test_the_statement_of_the_person_goes_with_the_record(cast: Cast) -> None:
    record = fined()
    write_statement(record=record, subject=record.subject, text="罚款已缴清。")
    wanted = purpose("special-industry")
    consent(wanted, cast.clerk, cast.person)
    assert ask_records(question(wanted, user=cast.clerk))[0].statement == "罚款已缴清。"


@pytest.mark.parametrize(
    "change", [{"withheld": True}, {"state": RecordState.REPAIRED}, {"state": RecordState.REVOKED}]
)
def test_what_is_withheld_or_ended_is_not_shown(cast: Cast, change: dict[str, Any]) -> None:
    CreditRecord.objects.filter(pk=fined().pk).update(**change)
    wanted = purpose("special-industry")
    consent(wanted, cast.clerk, cast.person)
    assert ask_records(question(wanted, user=cast.clerk)) == []


def test_without_consent_nothing_is_said_but_the_attempt_is_registered(cast: Cast) -> None:
    record, wanted = fined(), purpose("special-industry")
    said = set()
    for person, name in ((ON_FILE, NAME), (UNKNOWN, "无此示例")):
        asking = question(wanted, user=cast.clerk, person=person, name=name)
        with pytest.raises(NotAuthorised) as refused:
            ask_records(asking)
        said.add((refused.value.code, refused.value.message))
        refuse(asking)
    assert len(said) == 1, "the answer would tell who is on file"
    lines = AccessLog.objects.order_by("-pk")[:2]
    assert [line.subject_ref for line in lines] == [NOBODY, record.subject_id]
    assert {line.result for line in lines} == {AccessResult.REFUSED} and lines[0].fields == []


def test_a_consent_serves_only_the_unit_the_purpose_and_the_person_it_names(cast: Cast) -> None:
    fined()
    wanted = purpose("special-industry")
    receipt = consent(wanted, cast.clerk, cast.person)
    psb = Agency.objects.get(code="hz-psb")
    foreign = [
        question(wanted, asker=Asker(psb, None, Door.API, CASE), consent=receipt.number),
        question(wanted, person=STRANGER, name=STRANGER_NAME, consent=receipt.number),
        question(wanted, name="林某人", consent=receipt.number),
        question(purpose("green-channel", gives_records=True), consent=receipt.number),
        question(wanted, consent="a" * 26),
        question(wanted, consent="no number"),
    ]
    for asking in foreign:
        with pytest.raises(NotAuthorised):
            ask_records(asking)
    receipt.refresh_from_db()
    assert receipt.uses == 0


def test_a_use_too_many_and_a_moment_too_late_are_refused(cast: Cast) -> None:
    fined()
    wanted = purpose("special-industry")
    receipt = consent(wanted, cast.clerk, cast.person, uses=2)
    for _time in range(2):
        ask_records(question(wanted, consent=receipt.number))
    with pytest.raises(NotAuthorised):
        ask_records(question(wanted, consent=receipt.number))
    assert Authorisation.objects.get(pk=receipt.pk).state == "used"
    other = consent(wanted, cast.clerk, cast.person)
    assert other.usable_at(other.expires_at - datetime.timedelta(microseconds=1))
    assert not other.usable_at(other.expires_at)
    with pytest.raises(NotAuthorised):
        grant_by_consent(wanted, market(), other, at=other.expires_at)
    with pytest.raises(NotAuthorised):
        use(other, at=other.expires_at)


def test_what_was_withdrawn_opens_nothing(cast: Cast) -> None:
    fined()
    wanted = purpose("special-industry")
    receipt = consent(wanted, cast.clerk, cast.person)
    authorisations.revoke(authorisation=receipt, user=cast.person)
    with pytest.raises(NotAuthorised):
        ask_records(question(wanted, consent=receipt.number))


def test_who_has_changed_the_name_can_still_withdraw(cast: Cast) -> None:
    wanted = purpose("special-industry")
    receipt = consent(wanted, cast.clerk, cast.person)
    Subject.objects.filter(pk=receipt.subject_id).update(name_index=name_index("林新名"))
    person = User.objects.get(pk=cast.person.pk)
    assert authorisations.revoke(authorisation=receipt, user=person).state == "revoked"


def test_nobody_else_answers_or_withdraws(cast: Cast) -> None:
    wanted = purpose("special-industry")
    receipt, request = consent(wanted, cast.clerk, cast.person), asked(wanted, cast.clerk)
    for user in (cast.stranger, cast.clerk, cast.unbound):
        with pytest.raises(NotPermitted):
            authorisations.revoke(authorisation=receipt, user=user)
        with pytest.raises(NotPermitted):
            authorisations.refuse(authorisation=request, user=user)


def test_a_unit_that_may_no_longer_use_the_purpose_is_allowed_nothing(cast: Cast) -> None:
    wanted = purpose("special-industry")
    request = asked(wanted, cast.clerk)
    today = timezone.localdate()
    PurposeUser.objects.filter(purpose=wanted).update(valid_from=today - datetime.timedelta(days=1), valid_until=today)
    end = timezone.now() + datetime.timedelta(days=1)
    with pytest.raises(Invalid) as refused:
        authorisations.grant(
            authorisation=request, user=cast.person, fields=request.requested_fields, expires_at=end, uses_allowed=1
        )
    assert [problem.code for problem in refused.value.problems] == ["purpose_not_open"]


def test_bounds_are_those_of_the_purpose_and_every_mistake_is_told_at_once(cast: Cast) -> None:
    wanted = purpose("special-industry")
    request, later = asked(wanted, cast.clerk), timezone.now() + datetime.timedelta(days=wanted.longest_days + 1)
    with pytest.raises(Invalid) as refused:
        authorisations.grant(
            authorisation=request, user=cast.person, fields=["moral-model"], expires_at=later, uses_allowed=9
        )
    assert {problem.field for problem in refused.value.problems} == {"fields", "expires_at", "uses_allowed"}


def test_what_has_ended_is_closed_by_the_timer_once(cast: Cast) -> None:
    wanted = purpose("special-industry")
    receipt, request = consent(wanted, cast.clerk, cast.person), asked(wanted, cast.clerk)
    later = timezone.localdate() + datetime.timedelta(days=60)
    assert expiry.end_consents(on=timezone.localdate()) == 0
    assert (expiry.end_consents(on=later), expiry.end_consents(on=later)) == (2, 0)
    assert {Authorisation.objects.get(pk=one.pk).state for one in (receipt, request)} == {"expired"}


def test_a_retired_purpose_stays_retired_when_the_file_is_loaded_again(cast: Cast) -> None:
    purpose("loan", state=PurposeState.RETIRED)
    load_purposes()
    assert purpose("loan").state == PurposeState.RETIRED


# --- by statute ---------------------------------------------------------------------------------------


def _defaulters(cast: Cast) -> Purpose:
    return purpose("company-officer", fields=["administrative-penalty", "judgment-defaulter"])


def test_a_statute_opens_what_is_shared_among_authorities_alone(cast: Cast) -> None:
    record, wanted = fined(), _defaulters(cast)
    assert record.version.person_openness == Openness.AUTHORISED
    assert ask_records(question(wanted, user=cast.officer)) == []
    line = _line()
    assert (line.authority, line.reference) == (Authority.STATUTE, "《中华人民共和国公司法》第一百七十八条")
    assert line.result == AccessResult.NOTHING and line.subject_ref == record.subject_id


def test_another_name_is_answered_as_if_nobody_were_on_file(cast: Cast) -> None:
    record = fined()
    wanted = _defaulters(cast)
    assert ask_records(question(wanted, name="王某某")) == []
    assert (_line().subject_ref, _line().result) == (record.subject_id, AccessResult.NOTHING), "the person can read it"
    assert ask_records(question(wanted, person=UNKNOWN)) == []
    assert _line().subject_ref == NOBODY


def test_a_purpose_needs_a_basis_in_force_and_the_right_of_the_unit(cast: Cast) -> None:
    assert permitted_purpose("company-officer", market()).code == "company-officer"
    bank = Agency.objects.get(code="hz-bank")
    with pytest.raises(PurposeNotOpen):
        permitted_purpose("company-officer", bank)
    with pytest.raises(PurposeNotOpen):
        permitted_purpose("no-such-purpose", market())
    LegalBasis.objects.filter(code="company-law-178").update(in_force_until=timezone.localdate())
    with pytest.raises(PurposeNotOpen):
        permitted_purpose("company-officer", market())


def test_an_employer_asks_with_consent_and_sees_what_is_open_to_nobody_by_statute(cast: Cast) -> None:
    employer = Agency.objects.get(code="hz-enterprise")
    wanted = permitted_purpose("employment", employer)
    assert wanted.needs_consent and "administrative-penalty" not in wanted.fields
    with pytest.raises(NotAuthorised):
        grant_by_statute(wanted, employer)
    assert grant_by_statute(_defaulters(cast), employer).openness == {Openness.PUBLIC}
    assert not Purpose.objects.open_to(employer).exclude(code="employment").exists()


def test_a_draft_opens_nothing(cast: Cast) -> None:
    purpose("company-officer", state=PurposeState.DRAFT)
    with pytest.raises(PurposeNotOpen):
        permitted_purpose("company-officer", market())


def test_a_purpose_that_only_answers_yes_or_no_shows_no_record(cast: Cast) -> None:
    with pytest.raises(PurposeNotOpen):
        ask_records(question(purpose("green-channel")))
    with pytest.raises(PurposeNotOpen):
        ask_eligibility(question(purpose("company-officer")))


def test_showing_costs_the_same_however_many_records_there_are(cast: Cast) -> None:
    wanted = purpose("special-industry")
    costs = []
    for number in (1, 2, 3):
        fined(number)
        consent(wanted, cast.clerk, cast.person)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(ask_records(question(wanted))) == number
        costs.append(len(queries))
    assert len(set(costs)) == 1


# --- eligibility ------------------------------------------------------------------------------------------


def _eligible(cast: Cast, **changes: Any) -> Any:
    wanted = purpose("green-channel")
    consent(wanted, cast.clerk, cast.person)
    return ask_eligibility(question(wanted, user=cast.clerk, **changes))


def test_a_clean_record_is_a_yes_with_the_rule_it_rests_on(cast: Cast) -> None:
    found = _eligible(cast)
    assert (found.answer.outcome, found.answer.reasons, found.answer.records) == (Outcome.YES, (Reason.CLEAN,), ())
    assert found.criteria.years == 3 and "连续三年" in found.criteria.legal_basis
    line = AccessLog.objects.get(pk=found.access)
    assert (line.fields, line.purpose, line.case_number) == (["eligibility"], "green-channel", CASE)


def test_an_unfavourable_record_within_three_years_is_a_no(cast: Cast) -> None:
    record = fined()
    found = _eligible(cast)
    assert (found.answer.outcome, found.answer.records) == (Outcome.NO, (record.pk,))
    assert AccessLog.objects.get(pk=found.access).fields == ["administrative-penalty", "eligibility"]


def test_a_disputed_record_goes_to_a_person_and_never_says_no_by_itself(cast: Cast) -> None:
    record = fined()
    CreditRecord.objects.filter(pk=record.pk).update(disputed=True)
    found = _eligible(cast)
    assert (found.answer.outcome, found.answer.reasons) == (Outcome.PERSON, (Reason.DISPUTED,))
    fined(2)
    assert _eligible(cast).answer.outcome == Outcome.NO


def test_a_record_past_its_publication_goes_to_a_person(cast: Cast) -> None:
    record = fined(days=30)
    CreditRecord.objects.filter(pk=record.pk).update(
        decided_on=timezone.localdate() - datetime.timedelta(days=700),
        repairable_from=timezone.localdate() - datetime.timedelta(days=500),
        publish_until=timezone.localdate() - datetime.timedelta(days=300),
    )
    assert _eligible(cast).answer.reasons == (Reason.PUBLICATION_ENDED,)


@pytest.mark.parametrize("change", [{"withheld": True}, {"state": RecordState.REPAIRED}, {"tier": "minor"}])
def test_what_is_withheld_repaired_or_minor_does_not_count(cast: Cast, change: dict[str, Any]) -> None:
    CreditRecord.objects.filter(pk=fined().pk).update(**change)
    assert _eligible(cast).answer.outcome == Outcome.YES


def test_the_day_three_years_later_no_longer_counts(cast: Cast) -> None:
    today = timezone.localdate()
    edge = today.replace(year=today.year - 3)
    record = fined()
    ends = {"repairable_from": today, "publish_until": today + datetime.timedelta(days=9)}
    CreditRecord.objects.filter(pk=record.pk).update(decided_on=edge, **ends)
    assert _eligible(cast).answer.outcome == Outcome.YES
    CreditRecord.objects.filter(pk=record.pk).update(decided_on=edge + datetime.timedelta(days=1))
    assert _eligible(cast).answer.outcome == Outcome.NO


def test_a_consent_to_half_of_it_makes_no_record_clean(cast: Cast) -> None:
    wanted = purpose("green-channel")
    receipt = consent(wanted, cast.clerk, cast.person, granted=["judgment-defaulter"])
    with pytest.raises(NotAuthorised):
        ask_eligibility(question(wanted))
    receipt.refresh_from_db()
    assert receipt.uses == 0


def test_names_with_spaces_and_full_width_letters_are_the_same_name(cast: Cast) -> None:
    wanted = purpose("green-channel")
    consent(wanted, cast.clerk, cast.person, name=" 林 示例 ")
    number = "４４１３００１９９００１０１１２３９"
    same = identifier(IdentifierKind.RESIDENT_ID, number)
    found = ask_eligibility(question(wanted, person=same, name="林　示例"))
    assert found.answer.outcome == Outcome.YES and found.answer.subject == cast.person.real_name.subject_id


@pytest.mark.parametrize(
    "field", ["moral-model", "moral-model.NAME", "administrative-penalty.CF_FR_ZJHM"], ids=["kind", "field", "personal"]
)
def test_a_request_outside_the_purpose_is_refused(cast: Cast, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        asked(purpose("green-channel"), cast.clerk, fields=[field])
    assert refused.value.code == "outside_purpose"
