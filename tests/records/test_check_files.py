"""Checks of many persons: a workbook in, answers beside its rows out; kept sealed, approved, resumed, removed."""

import csv
import datetime
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from creditplatform.core.enums import Door, Role
from creditplatform.core.errors import Conflict, CreditError, Invalid, NotFoundHere, NotPermitted
from creditplatform.core.models import AccessLog, StepEvent
from records.enums import BatchCheckState, NotChecked, Outcome
from records.feeds.readers import FeedFileError, open_table
from records.models import BatchCheck, BatchCheckRow, HumanReview, Purpose
from records.queries import batch as answering
from records.queries.grants import PurposeNotOpen
from records.services import batch_checks, check_files
from records.services.check_workbook import template, write_results
from tests.cast import PERSON_NUMBER, Cast, member
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import CASE, NAME, consent, fined, market, purpose
from tests.records.test_batch_check import UNKNOWN_NUMBER

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
HEADER = ["序号", " 姓 名 ", "证件号码（必填）", "证件类型", "备注"]
ROWS = [
    ["1", NAME, PERSON_NUMBER, "身份证", "=HYPERLINK(\"http://x\")"],
    ["2", "无此示例", UNKNOWN_NUMBER, "", "+1"],
    ["3", "  ", "620100198506154320", "", ""],
    ["4", NAME, "441300199001011230", "", ""],
    ["5", "林　示例", "441300 19900101 1239", "居民身份证", ""],
    ["6", NAME, "X", "会员卡", ""],
]  # fmt: skip


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> Path:
    """A folder of the test's own."""
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def of_law() -> Purpose:
    return purpose("company-officer", gives_eligibility=True, fields=["administrative-penalty"])


def as_csv(rows: list[list[str]], header: list[str] = HEADER) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([header, *rows])
    return buffer.getvalue().encode("gb18030")


def as_xlsx(rows: list[list[str]], header: list[str] = HEADER) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([header, *rows]):
            for column, text in enumerate(row):
                sheet.write_string(at, column, text)
    return buffer.getvalue()


def submitted(cast: Cast, content: bytes, **changes: Any) -> BatchCheck:
    words = {
        "agency": market(), "user": cast.clerk, "purpose": "company-officer", "case_number": CASE, "blocks": [content],
        "file_name": "名单.csv", **changes,
    }  # fmt: skip
    return batch_checks.submit(**words)


def answers(batch: BatchCheck) -> dict[int, str]:
    return {row.row_number: row.outcome or row.problem for row in BatchCheckRow.objects.filter(batch=batch)}


def fetched(batch: BatchCheck, user: Any, place: Path) -> list[list[str]]:
    """The results as a reader of workbooks finds them, the header among them."""
    with (place / "results.xlsx").open("w+b") as target:
        write_results(batch=batch, user=user, target=target)
    with zipfile.ZipFile(place / "results.xlsx") as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml"), "no cell is a formula"
    with open_table(place / "results.xlsx") as table:
        rows = [list(row) for chunk in table.chunks(1000) for row in zip(*chunk.columns, strict=True)]
        return [table.header, *rows]


@pytest.mark.parametrize("make", [as_csv, as_xlsx])
def test_a_bad_row_never_stops_the_others_and_every_row_gets_its_answer(cast: Cast, place: Path, make: Any) -> None:
    fined()
    consent(purpose("green-channel"), cast.clerk, cast.person)
    batch = batch_checks.work_off(submitted(cast, make(ROWS), purpose="green-channel"))
    assert (batch.state, batch.rows, batch.checked) == (BatchCheckState.DONE, 6, 6)
    assert answers(batch) == {
        1: Outcome.NO, 2: NotChecked.CONSENT, 3: NotChecked.NAME, 4: NotChecked.NUMBER, 5: NotChecked.TWICE,
        6: NotChecked.KIND,
    }  # fmt: skip
    table = fetched(batch, cast.clerk, place)
    assert [[row[0], row[2], row[4]] for row in table[1:]] == [[row[0], row[2], row[4]] for row in ROWS], "as sent"
    assert len(table) == 7 and all(row[-4] and row[-3] for row in table), "each row has an answer with its reasons"
    assert [row[-5] for row in table[1:]] == ["1", "2", "3", "4", "5", "6"], "and the number it has on the page"


def test_only_whoever_asked_fetches_and_that_is_noted(cast: Cast) -> None:
    of_law()
    batch = batch_checks.work_off(submitted(cast, as_csv(ROWS)))
    for other in (cast.supervisor, cast.officer, cast.centre, cast.auditor):
        with pytest.raises(NotPermitted):
            write_results(batch=batch, user=other, target=io.BytesIO())
    write_results(batch=batch, user=cast.clerk, target=io.BytesIO())
    steps = StepEvent.objects.filter(workflow="batch_check", case_ref=batch.pk).values_list("step", "actor")
    assert list(steps.order_by("pk")) == [("let_pass", None), ("finish", None), ("fetch", cast.clerk.pk)]


def test_the_file_lies_sealed_outside_the_web_root_and_no_clear_copy_stays(cast: Cast, place: Path) -> None:
    of_law()
    batch = submitted(cast, as_csv(ROWS))
    files = [path for path in place.rglob("*") if path.is_file()]
    assert [path.name for path in files] == [batch.file]
    content = files[0].read_bytes()
    assert PERSON_NUMBER.encode() not in content and NAME.encode() not in content
    assert files[0].stat().st_mode & 0o077 == 0
    assert Path(settings.STATIC_ROOT or "/nowhere") not in files[0].parents


def test_consent_is_asked_row_by_row(cast: Cast) -> None:
    fined()
    consent(purpose("green-channel"), cast.clerk, cast.person)
    batch = batch_checks.work_off(submitted(cast, as_csv(ROWS), purpose="green-channel"))
    assert answers(batch)[1] == Outcome.NO
    assert answers(batch)[2] == NotChecked.CONSENT
    assert AccessLog.objects.filter(case_number=CASE, result="refused").count() == 1


def test_a_second_person_approves_where_the_purpose_says_so(cast: Cast, place: Path) -> None:
    purpose("company-officer", gives_eligibility=True, fields=["administrative-penalty"], needs_approval=True)
    batch = submitted(cast, as_csv(ROWS), user=cast.supervisor)
    assert batch_checks.work_off(batch).state == BatchCheckState.SUBMITTED
    assert not BatchCheckRow.objects.filter(batch=batch).exists()
    with pytest.raises(NotPermitted):
        batch_checks.approve(batch=batch, user=cast.supervisor)
    second = member("second", market(), Role.SUPERVISOR)
    assert list(BatchCheck.objects.all().to_approve(second)) == [batch]
    assert batch_checks.work_off(batch_checks.approve(batch=batch, user=second)).state == BatchCheckState.DONE


def test_a_check_that_was_refused_keeps_no_file(
    cast: Cast, place: Path, django_capture_on_commit_callbacks: Any
) -> None:
    purpose("company-officer", gives_eligibility=True, fields=["administrative-penalty"], needs_approval=True)
    batch = submitted(cast, as_csv(ROWS))
    with django_capture_on_commit_callbacks(execute=True):
        batch = batch_checks.turn_down(batch=batch, user=cast.supervisor, words="案号不符")
    assert (batch.state, batch.refusal, batch.file, batch.file_name) == ("refused", "案号不符", "", "")
    assert not [path for path in place.rglob("*") if path.is_file()]


def test_after_a_crash_only_what_is_missing_is_answered(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    of_law()
    monkeypatch.setattr(answering, "CHUNK", 2)
    batch = submitted(cast, as_csv(ROWS))
    real, calls = answering._answer_chunk, []

    def dies(*words: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise MemoryError
        real(*words)

    monkeypatch.setattr(answering, "_answer_chunk", dies)
    with pytest.raises(MemoryError):
        batch_checks.work_off(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.checked) == (BatchCheckState.CHECKING, 2)
    assert batch_checks.unfinished() == [batch.pk]
    before = AccessLog.objects.filter(case_number=CASE).count()
    batch = batch_checks.work_off(batch)
    assert (batch.state, batch.checked, len(answers(batch))) == (BatchCheckState.DONE, 6, 6)
    assert AccessLog.objects.filter(case_number=CASE).count() == before, "rows 3 to 6 have no line, rows 1 and 2 one"
    assert batch_checks.work_off(batch).state == BatchCheckState.DONE


def test_results_and_file_go_when_their_day_comes(
    cast: Cast, place: Path, django_capture_on_commit_callbacks: Any
) -> None:
    of_law()
    batch = batch_checks.work_off(submitted(cast, as_csv(ROWS)))
    assert batch.keep_until == timezone.localdate() + datetime.timedelta(days=30)
    assert batch_checks.clear_due(on=batch.keep_until - datetime.timedelta(days=1), door=Door.TIMER) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert batch_checks.clear_due(on=batch.keep_until, door=Door.TIMER) == 1
    batch.refresh_from_db()
    assert (batch.state, batch.rows, batch.checked) == (BatchCheckState.CLEARED, 6, 6)
    assert not answers(batch)
    assert not [path for path in place.rglob("*") if path.is_file()]
    with pytest.raises(Conflict):
        write_results(batch=batch, user=cast.clerk, target=io.BytesIO())


def test_a_purpose_taken_out_of_force_stops_the_check_with_the_reason(cast: Cast) -> None:
    of_law()
    batch = submitted(cast, as_csv(ROWS))
    Purpose.objects.filter(code="company-officer").update(state="retired")
    batch = batch_checks.work_off(batch)
    assert (batch.state, bool(batch.refusal)) == (BatchCheckState.REFUSED, True)
    assert batch_checks.unfinished() == []


def test_a_lost_file_stops_the_check(cast: Cast) -> None:
    of_law()
    batch = submitted(cast, as_csv(ROWS))
    check_files.remove(batch.file)
    assert batch_checks.work_off(batch).state == BatchCheckState.REFUSED


@pytest.mark.parametrize(
    ("content", "error", "code"),
    [
        (b"", FeedFileError, "empty_file"),
        (as_csv([["1", "2"]], ["a", "b"]), Invalid, "columns_missing"),
        (as_csv([], HEADER), Invalid, "no_rows"),
        (b"%PDF-1.4", Invalid, "wrong_format"),
        (b'[{"name": "x"}]', Invalid, "wrong_format"),
        (b"PK\x03\x04broken", FeedFileError, "corrupt_workbook"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    cast: Cast, place: Path, content: bytes, error: type[CreditError], code: str
) -> None:
    of_law()
    with pytest.raises(error) as refused:
        submitted(cast, content)
    assert refused.value.code == code
    assert not BatchCheck.objects.exists()
    assert not [path for path in place.rglob("*") if path.is_file()], "nothing is left"


def test_more_rows_than_allowed_are_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    of_law()
    monkeypatch.setattr(check_files, "MOST_ROWS", 5)
    with pytest.raises(Invalid) as refused:
        submitted(cast, as_csv(ROWS))
    assert refused.value.code == "too_many_rows"
    assert not [path for path in place.rglob("*") if path.is_file()]


def test_case_and_purpose_are_asked_before_the_file_is_read(cast: Cast) -> None:
    for words, code in (
        ({"purpose": "green-channel", "case_number": " "}, "invalid"), ({"purpose": "loan"}, "purpose_not_open"),
    ):  # fmt: skip
        with pytest.raises(CreditError) as refused:
            submitted(cast, as_csv(ROWS), **words)
        assert refused.value.code == code
    with pytest.raises(PurposeNotOpen):
        submitted(cast, as_csv(ROWS), purpose="company-officer")  # shows records only, as delivered


def test_a_ragged_row_is_a_row_like_others(cast: Cast) -> None:
    of_law()
    batch = batch_checks.work_off(submitted(cast, "姓名,证件号码\n林示例\n张示例,1,2,3\n".encode()))
    assert answers(batch) == {1: NotChecked.NUMBER, 2: NotChecked.NUMBER}


def test_the_template_is_understood_without_a_question(cast: Cast, place: Path) -> None:
    of_law()
    (place / "template.xlsx").write_bytes(template())
    with open_table(place / "template.xlsx") as table:
        header = table.header
    assert header == ["姓名", "证件号码", "证件类型"]
    batch = batch_checks.work_off(submitted(cast, as_xlsx([[NAME, PERSON_NUMBER, "身份证"]], header)))
    assert answers(batch) == {1: Outcome.YES}


def test_a_row_goes_before_a_person(cast: Cast) -> None:
    record = fined()
    consent(purpose("green-channel"), cast.clerk, cast.person)
    batch = batch_checks.work_off(submitted(cast, as_csv(ROWS), purpose="green-channel"))
    review = batch_checks.send_to_person(batch=batch, user=cast.clerk, row_number=1, words="请核对")
    assert (review.subject_id, review.outcome, review.records) == (record.subject_id, Outcome.NO, [record.pk])
    assert (review.looked_by, review.case_number) == (cast.clerk, f"{CASE} #1")
    for row, user, error in ((3, cast.clerk, Invalid), (99, cast.clerk, Invalid), (1, cast.supervisor, NotFoundHere)):
        with pytest.raises(error):
            batch_checks.send_to_person(batch=batch, user=user, row_number=row)
    assert HumanReview.objects.count() == 1


def test_on_the_pages(cast: Cast) -> None:
    fined()
    of_law()
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(cast.clerk, BACKEND)
    words = {"purpose": "hz-market:company-officer", "case_number": ""}
    empty = client.post("/desk/batch-checks/new/", words)
    assert empty.status_code == 400 and empty.content.decode().count('class="errors"') == 2, "all mistakes at once"
    file = SimpleUploadedFile("list.csv", as_csv(ROWS))
    response = client.post("/desk/batch-checks/new/", {**words, "case_number": CASE, "file": file})
    batch = BatchCheck.objects.get()
    assert response.headers["Location"] == f"/desk/batch-checks/{batch.token}/"
    assert "0 of 6 rows so far" in client.get(response.headers["Location"]).content.decode()
    batch_checks.work_off(batch)
    page = client.get(response.headers["Location"]).content.decode()
    assert "Fetch the results" in page and PERSON_NUMBER not in page and NAME not in page
    book = client.post(f"/desk/batch-checks/{batch.token}/results/")
    assert b"".join(book.streaming_content)[:2] == b"PK"
    client.post(f"/desk/batch-checks/{batch.token}/", {"act": "person", "row": "1"})
    assert HumanReview.objects.count() == 1
    other = Client()
    other.force_login(cast.other_clerk, BACKEND)
    assert other.get(f"/desk/batch-checks/{batch.token}/").status_code == 404
    assert client.get("/desk/batch-checks/template/").content[:2] == b"PK"
