"""XLSX: what the sheet shows arrives as text, whatever program wrote it, and bombs do not go off."""

import datetime
import io
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from records.feeds.readers import BadRow, CellWarning, FeedFileError, Limits, open_table
from records.feeds.readers.xlsx_sheet import SheetReader
from records.feeds.readers.xlsx_styles import NumberKind, format_kind
from tests.records.feed_files import (
    MAIN,
    opened,
    package,
    read_all,
    rows_of,
    sheet_xml,
    xlsx,
)

HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
DATES = (
    '<numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="[h]:mm"/>'
    "</numFmts><cellXfs>"
    '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="4"/></cellXfs>'
)


def refusal(folder: Path, content: bytes, **limits: int) -> FeedFileError:
    """The error which opening and reading the workbook raises."""
    with pytest.raises(FeedFileError) as caught:
        read_all(opened(folder, content, limits=Limits(**limits)))
    return caught.value


def written(write: Callable[[xlsxwriter.Workbook], None], **options: bool) -> bytes:
    """A workbook filled by `write`."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **options}) as book:
        write(book)
    return buffer.getvalue()


def cells_read(folder: Path, cells: str, **parts: str) -> list[str]:
    """The first data row of a sheet with columns a and b whose second row holds these cells."""
    rows = f'{HEADER}<row r="2">{cells}</row>'
    return rows_of(read_all(opened(folder, package(sheet_xml(rows), **parts))))[0]


@pytest.mark.parametrize("strings", [True, False])
def test_text_is_kept_exactly(tmp_path: Path, strings: bool) -> None:
    rows = [["名称", "说明"], ["𬭚 < & > \" ' 𠅤", " 首尾空格 "], ["行\n行", "_x000D_ literally"], ["=1+1", "\r tab\t"]]
    table = opened(tmp_path, xlsx(rows, strings=strings))
    assert (table.format, table.header, table.sheets, table.sheet) == ("xlsx", rows[0], ["Sheet1"], "Sheet1")
    chunk = read_all(table)
    assert rows_of(chunk) == rows[1:]
    assert list(chunk.line_numbers) == [2, 3, 4]


def test_numbers_are_shown_without_noise(tmp_path: Path) -> None:
    numbers = [911101050, 0.1 + 0.2, 8782.64, -5, 1e-7, 123456789012345, 0, 1.5e10, -0.0]
    shown = ["911101050", "0.3", "8782.64", "-5", "0.0000001", "123456789012345", "0", "15000000000", "0"]

    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [f"c{at}" for at in range(len(numbers))])
        for column, number in enumerate(numbers):
            sheet.write_number(1, column, number)

    chunk = read_all(opened(tmp_path, written(write)))
    assert rows_of(chunk) == [shown]
    assert chunk.warnings == []


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("4.41302199001011E+17", "441302199001011000"),
        ("441302199001011234", "441302199001011234"),
        ("1E15", "1000000000000000"),
        ("-1.234567890123456E15", "-1234567890123456"),
        ("1E300", "1E300"),
    ],
)
def test_numbers_with_lost_digits_are_marked(tmp_path: Path, raw: str, text: str) -> None:
    rows = f'{HEADER}<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>{raw}</v></c></row>'
    chunk = read_all(opened(tmp_path, package(sheet_xml(rows))))
    assert rows_of(chunk) == [["1", text]]
    assert chunk.warnings == [CellWarning(2, 1, "precision_lost")]


def test_dates_by_number_format(tmp_path: Path) -> None:
    moments = [
        (datetime.datetime(2018, 5, 3), "yyyy-mm-dd", "2018-05-03"),
        (datetime.datetime(2018, 5, 3, 14, 30), "yyyy/m/d h:mm", "2018-05-03T14:30:00"),
        (datetime.datetime(2099, 12, 31), 'yyyy"年"m"月"d"日"', "2099-12-31"),
        (datetime.datetime(1900, 1, 2), "[$-804]yyyy\\-mm\\-dd;@", "1900-01-02"),
        (datetime.datetime(1900, 3, 1), "d-mmm-yy", "1900-03-01"),
    ]

    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        for column, (moment, code, _text) in enumerate(moments):
            sheet.write_string(0, column, f"c{column}")
            sheet.write_datetime(1, column, moment, book.add_format({"num_format": code}))

    assert rows_of(read_all(opened(tmp_path, written(write)))) == [[text for *_rest, text in moments]]
    with_1904 = rows_of(read_all(opened(tmp_path, written(write, date_1904=True))))
    assert with_1904[0][:3] == ["2018-05-03", "2018-05-03T14:30:00", "2099-12-31"]


@pytest.mark.parametrize(
    ("raw", "style", "text"),
    [
        ("43223", 1, "2018-05-03"),
        ("43223.999999", 1, "2018-05-04"),
        ("59", 2, "1900-02-28"),
        ("60", 2, "1900-02-29"),
        ("61", 2, "1900-03-01"),
        ("0.5", 2, "12:00:00"),
        ("1.104166667", 3, "26:30:00"),
        ("1234.5", 4, "1234.5"),
        ("43223", 99, "43223"),
    ],
)
def test_serials(tmp_path: Path, raw: str, style: int, text: str) -> None:
    cells = f'<c r="A2"><v>1</v></c><c r="B2" s="{style}"><v>{raw}</v></c>'
    assert cells_read(tmp_path, cells, styles=DATES) == ["1", text]


@pytest.mark.parametrize("raw", ["-1", "2958466", "1E20"])
def test_serials_beyond_the_calendar_are_marked(tmp_path: Path, raw: str) -> None:
    rows = f'{HEADER}<row r="2"><c r="A2" s="1"><v>{raw}</v></c></row>'
    chunk = read_all(opened(tmp_path, package(sheet_xml(rows), styles=DATES)))
    assert chunk.warnings == [CellWarning(2, 0, "date_out_of_range")]
    assert float(rows_of(chunk)[0][0]) == float(raw)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("General", NumberKind.NUMBER),
        ("0.00E+00", NumberKind.NUMBER),
        ('#,##0.00"元"', NumberKind.NUMBER),
        ('0"days"', NumberKind.NUMBER),
        ("[Red]0.00;[Blue]-0.00", NumberKind.NUMBER),
        ("@", NumberKind.NUMBER),
        ("yyyy\\-mm", NumberKind.DATE),
        ('[DBNum1][$-804]yyyy"年"m"月";@', NumberKind.DATE),
        ("h:mm AM/PM", NumberKind.DATE),
        ("[hh]:mm:ss", NumberKind.ELAPSED),
    ],
)
def test_number_formats(code: str, kind: NumberKind) -> None:
    assert format_kind(code) is kind


def test_booleans_errors_and_formulas(tmp_path: Path) -> None:
    rows = HEADER + (
        '<row r="2"><c r="A2" t="b"><v>1</v></c><c r="B2" t="e"><v>#N/A</v></c></row>'
        '<row r="3"><c r="A3"><f>1+1</f><v>2</v></c><c r="B3" t="str"><f>A1&amp;"x"</f><v>a&lt;x</v></c></row>'
        '<row r="4"><c r="A4"><f>1+1</f></c><c r="B4"><f t="shared" si="0"/><v>7</v></c></row>'
        '<row r="5"><c r="A5"><f>1+1</f><v></v></c><c r="B5" t="str"><f>""</f><v></v></c></row>'
        '<row r="6"><c r="A6" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    )
    chunk = read_all(opened(tmp_path, package(sheet_xml(rows))))
    assert rows_of(chunk) == [["TRUE", ""], ["2", "a<x"], ["", "7"], ["", ""], ["", ""]]
    assert chunk.warnings == [
        CellWarning(2, 1, "error_cell"),
        CellWarning(3, 0, "formula_cell"),
        CellWarning(3, 1, "formula_cell"),
        CellWarning(4, 0, "formula_without_value"),
        CellWarning(4, 1, "formula_cell"),
        CellWarning(5, 0, "formula_without_value"),
        CellWarning(5, 1, "formula_cell"),
        CellWarning(6, 0, "error_cell"),
    ]


def test_rows_of_formulas_that_show_nothing_are_empty(tmp_path: Path) -> None:
    rows = (
        HEADER
        + '<row r="2"><c r="A2" t="str"><f>IF(C2="","",C2)</f><v></v></c></row>'
        + ('<row r="3"><c r="A3"><v>1</v></c></row>')
    )
    chunk = read_all(opened(tmp_path, package(sheet_xml(rows))))
    assert (rows_of(chunk), list(chunk.line_numbers), chunk.warnings) == ([["1", ""]], [3], [])


@pytest.mark.parametrize(
    "cells",
    [
        '<c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c>',
        '<c t="s"><v>0</v></c><c t="s"><v>1</v></c>',
        '<c t="s" r="A2"><v>0</v></c>\n  <c r="B2" s="1" t="s">\n<v>1</v></c>',
        '<c r="A2" t="inlineStr"><is><r><t>一</t></r><r><rPr><b/></rPr><t>&#x4E8C;</t></r></is></c>'
        '<c r="B2"><v>3</v></c>',
        '<c r="A2" t="str"><v><![CDATA[一二]]></v></c><c r="B2"><v>3</v></c>',
        '<!-- <c r="A2"><v>9</v></c> --><c r="B2"><v>3</v></c><c r="A2" t="s"><v>0</v></c>',
        '<c r="A2" t="inlineStr"><is><t>一二</t><rPh sb="0" eb="1"><t>ヨミ</t></rPh></is></c><c r="B2"><v>3</v></c>',
        '<c r="A2" t="s" cm="1"><v>0</v></c><c r="B2"><v>3.0</v></c><c r="C2" s="1"/>',
    ],
)
def test_every_legal_shape_of_cells(tmp_path: Path, cells: str) -> None:
    strings = "<si><r><t>一</t></r><r><t>二</t></r><rPh><t>x</t></rPh></si><si><t>3</t></si>"
    assert cells_read(tmp_path, cells, strings=strings) == ["一二", "3"]


def test_prefixed_sheet_in_utf16(tmp_path: Path) -> None:
    text = f'<?xml version="1.0" encoding="UTF-16"?><x:worksheet xmlns:x="{MAIN}"><x:sheetData>' + (
        '<x:row><x:c t="str"><x:v>a</x:v></x:c></x:row><x:row><x:c t="str"><x:v>二</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    content = package("", **{"xl/worksheets/sheet1.xml": text.encode("utf-16")})
    assert rows_of(read_all(opened(tmp_path, content))) == [["二"]]


def test_plain_and_unusual_blocks_in_turn(tmp_path: Path) -> None:
    draw = random.Random(5)
    kinds = [
        ('<c r="A{0}" t="s"><v>0</v></c><c r="B{0}"><v>{0}</v></c>', "甲", "{0}"),
        ('<c r="B{0}"><v>{0}</v></c>', "", "{0}"),
        ('<c r="A{0}" t="inlineStr"><is><t>a &amp; b</t></is></c>', "a & b", ""),
        ('<c r="A{0}"><f>x</f><v>5</v></c>', "5", ""),
        ('<c r="A{0}" s="1"><v>43223</v></c><c r="B{0}" s="3"/>', "2018-05-03", ""),
        ('<c r="A{0}" t="inlineStr"><is><r><t>r</t></r></is></c>', "r", ""),
    ]
    lines, rows, expected = range(2, 30_000), [HEADER], []
    for line in lines:
        cells, first, second = kinds[draw.randrange(5 if line % 5000 else 6)]
        rows.append(f'<row r="{line}">{cells.format(line)}</row>')
        expected.append([first, second.format(line)])
    content = package(sheet_xml("".join(rows)), strings="<si><t>甲</t></si>", styles=DATES)
    chunk = read_all(opened(tmp_path, content))
    assert rows_of(chunk) == expected
    assert list(chunk.line_numbers) == list(lines)


CELLS = [
    '<c r="{0}{1}"><v>12.5</v></c>',
    '<c r="{0}{1}"><v>0.30000000000000004</v></c>',
    '<c r="{0}{1}" t="n"><v>1E16</v></c>',
    '<c r="{0}{1}" s="1"><v>43223.25</v></c>',
    '<c r="{0}{1}" s="2"><v>-3</v></c>',
    '<c r="{0}{1}" t="s"><v>1</v></c>',
    '<c r="{0}{1}" s="4" t="s"><v>0</v></c>',
    '<c r="{0}{1}" t="inlineStr"><is><t xml:space="preserve"> x &lt; y </t></is></c>',
    '<c r="{0}{1}" t="inlineStr"><is><t>a]b</t></is></c>',
    '<c r="{0}{1}" t="str"><f>A1&gt;2</f><v>_x0041_\r\n</v></c>',
    '<c r="{0}{1}"><f t="array" ref="A1">SUM(A1)</f></c>',
    '<c r="{0}{1}" t="str"><f>x</f><v></v></c>',
    '<c r="{0}{1}" t="e"><v>#N/A</v></c>',
    '<c r="{0}{1}" t="b"><v>0</v></c>',
    '<c r="{0}{1}" s="3"/>',
    '<c r="{0}{1}" t="s"><v></v></c>',
    "",
    "",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from(CELLS), min_size=4, max_size=4), max_size=25))
def test_splitting_and_parsing_read_the_same(rows: list[list[str]]) -> None:
    lines = []
    for line, cells in enumerate(rows, 2):
        texts = (cell.format(column, line) for column, cell in zip("ABCE", cells, strict=True))
        lines.append(f'<row r="{line}" spans="1:5">{"".join(texts)}</row>')
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        for before in ("", "<!-- to the event parser -->"):
            content = package(
                sheet_xml(before + HEADER + "".join(lines)),
                strings="<si><t/></si><si><t>甲</t></si>",
                styles=DATES,
            )
            answers.append(read_all(opened(Path(folder), content)))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("strings", [True, False])
def test_what_libraries_write_is_split(tmp_path: Path, strings: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["a", "b", "c"]] + [[str(at), "甲" * (at % 4), " <&> "] for at in range(20_000)]
    table = opened(tmp_path, xlsx(rows, strings=strings))
    parsed: list[int] = []
    parse = SheetReader._parse
    monkeypatch.setattr(SheetReader, "_parse", lambda self, data: parsed.append(len(data)) or parse(self, data))
    assert rows_of(read_all(table)) == rows[1:]
    assert sum(parsed) < 1000


def test_cells_beyond_the_header(tmp_path: Path) -> None:
    rows = [["a", "b"], ["1", "2", "", "4"], ["5", "6", " "], ["", "", "7"], ["8"]]
    chunk = read_all(opened(tmp_path, xlsx(rows)))
    assert rows_of(chunk) == [["5", "6"], ["8", ""]]
    assert chunk.bad == [
        BadRow(1, 2, "too_many_cells", ["1", "2", "", "4"]),
        BadRow(3, 4, "too_many_cells", ["", "", "7"]),
    ]


def test_title_rows_and_merged_cells_above_the_header(tmp_path: Path) -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.merge_range("A1:C1", "行政处罚信息表")
        sheet.write_row(2, 0, ["名称", "代码", "日期"])
        sheet.write_row(3, 0, ["甲", "1", "x"])
        sheet.set_row(3, None, None, {"hidden": True})

    table = opened(tmp_path, written(write))
    assert (table.header, table.skipped_lines) == (["名称", "代码", "日期"], [1])
    assert rows_of(read_all(table)) == [["甲", "1", "x"]]


def test_the_first_visible_sheet_with_content_is_read(tmp_path: Path) -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        hidden, empty, shown = (book.add_worksheet(name) for name in ("隐", "空", "表"))
        shown.activate()
        shown.set_first_sheet()
        hidden.write_row(0, 0, ["x", "y"])
        hidden.hide()
        empty.set_column(0, 5, 30)
        shown.write_row(0, 0, ["a", "b"])
        book.add_chartsheet("图").set_chart(_chart(book))

    table = opened(tmp_path, written(write))
    assert (table.sheets, table.sheet, table.header) == (["空", "表"], "表", ["a", "b"])


def _chart(book: xlsxwriter.Workbook) -> object:
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=表!$A$1:$A$2"})
    return chart


@pytest.mark.parametrize("row", ['<row r="{0}" ht="15"/>', '<row r="{0}"><c r="A{0}" s="1"/><c r="B{0}" s="1"/></row>'])
def test_300000_empty_rows(tmp_path: Path, row: str) -> None:
    empty = "".join(row.format(line) for line in range(3, 300_003))
    rows = f'{HEADER}<row r="2"><c r="A2"><v>1</v></c></row>{empty}<row r="300003"><c r="B300003"><v>2</v></c></row>'
    chunk = read_all(opened(tmp_path, package(sheet_xml(rows))))
    assert rows_of(chunk) == [["1", ""], ["", "2"]]
    assert list(chunk.line_numbers) == [2, 300_003]


def test_many_shared_strings_are_spooled(tmp_path: Path) -> None:
    rows = [["a", "b"]] + [[f"甲{at}\n", f"乙{at}" * (at % 7)] for at in range(20_000)]
    table = opened(tmp_path, xlsx(rows), limits=Limits(shared_strings_bytes=100_000))
    assert rows_of(read_all(table)) == rows[1:]
    table.close()


def test_character_escapes_of_spreadsheets(tmp_path: Path) -> None:
    cells = '<c r="A2" t="s"><v>0</v></c><c r="B2" t="str"><v>_xD83D__xDE00_ _xD83D_ _x0000_ _x005F_x0041_</v></c>'
    assert cells_read(tmp_path, cells, strings="<si><t>a_x000D__x000A_b_x12_</t></si>") == [
        "a\r\nb_x12_",
        "😀 _xD83D_ _x0000_ _x0041_",
    ]


def test_one_string_repeated_makes_light_chunks(tmp_path: Path) -> None:
    cells = "".join(f'<row r="{line}"><c r="A{line}" t="s"><v>0</v></c></row>' for line in range(2, 2002))
    content = package(sheet_xml(HEADER + cells), strings=f"<si><t>{'长' * 10_000}</t></si>")
    chunks = list(opened(tmp_path, content, limits=Limits(chunk_chars=1_000_000)).chunks(5000))
    assert max(chunk.weight() for chunk in chunks) <= 1_000_000
    assert sum(chunk.received for chunk in chunks) == 2000
    error = refusal(tmp_path, content, chunk_chars=9_999)
    assert (error.code, error.params["line"]) == ("row_too_long", 2)


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(xlsx([["a", "b"]] + [[str(at), ""] for at in range(3000)]))
    with open_table(path) as table:
        assert read_all(table) == read_all(table)
