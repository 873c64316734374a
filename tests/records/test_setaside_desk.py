"""The desk of rows set aside: what its pages show to whom, and what their buttons do."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import AccessLog
from records import tasks
from records.desk import setaside_pages
from records.enums import BatchState, RowState
from records.models import CreditRecord, Feed, FeedBatch, QuarantinedRow
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import FEED, penalty, person_penalty
from tests.records.feedfiles import counts, deliver, people_of_the_cast
from tests.records.workbooks import Book

LIST = "/desk/set-aside/"


@pytest.fixture
def people(db: None, settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = tmp_path / "media"
    return people_of_the_cast(settings)


@pytest.fixture
def clerk(people: Cast, client: Client) -> Client:
    client.force_login(people.clerk)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Batches handed to a worker; none of them runs by itself."""
    handed: list[int] = []
    monkeypatch.setattr(tasks.process_batch, "delay", handed.append)
    return handed


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def lines(html: str) -> list[str]:
    return re.findall(r">Line (\d+)</a>", html)


def as_form(client: Client, row: QuarantinedRow, **values: str) -> dict[str, Any]:
    """The form of the row page as a browser would send it, with some fields mended."""
    form = client.get(reverse("desk:setaside_row", args=[row.pk])).context["form"]
    data = {field.name: field.value() for field in form if field.value() is not None and field.value() is not False}
    return {**data, **values}


# --- the list -------------------------------------------------------------------------------------------------


def test_the_list_shows_place_and_problem_and_no_cell(clerk: Client) -> None:
    secret = "不可外传"
    deliver(penalty(1), penalty(2, CF_JDRQ=secret), person_penalty(3, secret, PERSON_NUMBER[:-1] + "0"))
    before = AccessLog.objects.count()
    html = text_of(clerk, LIST)
    assert lines(html) == ["3", "4"] and "This is not a date" in html and "check digit" in html
    assert secret not in html and PERSON_NUMBER[:-1] not in html
    assert AccessLog.objects.count() == before  # nobody's data was shown


def test_rows_are_found_by_feed_batch_problem_field_age_and_state(clerk: Client, people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        own = Feed.objects.get(code=FEED)
        other = Feed.objects.create(
            code="second", name="第二", name_en="Second", agency=own.agency, entry=own.entry, rhythm="daily"
        )
    first = deliver(penalty(1, CF_JDRQ="昨天"), penalty(2, CF_NR_FK="x"))
    deliver(penalty(3, CF_JDRQ="昨天", CF_NR_FK="x"), penalty(4, CF_XDR_SHXYM=""), feed="second")
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        QuarantinedRow.objects.filter(row_number=1).update(created_at="2026-01-01T00:00Z")
        QuarantinedRow.objects.filter(line_number=3, feed=own).update(
            state=RowState.DISCARDED, closed_at="2026-01-01T00:00Z", reason="twice"
        )
    for asked, found in {
        "": 3, f"?feed={other.pk}": 2, f"?batch={first.pk}": 1, "?code=not_a_date": 2, "?field=CF_NR_FK": 1,
        "?field=CF_JDRQ&code=not_an_amount": 0, "?age=7": 2, "?state=discarded": 1, "?state=rejected": 0,
        "?feed=x&batch=%00&age=9&state=y&code=z&after=-1": 3,
    }.items():  # fmt: skip
        assert len(lines(text_of(clerk, LIST + asked))) == found, asked


def test_chips_count_rows_per_problem_and_lead_to_them(clerk: Client) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"), penalty(2, CF_JDRQ="昨天"), penalty(3, CF_NR_FK="x"))
    response = clerk.get(LIST)
    assert [(code, number) for code, _text, number, _address in response.context["chips"]] == [
        ("not_a_date", 2),
        ("not_an_amount", 1),
    ]
    assert response.context["total"] == 3 and not response.context["capped"]
    assert len(lines(text_of(clerk, LIST + response.context["chips"][1][3]))) == 1


def test_pages_follow_each_other_by_key(clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setaside_pages, "PAGE", 2)
    deliver(*(penalty(n, CF_JDRQ="昨天") for n in range(1, 6)))
    address, seen = LIST, []
    while address:
        response = clerk.get(address)
        seen += lines(response.content.decode())
        address = LIST + response.context["next"] if response.context["next"] else ""
    assert seen == ["2", "3", "4", "5", "6"]


def test_the_list_costs_the_same_for_few_rows_and_for_many(clerk: Client, django_assert_max_num_queries: Any) -> None:
    for number in (1, 45):
        deliver(*(penalty(n + 100 * number, CF_JDRQ="昨天") for n in range(number)))
        with django_assert_max_num_queries(16):
            text_of(clerk, LIST)


def test_filters_of_waiting_rows_have_indexes(people: Cast) -> None:
    deliver(*(penalty(number, CF_JDRQ="昨天") for number in range(1, 60)))
    rows = QuarantinedRow.objects.waiting().order_by("pk")
    with connection.cursor() as cursor:  # what other tests left behind in the files of the table says nothing here
        cursor.execute("ANALYZE records_quarantinedrow; SET LOCAL enable_seqscan TO off")
    assert "row_waiting" in rows.filter(feed=1).explain()
    assert "row_waiting_problem" in {index.name for index in QuarantinedRow._meta.indexes}


def test_the_centre_counts_and_sees_no_row(people: Cast, client: Client) -> None:
    deliver(person_penalty(1, "林示例", PERSON_NUMBER, CF_JDRQ="昨天"))
    deliver(penalty(2, CF_JDRQ="昨天"), feed="gs-market-penalty")
    client.force_login(people.centre)
    response = client.get(LIST)
    html = response.content.decode()
    counted = {(feed.code, code, number) for feed, code, _text, number in response.context["counts"]}
    assert counted == {(FEED, "not_a_date", 1)}, "of its own place alone"
    assert "林示例" not in html and PERSON_NUMBER not in html and "/desk/set-aside/1" not in html
    agency = Feed.objects.get(code=FEED).agency_id
    assert len(client.get(f"{LIST}?agency={agency}").context["counts"]) == 1
    row = QuarantinedRow.objects.all()[0]
    assert client.get(reverse("desk:setaside_row", args=[row.pk])).status_code == 403
    assert client.get(reverse("desk:setaside_workbook")).status_code == 403


@pytest.mark.parametrize("who", ["other_clerk", "auditor", "editor", "operator", "security"])
def test_nobody_else_sees_a_row(people: Cast, client: Client, who: str) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    row = QuarantinedRow.objects.get()
    client.force_login(getattr(people, who))
    listed = client.get(LIST)
    assert listed.status_code == 403 or listed.context["rows"] == []
    assert client.get(reverse("desk:setaside_row", args=[row.pk])).status_code in (403, 404)
    feed = Feed.objects.get(code=FEED).pk
    assert client.get(reverse("desk:setaside_workbook") + f"?feed={feed}").status_code in (403, 404)
    for do in ("discard", "discard_all", "take_back", "rerun"):
        client.post(reverse("desk:setaside_act"), {"feed": feed, "do": do, "row": row.pk, "reason": "x"})
    row.refresh_from_db()
    assert row.state == RowState.OPEN and FeedBatch.objects.count() == 1


# --- one row ----------------------------------------------------------------------------------------------------


def test_the_row_page_shows_every_field_with_what_was_delivered_and_what_is_wrong(clerk: Client) -> None:
    deliver(penalty(2, CF_JDRQ="昨天", CF_CFLB="罚款;胡说"))
    row = QuarantinedRow.objects.get()
    response = clerk.get(reverse("desk:setaside_row", args=[row.pk]))
    html = response.content.decode()
    assert {field.bound.name for field in response.context["wrong"]} == {"CF_JDRQ", "CF_CFLB"}
    named = {field.bound.name for field in [*response.context["wrong"], *response.context["others"]]}
    assert named == set(row.feed.entry.versions.get(state="in_force").fields.values_list("code", flat=True))
    assert 'value="昨天"' in html and "罚款;胡说" in html and "This is not a date" in html


def test_a_look_at_the_row_of_a_person_stands_in_the_ledger(clerk: Client, people: Cast) -> None:
    deliver(person_penalty(2, "林示例", PERSON_NUMBER, CF_JDRQ="昨天"))
    row = QuarantinedRow.objects.get()
    text_of(clerk, reverse("desk:setaside_row", args=[row.pk]))
    look = AccessLog.objects.latest("pk")
    assert (look.subject_ref, look.actor, look.door) == (
        people.person.real_name.subject_id, people.clerk, Door.DESK,
    )  # fmt: skip


def test_mended_in_place_and_told_where_the_record_is(clerk: Client) -> None:
    deliver(penalty(2, CF_JDRQ="昨天", CF_CFLB="罚款;胡说", CF_NR_FK="many"))
    row = QuarantinedRow.objects.get()
    page = reverse("desk:setaside_row", args=[row.pk])
    half = clerk.post(page, as_form(clerk, row, CF_JDRQ="2026-05-05"), follow=True)
    assert "Something is still wrong" in half.content.decode()
    row.refresh_from_db()
    assert {p["field"] for p in row.problems} == {"CF_CFLB", "CF_NR_FK"}  # words nobody chose anew stay as they were
    whole = clerk.post(page, as_form(clerk, row, CF_CFLB=["fine"], CF_NR_FK="1"), follow=True)  # type: ignore[arg-type]
    record = CreditRecord.objects.get()
    assert reverse("admin:records_creditrecord_change", args=[record.pk]) in whole.content.decode()
    assert record.effects == ["fine"]
    html = clerk.get(page).content.decode()
    assert "changed: " in html and "Fine (10,000 yuan)" in html


def test_two_people_at_one_row(clerk: Client, people: Cast) -> None:
    deliver(penalty(2, CF_JDRQ="昨天", CF_NR_FK="many"))
    row = QuarantinedRow.objects.get()
    page = reverse("desk:setaside_row", args=[row.pk])
    late = as_form(clerk, row, CF_NR_FK="77")
    clerk.post(page, as_form(clerk, row, CF_JDRQ="2026-05-05"))
    told = clerk.post(page, late)
    html = told.content.decode()
    assert told.status_code == 409 and "Somebody else has worked on this row" in html and 'value="77"' in html
    row.refresh_from_db()
    assert "77" not in (row.cells or "")
    clerk.post(page, as_form(clerk, row, CF_NR_FK="1"))
    assert clerk.post(page, late).status_code == 409  # taken in meanwhile
    assert CreditRecord.objects.get().payload["CF_NR_FK"] == "1"


def test_a_contradiction_asks_whether_somebody_looked(clerk: Client) -> None:
    deliver(penalty(1), penalty(1, CF_NR="罚款两万元"))
    row = QuarantinedRow.objects.get()
    page = reverse("desk:setaside_row", args=[row.pk])
    clerk.post(page, as_form(clerk, row))
    assert CreditRecord.objects.get().payload["CF_NR"] == penalty()["CF_NR"]
    row.refresh_from_db()
    clerk.post(page, as_form(clerk, row, **{"act-confirmed": "on"}))
    assert CreditRecord.objects.get().payload["CF_NR"] == "罚款两万元"


# --- buttons -----------------------------------------------------------------------------------------------------


def test_rows_are_discarded_one_by_one_or_all_of_a_filter_and_wait_again(clerk: Client) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"), penalty(2, CF_JDRQ="昨天"), penalty(3, CF_NR_FK="x"))
    one, two, three = QuarantinedRow.objects.order_by("row_number")
    act = reverse("desk:setaside_act")
    assert "Please give the reason" in clerk.post(act, {"do": "discard", "row": one.pk}, follow=True).content.decode()
    clerk.post(act, {"do": "discard", "row": one.pk, "reason": "twice"})
    assert list(QuarantinedRow.objects.waiting()) == [two, three]
    clerk.post(act, {"do": "discard_all", "code": "not_a_date", "reason": "twice"})
    assert list(QuarantinedRow.objects.waiting()) == [three]
    clerk.post(act, {"do": "take_back", "row": [one.pk, two.pk], "state": "discarded"})
    assert QuarantinedRow.objects.waiting().count() == 3


def test_a_rerun_is_a_batch_with_a_receipt(
    clerk: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    feed = Feed.objects.get(code=FEED).pk
    with django_capture_on_commit_callbacks(execute=True):
        response = clerk.post(reverse("desk:setaside_act"), {"do": "rerun", "feed": feed}, follow=True)
    batch = FeedBatch.objects.latest("pk")
    assert queued == [batch.pk] and "checked once more" in response.content.decode()
    assert "rerun.csv" not in response.content.decode()
    busy = clerk.post(reverse("desk:setaside_act"), {"do": "rerun", "feed": feed}, follow=True).content.decode()
    assert "being checked once more already" in busy
    assert tasks.process_batch.apply(args=[batch.pk]).get() == BatchState.PARTLY_QUARANTINED


def test_the_workbook_goes_out_and_comes_back(
    clerk: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    first = deliver(penalty(1, CF_JDRQ="昨天"), penalty(2, CF_NR_FK="x"))
    feed = Feed.objects.get(code=FEED).pk
    answer = clerk.get(reverse("desk:setaside_workbook") + f"?code=not_a_date&feed={feed}")
    assert "no-store" in answer.headers["Cache-Control"] and FEED in answer.headers["Content-Disposition"]
    book = Book.read(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert len(book.lines) == 2
    book.mend(1, "CF_JDRQ", "2026-05-05")
    for file, told in (({}, "Choose the workbook"), ({"file": SimpleUploadedFile("m.xlsx", book.saved())}, "Receipt")):
        with django_capture_on_commit_callbacks(execute=True):
            response = clerk.post(reverse("desk:setaside_upload"), {"feed": feed, **file}, follow=True)
        assert told in response.content.decode()
    batch = FeedBatch.objects.latest("pk")
    assert queued == [batch.pk] and batch.door == Door.DESK
    tasks.process_batch.apply(args=[batch.pk])
    batch.refresh_from_db()
    assert counts(batch) == {"received": 1, "accepted": 1}
    receipt = text_of(clerk, reverse("desk:delivery", args=[first.pk]))
    assert f"{LIST}?batch={first.pk}" in receipt
    assert re.search(r"set aside: <b>1</b> · corrected: <b>1</b>", receipt)


def test_the_first_page_of_staff_leads_to_the_desk(clerk: Client) -> None:
    deliver(penalty(1, CF_JDRQ="昨天"))
    for page in ("admin:index", "desk:home"):
        assert f'href="{LIST}"' in text_of(clerk, reverse(page))
