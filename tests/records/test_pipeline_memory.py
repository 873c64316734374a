"""The same file again: rows known at sight, as long as their record still says what they say."""

import datetime
from typing import Any

import pytest

from creditplatform.core.enums import Door
from records.enums import RecordState
from records.feeds import memory
from records.feeds.prepare import Preparer
from records.models import CreditRecord, Feed, FeedBatch, FeedMemory, QuarantinedRow
from tests.deliveries import FEED, penalty, person_penalty
from tests.records.feedfiles import counts, credit_code, deliver, problems_of, resident, snapshot

pytestmark = pytest.mark.usefixtures("context")
ROWS = [penalty(number) for number in range(1, 8)]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """How many rows were checked, counted across processes."""
    counter, usual = tmp_path / "checked", Preparer.prepare

    def counting(preparer: Preparer, chunk: Any) -> Any:
        with counter.open("a") as file:
            file.write("x" * len(chunk))
        return usual(preparer, chunk)

    monkeypatch.setattr(Preparer, "prepare", counting)
    return lambda: len(counter.read_text()) if counter.exists() else 0


@pytest.mark.parametrize("chunk_size", [1, 3, 5000])
def test_a_file_that_comes_again_is_known_without_being_checked(chunk_size: int, checked: Any) -> None:
    deliver(*ROWS)
    before, looked_at = snapshot(), checked()
    for _time in range(2):
        assert counts(deliver(*ROWS, chunk_size=chunk_size)) == {"received": 7, "unchanged": 7}
    assert checked() == looked_at
    assert snapshot() == before


def test_only_what_is_new_or_other_is_checked(checked: Any) -> None:
    deliver(*ROWS)
    looked_at = checked()
    batch = deliver(*ROWS[:5], {**ROWS[5], "CF_NR": "罚款二万元"}, penalty(9))
    assert counts(batch) == {"received": 7, "accepted": 2, "unchanged": 5}
    assert checked() - looked_at == 2


def test_another_order_or_an_unchanged_row_among_others_is_known_too(checked: Any) -> None:
    deliver(*ROWS)
    looked_at = checked()
    assert counts(deliver(*reversed(ROWS))) == {"received": 7, "unchanged": 7}
    assert checked() == looked_at


def test_another_header_is_another_reading(checked: Any) -> None:
    """The same cells under other columns may mean something else."""
    deliver(*ROWS)
    turned = [dict(reversed(row.items())) for row in ROWS]
    looked_at = checked()
    assert counts(deliver(*turned)) == {"received": 7, "unchanged": 7}
    assert checked() - looked_at == 7


def test_a_record_changed_by_another_feed_is_checked_again_and_the_file_wins() -> None:
    deliver(*ROWS)
    other = deliver({**ROWS[0], "CF_NR": "罚款三万元"}, feed="hz-food-penalty")
    assert other.accepted == 1
    assert counts(deliver(*ROWS)) == {"received": 7, "accepted": 1, "unchanged": 6}
    assert CreditRecord.objects.get(document_number=ROWS[0]["CF_WSH"]).payload["CF_NR"] == ROWS[0]["CF_NR"]


def test_a_record_that_is_gone_comes_back() -> None:
    deliver(*ROWS)
    CreditRecord.objects.filter(document_number=ROWS[0]["CF_WSH"]).delete()
    assert counts(deliver(*ROWS)) == {"received": 7, "accepted": 1, "unchanged": 6}


def test_a_withdrawn_record_stays_withdrawn() -> None:
    deliver(*ROWS)
    CreditRecord.objects.filter(document_number=ROWS[0]["CF_WSH"]).update(state=RecordState.REVOKED)
    assert counts(deliver(*ROWS)) == {"received": 7, "unchanged": 7}


def test_a_correction_by_hand_is_not_turned_back_by_a_file_that_says_nothing_new() -> None:
    deliver(*ROWS)
    record = CreditRecord.objects.get(document_number=ROWS[0]["CF_WSH"])
    by_hand = FeedBatch.objects.get()
    by_hand.pk, by_hand.format, by_hand.door = None, "form", Door.ADMIN
    by_hand.save()
    CreditRecord.objects.filter(pk=record.pk).update(batch_id=by_hand.pk, digest=b"c" * 16, payload={"CF_NR": "更正"})
    for _time in range(2):
        batch = deliver(*ROWS)
        assert counts(batch) == {"received": 7, "unchanged": 6, "quarantined": 1}
    assert problems_of(FeedBatch.objects.order_by("pk")[2]) == [[("", "corrected_since")]]
    assert QuarantinedRow.objects.count() == 1
    record.refresh_from_db()
    assert record.payload == {"CF_NR": "更正"}
    news = deliver({**ROWS[0], "CF_NR": "罚款五万元"})
    assert news.accepted == 1


def test_a_file_that_contradicts_itself_beside_a_known_row_is_told_so() -> None:
    deliver(*ROWS)
    batch = deliver(*ROWS, {**ROWS[0], "CF_NR": "与前一行矛盾"}, chunk_size=3)
    assert counts(batch) == {"received": 8, "unchanged": 7, "quarantined": 1}
    assert problems_of(batch) == [[("", "duplicate_in_file")]]


def test_rows_set_aside_are_never_known_at_sight() -> None:
    bad = {**ROWS[0], "CF_JDRQ": "昨天"}
    for _time in range(2):
        assert counts(deliver(bad, *ROWS[1:])) in (
            {"received": 7, "accepted": 6, "quarantined": 1}, {"received": 7, "unchanged": 6, "quarantined": 1},
        )  # fmt: skip


def test_a_refused_delivery_leaves_what_was_remembered() -> None:
    deliver(*ROWS)
    before = bytes(FeedMemory.objects.get().rows)
    batch = deliver(*[{"nothing": "known"}])
    assert batch.error_code
    assert bytes(FeedMemory.objects.get().rows) == before


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch, checked: Any) -> None:
    monkeypatch.setattr(memory, "MOST_ROWS", 4)
    deliver(*ROWS, chunk_size=3)
    assert len(memory.Memory.of(Feed.objects.get(code=FEED))) == 4
    looked_at = checked()
    assert counts(deliver(*ROWS, chunk_size=3)) == {"received": 7, "unchanged": 7}
    assert checked() - looked_at == 3


@pytest.mark.parametrize("numbers", [1, 2, 5, 100])
def test_what_is_kept_and_fetched_in_pieces_is_the_same(
    monkeypatch: pytest.MonkeyPatch, checked: Any, numbers: int
) -> None:
    monkeypatch.setattr(memory, "PIECE", numbers)
    deliver(*ROWS)
    looked_at = checked()
    assert counts(deliver(*ROWS)) == {"received": 7, "unchanged": 7}
    assert checked() == looked_at


def test_nothing_of_a_person_can_be_read_from_what_is_remembered() -> None:
    number = resident(31, datetime.date(1985, 6, 15))
    deliver(person_penalty(1, "林示例", number), penalty(2))
    rows = bytes(FeedMemory.objects.get().rows)
    assert len(rows) == 2 * 3 * 8
    for text in (number, "林示例", credit_code(2)):
        assert text.encode() not in rows
