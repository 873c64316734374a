"""Queries by staff: purpose and case needed, a second person where the purpose says so, every look registered."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from creditplatform.core.enums import AccessResult, Authority, Door, Role
from creditplatform.core.errors import Conflict, CreditError, Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Notice, User
from records.enums import Outcome, QueryState, Reason
from records.models import CreditRecord, HumanReview, Query
from records.queries.answered import AnswerOutdated
from records.queries.disclosure import NOBODY
from records.queries.grants import NotAuthorised, PurposeNotOpen
from records.services import authorisations, human_review, queries, query_upkeep
from records.services.queries import Draft
from records.services.statements import write_statement
from tests.cast import PERSON_NUMBER, Cast, member
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import CASE, NAME, consent, fined, market, purpose
from tests.records.test_batch_check import UNKNOWN_NUMBER

pytestmark = pytest.mark.django_db


def draft(user: User, **changes: Any) -> Draft:
    words = {
        "agency": market(), "user": user, "purpose": "special-industry", "kind": "records", "name": NAME,
        "document": "resident_id", "number": PERSON_NUMBER, "case_number": CASE, **changes,
    }  # fmt: skip
    return Draft(**words)


def refused(wanted: Draft) -> CreditError:
    """The refusal, registered as the page does."""
    with pytest.raises(CreditError) as error:
        queries.submit(wanted)
    queries.note_refused(wanted, error.value)
    return error.value


# --- the way of a query ------------------------------------------------------------------------------


def test_records_are_shown_once_answered_and_every_look_is_registered(cast: Cast) -> None:
    record, wanted = fined(), purpose("special-industry")
    write_statement(record=record, subject=record.subject, text="罚款已缴清。")
    receipt = consent(wanted, cast.clerk, cast.person)
    query = queries.submit(draft(cast.clerk))
    assert (query.state, query.approved_by) == (QueryState.APPROVED, None)
    result = queries.open_result(query=query, user=cast.clerk)
    assert [(one.record.pk, one.statement) for one in result.shown] == [(record.pk, "罚款已缴清。")]
    assert (result.query.state, result.query.authorisation) == (QueryState.ANSWERED, receipt)
    again = queries.open_result(query=query, user=cast.clerk)
    assert [one.record.pk for one in again.shown] == [record.pk]
    looks = AccessLog.objects.filter(case_number=CASE, subject_ref=record.subject_id)
    assert [(look.actor, look.authority, look.reference) for look in looks] == [
        (cast.clerk, Authority.CONSENT, receipt.number)
    ] * 2
    receipt.refresh_from_db()
    assert receipt.uses == 1, "a second look takes no second use"


def test_spaces_and_full_width_letters_are_the_same_person(cast: Cast) -> None:
    record = fined()
    consent(purpose("special-industry"), cast.clerk, cast.person)
    typed = draft(cast.clerk, name="　林 示例 ", number="４４１３００ １９９００１０１ １２３９")
    result = queries.open_result(query=queries.submit(typed), user=cast.clerk)
    assert [one.record.pk for one in result.shown] == [record.pk]


def test_a_withdrawn_consent_shows_nothing_more(cast: Cast) -> None:
    fined()
    receipt = consent(purpose("special-industry"), cast.clerk, cast.person, uses=2)
    query = queries.submit(draft(cast.clerk))
    queries.open_result(query=query, user=cast.clerk)
    authorisations.revoke(authorisation=receipt, user=cast.person)
    with pytest.raises(NotAuthorised):
        queries.open_result(query=query, user=cast.clerk)


def test_a_clean_record_is_a_yes_or_no_with_what_it_rests_on(cast: Cast) -> None:
    record, wanted = fined(), purpose("green-channel")
    consent(wanted, cast.clerk, cast.person)
    query = queries.submit(draft(cast.clerk, purpose="green-channel", kind="eligibility"))
    result = queries.open_result(query=query, user=cast.clerk)
    assert (result.query.outcome, result.query.reasons) == (Outcome.NO, [Reason.RECORDS])
    assert [one.pk for one in result.rests_on] == [record.pk]
    assert result.criteria is not None and result.criteria.years == 3
    assert not result.shown, "this purpose shows no record"
    again = queries.open_result(query=query, user=cast.clerk)
    assert (again.query.outcome, [one.pk for one in again.rests_on]) == (Outcome.NO, [record.pk])
    looks = AccessLog.objects.filter(case_number=CASE, subject_ref=record.subject_id)
    assert [set(look.fields) for look in looks] == [{"administrative-penalty", "eligibility"}] * 2


def test_a_yes_or_no_whose_records_have_changed_is_not_opened_again(cast: Cast) -> None:
    record, wanted = fined(), purpose("green-channel")
    consent(wanted, cast.clerk, cast.person)
    query = queries.submit(draft(cast.clerk, purpose="green-channel", kind="eligibility"))
    queries.open_result(query=query, user=cast.clerk)
    type(record).objects.filter(pk=record.pk).update(disputed=True, changed_at=timezone.now())
    before = AccessLog.objects.count()
    with pytest.raises(AnswerOutdated):
        queries.open_result(query=query, user=cast.clerk)
    assert AccessLog.objects.count() == before


def test_where_the_purpose_says_so_a_second_person_approves(cast: Cast) -> None:
    wanted = purpose("special-industry", needs_approval=True)
    consent(wanted, cast.clerk, cast.person)
    query = queries.submit(draft(cast.supervisor))
    assert query.state == QueryState.SUBMITTED
    with pytest.raises(Conflict):
        queries.open_result(query=query, user=cast.supervisor)
    for nobody in (cast.supervisor, cast.officer, cast.centre, cast.other_clerk):
        with pytest.raises(NotPermitted):
            queries.approve(query=query, user=nobody)
    second = member("second", market(), Role.SUPERVISOR)
    assert list(Query.objects.all().to_approve(second)) == [query]
    assert not Query.objects.all().to_approve(cast.supervisor).exists()
    assert queries.approve(query=query, user=second).approved_by == second
    assert queries.open_result(query=query, user=cast.supervisor).query.state == QueryState.ANSWERED


def test_a_refusal_says_why(cast: Cast) -> None:
    consent(purpose("special-industry", needs_approval=True), cast.clerk, cast.person)
    query = queries.submit(draft(cast.clerk))
    with pytest.raises(Invalid):
        queries.turn_down(query=query, user=cast.supervisor, words=" ")
    done = queries.turn_down(query=query, user=cast.supervisor, words="与案件无关")
    assert (done.state, done.refusal) == (QueryState.REFUSED, "与案件无关")


def test_nobody_opens_what_somebody_else_asked(cast: Cast) -> None:
    consent(purpose("special-industry"), cast.clerk, cast.person)
    query = queries.submit(draft(cast.clerk))
    for other in (cast.officer, cast.supervisor, cast.centre, cast.auditor):
        with pytest.raises(NotPermitted):
            queries.open_result(query=query, user=other)
    assert not AccessLog.objects.filter(case_number=CASE).exists()


def test_days_end_by_themselves(cast: Cast) -> None:
    consent(purpose("special-industry"), cast.clerk, cast.person)
    query = queries.submit(draft(cast.clerk))
    old = timezone.now() - datetime.timedelta(days=8)
    Query.objects.filter(pk=query.pk).update(asked_at=old, decided_at=old)
    with pytest.raises(Invalid):
        queries.open_result(query=query, user=cast.clerk)
    today = timezone.localdate()
    assert query_upkeep.lapse_due(on=today, door=Door.TIMER) == 1
    assert query_upkeep.lapse_due(on=today, door=Door.TIMER) == 0
    query.refresh_from_db()
    assert query.state == QueryState.CLOSED


# --- misuse ------------------------------------------------------------------------------------------


def test_without_consent_the_refusal_is_the_same_for_everybody_and_is_registered(cast: Cast) -> None:
    record = fined()
    known, unknown = (refused(draft(cast.clerk, **who)) for who in ({}, {"name": "无此示例", "number": UNKNOWN_NUMBER}))
    assert isinstance(known, NotAuthorised)
    assert (known.code, known.message) == (unknown.code, unknown.message)
    lines = AccessLog.objects.filter(result=AccessResult.REFUSED).order_by("pk")
    assert [line.subject_ref for line in lines] == [record.subject_id, NOBODY]
    assert not Query.objects.exists()


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"number": "441300199001011230"}, "number", "wrong_check_digit"),
        ({"number": "000000000000000000"}, "number", "placeholder"),
        ({"document": "credit_code"}, "document", "document_kind_unknown"),
        ({"name": "　 "}, "name", "required"),
        ({"case_number": " "}, "case_number", "required"),
        ({"case_number": PERSON_NUMBER}, "case_number", "holds_number"),
        ({"kind": "eligibility", "purpose": "company-officer"}, "kind", "outside_purpose"),
        ({"kind": "score"}, "kind", "outside_purpose"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_registered(
    cast: Cast, change: dict[str, str], field: str, code: str
) -> None:
    error = refused(draft(cast.clerk, **change))
    assert isinstance(error, Invalid)
    assert [(one.field, one.code) for one in error.problems] == [(field, code)]
    line = AccessLog.objects.latest("pk")
    assert (line.subject_ref, line.result, line.actor) == (NOBODY, AccessResult.REFUSED, cast.clerk)
    assert PERSON_NUMBER not in f"{error} {line.reference}"


def test_everything_wrong_is_said_at_once(cast: Cast) -> None:
    error = refused(
        draft(cast.clerk, name="", number="1", case_number="", kind="eligibility", purpose="company-officer")
    )
    assert isinstance(error, Invalid)
    assert {one.field for one in error.problems} == {"name", "number", "case_number", "kind"}


@pytest.mark.parametrize("code", ["points-hukou", "loan", "no-such-purpose"])
def test_a_purpose_of_others_is_refused(cast: Cast, code: str) -> None:
    assert isinstance(refused(draft(cast.clerk, purpose=code)), PurposeNotOpen)
    assert not Query.objects.exists()


def test_another_name_under_the_number_finds_nothing(cast: Cast) -> None:
    """By statute, where no consent binds name and number: answered as if nobody were on file."""
    fined()
    purpose("company-officer", fields=["administrative-penalty"])
    asked = draft(cast.clerk, purpose="company-officer", name="李示例")
    assert queries.open_result(query=queries.submit(asked), user=cast.clerk).shown == []


def test_name_and_number_lie_sealed(cast: Cast) -> None:
    consent(purpose("special-industry"), cast.clerk, cast.person)
    query = queries.submit(draft(cast.clerk))
    from_database = Query.objects.extra(
        select={"raw": "encode(number_sealed, 'escape') || encode(name_sealed, 'escape')"}
    )
    assert PERSON_NUMBER not in from_database.get(pk=query.pk).raw
    assert query.token not in str(query) and PERSON_NUMBER not in str(query)


# --- before a person -----------------------------------------------------------------------------------


@pytest.fixture
def answered(cast: Cast) -> Query:
    CreditRecord.objects.filter(pk=fined().pk).update(disputed=True)
    consent(purpose("green-channel"), cast.clerk, cast.person)
    query = queries.submit(draft(cast.officer, purpose="green-channel", kind="eligibility"))
    return queries.open_result(query=query, user=cast.officer).query


def test_a_result_goes_before_somebody_else_who_decides_with_grounds(answered: Query, cast: Cast) -> None:
    assert answered.outcome == Outcome.PERSON
    review = queries.send_to_person(query=answered, user=cast.officer, words="请核对异议进展")
    with pytest.raises(human_review.BeforeAPerson):
        queries.send_to_person(query=answered, user=cast.officer)
    for nobody in (cast.officer, cast.clerk, cast.centre, cast.other_clerk):
        with pytest.raises(NotPermitted):
            human_review.decide(review=review, user=nobody, decision="yes", grounds="x")
    with pytest.raises(Invalid) as wrong:
        human_review.decide(review=review, user=cast.supervisor, decision="person", grounds=" ")
    assert {one.field for one in wrong.value.problems} == {"decision", "grounds"}
    assert list(HumanReview.objects.all().to_decide(cast.supervisor)) == [review]
    assert not HumanReview.objects.all().to_decide(cast.officer).exists()
    done = human_review.decide(review=review, user=cast.supervisor, decision="yes", grounds="异议成立")
    assert (done.decision, done.decided_by) == (Outcome.YES, cast.supervisor)
    with pytest.raises(Conflict):
        human_review.decide(review=review, user=cast.supervisor, decision="no", grounds="x")


def test_the_person_is_told_of_the_decision_without_the_grounds_in_the_letter(answered: Query, cast: Cast) -> None:
    review = queries.send_to_person(query=answered, user=cast.officer)
    human_review.decide(review=review, user=cast.supervisor, decision="no", grounds="仍有效")
    letter = Notice.objects.get(code=human_review.TOLD)
    assert bytes(letter.addressee) == bytes(cast.person.real_name.subject.number_index)
    assert CASE in letter.text and CASE in letter.text_en and "仍有效" not in letter.text
