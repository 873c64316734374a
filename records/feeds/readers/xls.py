"""Legacy XLS workbooks, read at once: the format ends at 65,536 rows and its files are limited in size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from .errors import FeedFileError
from .table import CellWarning, Chunk, Limits, Table, checked_header, drop_empty, shape_rows
from .titles import TOP_ROWS, find_header
from .values import elapsed_text, loses_precision, number_text

BLOCK_ROWS = 2_000
Value = int | float | str | bool | time | date | datetime | timedelta
T = TypeVar("T")


class XlsTable(Table):
    """A worksheet of a legacy workbook; values as for XLSX, though formulas and errors leave no mark."""

    format = "xls"
    encoding = "BIFF"

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(limits)
        if path.stat().st_size > limits.xls_bytes:
            raise FeedFileError("workbook_too_large", limit=f"{limits.xls_bytes // 2**20} MiB")
        self._book = _guarded(lambda: CalamineWorkbook.from_path(path))
        self.sheets = [
            sheet.name
            for sheet in self._book.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
        ]
        self._sheet, self._header_line = self._choose()

    def _choose(self) -> tuple[CalamineSheet, int]:
        """The first worksheet with content and the line of its header."""
        for name in self.sheets:
            sheet = _guarded(lambda name=name: self._book.get_sheet_by_name(name))  # type: ignore[misc]
            filled = ((line, cells) for line, cells, _codes in self._rows(sheet) if any(map(str.strip, cells)))
            top = list(islice(filled, TOP_ROWS))
            if top:
                line, cells, self.skipped_lines = find_header(top)
                self.header, self.sheet = checked_header(cells, self.limits), name
                return sheet, line
        raise FeedFileError("no_worksheet")

    def _rows(self, sheet: CalamineSheet) -> Iterator[tuple[int, list[str], list[CellWarning]]]:
        """Line, texts and warnings of every row, the columns counted from A."""
        if sheet.start is None:
            return
        left = [""] * sheet.start[1]
        for line, values in enumerate(sheet.iter_rows(), 1):
            cells = left + [value if type(value) is str else value_text(value) for value in values]
            if max(map(len, cells)) > self.limits.cell_chars:
                raise FeedFileError("cell_too_long", line=line, limit=self.limits.cell_chars)
            codes = [
                CellWarning(line, column, "precision_lost")
                for column, value in enumerate(values, len(left))
                if type(value) in (float, int) and loses_precision(cells[column])
            ]
            yield line, cells, codes

    def blocks(self) -> Iterator[Chunk]:
        """All data rows."""
        number, width = 1, len(self.header)
        rows = (row for row in self._rows(self._sheet) if row[0] > self._header_line)
        while run := list(islice(rows, BLOCK_ROWS)):
            texts, lines = drop_empty([_trimmed(cells, width) for _line, cells, _codes in run], [row[0] for row in run])
            if texts:
                block = shape_rows(texts, lines, width, number)
                block.warnings = [code for row in run for code in row[2] if code.column < width]
                yield block
                number += len(texts)

    def close(self) -> None:
        """Free the workbook."""
        self._book.close()


def value_text(value: Value) -> str:
    """A value of the workbook as text, as the XLSX reader renders it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return number_text(repr(value))
    if isinstance(value, datetime):
        rounded = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
        return rounded.date().isoformat() if rounded.time() == time() else rounded.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, timedelta):
        return elapsed_text(repr(value / timedelta(days=1))) or str(value)
    return value if isinstance(value, str) else value.isoformat()


def _trimmed(cells: list[str], width: int) -> list[str]:
    """The row with exactly `width` cells, or longer where something stands beyond them."""
    if len(cells) < width:
        return cells + [""] * (width - len(cells))
    return cells


def _guarded(load: Callable[[], T]) -> T:
    """What `load` returns; the library's errors, and its panics over broken files, as ours."""
    try:
        return load()
    except PasswordError:
        raise FeedFileError("password_protected") from None
    except CalamineError:
        raise FeedFileError("corrupt_workbook", part="xls") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise FeedFileError("corrupt_workbook", part="xls") from None
