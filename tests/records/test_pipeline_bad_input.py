"""Hostile and broken files through the whole pipeline and the command: a clear error, nothing lost, nothing told."""

import io
import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from creditplatform.core.errors import CreditError
from records.enums import BatchState, VersionState
from records.models import CatalogueEntry, CreditRecord, EntryVersion, Feed, FeedBatch, QuarantinedRow, Subject
from records.services.feeds import folder
from tests.deliveries import FEED, penalty
from tests.records.feed_files import encrypted, package, sheet_xml, xls, xlsx, xml
from tests.records.feedfiles import (
    cells_of,
    counts,
    csv_bytes,
    deliver,
    problems_of,
    snapshot,
    table_bytes,
    take_in,
    whole_database,
)

SECRET = "绝密张三"
ROWS = [penalty(number, CF_FRDB=SECRET) for number in (1, 2, 3)]
HEADER, CELLS = cells_of(ROWS)
GOOD = csv_bytes(ROWS)
pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(autouse=True)
def folder_of_its_own(settings: Any, tmp_path: Path) -> None:
    """Where delivered files wait, for this test alone."""
    settings.MEDIA_ROOT = tmp_path / "media"


def bomb_of_entities() -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "{SECRET}">{entities}]><r><row><a>&e9;</a></row></r>'.encode()
    )


def outside_entity() -> bytes:
    return (
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b"<r><record><CF_XDR_MC>&x;</CF_XDR_MC></record></r>"
    )


def bomb_of_zip() -> bytes:
    return package(sheet_xml(" " * (96 << 20)))


def zip_of(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, SECRET)
    return buffer.getvalue()


BROKEN = GOOD.replace(SECRET.encode(), b"\xff\xfe\xfd", 1)
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty_file"),
    "byte order mark alone": (b"\xef\xbb\xbf", "empty_file"),
    "blank lines": (b"\n\n\r\n  \n", "empty_file"),
    "wrong header": (table_bytes(["甲", "乙"], [[SECRET, "1"]]), "wrong_header"),
    "no header": (table_bytes([SECRET, "身份证", "620102198506154320"], [[SECRET, "1", "2"]]), "wrong_header"),
    "one column missing": (csv_bytes([{k: v for k, v in ROWS[0].items() if k != "CF_JDRQ"}]), "wrong_header"),
    "column twice": (table_bytes([*HEADER, "CF_WSH"], [[*CELLS[0], "x"]]), "duplicate_header"),
    "NUL": (GOOD.replace(SECRET.encode(), SECRET.encode() + b"\x00", 1), "nul_byte"),
    "broken encoding": (BROKEN, "invalid_encoding"),
    "quote never closed": (GOOD + b'"' + SECRET.encode() + b",x\n" * 20, "unterminated_quote"),
    "XML bomb": (bomb_of_entities(), "xml_doctype"),
    "external entity": (outside_entity(), "xml_doctype"),
    "XML cut off": (xml(HEADER, CELLS)[:-40], "xml_malformed"),
    "zip bomb": (bomb_of_zip(), "zip_bomb"),
    "password": (encrypted(xlsx([HEADER, *CELLS])), "password_protected"),
    "workbook cut off": (xlsx([HEADER, *CELLS])[:-200], "corrupt_workbook"),
    "legacy workbook cut off": (xls([HEADER, *CELLS])[:700], "corrupt_workbook"),
    "plain zip": (zip_of("a.txt"), "not_a_table"),
    "picture": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "not_a_table"),
    "PDF": (b"%PDF-1.7 " + SECRET.encode(), "not_a_table"),
    "web page": (f"<html><table><tr><td>{SECRET}</td></tr></table>".encode(), "not_a_table"),
    "JSON": (json.dumps([{"name": SECRET}]).encode(), "wrong_header"),
}


def command(path: Path, feed: str = FEED) -> tuple[dict[str, Any] | None, str]:
    """What the command printed as JSON, if anything, and the error it ended with, if any."""
    out, error = io.StringIO(), ""
    try:
        call_command("ingest_feed", feed, str(path), "--json", stdout=out, stderr=io.StringIO())
    except CommandError as refused:
        assert refused.returncode == 1
        error = str(refused)
    printed = out.getvalue()
    return (json.loads(printed) if printed.strip() else None), error


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_no_table_is_refused_with_its_reason(case: str, caplog: pytest.LogCaptureFixture) -> None:
    content, code = REFUSED[case]
    caplog.set_level(logging.DEBUG)
    batch = take_in(content)
    assert (batch.state, batch.error_code) == (BatchState.REFUSED, code)
    assert (batch.received, CreditRecord.objects.count(), QuarantinedRow.objects.count()) == (0, 0, 0)
    told = whole_database("records_feedbatch", "core_stepevent") + caplog.text
    for secret in (SECRET, "620102198506154320", "root:"):
        assert secret not in told


@pytest.mark.parametrize("case", REFUSED)
def test_the_command_prints_its_receipt_and_ends_with_an_error(case: str, tmp_path: Path) -> None:
    content, code = REFUSED[case]
    path = tmp_path / "delivery.dat"
    path.write_bytes(content)
    receipt, error = command(path)
    assert receipt is not None
    assert (receipt["state"], receipt["error"]) == ("refused", code)
    assert {"batch", "received", "accepted", "unchanged", "quarantined", "rejected", "seconds", "problems"} <= set(
        receipt
    )
    assert receipt["received"] == 0
    assert error == receipt["message"]
    assert SECRET not in json.dumps(receipt, ensure_ascii=False)
    assert list(folder().iterdir()) == []
    assert path.read_bytes() == content


@pytest.mark.parametrize("case", REFUSED)
def test_the_reason_is_told_in_both_languages_without_any_cell(case: str) -> None:
    said = []
    for language in ("zh-hans", "en"):
        with translation.override(language):
            said.append(take_in(REFUSED[case][0]).error_label)
    chinese, english = said
    assert english.isascii() or case in {"wrong header", "no header", "one column missing", "JSON"}
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
    assert SECRET not in chinese + english
    assert "%(" not in chinese + english


def test_a_header_alone_is_no_delivery() -> None:
    batch = take_in(table_bytes(HEADER, []))
    assert (batch.state, batch.error_code, batch.received) == (BatchState.REFUSED, "no_rows", 0)


def test_ragged_rows_are_set_aside_and_the_others_go_in() -> None:
    rows = [CELLS[0], CELLS[1][:5], [*CELLS[1], "zu", "viel"], [*CELLS[2], "", ""]]
    batch = take_in(table_bytes(HEADER, rows))
    assert counts(batch) == {"received": 4, "accepted": 2, "quarantined": 2}
    assert problems_of(batch) == [[("", "too_few_cells")], [("", "too_many_cells")]]
    kept = json.loads(QuarantinedRow.objects.get(problems__0__code="too_many_cells").cells or "")
    assert (kept["+1"], kept["+2"]) == ("zu", "viel")
    again = take_in(table_bytes(HEADER, rows))
    assert counts(again) == {"received": 4, "unchanged": 2, "quarantined": 2}
    assert QuarantinedRow.objects.count() == 2


def test_formula_cells_are_set_aside() -> None:
    row = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in CELLS[0])
    faulty = row.replace(
        f'<c t="inlineStr"><is><t>{ROWS[0]["CF_SY"]}</t></is></c>', '<c t="str"><f>HYPERLINK("x")</f><v>好</v></c>'
    )
    header = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in HEADER)
    batch = take_in(package(sheet_xml(f'<row r="1">{header}</row><row r="2">{faulty}</row>')))
    assert counts(batch) == {"received": 1, "quarantined": 1}
    assert ("CF_SY", "formula_cell") in problems_of(batch)[0]


def test_empty_rows_by_the_hundred_thousand_are_no_rows() -> None:
    header = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in HEADER)
    row = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in CELLS[0])
    empty = "".join(f'<row r="{n}"/>' for n in range(3, 300_003))
    sheet = sheet_xml(f'<row r="1">{header}</row><row r="2">{row}</row>{empty}')
    assert counts(take_in(package(sheet))) == {"received": 1, "accepted": 1}


FORMS = {
    "UTF-8": GOOD,
    "UTF-8 with mark": csv_bytes(ROWS, encoding="utf-8-sig"),
    "GB18030": csv_bytes(ROWS, encoding="gb18030"),
    "GBK": csv_bytes(ROWS, encoding="gbk"),
    "UTF-16": csv_bytes(ROWS, encoding="utf-16"),
    "UTF-16 big end first": "\ufeff".encode("utf-16-be") + csv_bytes(ROWS, encoding="utf-16-be"),
    "tabs": csv_bytes(ROWS, separator="\t"),
    "semicolons": csv_bytes(ROWS, separator=";"),
    "old Macintosh line ends": GOOD.replace(b"\r\n", b"\r"),
    "workbook": xlsx([HEADER, *CELLS]),
    "legacy workbook": xls([HEADER, *CELLS]),
    "XML": xml(HEADER, CELLS),
    "XML in GBK": xml(HEADER, CELLS, "GBK"),
    "XML in GB18030": xml(HEADER, CELLS, "GB18030"),
    "XML in GB2312": xml(HEADER, CELLS, "GB2312"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_rows_makes_the_same_records(form: str) -> None:
    batch = take_in(FORMS[form])
    assert counts(batch) == {"received": 3, "accepted": 3}
    said = [(*row[:15], "sealed") for row in snapshot()]
    CreditRecord.objects.all().delete()
    Subject.objects.all().delete()
    deliver(*ROWS)
    assert [(*row[:15], "sealed") for row in snapshot()] == said


def test_another_form_of_a_known_file_changes_nothing() -> None:
    take_in(FORMS["UTF-8"])
    before = snapshot()
    for form in ("GB18030", "workbook", "legacy workbook", "XML in GBK", "UTF-16"):
        assert counts(take_in(FORMS[form])) == {"received": 3, "unchanged": 3}
    assert snapshot() == before


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_characters_beyond_the_first_plane_come_through_every_encoding(encoding: str) -> None:
    names = ["𠮷野示例", "𬭚䶮", "㛃𠅤", "鿍"]
    take_in(csv_bytes([penalty(n, CF_XDR_MC=name) for n, name in enumerate(names)], encoding=encoding))
    assert set(Subject.objects.values_list("name", flat=True)) == set(names)


def test_half_a_character_in_a_workbook_is_no_crash() -> None:
    escaped = [[cell.replace(SECRET, "_xD842_名") for cell in row] for row in CELLS]
    assert take_in(xlsx([HEADER, *escaped])).received == 3


def test_a_file_that_breaks_late_keeps_what_was_applied_and_the_mended_file_finds_it() -> None:
    rows = [penalty(number) for number in range(1, 13)]
    whole = csv_bytes(rows)
    broken = whole[:-30] + b"\xff\xff" + whole[-30:]
    batch = take_in(broken, chunk_size=4)
    assert batch.state == BatchState.REFUSED
    assert batch.error_code == "invalid_encoding"
    assert batch.received == batch.accepted == CreditRecord.objects.count()
    mended = take_in(whole, chunk_size=4)
    assert counts(mended).get("unchanged", 0) == batch.accepted
    assert mended.received == 12
    assert CreditRecord.objects.count() == 12


def test_an_agreed_format_is_kept_to() -> None:
    """The volunteers' feed is agreed as XLSX."""
    Feed.objects.filter(code=FEED).update(format="xlsx")
    assert take_in(GOOD).error_code == "wrong_format"
    assert counts(take_in(FORMS["workbook"])) == {"received": 3, "accepted": 3}


def test_nothing_is_collected_under_an_entry_that_is_not_in_force(tmp_path: Path) -> None:
    entry = CatalogueEntry.objects.get(code="administrative-penalty")
    EntryVersion.objects.filter(entry=entry).update(state=VersionState.RETIRED)
    batch = take_in(GOOD)
    assert (batch.state, batch.error_code) == (BatchState.REFUSED, "entry_not_in_force")
    assert not CreditRecord.objects.exists()
    path = tmp_path / "delivery.csv"
    path.write_bytes(GOOD)
    receipt, _error = command(path)
    assert receipt is not None
    assert receipt["error"] == "entry_not_in_force"


def test_a_feed_that_is_switched_off_takes_nothing_and_says_so(tmp_path: Path) -> None:
    Feed.objects.filter(code=FEED).update(active=False)
    with pytest.raises(CreditError):
        take_in(GOOD)
    assert list(folder().iterdir()) == []
    path = tmp_path / "delivery.csv"
    path.write_bytes(GOOD)
    receipt, error = command(path)
    assert not FeedBatch.objects.exists()
    with translation.override("en"):
        _receipt, english = command(path)
    assert "switched off" in english
    assert error != english
    assert receipt is not None
    assert receipt["error"] == "feed_inactive"


def test_a_feed_nobody_knows_is_named_with_those_that_are_known(tmp_path: Path) -> None:
    path = tmp_path / "delivery.csv"
    path.write_bytes(GOOD)
    receipt, error = command(path, "no-such-feed")
    assert FEED in error
    assert not FeedBatch.objects.exists()
    assert receipt is not None
    assert receipt["error"] == "feed_unknown"


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_file_that_is_not_there_is_said_plainly(kind: str, tmp_path: Path) -> None:
    _receipt, error = command(tmp_path / "media" if kind == "folder" else tmp_path / "missing.csv")
    assert error
    assert str(tmp_path) not in error


def test_a_file_that_is_too_large_is_not_kept(settings: Any) -> None:
    settings.FEED_FILE_MAX_BYTES = 100
    with pytest.raises(CreditError):
        take_in(GOOD)
    assert list(folder().iterdir()) == []
    assert not FeedBatch.objects.exists()


def test_unknown_columns_are_noted_by_their_title_only() -> None:
    batch = deliver(*({**row, "没有人知道的列": SECRET} for row in ROWS))
    assert counts(batch) == {"received": 3, "accepted": 3}
    assert batch.notes["unknown_columns"] == ["没有人知道的列"]
    assert SECRET not in whole_database("records_feedbatch")
    assert not any(SECRET in json.dumps(row[14], ensure_ascii=False) for row in snapshot())
