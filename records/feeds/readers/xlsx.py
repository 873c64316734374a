"""XLSX workbooks: the first visible worksheet with content, as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from .errors import FeedFileError
from .table import CellWarning, Chunk, Limits, Table, checked_header, drop_empty, shape_rows
from .titles import TOP_ROWS, find_header
from .xlsx_cells import Renderer, SheetRow
from .xlsx_package import Package, Sheet, Workbook
from .xlsx_sheet import SheetReader
from .xlsx_strings import read_strings
from .xlsx_styles import style_kinds

VISIBLE_WARNINGS = ("error_cell", "formula_without_value")  # the sheet shows something where we have no text


class XlsxTable(Table):
    """A worksheet; values are what the spreadsheet shows, dates as ISO text."""

    format = "xlsx"

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(limits)
        self._package = Package(path, limits)
        workbook = Workbook(self._package)
        self._strings = read_strings(
            self._package, workbook.strings, limits.cell_chars, limits.shared_strings_bytes
        )
        styles = style_kinds(self._package, workbook.styles)
        self._renderer = Renderer(self._strings, styles, workbook.date1904)
        visible = [sheet for sheet in workbook.sheets if sheet.visible]
        self.sheets = [sheet.name for sheet in visible]
        self._part, self._header_line = self._choose(visible)

    def _choose(self, visible: list[Sheet]) -> tuple[str, int]:
        """The first worksheet with content and the line of its header."""
        for sheet in visible:
            top = self._top_rows(sheet.part)
            if top:
                line, cells, self.skipped_lines = find_header(top)
                self.header, self.sheet = checked_header(cells, self.limits), sheet.name
                return sheet.part, line
        raise FeedFileError("no_worksheet")

    def _top_rows(self, part: str) -> list[tuple[int, list[str]]]:
        """The first rows with content, each with all its cells."""
        reader = SheetReader(self._renderer, 0, self.limits.cell_chars)
        found: list[tuple[int, list[str]]] = []
        for row in chain.from_iterable(reader.rows(self._package.stream(part, 1 << 16))):
            if any(text.strip() for text in row.extra.values()):
                found.append((row.line, widened(row).cells))
            if len(found) == TOP_ROWS:
                break
        return found

    def blocks(self) -> Iterator[Chunk]:
        """All data rows; raises corrupt_workbook, zip_bomb or cell_too_long where they occur."""
        reader = SheetReader(self._renderer, len(self.header), self.limits.cell_chars)
        number, below = 1, False
        for rows in reader.rows(self._package.stream(self._part)):
            warnings = list(reader.warnings)
            reader.warnings.clear()
            if not below:
                rows, below = self._below_header(rows)
            block = self._shaped(rows, warnings, number)
            if block.received:
                yield block
                number += block.received

    def _below_header(self, rows: list[SheetRow]) -> tuple[list[SheetRow], bool]:
        for at, row in enumerate(rows):
            if row.line == self._header_line:
                return rows[at + 1 :], True
        return [], False

    def _shaped(self, rows: list[SheetRow], warnings: list[CellWarning], number: int) -> Chunk:
        shown = {warning.line_number for warning in warnings if warning.code in VISIBLE_WARNINGS}
        texts = [widened(row).cells if row.extra else row.cells for row in rows]
        texts, lines = drop_empty(texts, [row.line for row in rows], shown)
        if not texts:
            return Chunk(number, 0, [], range(0), range(0))
        block = shape_rows(texts, lines, len(self.header), number)
        if warnings:
            kept = set(lines)
            width = len(self.header)
            block.warnings = [item for item in warnings if item.line_number in kept and item.column < width]
        return block

    def close(self) -> None:
        """Close the package and remove the spooled strings."""
        self._package.close()
        self._strings.close()


def widened(row: SheetRow) -> SheetRow:
    """The row with its extra cells in their columns."""
    if not row.extra:
        return row
    cells = row.cells + [""] * (max(row.extra) + 1 - len(row.cells))
    for column, text in row.extra.items():
        cells[column] = text
    return SheetRow(row.line, cells, {})
