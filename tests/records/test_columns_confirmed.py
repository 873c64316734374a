"""Headers nobody knows: asked once, remembered for the feed, never taken in silently and never dropped silently."""

import datetime
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.models import AccessLog
from records import tasks
from records.enums import BatchState, ColumnFate, Required
from records.models import CreditRecord, EntryField, Feed, FeedBatch, QuarantinedRow
from records.services import columns, inbox
from records.services.columns import confirm_columns
from records.services.feeds import cancel_batch, folder, give_up_waiting, receive_file, work_off
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import FEED, penalty, person_penalty
from tests.records.feedfiles import csv_bytes, people_of_the_cast
from tests.records.feedfiles import take_in as in_short

ODD = {"CF_JDRQ": "决定的日子（处罚）", "CF_NR": "怎么罚的"}
SERIAL = "内部序号"


def renamed(row: dict[str, str], names: dict[str, str], **more: str) -> dict[str, str]:
    return {**{names.get(code, code): text for code, text in row.items()}, **more}


def odd_file(*numbers: int) -> bytes:
    return csv_bytes([renamed(penalty(number), ODD, **{SERIAL: "7"}) for number in numbers])


def given(content: bytes, feed: str = FEED) -> FeedBatch:
    wanted = Feed.objects.get(code=feed)
    batch = receive_file(feed=wanted, blocks=[content], file_name="delivery", door=Door.COMMAND)
    return work_off(batch)


def fates(batch: FeedBatch) -> dict[str, tuple[str, str]]:
    return {column["header"]: (column["fate"], column["field"]) for column in batch.columns}


ANSWER = {"决定的日子（处罚）": "CF_JDRQ", "怎么罚的": "CF_NR", SERIAL: ""}


def test_a_file_whose_required_columns_are_not_known_waits_with_a_proposal(cast: Cast) -> None:
    batch = given(odd_file(1))
    assert (batch.state, batch.received, CreditRecord.objects.count()) == (BatchState.MAPPING, 0, 0)
    assert (folder() / batch.stored_as).exists()
    found = fates(batch)
    assert found["CF_XDR_MC"] == (ColumnFate.NAME, "CF_XDR_MC")
    assert found[SERIAL][0] in {ColumnFate.UNKNOWN, ColumnFate.PROPOSED}
    assert {column["header"]: column["filled"] for column in batch.columns}["CF_FRDB"] is True
    assert {column["header"]: column["filled"] for column in batch.columns}["CF_XDR_ZJHM"] is False


def test_a_proposal_is_never_taken_for_an_answer(cast: Cast) -> None:
    batch = given(csv_bytes([renamed(penalty(1), {"CF_JDRQ": "处罚的决定日期"})]))
    assert fates(batch)["处罚的决定日期"] == (ColumnFate.PROPOSED, "CF_JDRQ")
    assert (batch.state, CreditRecord.objects.count()) == (BatchState.MAPPING, 0)


def test_once_confirmed_the_file_goes_on_and_the_next_one_passes_without_a_question(cast: Cast) -> None:
    waiting = given(odd_file(1, 2))
    (going_on,) = confirm_columns(feed=waiting.feed, choices=ANSWER, user=cast.clerk, batch=waiting)
    assert (going_on.pk, going_on.state) == (waiting.pk, BatchState.RECEIVED)
    done = work_off(going_on)
    assert (done.state, done.accepted) == (BatchState.APPLIED, 2)
    assert fates(done)[SERIAL] == (ColumnFate.IGNORED, "") and done.notes["unknown_columns"] == []
    assert not (folder() / done.stored_as).exists()
    assert Feed.objects.get(code=FEED).mapping == ANSWER
    later = given(odd_file(3))
    assert (later.state, later.accepted) == (BatchState.APPLIED, 1)


FINED = {"CF_CFLB1": "罚款", "CF_NR": "罚款"}


def test_a_fine_in_yuan_is_no_fine_in_ten_thousands(cast: Cast) -> None:
    row = renamed(penalty(1, **FINED, CF_NR_FK="5,000"), {"CF_NR_FK": "罚款金额（元）"})
    batch = given(csv_bytes([row]))
    assert (batch.state, batch.accepted) == (BatchState.APPLIED, 1), batch.problems
    assert CreditRecord.objects.get().payload["CF_NR_FK"] == "0.5"


def test_a_fine_in_nobody_knows_what_is_asked_about(cast: Cast) -> None:
    batch = given(csv_bytes([renamed(penalty(1, **FINED, CF_NR_FK="5"), {"CF_NR_FK": "罚款金额"})]))
    assert (batch.state, CreditRecord.objects.count()) == (BatchState.MAPPING, 0)
    confirm_columns(feed=batch.feed, choices={"罚款金额": "CF_NR_FK"}, user=cast.clerk, batch=batch)
    assert work_off(batch).accepted == 1
    assert CreditRecord.objects.get().payload["CF_NR_FK"] == "5"


def test_every_file_that_waits_for_the_same_answer_goes_on(cast: Cast) -> None:
    first, second = given(odd_file(1)), given(odd_file(2))
    assert {b.pk for b in confirm_columns(feed=first.feed, choices=ANSWER, user=cast.clerk)} == {first.pk, second.pk}


def test_an_answer_that_cannot_be_followed_is_not_remembered(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = given(odd_file(1))
    monkeypatch.setattr(columns, "FEED_BATCH", Busy())
    with pytest.raises(Conflict):
        confirm_columns(feed=waiting.feed, choices=ANSWER, user=cast.clerk, batch=waiting)
    assert Feed.objects.get(code=FEED).mapping == {}


class Busy:
    """A procedure in which somebody was always first."""

    def take(self, *_given: object, **_data: object) -> FeedBatch:
        raise Conflict


def test_a_file_that_is_cancelled_at_the_same_moment_holds_nobody_up(policy: None) -> None:
    first, second = waiting_file(1), waiting_file(2)
    taken = threading.Event()

    def cancel() -> None:
        with audit.context(actor=None, door=Door.COMMAND, reason="test"):
            cancel_batch(batch=first, user=None)
            taken.set()
            time.sleep(1)  # so long the other waits for the row
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(cancel)
        assert taken.wait(10)
        with audit.context(actor=None, door=Door.COMMAND, reason="test"):
            going_on = confirm_columns(feed=first.feed, choices=ANSWER, user=None)
        done.result()
    assert [batch.pk for batch in going_on] == [second.pk]
    first.refresh_from_db()
    assert first.state == BatchState.CANCELLED


def test_the_same_file_again_joins_the_one_that_waits(cast: Cast) -> None:
    assert given(odd_file(1)).pk == given(odd_file(1)).pk
    assert len(list(folder().iterdir())) >= 1 and FeedBatch.objects.count() == 1


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"怎么罚的": "CF_NR"}, "required_without_column"),
        ({**ANSWER, "CF_WSH": ""}, "required_without_column"),
        ({**ANSWER, SERIAL: "NO_SUCH_FIELD"}, "field_unknown"),
        ({**ANSWER, SERIAL: "CF_NR"}, "field_twice"),
    ],
)
def test_an_answer_that_is_none_changes_nothing(cast: Cast, choices: dict[str, str], code: str) -> None:
    waiting = given(odd_file(1))
    with pytest.raises(Invalid) as refused:
        confirm_columns(feed=waiting.feed, choices=choices, user=cast.clerk, batch=waiting)
    assert [problem.code for problem in refused.value.problems] == [code]
    assert Feed.objects.get(code=FEED).mapping == {}
    assert FeedBatch.objects.get().state == BatchState.MAPPING


def test_another_unit_answers_nothing(cast: Cast) -> None:
    waiting = given(odd_file(1))
    with pytest.raises(NotPermitted):
        confirm_columns(feed=waiting.feed, choices=ANSWER, user=cast.other_clerk, batch=waiting)


def test_merely_unknown_columns_are_shown_and_do_not_stop_a_file(cast: Cast) -> None:
    batch = given(csv_bytes([{**penalty(1), SERIAL: "7"}]))
    assert (batch.state, batch.notes["unknown_columns"]) == (BatchState.APPLIED, [SERIAL])


def test_a_row_of_data_in_the_place_of_a_header_is_refused_and_kept_nowhere(cast: Cast) -> None:
    rows = [list(person_penalty(1, "林示例", PERSON_NUMBER).values())] * 2
    batch = given("\n".join(",".join(row) for row in rows).encode())
    assert (batch.state, batch.error_code) == (BatchState.REFUSED, "wrong_header") or batch.error_code == (
        "duplicate_header"
    )
    assert PERSON_NUMBER not in json.dumps([batch.columns, batch.notes], ensure_ascii=False)


def test_a_file_that_nobody_answers_for_two_weeks_goes(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    batch = given(odd_file(1))
    assert give_up_waiting() == 0
    FeedBatch.objects.update(received_at=timezone.now() - datetime.timedelta(days=15))
    with django_capture_on_commit_callbacks(execute=True):
        assert give_up_waiting() == 1
    batch.refresh_from_db()
    assert (batch.state, batch.error_code) == (BatchState.REFUSED, "columns_not_confirmed")
    assert not (folder() / batch.stored_as).exists()


# --- known headers ---------------------------------------------------------------------------------

OF_2015 = {
    "CF_XDR_SHXYM": "行政相对人代码_1（统一社会信用代码）", "CF_SY": "处罚事由", "CF_WSH": "行政处罚决定书文号",
    "CF_NR": "处罚结果", "CF_CFLB": "处罚类别1",
}  # fmt: skip
MISSPELT = {
    "CF_XDR_SHXYM": "统一社会信用代号", "CF_XDR_MC": "行政相队人名称 ", "CF_XDR_LB": "＊行政相对人类别（必填）",
    "CF_JDRQ": "处罚决定日期：", "CF_FRDB": "\u200b法人代表",
}  # fmt: skip


@pytest.mark.parametrize("names", [OF_2015, MISSPELT], ids=["2015", "misspelt"])
def test_real_headers_are_known_in_any_order(cast: Cast, names: dict[str, str]) -> None:
    row = renamed(penalty(1), names)
    batch = given(csv_bytes([dict(reversed(row.items()))]))
    assert (batch.state, batch.accepted, batch.notes["unknown_columns"]) == (BatchState.APPLIED, 1, [])


def test_a_look_at_a_row_is_noted_whatever_its_columns_are_called(cast: Cast) -> None:
    odd = {**ODD, "CF_XDR_ZJHM": "自己的编号"}
    row = renamed(person_penalty(1, "林示例", PERSON_NUMBER, CF_CFLB="没有的类别"), odd)
    waiting = given(csv_bytes([row]))
    confirm_columns(
        feed=waiting.feed, user=cast.clerk, batch=waiting,
        choices={**{odd[code]: code for code in odd}},
    )  # fmt: skip
    work_off(waiting)
    client, aside = Client(), QuarantinedRow.objects.get()
    client.force_login(cast.clerk)
    before = AccessLog.objects.count()
    assert client.get(reverse("admin:records_quarantinedrow_change", args=[aside.pk])).status_code == 200
    assert AccessLog.objects.count() == before + 1


# --- doors -----------------------------------------------------------------------------------------


@pytest.fixture
def clerk(db: None, settings: Any, client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    client.force_login(people_of_the_cast(settings).clerk)
    client.cookies["django_language"] = "en"
    return client


def waiting_file(number: int) -> FeedBatch:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        return given(odd_file(number))


def test_the_page_shows_headers_and_no_values_and_takes_the_answer(
    clerk: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    queued: list[int] = []
    monkeypatch.setattr(tasks.process_batch, "delay", queued.append)
    waiting = waiting_file(1)
    page = reverse("desk:delivery-columns", args=[waiting.pk])
    assert page in clerk.get(reverse("desk:delivery", args=[waiting.pk])).content.decode()
    text = clerk.get(page).content.decode()
    assert "怎么罚的" in text and "empty in the first rows" in text and penalty(1)["CF_XDR_MC"] not in text
    headers = [column["header"] for column in waiting.columns]
    form = {f"column_{at}": ANSWER.get(header, header) or "-" for at, header in enumerate(headers)}
    refused = clerk.post(page, {**form, f"column_{headers.index('怎么罚的')}": "-"}).content.decode()
    assert "These required fields have no column yet" in refused
    with django_capture_on_commit_callbacks(execute=True):
        assert clerk.post(page, form).status_code == 302
    assert queued == [waiting.pk]
    assert Feed.objects.get(code=FEED).mapping == ANSWER
    assert tasks.process_batch.apply(args=[waiting.pk]).get() == BatchState.APPLIED
    text = clerk.get(reverse("desk:delivery", args=[waiting.pk])).content.decode()
    assert "Columns left out, as confirmed for this feed" in text and SERIAL in text


def test_the_page_says_that_somebody_was_first(clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = waiting_file(1)
    page = reverse("desk:delivery-columns", args=[waiting.pk])
    headers = [column["header"] for column in waiting.columns]
    form = {f"column_{at}": ANSWER.get(header, header) or "-" for at, header in enumerate(headers)}
    monkeypatch.setattr(columns, "FEED_BATCH", Busy())
    assert "This has changed in the meantime" in clerk.post(page, form, follow=True).content.decode()


def test_a_receipt_offers_to_map_unknown_columns_for_the_next_time(clerk: Client) -> None:
    batch = in_short(csv_bytes([{**penalty(1), "决定书日子": ""}]))
    page = reverse("desk:delivery-columns", args=[batch.pk])
    assert page in clerk.get(reverse("desk:delivery", args=[batch.pk])).content.decode()
    headers = [column["header"] for column in batch.columns]
    form = {f"column_{at}": header for at, header in enumerate(headers)}
    clerk.post(page, {**form, f"column_{headers.index('决定书日子')}": "-"})
    assert Feed.objects.get(code=FEED).mapping == {"决定书日子": ""}


@pytest.mark.parametrize("who", ["other_clerk", "centre", "auditor"])
def test_the_page_is_for_the_unit_alone(settings: Any, clerk: Client, who: str) -> None:
    waiting, stranger = waiting_file(1), Client()
    member = type(waiting.submitted_by) if waiting.submitted_by else None
    assert member is None
    stranger.force_login(Cast.__annotations__ and _user(who))
    assert stranger.get(reverse("desk:delivery-columns", args=[waiting.pk])).status_code in (403, 404)


def _user(who: str) -> Any:
    from_name = who.replace("_", "-")
    return Feed._meta.apps.get_model("core", "User").objects.get(username=from_name)


def test_the_folder_tells_what_is_asked_and_then_what_became_of_it(
    context: None, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT, settings.FEED_INBOX = tmp_path / "media", str(tmp_path / "inbox")
    place = tmp_path / "inbox" / FEED
    place.mkdir(parents=True)
    (place / "list.csv").write_bytes(odd_file(1))
    (place / "list.csv.ok").touch()
    (number,) = inbox.take_up()
    batch = work_off(FeedBatch.objects.get(pk=number))
    asked = place / "archive" / f"{number}-list.csv.mapping.json"
    assert [inbox.write_receipts(), inbox.write_receipts()] == [1, 0]
    told = json.loads(asked.read_text())
    assert told["state"] == "mapping" and {"header", "field", "fate", "filled"} == set(told["columns"][0])
    confirm_columns(feed=batch.feed, choices=ANSWER, user=None)
    work_off(batch)
    assert [inbox.write_receipts(), inbox.write_receipts()] == [1, 0]
    receipt = place / "archive" / f"{number}-list.csv.receipt.json"
    assert (json.loads(receipt.read_text())["state"], asked.exists()) == ("applied", False)


def test_every_field_of_a_version_is_found_under_its_own_name(db: None) -> None:
    """A header file that takes a name away from a field would be noticed here."""
    names: dict[int, set[str]] = {}
    for item in EntryField.objects.all():
        assert item.required in Required.values
        names.setdefault(item.version_id, set()).add(item.name)
    assert names
