"""Many rows are mended in a workbook that marks what is wrong, or checked once more after something changed."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Agency
from records.enums import BatchState, FeedFormat, RowState
from records.feeds.mending import PROBLEM_HEADERS, ROW_HEADERS, MendingColumns, row_token
from records.feeds.problems import sentence
from records.models import CreditRecord, Feed, FeedBatch, FeedMemory, QuarantinedRow
from records.services import marked_workbook
from records.services.feeds import work_off
from records.services.marked_workbook import write_marked_workbook
from records.services.mending import RerunBusy, discard_rows, rerun_rows
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import FEED, penalty, person_penalty
from tests.records.feedfiles import counts, deliver, people_of_the_cast, table_bytes, take_in
from tests.records.workbooks import Book


@pytest.fixture
def people(db: None, settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = tmp_path / "media"
    return people_of_the_cast(settings)


def feed() -> Feed:
    return Feed.objects.select_related("agency", "entry").get(code=FEED)


def download(people: Cast, language: str = "zh-hans", **wanted: Any) -> Book:
    """The workbook as a spreadsheet program reads it."""
    buffer = io.BytesIO()
    rows = QuarantinedRow.objects.waiting().filter(**wanted)
    with translation.override(language):
        write_marked_workbook(user=people.clerk, feed=feed(), rows=rows, target=buffer)
    return Book.read(buffer.getvalue())


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_workbook_has_the_senders_columns_and_marks_what_is_wrong(people: Cast, language: str) -> None:
    deliver(penalty(1), penalty(2, CF_JDRQ="昨天"), penalty(3, CF_XDR_SHXYM="", CF_NR="=1+1"))
    book = download(people, language)
    assert book.header == [PROBLEM_HEADERS[language], *penalty(), ROW_HEADERS[language]]
    assert len(book.lines) == 3
    row = QuarantinedRow.objects.order_by("row_number")[0]
    with translation.override(language):
        told = sentence("not_a_date")
    assert book.lines[1][book.at("CF_JDRQ")] == "昨天"
    assert told in book.remark(1, "CF_JDRQ") and told in book.lines[1][0]
    assert book.colour(1, "CF_JDRQ") == "FFFDE3DF" and book.colour(1, "CF_NR") == ""
    assert book.lines[1][-1] == row_token(row.pk, 0)
    assert book.lines[2][book.at("CF_NR")] == "=1+1"  # a text, no formula


def test_the_workbook_as_it_was_downloaded_is_read(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"), penalty(2, CF_NR="=1+1"))
    before = list(QuarantinedRow.objects.order_by("pk").values_list("problems", "cells", "revision"))
    assert counts(take_in(download(people).content)) == {"received": 2, "quarantined": 2}
    assert list(QuarantinedRow.objects.order_by("pk").values_list("problems", "cells", "revision")) == before


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_mended_workbook_closes_what_is_right_and_leaves_the_rest(people: Cast, language: str) -> None:
    first = deliver(*(penalty(n, CF_JDRQ="昨天", CF_NR_FK="many") for n in (1, 2, 3, 4)))
    book = download(people, language)
    for line in (2, 3):
        book.mend(line - 1, "CF_NR_FK", "1")
    book.mend(1, "CF_JDRQ", "2026-05-05")
    book.mend(3, "CF_JDRQ", "2026-05-05")
    del book.lines[4]
    batch = take_in(book.saved())
    assert counts(batch) == {"received": 3, "accepted": 1, "quarantined": 2}
    assert batch.notes["unknown_columns"] == []
    one, two, three, four = QuarantinedRow.objects.order_by("row_number")
    record = CreditRecord.objects.get()
    assert (one.state, one.record, one.corrected_in) == (RowState.CORRECTED, record, batch)
    assert json.loads(one.cells or "")["CF_JDRQ"] == "2026-05-05"
    assert [p["code"] for p in two.problems] == ["not_a_date"] and json.loads(two.cells or "")["CF_NR_FK"] == "1"
    assert [p["code"] for p in three.problems] == ["not_an_amount"] and three.revision == 1
    assert (four.state, four.revision) == (RowState.OPEN, 0)
    assert QuarantinedRow.objects.count() == 4
    assert {row.batch_id for row in (two, three, four)} == {first.pk}


def test_delivering_the_same_workbook_twice_changes_nothing_more(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"), penalty(2, CF_JDRQ="昨天"))
    book = download(people)
    book.mend(1, "CF_JDRQ", "2026-05-05")
    for accepted in (1, 0):
        batch = take_in(book.saved())
        assert (batch.accepted, batch.unchanged, batch.quarantined) == (accepted, 1 - accepted, 1)
    assert sorted(QuarantinedRow.objects.values_list("state", "revision")) == [("corrected", 1), ("open", 0)]


def test_a_batch_is_corrected_once_its_last_row_is(people: Cast) -> None:
    first = deliver(penalty(1, CF_JDRQ="昨天"), penalty(2, CF_JDRQ="昨天"))
    for line in (2, 3):
        book = download(people)
        book.mend(1, "CF_JDRQ", "2026-05-05")
        batch = take_in(book.saved())
        first.refresh_from_db()
        assert (first.state == BatchState.CORRECTED) == (line == 3)
    states = set(FeedBatch.objects.values_list("state", flat=True))
    assert states == {BatchState.CORRECTED, BatchState.APPLIED} and batch.state == BatchState.APPLIED


def test_one_workbook_for_files_with_different_headers(people: Cast) -> None:
    fields = {item.code: item.name for item in feed().entry.versions.get(state="in_force").fields.all()}
    deliver(penalty(1, CF_JDRQ="昨天"))
    named = {fields.get(code, code): text for code, text in penalty(2, CF_JDRQ="昨天").items()}
    deliver({**named, "备忘": "内部"})
    book = download(people)
    assert book.header[1:-1] == [*penalty(), "备忘"]
    for line in (2, 3):
        book.mend(line - 1, "CF_JDRQ", "2026-05-05")
    batch = take_in(book.saved())
    assert counts(batch) == {"received": 2, "accepted": 2} and batch.notes["unknown_columns"] == ["备忘"]


def test_looks_at_persons_are_written_for_the_whole_workbook(people: Cast, django_assert_max_num_queries: Any) -> None:
    deliver(
        penalty(1, CF_JDRQ="昨天"), *(person_penalty(n, "林示例", PERSON_NUMBER, CF_JDRQ="昨天") for n in range(2, 22))
    )
    with django_assert_max_num_queries(25):
        download(people)
    looks = AccessLog.objects.filter(subject_ref=people.person.real_name.subject_id)
    assert looks.count() == 20 and {look.door for look in looks} == {Door.DESK}
    assert len({look.case_number for look in looks}) == 20


def test_nobody_else_gets_the_workbook(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    for who in ("other_clerk", "centre", "auditor"):
        with pytest.raises(NotPermitted):
            write_marked_workbook(
                user=getattr(people, who), feed=feed(), rows=QuarantinedRow.objects.all(), target=io.BytesIO()
            )


def test_a_row_key_of_another_feed_means_nothing(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"), feed="gs-market-penalty")
    foreign = QuarantinedRow.objects.get()
    batch = deliver({**penalty(2), ROW_HEADERS["en"]: row_token(foreign.pk, 0)})
    assert counts(batch) == {"received": 1, "accepted": 1}
    foreign.refresh_from_db()
    assert foreign.state == RowState.OPEN


def test_a_copied_row_is_set_aside_as_a_row_of_its_own(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    key = row_token(QuarantinedRow.objects.get().pk, 0)
    deliver({**penalty(1, CF_JDRQ="x"), ROW_HEADERS["en"]: key}, {**penalty(2, CF_JDRQ="x"), ROW_HEADERS["en"]: key})
    assert QuarantinedRow.objects.waiting().count() == 2


def test_a_row_closed_meanwhile_is_not_set_aside_again(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    book = download(people)
    discard_rows(user=people.clerk, rows=QuarantinedRow.objects.all(), reason="twice")
    batch = take_in(book.saved())
    assert counts(batch) == {"received": 1, "unchanged": 1}
    assert QuarantinedRow.objects.get().state == RowState.DISCARDED


def test_a_contradiction_is_not_taken_in_by_way_of_the_workbook(people: Cast) -> None:
    deliver(penalty(1), penalty(1, CF_NR="罚款两万元"))
    book = download(people)
    assert counts(take_in(book.saved())) == {"received": 1, "quarantined": 1}
    row = QuarantinedRow.objects.get()
    assert row.state == RowState.OPEN and [p["code"] for p in row.problems] == ["duplicate_in_file"]
    assert CreditRecord.objects.get().payload["CF_NR"] == penalty()["CF_NR"]
    book.mend(1, "CF_NR", penalty()["CF_NR"])
    assert counts(take_in(book.saved())) == {"received": 1, "unchanged": 1}
    row.refresh_from_db()
    assert row.state == RowState.CORRECTED


def test_cells_that_had_no_column_must_be_sorted_out_in_the_workbook_too(people: Cast) -> None:
    names, cells = list(penalty(2)), list(penalty(2).values())
    take_in(table_bytes(names, [[*cells, "zu viel"]]))
    book = download(people)
    assert book.header[-2] == "+1"
    assert counts(take_in(book.saved())) == {"received": 1, "quarantined": 1}
    assert [p["code"] for p in QuarantinedRow.objects.get().problems] == ["too_many_cells"]
    book.mend(1, "+1", "")
    assert counts(take_in(book.saved())) == {"received": 1, "accepted": 1}
    assert QuarantinedRow.objects.get().state == RowState.CORRECTED


def test_a_few_mended_rows_are_not_what_the_feed_remembers(people: Cast) -> None:
    batch = deliver(penalty(1), penalty(2, CF_JDRQ="昨天"))
    book = download(people)
    book.mend(1, "CF_JDRQ", "2026-05-05")
    take_in(book.saved())
    assert FeedMemory.objects.get(feed=feed()).batch_id == batch.pk


def test_remarks_on_cells_find_their_columns_without_the_added_ones() -> None:
    columns = MendingColumns.of([PROBLEM_HEADERS["en"], "A", "B", ROW_HEADERS["zh-hans"]])
    assert columns.without(["p", "a", "b", "k"]) == ["a", "b"]
    assert not MendingColumns.of(["A", "+1", PROBLEM_HEADERS["en"]])


def test_comments_end_where_memory_would_grow(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marked_workbook, "MOST_COMMENTS", 1)
    deliver(penalty(1, CF_JDRQ="昨天"), penalty(2, CF_JDRQ="昨天"))
    book = download(people)
    assert book.remark(1, "CF_JDRQ") and not book.remark(2, "CF_JDRQ")
    assert book.lines[2][0] and book.colour(2, "CF_JDRQ") == "FFFDE3DF"


# --- checked once more -------------------------------------------------------------------------------------------


def rerun(people: Cast, **wanted: Any) -> FeedBatch:
    batch = rerun_rows(user=people.clerk, feed=feed(), rows=QuarantinedRow.objects.filter(**wanted))
    return work_off(batch)


def test_rows_are_taken_in_once_the_codes_of_the_unit_have_changed(people: Cast) -> None:
    unit = Agency.objects.get(code="hz-market")
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Agency.objects.filter(pk=unit.pk).update(credit_code="91620100MA0000017C")
    first = deliver(penalty(1), penalty(2, CF_JDRQ="昨天"))
    assert first.quarantined == 2
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Agency.objects.filter(pk=unit.pk).update(credit_code=penalty()["CF_SJLYDM"])
    batch = rerun(people)
    assert (batch.rerun, batch.door, counts(batch)) == (
        True,
        Door.DESK,
        {"received": 2, "accepted": 1, "quarantined": 1},
    )
    right, wrong = QuarantinedRow.objects.order_by("row_number")
    assert (right.state, right.corrected_in) == (RowState.CORRECTED, batch)
    assert [p["code"] for p in wrong.problems] == ["not_a_date"]
    rerun(people)
    wrong.refresh_from_db()
    assert wrong.revision == 1  # nothing new, so nothing was written


def test_only_the_rows_of_the_filter_are_checked_again_and_none_that_need_a_person(people: Cast) -> None:
    names, cells = list(penalty(4)), list(penalty(4).values())
    deliver(penalty(1), penalty(1, CF_NR="罚款两万元"), penalty(2, CF_JDRQ="昨天"), penalty(3, CF_NR_FK="x"))
    take_in(table_bytes(names, [[*cells, "zu viel"]]))
    assert counts(rerun(people)) == {"received": 2, "quarantined": 2}
    assert counts(rerun(people, problems__contains=[{"code": "not_a_date"}])) == {"received": 1, "quarantined": 1}
    with pytest.raises(Invalid):
        rerun(people, problems__contains=[{"code": "too_many_cells"}])


def test_one_rerun_of_a_feed_at_a_time(people: Cast) -> None:
    deliver(penalty(2, CF_JDRQ="昨天"))
    waiting = rerun_rows(user=people.clerk, feed=feed(), rows=QuarantinedRow.objects.all())
    with pytest.raises(RerunBusy):
        rerun_rows(user=people.officer, feed=feed(), rows=QuarantinedRow.objects.all())
    work_off(waiting)
    assert rerun_rows(user=people.officer, feed=feed(), rows=QuarantinedRow.objects.all()).pk != waiting.pk


def test_a_feed_of_one_format_takes_back_what_the_desk_hands_in(people: Cast) -> None:
    deliver(penalty(2, CF_JDRQ="昨天"))
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Feed.objects.filter(code=FEED).update(format=FeedFormat.XLS)
    assert rerun(people).state == BatchState.PARTLY_QUARANTINED


def test_values_survive_being_checked_again_exactly(people: Cast) -> None:
    odd = "引号\"，逗号, 换行\n𠮷 'x' ="
    deliver(penalty(2, CF_JDRQ="昨天", CF_WFXW=odd))
    before = QuarantinedRow.objects.get().cells
    rerun(people)
    row = QuarantinedRow.objects.get()
    assert row.cells == before and json.loads(row.cells or "")["CF_WFXW"] == odd
