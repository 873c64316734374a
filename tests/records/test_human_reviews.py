"""An answer before a person has a day, ends with the consent it rests on, and tells of no look that is deferred."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from creditplatform.core.enums import Door
from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Notice
from records.enums import HumanReviewState, OwnPurpose
from records.look_selectors import looks
from records.models import (
    AccessDeferral,
    Authorisation,
    BatchCheck,
    BatchCheckRow,
    HumanReview,
    Query,
    RealNameBinding,
)
from records.queries.disclosure import DISCLOSED
from records.queries.grants import NotAuthorised
from records.queries.own_eligibility import ask_for_person, reviews_about
from records.queries.uses import use
from records.services import authorisations, batch_checks, human_review, queries, query_upkeep
from records.services.queries import Draft
from tests.accounts.representation_world import attorney, confirmed, opened
from tests.cast import PERSON_NUMBER, Cast
from tests.records.queries_world import CASE, NAME, consent, fined, market, purpose
from tests.records.test_looks import browser, put_off, rule_in_force

DAY = datetime.timedelta(days=1)
TODAY = timezone.localdate()


@pytest.fixture(autouse=True)
def _store(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def answered(cast: Cast, *, by_consent: bool = True) -> Query:
    """A yes or no that an officer got about the person of the cast."""
    fined()
    if by_consent:
        consent(purpose("green-channel"), cast.clerk, cast.person)
    else:
        purpose("green-channel", needs_consent=False)
    draft = Draft(market(), cast.officer, "green-channel", "eligibility", NAME, "resident_id", PERSON_NUMBER, CASE)
    return queries.open_result(query=queries.submit(draft), user=cast.officer).query


def before_a_person(cast: Cast, **words: Any) -> HumanReview:
    return queries.send_to_person(query=answered(cast, **words), user=cast.officer)


def withdraw(cast: Cast) -> None:
    authorisations.revoke(authorisation=Authorisation.objects.get(), user=cast.person)


def page_of(review: HumanReview, cast: Cast) -> str:
    return browser(cast.supervisor).get(f"/desk/results/{review.token}/").content.decode()


def end_over(on: datetime.date = TODAY) -> int:
    return human_review.end_over(on=on, door=Door.COMMAND)


def letters(code: str) -> list[Notice]:
    return list(Notice.objects.filter(code=code))


# --- the end with the consent -----------------------------------------------------------------------


def test_a_withdrawn_consent_closes_the_records_at_once_and_the_review_by_the_upkeep(cast: Cast) -> None:
    review = before_a_person(cast)
    assert review.authorisation and "Is the record clean" in page_of(review, cast)
    seen = AccessLog.objects.count()
    withdraw(cast)
    text = page_of(review, cast)
    assert "has ended or was withdrawn" in text and "Records it rests on" not in text
    assert AccessLog.objects.count() == seen, "nothing was looked at"
    with pytest.raises(Invalid):
        human_review.decide(review=review, user=cast.supervisor, decision="yes", grounds="x")
    assert (end_over(), end_over()) == (1, 0)
    review.refresh_from_db()
    assert (review.state, review.decision, bool(review.ended_at)) == (HumanReviewState.ENDED, "", True)
    (letter,) = letters(human_review.TOLD_OF_END)
    assert CASE in letter.text_en and bytes(letter.addressee) == bytes(cast.person.real_name.subject.number_index)
    assert "consent has ended" in browser(cast.supervisor).get("/desk/results/").content.decode()
    mine = browser(cast.person).get("/me/eligibility/").content.decode()
    assert "ended without a decision" in mine and "To be decided by" not in mine


def test_a_consent_that_runs_out_ends_it_too_on_any_day_asked_for(cast: Cast) -> None:
    review = before_a_person(cast)
    assert end_over() == 0, "used up, but lasting"
    last = timezone.localdate(Authorisation.objects.get().expires_at)
    assert end_over(last) == 0 and end_over(last + DAY) == 1
    review.refresh_from_db()
    assert review.state == HumanReviewState.ENDED


def test_under_a_statute_no_consent_ends_it(cast: Cast) -> None:
    review = before_a_person(cast, by_consent=False)
    assert review.authorisation is None and end_over(TODAY + 1000 * DAY) == 0
    assert human_review.decide(review=review, user=cast.supervisor, decision="yes", grounds="x").decision == "yes"


def test_whoever_asked_for_it_about_themselves_gets_a_decision_unless_they_withdraw(cast: Cast) -> None:
    answered(cast)
    line = AccessLog.objects.filter(fields__contains=[DISCLOSED]).latest("pk")
    review = ask_for_person(cast.person, cast.person.real_name.subject, line.pk)
    late = timezone.localdate(Authorisation.objects.get().expires_at) + DAY
    assert review.authorisation_id and end_over(late) == 0
    withdraw(cast)
    assert end_over() == 1


def test_asked_after_the_withdrawal_it_is_the_persons_own_wish(cast: Cast) -> None:
    answered(cast)
    line = AccessLog.objects.filter(fields__contains=[DISCLOSED]).latest("pk")
    withdraw(cast)
    review = ask_for_person(cast.person, cast.person.real_name.subject, line.pk)
    assert end_over() == 0
    assert human_review.decide(review=review, user=cast.supervisor, decision="no", grounds="x").decision == "no"


def test_nobody_but_the_platform_ends_it(cast: Cast) -> None:
    review = before_a_person(cast)
    withdraw(cast)
    with pytest.raises(NotPermitted):
        human_review.HUMAN_REVIEW.take("consent_ended", review, user=cast.supervisor)


def test_a_row_of_a_check_goes_before_a_person_only_while_consent_lasts(cast: Cast) -> None:
    given = use(consent(purpose("green-channel"), cast.clerk, cast.person))
    name = batch_checks.check_files.keep_list([batch_checks.AskedRow(1, NAME, PERSON_NUMBER, "")])
    check = BatchCheck.objects.create(
        agency=market(), asked_by=cast.officer, purpose_id="green-channel", kind="eligibility", case_number=CASE,
        state="done", file=name, rows=1, checked=1, done_at=timezone.now(), keep_until=TODAY + DAY,
    )  # fmt: skip
    BatchCheckRow.objects.create(batch=check, row_number=1, outcome="no")
    review = batch_checks.send_to_person(batch=check, user=cast.officer, row_number=1)
    assert review.authorisation == given
    HumanReview.objects.all().delete()
    withdraw(cast)
    with pytest.raises(NotAuthorised):
        batch_checks.send_to_person(batch=check, user=cast.officer, row_number=1)


# --- the day ------------------------------------------------------------------------------------------


def test_a_day_is_given_shown_to_both_and_marked_once_it_has_passed(cast: Cast) -> None:
    review = before_a_person(cast)
    assert review.due_on and review.due_on > TODAY and not review.overdue
    desk, mine = browser(cast.supervisor), browser(cast.person)
    assert "overdue" not in desk.get("/desk/results/").content.decode()
    assert "To be decided by" in mine.get("/me/eligibility/").content.decode()
    HumanReview.objects.update(due_on=TODAY - DAY)
    for text in (
        desk.get("/desk/results/").content,
        page_of(review, cast).encode(),
        mine.get("/me/eligibility/").content,
    ):
        assert b"overdue" in text


# --- what is deferred ----------------------------------------------------------------------------------


def test_a_review_tells_of_no_look_that_is_deferred_before_its_day(cast: Cast) -> None:
    rule_in_force()
    review = before_a_person(cast, by_consent=False)
    person = cast.person.real_name.subject
    put_off(cast, AccessLog.objects.filter(fields__contains=[DISCLOSED]).latest("pk"), days=30)
    assert "Is the record clean" in page_of(review, cast)
    human_review.decide(review=review, user=cast.supervisor, decision="no", grounds="仍有效")
    assert letters(human_review.TOLD) == [] and reviews_about(person) == []
    assert "仍有效" not in browser(cast.person).get("/me/eligibility/").content.decode()
    assert not [one for one in looks(person) if one.row.case_number == CASE], "nor the look of who decided"
    assert human_review.tell_waiting(on=TODAY + 29 * DAY, door=Door.COMMAND) == 0
    assert human_review.tell_waiting(on=TODAY + 30 * DAY, door=Door.COMMAND) == 1
    assert human_review.tell_waiting(on=TODAY + 30 * DAY, door=Door.COMMAND) == 0
    (letter,) = letters(human_review.TOLD)
    assert CASE in letter.text
    AccessDeferral.objects.update(until=TODAY)
    assert reviews_about(person) == [review]
    assert len([one for one in looks(person) if one.row.case_number == CASE]) == 2


def test_a_deferral_hides_that_case_and_no_other(cast: Cast) -> None:
    rule_in_force()
    review = before_a_person(cast, by_consent=False)
    person = cast.person.real_name.subject
    put_off(cast, AccessLog.objects.filter(fields__contains=[DISCLOSED]).latest("pk"))
    shown = {"2": True, CASE: False, f"{CASE} #12": False, f"{CASE[:-1]}9号": True}
    for case, seen in shown.items():
        HumanReview.objects.update(case_number=case)
        assert (reviews_about(person) == [review]) is seen, case
    HumanReview.objects.update(case_number=CASE, asked_by=cast.person)
    assert reviews_about(person) == [review], "who asked for it knows of it"


def test_the_upkeep_does_both_and_nothing_twice(cast: Cast) -> None:
    before_a_person(cast)
    withdraw(cast)
    done = query_upkeep.run_all(on=TODAY, door=Door.COMMAND)
    assert (done["human_reviews_ended"], done["human_reviews_told"]) == (1, 0)
    again = query_upkeep.run_all(on=TODAY, door=Door.COMMAND)
    assert (again["human_reviews_ended"], again["human_reviews_told"]) == (0, 0)
    assert len(letters(human_review.TOLD_OF_END)) == 1


# --- asked for by whoever acts for the person --------------------------------------------------------


def test_a_representative_sees_the_answers_and_has_a_person_decide(cast: Cast) -> None:
    answered(cast)
    case = confirmed(cast, attorney(cast, user=cast.stranger, name=NAME, number=PERSON_NUMBER))
    line = AccessLog.objects.get(fields__contains=[DISCLOSED])
    acting = opened(cast, case, cast.stranger)
    assert f'value="{line.pk}"' in acting.get(reverse("me:eligibility")).content.decode()
    look = AccessLog.objects.filter(actor=cast.stranger, fields__contains=[DISCLOSED]).latest("pk")
    assert (look.purpose, look.reference) == (OwnPurpose.REPRESENTATIVE, case.token), "a look of a representative"
    assert f'value="{look.pk}"' not in acting.get(reverse("me:eligibility")).content.decode(), "is no answer to a unit"
    assert acting.post(reverse("me:eligibility"), {"access": line.pk}).status_code == 302
    review = HumanReview.objects.get()
    assert (review.asked_by, review.subject) == (cast.stranger, case.person)
    decided = human_review.decide(review=review, user=cast.supervisor, decision="yes", grounds="已核实")
    assert decided.state == HumanReviewState.DECIDED
    assert "已核实" in acting.get(reverse("me:eligibility")).content.decode()


def test_relatives_of_the_dead_and_strangers_ask_for_no_decision(cast: Cast) -> None:
    answered(cast)
    line = AccessLog.objects.get(fields__contains=[DISCLOSED])
    with pytest.raises(NotPermitted):
        ask_for_person(cast.stranger, cast.person.real_name.subject, line.pk)
    RealNameBinding.objects.filter(user=cast.person).delete()
    papers = {"kind": "heir", "papers_kind": "kinship", "valid_until": None}
    case = confirmed(cast, attorney(cast, user=cast.stranger, name=NAME, number=PERSON_NUMBER, **papers))
    acting = opened(cast, case, cast.stranger)
    assert f'value="{line.pk}"' not in acting.get(reverse("me:eligibility")).content.decode()
    assert acting.post(reverse("me:eligibility"), {"access": line.pk}).status_code == 302
    assert not HumanReview.objects.exists()
