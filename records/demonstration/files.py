"""Rows as files the way units send them: text tables in several encodings, workbooks, XML; the same bytes each time."""

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

from records.demonstration.rows import RAGGED, Column, Row

ENCODINGS = {
    "csv-utf8": "utf-8",
    "csv-utf8-bom": "utf-8-sig",
    "csv-gb18030": "gb18030",
    "csv-utf16": "utf-16-le",
}
SUFFIXES = {"xlsx": "xlsx", "xml": "xml"}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a ZIP entry can bear; a clock would change the digest
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{SHEET_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SHEET_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def file_of(form: str, columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    """The bytes of one file; text tables bear names as headers, XML the codes of fields."""
    return WRITERS[form](form, columns, rows)


def suffix_of(form: str) -> str:
    """The suffix of a file of this form."""
    return SUFFIXES.get(form, "csv")


def _cells(columns: Sequence[Column], row: Row) -> list[str]:
    return [row.get(column.role or column.code, "") for column in columns]


def _csv(form: str, columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(column.name for column in columns)
    for row in rows:
        cells = _cells(columns, row)
        writer.writerow(cells[: len(cells) // 2] if RAGGED in row else cells)
    mark = "\ufeff" if form == "csv-utf16" else ""
    return (mark + text.getvalue()).encode(ENCODINGS[form])


def _xml(form: str, columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    lines = ['<?xml version="1.0" encoding="GB18030"?>', "<records>"]
    for row in rows:
        pairs = zip(columns, _cells(columns, row), strict=True)
        lines.append("<record>" + "".join(f"<{c.code}>{escape(text)}</{c.code}>" for c, text in pairs) + "</record>")
    return "\n".join([*lines, "</records>", ""]).encode("gb18030")


def _xlsx(form: str, columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    """A workbook with one sheet of inline texts, which is all a table of texts needs."""
    table = [[column.name for column in columns], *(_cells(columns, row) for row in rows)]
    sheet = "".join(_sheet_row(line, cells) for line, cells in enumerate(table, 1))
    parts = {
        **PARTS,
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(zipfile.ZipInfo(name, EPOCH), DECLARATION + content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _sheet_row(line: int, cells: list[str]) -> str:
    filled = ((at, text) for at, text in enumerate(cells) if text)
    inner = "".join(
        f'<c r="{_letters(at)}{line}" t="inlineStr"><is><t>{escape(text)}</t></is></c>' for at, text in filled
    )
    return f'<row r="{line}">{inner}</row>'


def _letters(column: int) -> str:
    high, low = divmod(column, 26)
    return (chr(64 + high) if high else "") + chr(65 + low)


WRITERS: dict[str, Callable[[str, Sequence[Column], Sequence[Row]], bytes]] = {
    **dict.fromkeys(ENCODINGS, _csv),
    "xml": _xml,
    "xlsx": _xlsx,
}
