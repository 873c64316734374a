"""Long files: what is remembered of subjects is let go of now and then, and nothing comes out otherwise for it."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from creditplatform.core.rules import load_rulebook
from records import rules
from records.feeds import prepare, subject_store
from records.feeds.columns import MemoOfMany
from records.feeds.copytext import text, texts
from records.feeds.plan import plan_for
from records.feeds.subjects import SubjectDraft, SubjectReader
from records.identifiers import Identifier
from records.models import CreditRecord, Feed, Subject
from tests.deliveries import FEED, penalty, person_penalty
from tests.records.feedfiles import counts, deliver, problems_of, resident

pytestmark = pytest.mark.usefixtures("context")
PERSON = resident(401, datetime.date(1985, 6, 15))
LOOKED_FOR = "t (number, subject_id, document_number)"
DAYS = st.dates(datetime.date(1950, 1, 1), datetime.date(2060, 12, 31))


def again_about(number: int, document: int) -> dict[str, str]:
    """Another decision about the organisation of `penalty(number)`."""
    about = penalty(number)
    return penalty(document, CF_XDR_MC=about["CF_XDR_MC"], CF_XDR_SHXYM=about["CF_XDR_SHXYM"])


@pytest.fixture(params=[1, 50_000])
def forgetful(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writer and reader remember so many subjects."""
    monkeypatch.setattr(subject_store, "SUBJECTS_REMEMBERED", request.param)
    monkeypatch.setattr(prepare, "SUBJECTS_REMEMBERED", request.param)


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("chunk_size", [1, 2, 5000])
def test_whatever_is_forgotten_the_rows_come_to_the_same(chunk_size: int) -> None:
    rows = [
        penalty(1), penalty(2), person_penalty(3, "林示例", PERSON), again_about(1, 4), penalty(1),
        {**penalty(2), "CF_NR": "罚款二万元"}, person_penalty(5, "林示例", PERSON), penalty(6), again_about(2, 7),
    ]  # fmt: skip
    batch = deliver(*rows, chunk_size=chunk_size)
    assert counts(batch) == {"received": 9, "accepted": 7, "unchanged": 1, "quarantined": 1}
    assert problems_of(batch) == [[("", "duplicate_in_file")]]
    assert CreditRecord.objects.count() == 7 and Subject.objects.count() == 4
    organisations = {penalty(number)["CF_XDR_SHXYM"] for number in (1, 2, 6)}
    assert set(Subject.objects.exclude(code="").values_list("code", flat=True)) == organisations


@pytest.mark.usefixtures("forgetful")
def test_decisions_about_what_the_file_itself_brought_are_not_looked_for() -> None:
    rows = [*(penalty(number) for number in range(1, 5)), *(again_about(n, n + 10) for n in range(1, 5))]
    with CaptureQueriesContext(connection) as queries:
        assert counts(deliver(*rows, chunk_size=2)) == {"received": 8, "accepted": 8}
    assert not [one["sql"] for one in queries if LOOKED_FOR in one["sql"]]


def test_what_is_worked_out_together_keeps_its_order_and_is_asked_once() -> None:
    asked: list[list[str]] = []

    def read(keys: list[str]) -> list[str]:
        asked.append(keys)
        return [key.upper() for key in keys]

    memo: MemoOfMany[str, str] = MemoOfMany(read, limit=3)
    assert memo.of(["b", "a", "b"]) == ["B", "A", "B"]
    assert memo.of(["a", "c", "b"]) == ["A", "C", "B"]
    assert asked == [["b", "a"], ["c"]]
    assert memo.of(["a", "d", "d"]) == ["A", "D", "D"] and dict(memo) == {"d": "D"}
    assert memo.of([]) == []


@given(st.lists(st.text()))
def test_many_texts_are_escaped_as_each_of_them(values: list[str]) -> None:
    assert list(texts(values)) == [text(value) for value in values]


@given(born=DAYS, decided=DAYS)
def test_who_is_a_minor_is_what_the_rule_says(born: datetime.date, decided: datetime.date) -> None:
    plan = plan_for(Feed.objects.get(code=FEED), dated_on=None)
    draft = SubjectDraft("person", Identifier("resident_id", PERSON), b"", "", b"", (), born)
    assert SubjectReader(plan).is_minor(draft, decided) == rules.is_minor(born, decided, load_rulebook())
