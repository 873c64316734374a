"""The cells of a worksheet: how each kind is rendered, and the parser for sheets of any shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .errors import FeedFileError
from .table import CellWarning
from .values import decode_units, elapsed_text, loses_precision, number_text, serial_text
from .xlsx_strings import SharedStrings
from .xlsx_styles import NumberKind
from .xml_events import EventParser

LAST_COLUMN = 16_384
REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]+)")
Rendered = tuple[str, str]  # text, warning code or nothing


class SheetRow(NamedTuple):
    """A row with its line in the sheet; `extra` holds the filled cells beyond the width asked for."""

    line: int
    cells: list[str]
    extra: dict[int, str]


class SheetBlock(NamedTuple):
    """A run of rows by columns; `extra` holds the cells beyond the width by the row's place in the run."""

    lines: list[int]
    columns: list[list[str]]
    extra: dict[int, dict[int, str]]
    warnings: list[CellWarning]


class Renderer:
    """Turns what a cell stores into what the sheet shows, with a warning code where that is doubtful."""

    def __init__(self, strings: SharedStrings, styles: Sequence[NumberKind], date1904: bool) -> None:
        self.strings = strings
        self._styles = styles
        self._date1904 = date1904
        self._by_type: dict[str, Callable[[str], Rendered]] = {
            "s": self.shared,
            "str": self.text,
            "inlineStr": self.text,
            "b": self._boolean,
            "e": self._error,
            "d": self._iso_date,
        }

    def renderer(self, kind: str, style: int) -> Callable[[str], Rendered]:
        """The function that renders cells of this type (`t`) and style; ValueError for an unknown type."""
        if kind in self._by_type:
            return self._by_type[kind]
        if kind not in ("", "n"):
            raise ValueError("unknown cell type")
        number_kind = self._styles[style] if style < len(self._styles) else NumberKind.NUMBER
        if number_kind is NumberKind.DATE:
            return self._date
        return self._elapsed if number_kind is NumberKind.ELAPSED else self.number

    def shared(self, raw: str) -> Rendered:
        """The shared string with this index; ValueError or IndexError when there is none."""
        if not raw:
            return "", ""
        index = int(raw)
        if index < 0:
            raise IndexError(index)
        return self.strings[index], ""

    @staticmethod
    def text(raw: str) -> Rendered:
        """Text as it is stored, with the spreadsheet's own escapes read."""
        return decode_units(raw), ""

    @staticmethod
    def _boolean(raw: str) -> Rendered:
        return {"1": "TRUE", "0": "FALSE"}.get(raw.strip(), raw), ""

    @staticmethod
    def _error(_raw: str) -> Rendered:
        return "", "error_cell"

    @staticmethod
    def _iso_date(raw: str) -> Rendered:
        return raw.removesuffix("Z").removesuffix("T00:00:00"), ""

    @staticmethod
    def number(raw: str) -> Rendered:
        """A number as the sheet shows it."""
        text = number_text(raw)
        return text, "precision_lost" if loses_precision(text) else ""

    def _date(self, raw: str) -> Rendered:
        text = serial_text(raw, self._date1904)
        return (text, "") if text is not None else (number_text(raw), "date_out_of_range")

    @staticmethod
    def _elapsed(raw: str) -> Rendered:
        text = elapsed_text(raw)
        return (text, "") if text is not None else (number_text(raw), "date_out_of_range")


def block_of(rows: list[SheetRow], width: int, warnings: list[CellWarning]) -> SheetBlock:
    """Rows as a block."""
    lines = [row.line for row in rows]
    if rows and width:
        columns = list(map(list, zip(*(row.cells for row in rows), strict=True)))
    else:
        columns = [[] for _ in range(width)]
    extra = {place: row.extra for place, row in enumerate(rows) if row.extra}
    return SheetBlock(lines, columns, extra, warnings)


def column_index(letters: str) -> int:
    """Column from 0: 'A' → 0, 'AA' → 26; ValueError beyond the last column a sheet can have."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    if not 0 < index <= LAST_COLUMN:
        raise ValueError("no such column")
    return index - 1


class CellEvents(EventParser):
    """Rows out of any well-formed worksheet, event by event."""

    def __init__(self, renderer: Renderer, width: int, cell_chars: int, warnings: list[CellWarning]) -> None:
        super().__init__("worksheet", cell_chars)
        self._renderer, self._width, self._warnings = renderer, width, warnings
        self._rows: list[SheetRow] = []
        self._row = SheetRow(0, [], {})
        self._inside = False
        self._hint = 0
        self._count = 0
        self._column = -1
        self._cell: dict[str, str] = {}
        self._formula = self._valued = False

    def take(self) -> list[SheetRow]:
        """The rows completed since the last call."""
        rows, self._rows = self._rows, []
        return rows

    def line(self) -> int:
        """The sheet row the parser is in."""
        return self._row.line

    def follow(self, line: int) -> None:
        """Tell the parser which line was read last by other means."""
        self._row = SheetRow(line, [], {})

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self.capturing = False
        if name == "row":
            number = attributes.get("r", "")
            line = int(number) if number.isdecimal() else self._row.line + 1
            self._row = SheetRow(line, [""] * self._width, {})
            self._column, self._count, self._inside = -1, 0, True
        elif not self._inside:
            return
        elif name == "c":
            self._begin_cell(attributes)
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._hint += 1
        elif name in ("v", "t"):
            self.capturing = not self._hint

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        reference = REFERENCE.fullmatch(attributes.get("r", ""))
        try:
            self._column = column_index(reference[1]) if reference else self._column + 1
        except ValueError:
            raise FeedFileError("corrupt_workbook", part=self.part) from None
        self._count += 1
        if self._count > LAST_COLUMN or self._column >= LAST_COLUMN:
            raise FeedFileError("corrupt_workbook", part=self.part)
        self._cell, self._formula = attributes, False
        self.taken_text()

    def closed(self, name: str) -> None:
        """An element ends."""
        self.capturing = False
        if name == "rPh":
            self._hint -= 1
        elif name == "c" and self._inside:
            self._end_cell()
        elif name == "row" and self._inside:
            self._rows.append(self._row)
            self._inside = False

    def _end_cell(self) -> None:
        style = self._cell.get("s", "")
        raw = self.taken_text()
        try:
            render = self._renderer.renderer(self._cell.get("t", ""), int(style) if style.isdecimal() else 0)
            text, code = render(raw) if raw else ("", "")
        except (ValueError, IndexError):
            raise FeedFileError("corrupt_workbook", part=self.part) from None
        if self._formula:
            no_value = not raw and self._cell.get("t") != "str"
            code = code or ("formula_without_value" if no_value else "formula_cell")
        store_cell(self._row, self._column, text)
        if code:
            self._warnings.append(CellWarning(self._row.line, self._column, code))


def store_cell(row: SheetRow, column: int, text: str) -> None:
    """Put a cell's text into its column, or among the extra cells when it lies beyond the width."""
    if column < len(row.cells):
        row.cells[column] = text
    elif text:
        row.extra[column] = text
