"""A workbook as a spreadsheet program has it: cells to be read and changed, remarks and colours to be looked at."""

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import python_calamine
import xlsxwriter
from lxml import etree
from xlsxwriter.utility import xl_rowcol_to_cell

SPACE = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@dataclass
class Book:
    """The first sheet of a workbook; lines and columns count from 0."""

    content: bytes
    lines: list[list[str]]

    @classmethod
    def read(cls, content: bytes) -> "Book":
        sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        return cls(content, [[str(cell) for cell in line] for line in sheet.to_python()])

    @property
    def header(self) -> list[str]:
        return self.lines[0]

    def at(self, column: str) -> int:
        return self.header.index(column)

    def mend(self, line: int, column: str, text: str) -> None:
        self.lines[line][self.at(column)] = text

    def saved(self) -> bytes:
        """As it is saved after it was changed."""
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False}) as book:
            sheet = book.add_worksheet()
            for number, line in enumerate(self.lines):
                for column, text in enumerate(line):
                    sheet.write_string(number, column, text)
        return buffer.getvalue()

    def remark(self, line: int, column: str) -> str:
        """The remark on a cell; empty where there is none."""
        with zipfile.ZipFile(io.BytesIO(self.content)) as package:
            if "xl/comments1.xml" not in package.namelist():
                return ""
            tree = etree.fromstring(package.read("xl/comments1.xml"))
        found: Any = tree.xpath(f"//m:comment[@ref='{xl_rowcol_to_cell(line, self.at(column))}']", namespaces=SPACE)
        return "".join(found[0].itertext()) if found else ""

    def colour(self, line: int, column: str) -> str:
        """The colour behind a cell; empty where it has none."""
        cell = xl_rowcol_to_cell(line, self.at(column))
        with zipfile.ZipFile(io.BytesIO(self.content)) as package:
            sheet = etree.fromstring(package.read("xl/worksheets/sheet1.xml"))
            styles = etree.fromstring(package.read("xl/styles.xml"))
        index = int(sheet.xpath(f"string(//m:c[@r='{cell}']/@s)", namespaces=SPACE) or 0)  # type: ignore[arg-type]
        fill = int(styles.xpath(f"string(//m:cellXfs/m:xf[{index + 1}]/@fillId)", namespaces=SPACE))  # type: ignore[arg-type]
        return str(styles.xpath(f"string(//m:fills/m:fill[{fill + 1}]//m:fgColor/@rgb)", namespaces=SPACE))
