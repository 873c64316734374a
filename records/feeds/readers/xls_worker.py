"""Reads a legacy workbook in a process of its own, whose memory and time are limited by the system.

The library expands a sheet to its full rectangle and copies every repeated string, so that a file of a few
kilobytes may ask for gigabytes; it may also panic over broken files. Neither must reach the process that
loads feeds. The answer goes to standard output in frames: length, then marshalled plain values.
"""

from __future__ import annotations

import marshal
import resource
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any, BinaryIO, TypeVar

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from .values import elapsed_text, loses_precision, number_text

MEMORY = 400 << 20  # bytes
SECONDS = 300
BLOCK_ROWS = 500
Value = int | float | str | bool | time | date | datetime | timedelta
Row = tuple[int, list[str], list[int]]  # line, texts from column A on, columns of numbers with lost digits
T = TypeVar("T")


class RefusedError(Exception):
    """The workbook cannot be read; the message is the code of a FeedFileError."""


def main(path: str, answer: BinaryIO) -> None:
    """Send the names of the visible sheets, that of the first with content, and its rows in blocks."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        book = guarded(lambda: CalamineWorkbook.from_path(path))
        names = visible_sheets(book)
        name, rows = first_filled(book, names)
        send(answer, (names, name))
        while block := list(islice(rows, BLOCK_ROWS)):
            send(answer, block)
        send(answer, None)
    except RefusedError as refused:
        send(answer, str(refused))
    except MemoryError:
        send(answer, "workbook_too_large")


def first_filled(book: CalamineWorkbook, names: list[str]) -> tuple[str, Iterator[Row]]:
    """Name and rows of the first of these sheets that has content."""
    for name in names:
        sheet = guarded(lambda name=name: book.get_sheet_by_name(name))  # type: ignore[misc]
        rows = sheet_rows(sheet)
        for first in rows:
            return name, chain([first], rows)
    raise RefusedError("no_worksheet")


def send(answer: BinaryIO, frame: Any) -> None:
    """Write one frame."""
    data = marshal.dumps(frame)
    answer.write(len(data).to_bytes(8, "little"))
    answer.write(data)
    answer.flush()


def visible_sheets(book: CalamineWorkbook) -> list[str]:
    """Names of the worksheets that are not hidden."""
    return [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
    ]


def sheet_rows(sheet: CalamineSheet) -> Iterator[Row]:
    """The rows with content."""
    if sheet.start is None:
        return
    left = [""] * sheet.start[1]
    for line, values in enumerate(sheet.iter_rows(), 1):
        cells = left + [value if type(value) is str else value_text(value) for value in values]
        if any(cells) and "".join(cells).strip():
            yield line, cells, lost_digits(values, cells)


def lost_digits(values: list[Value], cells: list[str]) -> list[int]:
    """The columns whose number has more digits than a spreadsheet keeps."""
    left = len(cells) - len(values)
    return [
        column
        for column, value in enumerate(values, left)
        if type(value) in (float, int) and loses_precision(cells[column])
    ]


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


def guarded(load: Callable[[], T]) -> T:
    """What `load` returns; the library's errors and panics as RefusedError."""
    try:
        return load()
    except PasswordError:
        raise RefusedError("password_protected") from None
    except CalamineError:
        raise RefusedError("corrupt_workbook") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise RefusedError("corrupt_workbook") from None


if __name__ == "__main__":
    main(sys.argv[1], sys.stdout.buffer)
