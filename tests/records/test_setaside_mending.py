"""Rows set aside are mended in place: through the pipeline, never past somebody else, never past another's record."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.models import StepEvent
from records.enums import BatchState, RowState
from records.models import CreditRecord, FeedBatch, QuarantinedRow, Subject
from records.services.mending import BatchClosed, RowChanged, discard_rows, mend_row, take_back
from records.workflows.feed_batch import FEED_BATCH
from tests.cast import MINOR_NUMBER, PERSON_NUMBER, Cast
from tests.deliveries import penalty, person_penalty
from tests.records.feedfiles import assert_adds_up, counts, deliver, people_of_the_cast, table_bytes, take_in


@pytest.fixture
def people(db: None, settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = tmp_path / "media"
    return people_of_the_cast(settings)


def said(row: QuarantinedRow, **values: str) -> dict[str, str]:
    """The values of the form of a row whose columns are named by code, some of them mended."""
    return {**json.loads(row.cells or "{}"), **values}


def codes(row: QuarantinedRow) -> set[tuple[str, str]]:
    return {(problem["field"], problem["code"]) for problem in row.problems}


def test_a_mended_row_is_taken_in_by_a_batch_of_its_own(people: Cast) -> None:
    batch = deliver(penalty(1), penalty(2, CF_JDRQ="昨天"))
    row = QuarantinedRow.objects.get()
    mended = mend_row(user=people.clerk, row=row, values=said(row, CF_JDRQ=penalty()["CF_JDRQ"]), seen=0)
    record = CreditRecord.objects.get(document_number=penalty(2)["CF_WSH"])
    assert (mended.state, mended.record_id, mended.closed_by) == (RowState.CORRECTED, record.pk, people.clerk)
    own = FeedBatch.objects.get(pk=record.batch_id)
    assert mended.corrected_in == own and own.door == Door.DESK and own.submitted_by == people.clerk
    assert (counts(own), own.state) == ({"received": 1, "accepted": 1}, BatchState.APPLIED)
    assert_adds_up(batch)
    assert counts(batch) == {"received": 2, "accepted": 1, "quarantined": 1}  # what the delivery came to stays said
    assert batch.state == BatchState.CORRECTED
    with audit.context(actor=people.clerk, door=Door.DESK, reason="test"):
        assert FEED_BATCH.take("close", batch, user=people.clerk).state == BatchState.CLOSED


def test_history_says_who_mended_which_columns_and_keeps_the_old_cells_sealed(people: Cast) -> None:
    deliver(penalty(2, CF_JDRQ="昨天"))
    row = QuarantinedRow.objects.get()
    mend_row(user=people.clerk, row=row, values=said(row, CF_JDRQ="2026-05-05"), seen=0)
    history: Any = apps.get_model("records", "QuarantinedRowEvent")
    events = list(history.objects.filter(pgh_obj_id=row.pk))
    assert {event.pgh_context["actor"] for event in events} == {people.clerk.pk}
    assert {event.pgh_context["reason"] for event in events} == {"row set aside mended: CF_JDRQ"}
    assert "昨天" in events[0].cells


def test_a_row_that_is_still_wrong_keeps_what_was_typed(people: Cast) -> None:
    batch = deliver(penalty(2, CF_JDRQ="昨天", CF_NR_FK="many"))
    row = QuarantinedRow.objects.get()
    before = FeedBatch.objects.count()
    mended = mend_row(user=people.clerk, row=row, values=said(row, CF_NR_FK="2"), seen=0)
    assert (mended.state, mended.revision, codes(mended)) == (RowState.OPEN, 1, {("CF_JDRQ", "not_a_date")})
    assert json.loads(mended.cells or "")["CF_NR_FK"] == "2"
    assert FeedBatch.objects.count() == before and not CreditRecord.objects.exists()
    batch.refresh_from_db()
    assert batch.state == BatchState.PARTLY_QUARANTINED
    again = deliver(penalty(2, CF_JDRQ="昨天", CF_NR_FK="many"))  # the row as first delivered is still known
    assert counts(again) == {"received": 1, "quarantined": 1} and QuarantinedRow.objects.count() == 1


def test_the_second_of_two_people_is_told(people: Cast) -> None:
    deliver(penalty(2, CF_JDRQ="昨天", CF_NR_FK="many"))
    row = QuarantinedRow.objects.get()
    mend_row(user=people.clerk, row=row, values=said(row, CF_NR_FK="2"), seen=0)
    with pytest.raises(RowChanged):
        mend_row(user=people.officer, row=row, values=said(row, CF_NR_FK="3"), seen=0)
    row.refresh_from_db()
    assert json.loads(row.cells or "")["CF_NR_FK"] == "2"


@pytest.mark.parametrize("who", ["other_clerk", "centre", "auditor", "operator"])
def test_nobody_else_mends_or_discards_a_row(people: Cast, who: str) -> None:
    deliver(penalty(2, CF_JDRQ="昨天"))
    row, user = QuarantinedRow.objects.get(), getattr(people, who)
    with pytest.raises(NotPermitted):
        mend_row(user=user, row=row, values=said(row, CF_JDRQ="2026-05-05"), seen=0)
    assert discard_rows(user=user, rows=QuarantinedRow.objects.all(), reason="not ours") == 0
    with pytest.raises(NotPermitted):
        take_back(user=user, row=row)


def test_a_mended_row_that_may_not_be_kept_loses_its_cells(people: Cast) -> None:
    deliver(person_penalty(2, "小示例", MINOR_NUMBER[:-1] + "0"))
    row = QuarantinedRow.objects.get()
    mended = mend_row(user=people.clerk, row=row, values=said(row, CF_XDR_ZJHM=MINOR_NUMBER), seen=0)
    assert (mended.state, mended.cells) == (RowState.REJECTED, None)


# --- rows that say otherwise than what is on file ----------------------------------------------------------


def test_a_contradiction_is_taken_in_only_by_somebody_who_looked_at_the_decision(people: Cast) -> None:
    deliver(penalty(1), penalty(1, CF_NR="罚款两万元"))
    row = QuarantinedRow.objects.get()
    assert codes(row) == {("", "duplicate_in_file")}
    unlooked = mend_row(user=people.clerk, row=row, values=said(row), seen=0)
    assert unlooked.state == RowState.OPEN and codes(unlooked) == {("", "duplicate_in_file")}
    assert CreditRecord.objects.get().payload["CF_NR"] == penalty()["CF_NR"]
    looked = mend_row(user=people.clerk, row=row, values=said(row), seen=unlooked.revision, confirmed=True)
    assert looked.state == RowState.CORRECTED
    assert CreditRecord.objects.get().payload["CF_NR"] == "罚款两万元"


def test_a_person_on_file_is_never_renamed(people: Cast) -> None:
    """The name came from another unit, perhaps: the number or the name of this row is mended, or it goes on waiting."""
    deliver(person_penalty(2, "林别名", PERSON_NUMBER))
    row = QuarantinedRow.objects.get()
    assert codes(row) == {("", "name_differs")}
    waiting = mend_row(user=people.clerk, row=row, values=said(row), seen=0, confirmed=True)
    assert waiting.state == RowState.OPEN
    assert Subject.objects.get(pk=people.person.real_name.subject_id).name_sealed == "林示例"
    mended = mend_row(user=people.clerk, row=row, values=said(row, CF_XDR_MC="林示例"), seen=waiting.revision)
    assert mended.state == RowState.CORRECTED


def test_cells_without_a_column_are_sorted_out_by_a_person(people: Cast) -> None:
    header, cells = list(penalty(2)), list(penalty(2).values())
    batch = take_in(table_bytes(header, [[*cells, "zu viel"]]))
    row = QuarantinedRow.objects.get(batch=batch)
    mended = mend_row(user=people.clerk, row=row, values=penalty(2), seen=0)
    assert mended.state == RowState.CORRECTED and "+1" not in json.loads(mended.cells or "")


def test_a_field_without_a_column_gets_one(people: Cast) -> None:
    deliver({k: v for k, v in penalty(2, CF_JDRQ="昨天").items() if k != "CF_FRDB"})
    row = QuarantinedRow.objects.get()
    mended = mend_row(user=people.clerk, row=row, values=penalty(2), seen=0)
    assert mended.state == RowState.CORRECTED
    assert penalty(2)["CF_FRDB"] in json.loads(mended.cells or "").values()


# --- discarding ----------------------------------------------------------------------------------------------


def test_discarding_names_its_reason_and_can_be_undone(people: Cast) -> None:
    batch = deliver(penalty(1), penalty(2, CF_JDRQ="昨天"), penalty(3, CF_JDRQ="昨天"))
    rows = QuarantinedRow.objects.all()
    with pytest.raises(Invalid):
        discard_rows(user=people.clerk, rows=rows, reason=" ")
    assert discard_rows(user=people.clerk, rows=rows, reason="林示例 说重复了") == 2
    batch.refresh_from_db()
    assert batch.state == BatchState.CORRECTED
    row = rows.order_by("pk")[0]
    assert (row.state, row.reason, row.closed_by) == (RowState.DISCARDED, "林示例 说重复了", people.clerk)
    deliver(penalty(2, CF_JDRQ="昨天"))  # discarded is discarded
    assert QuarantinedRow.objects.count() == 2 and not rows.waiting().exists()
    take_back(user=people.clerk, row=row)
    row.refresh_from_db()
    batch.refresh_from_db()
    assert (row.state, row.reason, batch.state) == (RowState.OPEN, None, BatchState.PARTLY_QUARANTINED)
    assert list(StepEvent.objects.filter(case_ref=batch.pk).values_list("step", flat=True))[-2:] == [
        "correct",
        "reopen",
    ]


def test_a_row_of_a_closed_delivery_does_not_wait_again(people: Cast) -> None:
    batch = deliver(penalty(2, CF_JDRQ="昨天"))
    discard_rows(user=people.clerk, rows=QuarantinedRow.objects.all(), reason="twice")
    with audit.context(actor=people.clerk, door=Door.DESK, reason="test"):
        FEED_BATCH.take("close", batch, user=people.clerk)
    with pytest.raises(BatchClosed):
        take_back(user=people.clerk, row=QuarantinedRow.objects.get())


# --- mended at the source ---------------------------------------------------------------------------------------


def test_a_row_mended_at_the_source_closes_the_one_that_waits(people: Cast) -> None:
    deliver(penalty(1), penalty(2, CF_JDRQ="昨天"), penalty(3, CF_JDRQ="昨天"))
    batch = deliver(penalty(1), penalty(2), penalty(3, CF_JDRQ="昨天"))
    assert counts(batch) == {"received": 3, "accepted": 1, "unchanged": 1, "quarantined": 1}
    closed, waiting = QuarantinedRow.objects.order_by("row_number")
    assert (closed.state, closed.corrected_in) == (RowState.CORRECTED, batch)
    assert closed.record == CreditRecord.objects.get(document_number=penalty(2)["CF_WSH"])
    assert waiting.state == RowState.OPEN


def test_a_good_row_does_not_close_the_contradiction_beside_it(people: Cast) -> None:
    for _time in range(2):
        deliver(penalty(1), penalty(1, CF_NR="罚款两万元"))
    assert QuarantinedRow.objects.get().state == RowState.OPEN
