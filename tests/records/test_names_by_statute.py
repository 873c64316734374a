"""By statute a wrong name for a number on file reads exactly like a number under which nobody is on file."""

# ruff: noqa: F811 - the fixture of another file

from typing import Any

import pytest
from django.utils import timezone

from creditplatform.core.enums import AccessResult
from creditplatform.core.models import AccessLog
from records import tasks
from records.enums import Outcome, Reason
from records.models import BatchCheck, BatchCheckRow, HumanReview, Query
from records.queries.asking import Answered, ask_eligibility
from records.queries.disclosure import DISCLOSED
from records.queries.own_eligibility import ask_for_person
from records.services import queries
from records.services.queries import Draft
from tests.cast import PERSON_NUMBER, Cast
from tests.records.queries_world import CASE, NAME, UNKNOWN, consent, fined, market, purpose, question
from tests.records.test_looks import browser
from tests.records.test_machine_deliveries import Machine
from tests.records.test_machine_queries import BATCH, ELIGIBILITY, ask, body, last_line, listed, system  # noqa: F401

OTHER = "马示例"
WRONG_NAME = {"name": OTHER, "number": PERSON_NUMBER}
NOT_ON_FILE = {"name": OTHER, "number": UNKNOWN.number}


@pytest.fixture
def statute(cast: Cast, settings: Any, tmp_path: Any) -> str:
    """A purpose that answers by statute whether a record is clean; the person of the cast has a fine."""
    settings.MEDIA_ROOT = tmp_path
    fined()
    return str(purpose("green-channel", needs_consent=False).legal_basis_id)


def test_over_the_interface_both_answers_are_the_same(system: Machine, cast: Cast, statute: str) -> None:
    said = [
        ask(system, ELIGIBILITY, body(reference=statute, authority="statute", **asked))
        for asked in (WRONG_NAME, NOT_ON_FILE)
    ]
    sizes = {len(one.pop("access")) // 8 for one in said}
    assert said[0] == said[1] and said[0]["outcome"] == "yes" and len(sizes) == 1


def test_the_person_reads_it_and_the_log_reads_alike_for_the_unit(cast: Cast, statute: str) -> None:
    wanted, subject = purpose(), cast.person.real_name.subject
    lines = []
    for changes in ({}, {"person": UNKNOWN}):
        ask_eligibility(question(wanted, user=cast.officer, name=OTHER, **changes))
        lines.append(last_line())
    assert [line.subject_ref for line in lines] == [subject.pk, 0]
    assert {(line.result, tuple(line.fields)) for line in lines} == {(AccessResult.NOTHING, (DISCLOSED,))}


def test_under_consent_a_name_that_differs_goes_to_a_person_as_before(cast: Cast) -> None:
    fined()
    wanted = purpose()
    given = consent(wanted, cast.clerk, cast.person)
    type(given.subject).objects.filter(pk=given.subject_id).update(name_index=UNKNOWN.blind_index)
    found: Answered = ask_eligibility(question(wanted, user=cast.clerk))
    assert (found.answer.outcome, found.answer.reasons) == (Outcome.PERSON, (Reason.NAME_DIFFERS,))


def test_in_a_list_both_rows_read_the_same(system: Machine, cast: Cast, statute: str) -> None:
    people = [WRONG_NAME, NOT_ON_FILE]
    ask(system, BATCH, listed(authority="statute", reference=statute, people=people), 202)
    tasks.process_check.apply(args=[BatchCheck.objects.get().pk])
    rows = BatchCheckRow.objects.values_list("outcome", "problem", "reasons", "records").order_by("row_number")
    one, two = rows
    assert one == two
    assert {line.result for line in AccessLog.objects.filter(case_number=CASE)} == {AccessResult.NOTHING}


def opened(cast: Cast, asked: dict[str, str]) -> Query:
    draft = Draft(
        market(), cast.officer, "green-channel", "eligibility", asked["name"], "resident_id", asked["number"], CASE
    )  # fmt: skip
    return queries.open_result(query=queries.submit(draft), user=cast.officer).query


def test_on_the_desk_first_and_again(cast: Cast, statute: str) -> None:
    one, two = opened(cast, WRONG_NAME), opened(cast, NOT_ON_FILE)
    assert (one.outcome, one.reasons, one.records) == (two.outcome, two.reasons, two.records)
    for query in (one, two):
        queries.open_result(query=query, user=cast.officer)
    lines = AccessLog.objects.filter(case_number=CASE).values_list("subject_ref", "result").order_by("pk")
    subject = cast.person.real_name.subject_id
    assert [tuple(line) for line in lines] == [(subject, "nothing"), (0, "nothing")] * 2


def test_before_a_person_asking_once_and_twice_tells_nothing_either(system: Machine, cast: Cast, statute: str) -> None:
    for asked in (WRONG_NAME, NOT_ON_FILE, {"name": NAME, "number": "441300199202029988"}):
        ticket = ask(system, ELIGIBILITY, body(reference=statute, authority="statute", **asked))["access"]
        states = [system.call("POST", f"{ELIGIBILITY}review/", {"access": ticket}).status_code for _turn in range(2)]
        assert states == [201, 409], asked
    assert HumanReview.objects.count() == 3
    pages = []
    for review in HumanReview.objects.order_by("pk")[:2]:
        text = browser(cast.supervisor).get(f"/desk/results/{review.token}/").content.decode()
        pages.append(text.split("<main")[1].split("</main>")[0].replace(review.token, ""))
    assert len({len(page) for page in pages}) == 1


def test_the_person_who_asks_for_a_decision_gives_the_unit_no_more_than_it_had(cast: Cast, statute: str) -> None:
    ask_eligibility(question(purpose(), user=cast.officer, name=OTHER))
    review = ask_for_person(cast.person, cast.person.real_name.subject, last_line().pk)
    assert (review.outcome, review.reasons, review.records) == (Outcome.YES, ["clean"], [])
    assert review.due_on and review.due_on >= timezone.localdate()
