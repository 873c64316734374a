"""A row set aside that was mended never undoes what somebody did to it, or to the record it speaks of, meanwhile."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import Agency
from creditplatform.core.vault import public_token
from records.enums import RowState
from records.feeds.ahead import Interrupted
from records.feeds.mending import row_of_token, row_token
from records.feeds.pipeline import process
from records.feeds.store import Store
from records.models import CreditRecord, CrossCheck, Entitlement, Feed, QuarantinedRow
from records.services.correction import correct_record, mark_of
from records.services.feeds import folder, receive_file, work_off
from records.services.marked_workbook import write_marked_workbook
from records.services.mending import discard_rows, mend_row, rerun_rows
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import FEED, penalty, person_penalty
from tests.records.entry_forms import grant
from tests.records.feedfiles import counts, deliver, people_of_the_cast, take_in
from tests.records.workbooks import Book

THERE = "gs-market-penalty"


@pytest.fixture
def people(db: None, settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = tmp_path / "media"
    return people_of_the_cast(settings)


def feed(code: str = FEED) -> Feed:
    return Feed.objects.select_related("agency", "entry").get(code=code)


def download(user: Any, code: str = FEED) -> Book:
    buffer = io.BytesIO()
    write_marked_workbook(user=user, feed=feed(code), rows=QuarantinedRow.objects.waiting(), target=buffer)
    return Book.read(buffer.getvalue())


def said(row: QuarantinedRow, **values: str) -> dict[str, str]:
    return {**json.loads(row.cells or "{}"), **values}


def codes(row: QuarantinedRow) -> set[str]:
    row.refresh_from_db()
    return {problem["code"] for problem in row.problems}


def content() -> Any:
    return CreditRecord.objects.get().payload["CF_NR"]


# --- somebody must look at the decision -------------------------------------------------------------------------


@pytest.fixture
def contradiction(people: Cast) -> QuarantinedRow:
    deliver(penalty(1), penalty(1, CF_NR="罚款两万元"))
    return QuarantinedRow.objects.get()


def test_a_failed_attempt_on_the_page_leaves_the_question_open(people: Cast, contradiction: QuarantinedRow) -> None:
    failed = mend_row(user=people.clerk, row=contradiction, values=said(contradiction, CF_JDRQ="昨天"), seen=0)
    assert codes(failed) == {"not_a_date", "duplicate_in_file"}
    right = said(failed, CF_JDRQ=penalty()["CF_JDRQ"])
    unlooked = mend_row(user=people.clerk, row=failed, values=right, seen=1)
    assert (unlooked.state, codes(unlooked), content()) == (RowState.OPEN, {"duplicate_in_file"}, penalty()["CF_NR"])
    looked = mend_row(user=people.clerk, row=unlooked, values=right, seen=2, confirmed=True)
    assert (looked.state, content()) == (RowState.CORRECTED, "罚款两万元")


def test_a_failed_attempt_in_a_workbook_leaves_the_question_open(people: Cast, contradiction: QuarantinedRow) -> None:
    book = download(people.clerk)
    book.mend(1, "CF_JDRQ", "昨天")
    take_in(book.saved())
    assert codes(contradiction) == {"not_a_date", "duplicate_in_file"}
    book = download(people.clerk)
    book.mend(1, "CF_JDRQ", penalty()["CF_JDRQ"])
    assert counts(take_in(book.saved())) == {"received": 1, "quarantined": 1}
    assert (codes(contradiction), content()) == ({"duplicate_in_file"}, penalty()["CF_NR"])


def test_what_somebody_must_look_at_is_not_checked_again_by_itself(people: Cast, contradiction: QuarantinedRow) -> None:
    deliver(penalty(2, CF_JDRQ="昨天"))
    mend_row(user=people.clerk, row=contradiction, values=said(contradiction, CF_JDRQ="昨天"), seen=0)
    batch = work_off(rerun_rows(user=people.clerk, feed=feed(), rows=QuarantinedRow.objects.all()))
    assert batch.received == 1


# --- a key is good once, for the row as it was ------------------------------------------------------------------


def mended_book(people: Cast, *, lines: int = 1, **cells: str) -> Book:
    """The workbook of rows whose only fault is their date, mended."""
    book = download(people.clerk)
    for line in range(1, lines + 1):
        for column, text in {"CF_JDRQ": penalty()["CF_JDRQ"], **cells}.items():
            book.mend(line, column, text)
    return book


def test_a_workbook_delivered_again_does_not_turn_a_correction_back(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    book = mended_book(people)
    assert counts(take_in(book.saved())) == {"received": 1, "accepted": 1}
    grant(people.clerk, Entitlement.objects.get(agency__code="hz-market", entry__code="administrative-penalty"))
    record = CreditRecord.objects.get()
    corrected = penalty(1, CF_NR="罚款三万元")
    correct_record(user=people.clerk, record=record, values=corrected, reason="x", seen=mark_of(record))
    assert counts(take_in(book.saved())) == {"received": 1, "unchanged": 1}
    assert content() == "罚款三万元"


def test_a_discarded_row_is_not_taken_in_by_its_key(people: Cast) -> None:
    deliver(penalty(1), penalty(1, CF_WSH="别二号", CF_JDRQ="昨天"))
    book = mended_book(people, CF_XDR_MC="旧名有限公司")
    discard_rows(user=people.clerk, rows=QuarantinedRow.objects.all(), reason="twice")
    batch = take_in(book.saved())
    assert (counts(batch), batch.problems) == ({"received": 1, "quarantined": 1}, {"mended_before": 1})
    assert CreditRecord.objects.get().subject.name == penalty(1)["CF_XDR_MC"]
    assert QuarantinedRow.objects.get().state == RowState.DISCARDED


def test_others_about_the_subject_of_a_discarded_row_are_taken_in(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"), penalty(1, CF_WSH="别二号", CF_JDRQ="昨天"))
    book = mended_book(people, lines=2)
    book.lines.append([*book.lines[2][:-1], ""])
    book.mend(3, "CF_WSH", "又一号")
    first = QuarantinedRow.objects.order_by("pk")[:1]
    discard_rows(user=people.clerk, rows=QuarantinedRow.objects.filter(pk__in=[first[0].pk]), reason="twice")
    assert counts(take_in(book.saved(), chunk_size=1)) == {"received": 3, "accepted": 2, "quarantined": 1}
    assert set(CreditRecord.objects.values_list("document_number", flat=True)) == {"别二号", "又一号"}


def test_a_row_without_a_key_about_the_subject_of_a_discarded_row_is_taken_in(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    book = mended_book(people)
    book.lines.append([*book.lines[1][:-1], ""])
    book.mend(2, "CF_WSH", "别二号")
    discard_rows(user=people.clerk, rows=QuarantinedRow.objects.all(), reason="twice")
    assert counts(take_in(book.saved(), chunk_size=1)) == {"received": 2, "accepted": 1, "quarantined": 1}


@pytest.mark.parametrize("chunk_size", [1, 10])
def test_a_copied_row_is_a_row_of_its_own_wherever_it_stands(people: Cast, chunk_size: int) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    book = mended_book(people)
    book.lines.append(list(book.lines[1]))
    book.mend(2, "CF_WSH", "别二号")
    assert counts(take_in(book.saved(), chunk_size=chunk_size)) == {"received": 2, "accepted": 2}
    assert counts(take_in(book.saved(), chunk_size=chunk_size)) == {"received": 2, "unchanged": 2}


def test_a_workbook_does_not_undo_what_was_done_on_the_page_since(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    book, row = mended_book(people), QuarantinedRow.objects.get()
    mend_row(user=people.officer, row=row, values=said(row, CF_NR="罚款三万元"), seen=0)
    batch = take_in(book.saved())
    assert (counts(batch), batch.problems) == ({"received": 1, "quarantined": 1}, {"changed_since": 1})
    row.refresh_from_db()
    assert (row.state, row.revision, codes(row)) == (RowState.OPEN, 1, {"not_a_date"})
    assert said(row)["CF_NR"] == "罚款三万元" and not CreditRecord.objects.exists()
    assert counts(take_in(mended_book(people).saved())) == {"received": 1, "accepted": 1}
    assert content() == "罚款三万元"


def test_rows_checked_again_are_left_alone_where_somebody_was_quicker(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Agency.objects.filter(code="hz-market").update(credit_code="91620100MA0000017C")
    deliver(penalty(1), penalty(2, CF_JDRQ="昨天"))
    row = QuarantinedRow.objects.order_by("pk")[0]
    waiting = rerun_rows(user=people.clerk, feed=feed(), rows=QuarantinedRow.objects.all())
    mend_row(user=people.officer, row=row, values=said(row, CF_NR="罚款三万元", CF_JDRQ="昨天"), seen=0)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Agency.objects.filter(code="hz-market").update(credit_code=penalty()["CF_SJLYDM"])
    batch = work_off(waiting)
    assert (counts(batch), batch.problems["changed_since"]) == ({"received": 2, "quarantined": 2}, 1), batch.problems
    row.refresh_from_db()
    assert (row.state, said(row)["CF_NR"]) == (RowState.OPEN, "罚款三万元") and not CreditRecord.objects.exists()


def test_a_batch_taken_up_again_knows_which_keys_it_used(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(*(penalty(n, CF_JDRQ="昨天") for n in (1, 2)))
    book = mended_book(people, lines=2)
    book.lines += [list(book.lines[1]), list(book.lines[2])]
    book.mend(3, "CF_WSH", "别二号")
    book.mend(4, "CF_WSH", "又一号")
    discard_rows(user=people.clerk, rows=QuarantinedRow.objects.filter(row_number=1), reason="twice")
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        batch = receive_file(feed=feed(), blocks=[book.saved()], file_name="x", door=Door.COMMAND)
    path, usual, calls = folder() / batch.stored_as, Store.write, [0, 0]

    def stopping(store: Store, prepared: Any) -> Any:
        if not calls:
            raise OSError
        calls.pop()
        return usual(store, prepared)

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(Store, "write", stopping)
        process(batch, path, chunk_size=1)
    assert counts(process(batch, path, chunk_size=1)) == {"received": 4, "accepted": 3, "quarantined": 1}


def test_a_key_made_before_keys_bore_a_revision_is_that_of_an_untouched_row() -> None:
    assert row_of_token(row_token(7, 3)) == (7, 3)
    assert row_of_token(public_token("set-aside-row", 7)) == (7, 0)
    assert row_of_token("nonsense") is None


# --- another name found while mending ----------------------------------------------------------------------------


@pytest.fixture
def named_otherwise(people: Cast) -> QuarantinedRow:
    """A row of another unit whose date is wrong, which is why nobody has looked at the name yet."""
    deliver(person_penalty(1, "林示例", PERSON_NUMBER))
    deliver(person_penalty(2, "林事例", PERSON_NUMBER, CF_JDRQ="昨天"), feed=THERE)
    assert not CrossCheck.objects.exists()
    return QuarantinedRow.objects.get()


def assert_both_are_asked(row: QuarantinedRow) -> None:
    assert "name_differs" in codes(row)
    check = CrossCheck.objects.get()
    assert (check.kind, check.row, check.record) == ("name", row, CreditRecord.objects.get())
    assert (check.holder.code, check.sender.code) == ("hz-market", "gs-market")


def test_another_name_found_on_the_page_is_asked_about(people: Cast, named_otherwise: QuarantinedRow) -> None:
    values = said(named_otherwise, CF_JDRQ=penalty()["CF_JDRQ"])
    mended = mend_row(user=people.other_clerk, row=named_otherwise, values=values, seen=0)
    assert_both_are_asked(mended)
    mend_row(user=people.other_clerk, row=mended, values=values, seen=1)
    assert_both_are_asked(mended)


def test_another_name_found_in_a_workbook_is_asked_about(people: Cast, named_otherwise: QuarantinedRow) -> None:
    book = download(people.other_clerk, THERE)
    book.mend(1, "CF_JDRQ", penalty()["CF_JDRQ"])
    take_in(book.saved(), feed=THERE)
    assert_both_are_asked(named_otherwise)


def test_another_name_found_by_checking_again_is_asked_about(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Agency.objects.filter(code="gs-market").update(credit_code="91620100MA0000017C")
    deliver(person_penalty(1, "林示例", PERSON_NUMBER))
    deliver(person_penalty(2, "林事例", PERSON_NUMBER), feed=THERE)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Agency.objects.filter(code="gs-market").update(credit_code=penalty()["CF_SJLYDM"])
    work_off(rerun_rows(user=people.other_clerk, feed=feed(THERE), rows=QuarantinedRow.objects.all()))
    assert_both_are_asked(QuarantinedRow.objects.get())
