"""Files as departments deliver them, written for the tests of the readers."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import msoffcrypto.format.ooxml
import xlsxwriter
import xlwt

from records.feeds.readers import Chunk, Limits, Table, open_table

Rows = Sequence[Sequence[str]]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def read_all(table: Table, size: int = 1000, skip: int = 0) -> Chunk:
    """Every row of a table in one chunk."""
    chunks = list(table.chunks(size, skip))
    return Chunk(
        chunks[0].first_row if chunks else skip + 1,
        sum(chunk.received for chunk in chunks),
        [[cell for chunk in chunks for cell in chunk.columns[at]] for at in range(len(table.header))],
        [number for chunk in chunks for number in chunk.row_numbers],
        [number for chunk in chunks for number in chunk.line_numbers],
        [row for chunk in chunks for row in chunk.bad],
        [warning for chunk in chunks for warning in chunk.warnings],
    )


def rows_of(chunk: Chunk) -> list[list[str]]:
    """The good rows of a chunk, row by row."""
    return [list(row) for row in zip(*chunk.columns, strict=True)]


def opened(folder: Path, content: bytes, name: str = "file", limits: Limits | None = None) -> Table:
    """A file with this content, opened."""
    path = folder / name
    path.write_bytes(content)
    return open_table(path, limits=limits or Limits())


def xlsx(rows: Rows, *, strings: bool = True) -> bytes:
    """A workbook of text cells as XlsxWriter writes it, with shared or inline strings."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "constant_memory": not strings}) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write_string(line, column, cell)
    return buffer.getvalue()


def xls(rows: Rows) -> bytes:
    """A legacy workbook of text cells."""
    buffer = io.BytesIO()
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Sheet1")
    for line, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(line, column, cell)
    book.save(buffer)
    return buffer.getvalue()


def xml(header: Sequence[str], rows: Rows, encoding: str = "UTF-8") -> bytes:
    """Records as an XML feed."""
    records = []
    for row in rows:
        cells = (f"<{name}>{escape(cell)}</{name}>" for name, cell in zip(header, row, strict=True))
        records.append(f"<record>{''.join(cells)}</record>\n")
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<records>\n{"".join(records)}</records>\n'
    return text.encode(encoding)


def encrypted(workbook: bytes) -> bytes:
    """The workbook protected by a password."""
    buffer = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(io.BytesIO(workbook)).encrypt("secret", buffer)
    return buffer.getvalue()


def package(sheet: str, *, strings: str = "", styles: str = "", workbook: str = "", **parts: bytes) -> bytes:
    """A workbook from its XML, for shapes which no library writes; `sheet` is the whole worksheet part."""
    book = workbook or f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>' + (
        '<sheet name="S" sheetId="1" r:id="s1"/></sheets></workbook>'
    )
    files = {
        "_rels/.rels": _relations(("b", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": _relations(
            ("s1", "worksheet", "worksheets/sheet1.xml"),
            ("s2", "worksheet", "worksheets/sheet2.xml"),
            ("t", "sharedStrings", "sharedStrings.xml"),
            ("y", "styles", "styles.xml"),
        ),
        "xl/worksheets/sheet1.xml": sheet,
    }
    if strings:
        files["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{strings}</sst>'
    if styles:
        files["xl/styles.xml"] = f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (files | parts).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def sheet_xml(rows: str, before: str = "", after: str = "") -> str:
    """A worksheet part around its rows."""
    declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return f'{declaration}<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


def _relations(*relations: tuple[str, str, str]) -> str:
    links = "".join(
        f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"/>' for key, kind, target in relations
    )
    return f'<Relationships xmlns="{PACKAGE}">{links}</Relationships>'
