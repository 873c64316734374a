"""Faults of queries that were once there: what a consent opens, what a log holds, what goes before a person."""

# ruff: noqa: F811 - the fixture of another file

import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from creditplatform.core.calendars import load_calendar
from creditplatform.core.enums import AccessResult, Door
from creditplatform.core.errors import Conflict, NotPermitted
from creditplatform.core.models import AccessLog
from creditplatform.core.vault import public_token
from records import papers
from records.enums import AuthorisationState, Outcome, ReviewCause, ReviewState
from records.look_selectors import LOOK_KIND
from records.models import AccessReview, Authorisation, Query
from records.queries.asking import ask_eligibility
from records.services import authorisations, queries, query_upkeep, representations
from records.services.access_alarms import due_after
from records.services.queries import Draft
from tests.accounts.representation_world import attorney, browser, confirmed, opened
from tests.cast import PERSON_NUMBER, Cast
from tests.records.queries_world import NAME, UNKNOWN, fined, market, purpose, question
from tests.records.query_rows import a_query
from tests.records.test_access_reviews import look
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
    wish,
)


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_a_persons_number_as_case_number_stands_in_no_log(system: Machine, cast: Cast) -> None:
    given = receipt(cast)
    for code in ("green-channel", "loan"):
        system.call("POST", ELIGIBILITY, body(code, given.number, case_number=PERSON_NUMBER))
        assert last_line().case_number == ""
    answer = system.call("POST", CONSENTS, wish(case_number=PERSON_NUMBER))
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
    assert {one["field"] for one in said["problems"]} == {"authority", "reference", "case_number", "name", "number"}


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


# --- what is told of a look, and to whom --------------------------------------------------------


def test_officers_of_the_unit_complained_of_do_not_read_the_complaint(cast: Cast) -> None:
    line = look(cast, actor=None, door=Door.API)
    review = AccessReview.objects.create(
        access_id=line.pk, access_at=line.at, subject=cast.stranger.real_name.subject, actor=None, agency=market(),
        cause=ReviewCause.COMPLAINT, words="我没有申请过", due_on=timezone.localdate(), state=ReviewState.ASKED,
    )  # fmt: skip
    address = f"/desk/access-reviews/{review.pk}/"
    for official, reads in ((cast.officer, False), (cast.supervisor, False), (cast.centre, True)):
        page = browser(official).get(address)
        assert page.status_code == 200 and ("我没有申请过" in page.content.decode()) is reads, official


def test_a_representative_does_not_read_the_complaint(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast))
    line = look(cast, subject_ref=case.person_id)
    AccessReview.objects.create(
        access_id=line.pk, access_at=line.at, subject=case.person, actor=cast.clerk, agency=market(),
        cause=ReviewCause.COMPLAINT, words="我没有申请过", due_on=timezone.localdate(),
    )  # fmt: skip
    address = f"/me/looks/{public_token(LOOK_KIND, line.pk)}/"
    for who, reads in ((opened(cast, case), False), (browser(cast.stranger), True)):
        page = who.get(address)
        assert page.status_code == 200 and ("我没有申请过" in page.content.decode()) is reads


def test_the_papers_leave_a_line_with_both_persons(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast))
    representations.open_papers(case=case, user=cast.centre)
    lines = AccessLog.objects.filter(fields=["papers"]).values_list("subject_ref", flat=True)
    assert set(lines) == {case.representative_id, case.person_id}


def test_two_requests_at_once_are_one_and_leave_no_papers(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    attorney(cast)
    kept = set(papers.folder().iterdir())
    monkeypatch.setattr(representations, "_make_way", lambda *_words: None)
    with pytest.raises(representations.AskedAlready):
        attorney(cast)
    assert set(papers.folder().iterdir()) == kept


def test_a_day_in_a_year_that_is_not_announced_yet_is_counted_in_weeks(cast: Cast) -> None:
    calendar = load_calendar()
    late = datetime.date(max(calendar.announced_years), 12, 20)
    assert due_after(late, 15, calendar) == late + datetime.timedelta(days=21)


def test_a_query_closed_at_this_moment_does_not_stop_the_run(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_words: object, **_more: object) -> None:
        raise Conflict

    query = a_query(SimpleNamespace(cast=cast, market=market()), asked_at=timezone.now() - datetime.timedelta(days=99))
    monkeypatch.setattr(query_upkeep, "QUERY", SimpleNamespace(take=closed))
    assert query.pk and query_upkeep.lapse_due(on=timezone.localdate(), door=Door.COMMAND) == 0
