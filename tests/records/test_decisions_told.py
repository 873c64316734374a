"""What a person decides on an automatic answer reaches whoever asked: page, result and workbook; and only once each."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from creditplatform.core.errors import Conflict, Invalid
from records.feeds.readers import open_table
from records.models import Authorisation, BatchCheck, CreditRecord, HumanReview
from records.queries import own_eligibility
from records.queries.own_eligibility import ask_for_person, unit_answers
from records.services import authorisations, batch_checks, human_review, queries
from records.services.human_review import BeforeAPerson, DecidedByAPerson
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import CASE, NAME, STRANGER_NAME, consent, fined, purpose
from tests.records.test_check_files import as_csv, as_xlsx, submitted
from tests.records.test_human_reviews import answered
from tests.records.test_looks import browser

pytestmark = pytest.mark.django_db
HEADER = ["姓名", "证件号码"]
ROWS = [[STRANGER_NAME, STRANGER_NUMBER], [NAME, PERSON_NUMBER]]
GROUNDS = "罚款已缴清，情节轻微"


@pytest.fixture(autouse=True)
def _store(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def done(cast: Cast) -> BatchCheck:
    """A list whose second row got a no, by consent for several uses."""
    fined()
    consent(purpose("green-channel"), cast.clerk, cast.person, uses=3)
    return batch_checks.work_off(submitted(cast, as_csv(ROWS, HEADER), purpose="green-channel"))


def decided(review: HumanReview, cast: Cast) -> HumanReview:
    return human_review.decide(review=review, user=cast.supervisor, decision="yes", grounds=GROUNDS)


def sent(batch: BatchCheck, cast: Cast) -> HumanReview:
    return batch_checks.send_to_person(batch=batch, user=cast.clerk, row_number=2)


def fetched(batch: BatchCheck, cast: Cast, place: Path) -> list[list[str]]:
    answer = browser(cast.clerk).post(reverse("desk:batch-check-results", args=[batch.token]))
    (place / "results.xlsx").write_bytes(b"".join(answer.streaming_content))
    with open_table(place / "results.xlsx") as table:
        rows = [list(row) for chunk in table.chunks(1000) for row in zip(*chunk.columns, strict=True)]
        return [table.header, *rows]


def test_whoever_sent_the_list_reads_the_decision_beside_the_row(done: BatchCheck, cast: Cast, tmp_path: Path) -> None:
    address, review = reverse("desk:batch-check", args=[done.token]), sent(done, cast)
    waiting = browser(cast.clerk).get(address).content.decode()
    assert "waits, until" in waiting
    decided(review, cast)
    page = browser(cast.clerk).get(address).content.decode()
    assert GROUNDS in page and "waits, until" not in page
    head, *rows = fetched(done, cast, tmp_path)
    assert head[-5:] == ["Row", "Answer", "Reasons", "Decision of a person", "Grounds of the decision"]
    assert [row[-5] for row in rows] == ["1", "2"], "the numbers of the page"
    assert rows[1][-2:] == ["yes", GROUNDS] and rows[0][-2:] == ["", ""]


def test_a_withdrawn_consent_takes_the_decision_back_too(done: BatchCheck, cast: Cast, tmp_path: Path) -> None:
    decided(sent(done, cast), cast)
    authorisations.revoke(authorisation=Authorisation.objects.get(), user=cast.person)
    assert GROUNDS not in str(fetched(done, cast, tmp_path))
    page = browser(cast.clerk).get(reverse("desk:batch-check", args=[done.token])).content.decode()
    assert GROUNDS not in page


def test_of_a_single_answer_too(cast: Cast) -> None:
    query = answered(cast)
    decided(queries.send_to_person(query=query, user=cast.officer), cast)
    authorisations.revoke(authorisation=Authorisation.objects.get(), user=cast.person)
    assert GROUNDS not in browser(cast.officer).get(reverse("desk:query", args=[query.token])).content.decode()


def test_a_row_is_decided_once(done: BatchCheck, cast: Cast) -> None:
    review = sent(done, cast)
    with pytest.raises(BeforeAPerson):
        sent(done, cast)
    decided(review, cast)
    with pytest.raises(DecidedByAPerson):
        sent(done, cast)
    assert HumanReview.objects.count() == 1


def test_whoever_asked_about_one_person_reads_the_decision_too(cast: Cast) -> None:
    query = answered(cast)
    decided(queries.send_to_person(query=query, user=cast.officer), cast)
    asker = browser(cast.officer)
    address = reverse("desk:query", args=[query.token])
    assert GROUNDS in asker.get(address).content.decode()
    result = asker.post(address, {"act": "open"}).content.decode()
    assert GROUNDS in result and "Send it to a person" not in result
    with pytest.raises(DecidedByAPerson):
        queries.send_to_person(query=query, user=cast.officer)


def test_the_decision_is_not_blind(done: BatchCheck, cast: Cast) -> None:
    """Whoever decides sees whom it is about, as written, and which records; then the decision is the headline."""
    review = sent(done, cast)
    address, official = reverse("desk:result", args=[review.token]), browser(cast.supervisor)
    page = official.get(address).content.decode()
    record = CreditRecord.objects.get()
    assert NAME in page and record.decided_on.isoformat() in page
    assert record.document_number not in page, "no more of it than the answer named"
    decided(review, cast)
    after = official.get(address).content.decode()
    assert "decided: yes" in after and NAME not in after


def test_a_name_on_file_is_not_told_to_whoever_decides(cast: Cast) -> None:
    """By statute a wrong name finds nobody; the page shows what was written, never the name on file."""
    fined()
    purpose("green-channel", needs_consent=False)
    batch = batch_checks.work_off(submitted(cast, as_csv([["王不符", PERSON_NUMBER]], HEADER), purpose="green-channel"))
    review = batch_checks.send_to_person(batch=batch, user=cast.clerk, row_number=1)
    page = browser(cast.supervisor).get(reverse("desk:result", args=[review.token])).content.decode()
    assert "王不符" in page and NAME not in page


def test_the_person_asks_once_about_a_row_of_a_list(done: BatchCheck, cast: Cast) -> None:
    subject = cast.person.real_name.subject
    (answer,) = unit_answers(subject)
    assert not answer.waiting and not answer.decided
    review = sent(done, cast)
    (answer,) = unit_answers(subject)
    assert answer.waiting
    with pytest.raises(BeforeAPerson):
        ask_for_person(cast.person, subject, answer.line.pk)
    decided(review, cast)
    (answer,) = unit_answers(subject)
    assert answer.decided and not answer.waiting
    assert "Ask a person to decide" not in browser(cast.person).get(reverse("me:eligibility")).content.decode()
    with pytest.raises(DecidedByAPerson):
        ask_for_person(cast.person, subject, answer.line.pk)


@pytest.mark.parametrize(
    ("reviewed", "asked", "same"),
    [
        ("惠信1", "惠信1", True), ("惠信1 #3", "惠信1", True), ("惠信12 #3", "惠信1", False),
        ("惠信1", "惠信12", False),
        ("甲" * 56 + " #3", "甲" * 60, True), ("甲" * 49 + " #3", "甲" * 60, False), ("案 #1", "案 #1", True),
    ],
)  # fmt: skip
def test_another_case_takes_nobody_the_decision_of_a_person(reviewed: str, asked: str, same: bool) -> None:
    assert own_eligibility._same_case(reviewed, asked) is same


# --- the same list again -------------------------------------------------------------------------


def test_the_same_list_for_the_same_case_is_checked_again_only_knowingly(done: BatchCheck, cast: Cast) -> None:
    for content in (as_csv(ROWS, HEADER), as_xlsx(ROWS, HEADER)):
        with pytest.raises(Conflict) as refused:
            submitted(cast, content, purpose="green-channel")
        assert refused.value.code == "checked_already"
    assert BatchCheck.objects.count() == 1
    assert submitted(cast, as_csv(ROWS, HEADER), purpose="green-channel", again=True)
    assert submitted(cast, as_csv(ROWS, HEADER), purpose="green-channel", case_number=f"{CASE}-2"), "another case"
    assert submitted(cast, as_csv(ROWS[:1], HEADER), purpose="green-channel"), "another list"


def test_a_row_without_an_answer_is_named_on_the_page(done: BatchCheck, cast: Cast) -> None:
    address = reverse("desk:batch-check", args=[done.token])
    for row in ("1", "99", "abc", ""):
        answer = browser(cast.clerk).post(address, {"act": "person", "row": row}, follow=True)
        assert "No row of this number has an answer" in answer.content.decode(), row
    assert not HumanReview.objects.exists()


def test_nothing_is_offered_where_no_row_has_an_answer(cast: Cast) -> None:
    purpose("green-channel")
    batch = batch_checks.work_off(submitted(cast, as_csv(ROWS, HEADER), purpose="green-channel"))
    page = browser(cast.clerk).get(reverse("desk:batch-check", args=[batch.token])).content.decode()
    assert "No row has an answer" in page and "Send it to a person" not in page
    with pytest.raises(Invalid):
        sent(batch, cast)
