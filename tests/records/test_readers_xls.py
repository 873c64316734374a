"""Legacy workbooks: the same text as from XLSX, and a clear refusal of what is broken or protected."""

import datetime
import io
import os
from pathlib import Path

import pytest
import xlwt

from records.feeds.readers import BadRow, CellWarning, FeedFileError, Limits
from tests.records.feed_files import encrypted, opened, read_all, rows_of, xls, xlsx


def refusal(folder: Path, content: bytes, **limits: int) -> FeedFileError:
    """The error which opening and reading the workbook raises."""
    with pytest.raises(FeedFileError) as caught:
        read_all(opened(folder, content, limits=Limits(**limits)))
    return caught.value


def test_text_rows(tmp_path: Path) -> None:
    table = opened(tmp_path, xls([["名称", "代码"], ["𬭚\n乙", "1"], ["", ""], ["", "2"], ["丙"], ["1", "2", "3"]]))
    assert (table.format, table.header, table.sheet) == ("xls", ["名称", "代码"], "Sheet1")
    chunk = read_all(table)
    assert rows_of(chunk) == [["𬭚\n乙", "1"], ["", "2"], ["丙", ""]]
    assert list(chunk.line_numbers) == [2, 4, 5]
    assert chunk.bad == [BadRow(4, 6, "too_many_cells", ["1", "2", "3"])]


def test_values_are_shown_as_in_xlsx(tmp_path: Path) -> None:
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm")
    cells: list[tuple[object, xlwt.XFStyle | None, str]] = [
        (911101050, None, "911101050"),
        (0.1 + 0.2, None, "0.3"),
        (True, None, "TRUE"),
        (datetime.date(2018, 5, 3), day, "2018-05-03"),
        (datetime.datetime(2018, 5, 3, 14, 30), day, "2018-05-03T14:30:00"),
        (1.25, xlwt.easyxf(num_format_str="[h]:mm:ss"), "30:00:00"),
        (441302199001011234, None, "441302199001011260"),
    ]
    book = xlwt.Workbook()
    sheet = book.add_sheet("S")
    sheet.write(1, 1, "标题")
    for column, (value, style, _text) in enumerate(cells, 1):
        sheet.write(3, column, f"c{column}")
        sheet.write(4, column, value, style or xlwt.Style.default_style)
    hidden = book.add_sheet("H")
    hidden.visibility = 1
    buffer = io.BytesIO()
    book.save(buffer)
    table = opened(tmp_path, buffer.getvalue())
    assert table.header == ["", *(f"c{column}" for column in range(1, 8))]
    assert (table.sheets, table.skipped_lines) == (["S"], [2])
    chunk = read_all(table)
    assert rows_of(chunk) == [["", *(text for *_rest, text in cells)]]
    assert list(chunk.line_numbers) == [5]
    assert chunk.warnings == [CellWarning(5, 7, "precision_lost")]


def test_more_rows_than_a_block(tmp_path: Path) -> None:
    rows = [["a", "b"]] + [[str(at), "x" * (at % 5)] for at in range(7000)]
    chunk = read_all(opened(tmp_path, xls(rows)), size=900)
    assert rows_of(chunk) == rows[1:]


def test_password_protected(tmp_path: Path) -> None:
    assert refusal(tmp_path, encrypted(xlsx([["a"], ["1"]]))).code == "password_protected"


def test_damaged(tmp_path: Path) -> None:
    good = xls([["a", "b"], ["1", "2"]])
    assert refusal(tmp_path, good[:600]).code == "corrupt_workbook"
    assert refusal(tmp_path, good[:512] + b"\xff" * 9000).code == "corrupt_workbook"


def test_other_documents_in_the_same_container(tmp_path: Path) -> None:
    entry = "Workbook".encode("utf-16-le").ljust(64, b"\0") + b"\x12\0"
    document = "WordDocument".encode("utf-16-le").ljust(64, b"\0") + b"\x1a\0"
    content = xls([["a"], ["1"]]).replace(entry, document)
    assert refusal(tmp_path, content).code == "not_a_table"


def test_too_large(tmp_path: Path) -> None:
    assert refusal(tmp_path, xls([["a"], ["1"]]), xls_bytes=1000).code == "workbook_too_large"


def test_stray_cell_in_the_last_corner(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("S")
    for line, column in ((0, 0), (1, 0), (65_535, 255)):
        sheet.write(line, column, "x")
    buffer = io.BytesIO()
    book.save(buffer)
    assert refusal(tmp_path, buffer.getvalue()).code == "workbook_too_large"


def test_full_sheet(tmp_path: Path) -> None:
    rows = [["a", "b"]] + [[str(at), "某某有限责任公司"] for at in range(65_535)]
    chunk = read_all(opened(tmp_path, xls(rows)))
    assert (chunk.received, rows_of(chunk)[-1]) == (65_535, rows[-1])


def test_a_reader_left_half_way_leaves_no_process(tmp_path: Path) -> None:
    table = opened(tmp_path, xls([["a"]] + [[str(at)] for at in range(5000)]))
    chunks = table.chunks(100)
    assert next(chunks).received == 100
    chunks.close()  # type: ignore[attr-defined]
    del chunks
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_no_worksheet(tmp_path: Path) -> None:
    assert refusal(tmp_path, xls([])).code == "no_worksheet"
