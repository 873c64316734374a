"""XLSX workbooks: the first visible worksheet with content, as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .errors import FeedFileError
from .table import BadRow, Chunk, Limits, Table, checked_header, is_empty
from .titles import TOP_ROWS, example_line, find_header
from .xlsx_cells import Renderer, SheetBlock
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
        self._strings = read_strings(self._package, workbook.strings, limits.cell_chars, limits.shared_strings_bytes)
        styles = style_kinds(self._package, workbook.styles)
        self._renderer = Renderer(self._strings, styles, workbook.date1904)
        visible = [sheet for sheet in workbook.sheets if sheet.visible]
        self.sheets = [sheet.name for sheet in visible]
        self._part, self._header_line = self._choose(visible)

    def _choose(self, visible: list[Sheet]) -> tuple[str, int]:
        """The first worksheet with content and the line below which its rows begin."""
        for sheet in visible:
            top = self._top_rows(sheet.part)
            if top:
                line, cells, self.skipped_lines = find_header(top)
                self.header, self.sheet = checked_header(cells, self.limits), sheet.name
                self.example_line = example_line(top, line)
                return sheet.part, self.example_line or line
        raise FeedFileError("no_worksheet")

    def _top_rows(self, part: str) -> list[tuple[int, list[str]]]:
        """The first rows with content, each with all its cells."""
        reader = SheetReader(self._renderer, 0, self.limits.cell_chars)
        found: list[tuple[int, list[str]]] = []
        for block in reader.blocks(self._package.stream(part, 1 << 16)):
            for place, cells in block.extra.items():
                row = widened([], cells)
                if not is_empty(row):
                    found.append((block.lines[place], row))
            if len(found) >= TOP_ROWS:
                break
        return found[:TOP_ROWS]

    def blocks(self) -> Iterator[Chunk]:
        """All data rows; raises corrupt_workbook, zip_bomb or cell_too_long where they occur."""
        reader = SheetReader(self._renderer, len(self.header), self.limits.cell_chars)
        number, below = 1, False
        for block in reader.blocks(self._package.stream(self._part)):
            if not below:
                if self._header_line not in block.lines:
                    continue
                block, below = _after(block, self._header_line), True
            chunk = shape_block(block, number)
            if chunk.received:
                yield chunk
                number += chunk.received

    def close(self) -> None:
        """Close the package and remove the spooled strings."""
        self._package.close()
        self._strings.close()


def _after(block: SheetBlock, line: int) -> SheetBlock:
    """The part of the block below this line."""
    start = block.lines.index(line) + 1
    return SheetBlock(
        block.lines[start:],
        [column[start:] for column in block.columns],
        {place - start: cells for place, cells in block.extra.items() if place >= start},
        [warning for warning in block.warnings if warning.line_number != line],
    )


def shape_block(block: SheetBlock, number: int) -> Chunk:
    """A chunk from a block of the sheet: empty rows dropped, rows with cells beyond the header set aside."""
    warnings = [item for item in block.warnings if item.column < len(block.columns)]
    shown = {warning.line_number for warning in warnings if warning.code in VISIBLE_WARNINGS}
    extra = {place for place, cells in block.extra.items() if not is_empty(list(cells.values()))}
    empty = {
        place
        for place, cell in enumerate(block.columns[0])
        if (not cell or cell.isspace())
        and place not in extra
        and block.lines[place] not in shown
        and is_empty([column[place] for column in block.columns])
    }
    count = len(block.lines) - len(empty)
    if not empty and not extra:
        return Chunk(number, count, block.columns, range(number, number + count), block.lines, [], warnings)
    return _sifted(block._replace(warnings=warnings), number, empty, extra)


def _sifted(block: SheetBlock, number: int, empty: set[int], extra: set[int]) -> Chunk:
    kept = [place for place in range(len(block.lines)) if place not in empty]
    numbers = dict(zip(kept, range(number, number + len(kept)), strict=True))
    good = [place for place in kept if place not in extra]
    bad = [
        BadRow(
            numbers[place],
            block.lines[place],
            "too_many_cells",
            widened([column[place] for column in block.columns], block.extra[place]),
        )
        for place in kept
        if place in extra
    ]
    lines = {block.lines[place] for place in kept}
    return Chunk(
        number,
        len(kept),
        [[column[place] for place in good] for column in block.columns],
        [numbers[place] for place in good],
        [block.lines[place] for place in good],
        bad,
        [warning for warning in block.warnings if warning.line_number in lines],
    )


def widened(cells: list[str], extra: dict[int, str]) -> list[str]:
    """The row's cells with those beyond its width in their columns."""
    row = cells + [""] * (max(extra) + 1 - len(cells))
    for column, text in extra.items():
        row[column] = text
    return row
