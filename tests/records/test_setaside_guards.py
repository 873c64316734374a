"""A row set aside that was mended never undoes what somebody did to it, or to the record it speaks of, meanwhile."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from records.enums import RowState
from records.models import CreditRecord, Feed, QuarantinedRow
from records.services.feeds import work_off
from records.services.marked_workbook import write_marked_workbook
from records.services.mending import mend_row, rerun_rows
from tests.cast import Cast
from tests.deliveries import FEED, penalty
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
