"""Files as they really come from offices, each wrong in a way of its own; all parties are fictitious."""

import csv
import io
from collections.abc import Callable

import xlsxwriter

from tests.deliveries import penalty, person_penalty
from tests.records.feed_files import xls, xlsx
from tests.records.feedfiles import cells_of, csv_bytes, table_bytes

ROWS = [penalty(number) for number in (1, 2, 3)]
HEADER, CELLS = cells_of(ROWS)
WIDTH = len(HEADER)
Make = Callable[[], bytes]


def row_of(first: str, **cells: str) -> list[str]:
    """A row that begins with this text and is otherwise empty but for these cells."""
    row = [cells.get(name, "") for name in HEADER]
    return [first, *row[1:]]


TITLE = row_of("行政处罚信息公示表")
TOTAL = row_of("合 计：", CF_NR_FK="3")


def book(*sheets: tuple[str, list[list[str]]], hidden: tuple[str, ...] = ()) -> bytes:
    """A workbook of several sheets."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as made:
        for name, rows in sheets:
            sheet = made.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            else:
                sheet.activate()
            for line, row in enumerate(rows):
                sheet.write_row(line, 0, row)
    return buffer.getvalue()


def merged_title() -> bytes:
    """A title merged over the table, the table below it."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        sheet.merge_range(0, 0, 0, WIDTH - 1, TITLE[0])
        sheet.merge_range(1, 0, 1, WIDTH - 1, "填报单位：示例局")
        for line, row in enumerate([HEADER, *CELLS], 2):
            sheet.write_row(line, 0, row)
    return buffer.getvalue()


def numbers_as_numbers() -> bytes:
    """Amounts, a percentage and a resident number typed as numbers, a formula, a cell that shows an error."""
    buffer = io.BytesIO()
    rows = [*ROWS, person_penalty(4, "林示例", ""), penalty(5), penalty(6)]
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        for line, row in enumerate(rows, 1):
            sheet.write_row(line, 0, [row[name] for name in HEADER])
        fine, number = HEADER.index("CF_NR_FK"), HEADER.index("CF_XDR_ZJHM")
        sheet.write_number(1, fine, 1.5)
        sheet.write_number(2, fine, 0.5, made.add_format({"num_format": "0%"}))
        sheet.write_formula(3, fine, "=1/0", value="#DIV/0!")
        sheet.write_number(4, number, 441300199001011239)
        sheet.write_formula(5, fine, "=1+1", value=2)
    return buffer.getvalue()


def scientific() -> bytes:
    """Saved as CSV from a spreadsheet that shows long numbers in powers of ten."""
    return csv_bytes([*ROWS, person_penalty(4, "林示例", "4.413E+17"), penalty(5, CF_NR_FK="1.2E+01")])


def apostrophes() -> bytes:
    """Numbers kept as text by an apostrophe or a tab before them."""
    number = "441300199001011239"
    return csv_bytes(
        [
            penalty(1, CF_XDR_SHXYM="'" + ROWS[0]["CF_XDR_SHXYM"]),
            person_penalty(2, "林示例", "'" + number),
            person_penalty(3, "林示例", "\t" + number, CF_WSH="'罚3号"),
        ]
    )


def mixed_line_ends() -> bytes:
    """Lines that end in three ways, and one break within a cell."""
    broken = ["第一行\r\n第二行" if name == "CF_NR" else text for name, text in zip(HEADER, CELLS[2], strict=True)]
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r").writerow(HEADER)
    csv.writer(buffer, lineterminator="\n").writerow(CELLS[0])
    csv.writer(buffer, lineterminator="\r\n").writerows([CELLS[1], broken])
    return buffer.getvalue().encode()


def second_header() -> list[list[str]]:
    """Headings of groups above the header."""
    groups = ["行政相对人", *[""] * 5, "处罚决定", *[""] * (WIDTH - 7)]
    return [groups, HEADER, *CELLS]


BLANKS = [*HEADER[:3], "", *HEADER[3:], "", ""]
SPREAD = [[*row[:3], "", *row[3:], "", ""] for row in CELLS]

# What each file comes to: how many rows are accepted, and the codes of everything that is told.
FILES: dict[str, tuple[Make, int, set[str]]] = {
    "semicolons": (lambda: csv_bytes(ROWS, separator=";"), 3, set()),
    "tabs in UTF-16, as “Unicode text”": (lambda: csv_bytes(ROWS, encoding="utf-16", separator="\t"), 3, set()),
    "GBK behind the mark of UTF-8": (
        lambda: b"\xef\xbb\xbf" + csv_bytes(ROWS, encoding="gbk"),
        0,
        {"invalid_encoding"},
    ),
    "a title merged over the table": (merged_title, 3, set()),
    "a title in CSV": (lambda: table_bytes(TITLE, [HEADER, *CELLS]), 3, set()),
    "a title in CSV without delimiters": (
        lambda: "行政处罚信息公示表\n".encode() + csv_bytes(ROWS, separator=";"),
        3,
        set(),
    ),
    "two header rows": (lambda: xlsx(second_header()), 0, {"wrong_header"}),
    "a hidden sheet first": (lambda: book(("旧", [["x"]]), ("数据", [HEADER, *CELLS]), hidden=("旧",)), 3, set()),
    "the wrong sheet first": (lambda: book(("说明", [["填报说明"]]), ("数据", [HEADER, *CELLS])), 0, {"wrong_header"}),
    "numbers as numbers": (
        numbers_as_numbers,
        3,
        {"error_cell", "required", "formula_cell", "precision_lost"},
    ),
    "numbers in powers of ten": (scientific, 4, {"precision_lost", "wrong_length"}),
    "a row of totals": (lambda: table_bytes(HEADER, [*CELLS, TOTAL]), 3, {"summary_row"}),
    "a short row of totals": (lambda: table_bytes(HEADER, [*CELLS, ["总计", "3"]]), 3, {"summary_row"}),
    "a row of totals in a legacy workbook": (lambda: xls([TITLE, HEADER, *CELLS, TOTAL]), 3, {"summary_row"}),
    "blank columns": (lambda: table_bytes(BLANKS, SPREAD), 3, set()),
    "a NUL": (lambda: csv_bytes(ROWS).replace("罚款一万元".encode(), b"\0", 1), 0, {"nul_byte"}),
    "line ends of three kinds": (mixed_line_ends, 3, set()),
    "apostrophes before numbers": (apostrophes, 3, set()),
}
