"""Rows of a delivery that an earlier one set aside: every one is told with its reason, and the state follows them."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.enums import BatchState, RowState
from records.feeds.not_accepted import not_accepted
from records.models import CreditRecord, Entitlement, FeedBatch, QuarantinedRow, RepeatedRow
from records.services.correction import correct_record, mark_of
from records.services.mending import discard_rows, mend_row
from tests.cast import Cast
from tests.deliveries import penalty
from tests.records.feedfiles import counts, deliver, people_of_the_cast, take_in
from tests.records.test_setaside_workbook import download


@pytest.fixture
def people(db: None, settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = tmp_path / "media"
    return people_of_the_cast(settings)


@pytest.fixture
def clerk(people: Cast, client: Client) -> Client:
    client.force_login(people.clerk)
    client.cookies["django_language"] = "en"
    return client


def told(batch: FeedBatch) -> list[tuple[int, int, list[str]]]:
    return [(one.line, one.row.batch_id, [p["code"] for p in one.problems]) for one in not_accepted(batch, limit=10)]


def mend(people: Cast, row: QuarantinedRow, **values: str) -> QuarantinedRow:
    cells = json.loads(row.cells or "{}")
    return mend_row(user=people.clerk, row=row, values={**cells, **values}, seen=row.revision)


def test_a_change_in_an_old_workbook_is_told_and_not_lost(people: Cast, clerk: Client) -> None:
    deliver(*(penalty(n, CF_JDRQ="昨天") for n in (1, 2)))
    book = download(people)
    for line in (1, 2):
        book.mend(line, "CF_JDRQ", "2026-05-05")
    assert counts(take_in(book.saved())) == {"received": 2, "accepted": 2}
    assert take_in(book.saved()).unchanged == 2
    book.mend(2, "CF_NR_FK", "9")
    batch = take_in(book.saved())
    assert (counts(batch), batch.problems) == (
        {"received": 2, "unchanged": 1, "quarantined": 1},
        {"mended_before": 1},
    )
    row = QuarantinedRow.objects.get(row_number=2)
    assert told(batch) == [(3, row.batch_id, ["mended_before"])] and batch.state == BatchState.PARTLY_QUARANTINED
    html = clerk.get(reverse("desk:delivery", args=[batch.pk])).content.decode()
    assert "was mended or discarded before" in html
    assert reverse("admin:records_creditrecord_change", args=[row.record_id]) in html


def test_once_the_record_is_corrected_the_delivery_that_contradicted_it_is_at_its_end(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    book = download(people)
    book.mend(1, "CF_JDRQ", "2026-05-05")
    take_in(book.saved())
    book.mend(1, "CF_NR_FK", "9")
    batch = take_in(book.saved())
    assert batch.state == BatchState.PARTLY_QUARANTINED
    record = CreditRecord.objects.get()
    entitlement = Entitlement.objects.get(agency=record.agency_id, entry=record.entry_id)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        assign_perm("records.enter_records", people.clerk, entitlement)
        # A test is one transaction, whose time a change of a record bears: the file was delivered before it.
        RepeatedRow.objects.update(created_at="2026-01-01T00:00Z")
    said = {**penalty(1), "CF_JDRQ": "2026-05-05", "CF_NR_FK": "9"}
    correct_record(user=people.clerk, record=record, values=said, reason="as mended", seen=mark_of(record))
    batch.refresh_from_db()
    assert batch.state == BatchState.CORRECTED and take_in(book.saved()).unchanged == 1


def test_other_names_of_columns_and_a_row_mended_at_its_source_are_no_contradiction(people: Cast) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    book = download(people)
    book.mend(1, "CF_JDRQ", "2026-05-05")
    deliver(penalty(1, CF_JDRQ="2026-05-05"))  # closes the row, whose cells stay as they were
    assert QuarantinedRow.objects.get().state == RowState.CORRECTED
    assert counts(take_in(book.saved())) == {"received": 1, "unchanged": 1}


def test_the_same_file_again_lists_the_rows_of_the_first_and_follows_their_state(people: Cast, clerk: Client) -> None:
    wrong = penalty(2, CF_JDRQ="昨天")
    first = deliver(penalty(1), wrong)
    again = deliver(penalty(3), penalty(4), wrong)
    assert counts(again) == {"received": 3, "accepted": 2, "quarantined": 1}
    assert told(again) == [(4, first.pk, ["not_a_date"])]
    page = clerk.get(reverse("desk:setaside"), {"batch": again.pk}).content.decode()
    assert "Line 3" in page
    receipt = clerk.get(reverse("desk:delivery", args=[again.pk])).content.decode()
    assert "Rows that still wait: 1" in receipt and f"line 3 of delivery {first.pk}" in receipt
    mend(people, QuarantinedRow.objects.get(), CF_JDRQ="2026-05-05")
    again.refresh_from_db()
    assert again.state == BatchState.CORRECTED
    receipt = clerk.get(reverse("desk:delivery", args=[again.pk])).content.decode()
    assert "none waits any more" in receipt and "✓</span> corrected" in receipt


def test_a_workbook_with_one_row_still_wrong_lists_it(people: Cast) -> None:
    first = deliver(*(penalty(n, CF_JDRQ="昨天") for n in (1, 2)))
    book = download(people)
    book.mend(1, "CF_JDRQ", "2026-05-05")
    batch = take_in(book.saved())
    assert told(batch) == [(3, first.pk, ["not_a_date"])] and batch.state == BatchState.PARTLY_QUARANTINED
    discard_rows(user=people.clerk, rows=QuarantinedRow.objects.waiting(), reason="twice")
    batch.refresh_from_db()
    assert batch.state == BatchState.CORRECTED


def test_a_wrong_row_that_stands_twice_in_a_file_is_told_twice(people: Cast) -> None:
    batch = deliver(penalty(1, CF_JDRQ="昨天"), penalty(1, CF_JDRQ="昨天"))
    assert batch.quarantined == 2 == len(told(batch)) and QuarantinedRow.objects.count() == 1
    assert RepeatedRow.objects.get().line_number == 3


def test_a_batch_without_notes_on_its_repeats_follows_once_nothing_waits(people: Cast) -> None:
    wrong = penalty(2, CF_JDRQ="昨天")
    deliver(wrong)
    again = deliver(penalty(1), wrong)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        RepeatedRow.objects.all().delete()
    mend(people, QuarantinedRow.objects.get(), CF_JDRQ="2026-05-05")
    again.refresh_from_db()
    assert again.state == BatchState.CORRECTED
