"""The shape in which every file format arrives: a header and column-oriented chunks of text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress, pairwise
from typing import NamedTuple

from .errors import FeedFileError


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost. Lengths are characters, sizes bytes."""

    columns: int = 512
    cell_chars: int = 131_072  # four times Excel's longest, and the csv module's own limit
    chunk_chars: int = 16 * 1024 * 1024  # a chunk closes early at this weight; no single row may pass it
    xml_record_bytes: int = 16 * 1024 * 1024
    xls_bytes: int = 64 * 1024 * 1024
    zip_entries: int = 5_000
    unpacked_bytes: int = 6 * 1024**3
    unpack_ratio: int = 200  # unpacked ÷ file size, looked at beyond `unpack_free_bytes`
    unpack_free_bytes: int = 64 * 1024 * 1024
    small_part_bytes: int = 16 * 1024 * 1024  # workbook.xml, styles.xml and relationships
    shared_strings_bytes: int = 48 * 1024 * 1024  # kept in memory; more is spooled to a temporary file


class BadRow(NamedTuple):
    """A data row which could not be shaped into the header's columns; its raw cells are kept.

    `code` is too_many_cells, too_few_cells, or in XML unknown_column, repeated_column, nested_element,
    unknown_record or stray_text; `detail` names the columns (never the values) it is about.
    """

    row_number: int
    line_number: int
    code: str
    cells: list[str]
    detail: tuple[str, ...] = ()


class CellWarning(NamedTuple):
    """A cell that was read but should be looked at; `column` counts from 0, as in `Chunk.columns`.

    `code` is precision_lost, error_cell, formula_cell, formula_without_value or date_out_of_range.
    """

    line_number: int
    column: int
    code: str


@dataclass(slots=True)
class Chunk:
    """A run of data rows. Rows are numbered from 1 over all non-empty data rows, the bad ones included.

    The chunk covers rows `first_row` … `last_row`; `columns`, `row_numbers` and `line_numbers` hold the
    good ones only, `bad` the others. Line numbers are those a person sees in an editor or spreadsheet.
    """

    first_row: int
    received: int
    columns: list[list[str]]
    row_numbers: Sequence[int]
    line_numbers: Sequence[int]
    bad: list[BadRow] = field(default_factory=list)
    warnings: list[CellWarning] = field(default_factory=list)
    chars: int = field(default=-1, compare=False)  # at most so many in all rows, where the reader knows it

    def __len__(self) -> int:
        return len(self.row_numbers)

    @property
    def last_row(self) -> int:
        """Number of the last row covered; `chunks(skip=last_row)` goes on after it."""
        return self.first_row + self.received - 1

    def part(self, first: int, last: int) -> Chunk:
        """The rows numbered `first` … `last` of this chunk as a chunk of their own."""
        low, high = bisect_left(self.row_numbers, first), bisect_right(self.row_numbers, last)
        bad = [row for row in self.bad if first <= row.row_number <= last]
        lines = self.line_numbers[low:high]
        return Chunk(
            first,
            last - first + 1,
            [column[low:high] for column in self.columns],
            self.row_numbers[low:high],
            lines,
            bad,
            _warnings_in(self.warnings, {*lines, *(row.line_number for row in bad)}),
        )

    def where(self, wanted: Sequence[bool]) -> Chunk:
        """The good rows marked as wanted, with everything that is bad or remarked about the chunk."""
        return Chunk(
            self.first_row,
            self.received,
            [list(compress(column, wanted)) for column in self.columns],
            list(compress(self.row_numbers, wanted)),
            list(compress(self.line_numbers, wanted)),
            self.bad,
            self.warnings,
        )

    def weight(self) -> int:
        """Characters held by all rows, or a little more."""
        if self.chars >= 0:
            return self.chars
        good = sum(sum(map(len, column)) for column in self.columns)
        return good + sum(sum(map(len, row.cells)) for row in self.bad)

    @property
    def first_line(self) -> int:
        """Line of the first row, good or bad."""
        return min([*self.line_numbers[:1], *(row.line_number for row in self.bad[:1])])


def _warnings_in(warnings: list[CellWarning], lines: set[int]) -> list[CellWarning]:
    return [warning for warning in warnings if warning.line_number in lines] if warnings else []


def _joined_numbers(parts: list[Sequence[int]]) -> Sequence[int]:
    """Consecutive ranges stay a range, anything else becomes a list."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return range(0)
    ranges = all(isinstance(part, range) for part in parts)
    if ranges and all(before[-1] + 1 == after[0] for before, after in pairwise(parts)):
        return range(parts[0][0], parts[-1][-1] + 1)
    return [number for part in parts for number in part]


def joined(parts: list[Chunk]) -> Chunk:
    """One chunk of several that follow each other."""
    if len(parts) == 1:
        return parts[0]
    pieces = zip(*(part.columns for part in parts), strict=True)
    columns = [list(chain.from_iterable(piece)) for piece in pieces]
    return Chunk(
        parts[0].first_row,
        sum(part.received for part in parts),
        columns,
        _joined_numbers([part.row_numbers for part in parts]),
        _joined_numbers([part.line_numbers for part in parts]),
        [row for part in parts for row in part.bad],
        [warning for part in parts for warning in part.warnings],
    )


def _light(block: Chunk, limit: int) -> Iterator[tuple[Chunk, int]]:
    """The block, halved until no piece weighs more than `limit`."""
    weight = block.weight()
    if weight <= limit:
        yield block, weight
        return
    if block.received == 1:
        raise FeedFileError("row_too_long", line=block.first_line, limit=limit)
    middle = block.first_row + block.received // 2
    yield from _light(block.part(block.first_row, middle - 1), limit)
    yield from _light(block.part(middle, block.last_row), limit)


def rechunk(blocks: Iterator[Chunk], size: int, skip: int, limit: int) -> Iterator[Chunk]:
    """Chunks of `size` rows each from blocks of any size, without the first `skip` rows.

    A chunk closes early when it would weigh more than `limit` characters.
    """
    parts: list[Chunk] = []
    held = weight = 0
    for block in blocks:
        if block.last_row <= skip:
            continue
        if block.first_row <= skip:
            block = block.part(skip + 1, block.last_row)
        for piece, piece_weight in _light(block, limit):
            if parts and weight + piece_weight > limit:
                yield joined(parts)
                parts, held, weight = [], 0, 0
            while held + piece.received >= size:
                cut = piece.first_row + size - held
                exact = cut > piece.last_row
                yield joined([*parts, piece if exact else piece.part(piece.first_row, cut - 1)])
                parts, held, weight = [], 0, 0
                if exact:
                    break
                piece = piece.part(cut, piece.last_row)
                piece_weight = piece.weight()
            else:
                parts.append(piece)
                held += piece.received
                weight += piece_weight
    if parts:
        yield joined(parts)


class Table(ABC):
    """An opened file: its header and, as often as asked for, its rows.

    `header` holds the column names as written (only a byte order mark is removed); `sheets` names the
    visible worksheets of a workbook, `sheet` the one read; `skipped_lines` are title lines above the header,
    `example_line` is that of a template's example row below it, which is no data.
    """

    format: str
    encoding: str = "UTF-8"
    sheets: Sequence[str] = ()
    sheet: str = ""
    skipped_lines: Sequence[int] = ()
    example_line: int | None = None

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.header: list[str] = []

    @abstractmethod
    def blocks(self) -> Iterator[Chunk]:
        """All rows from the first on, in runs as they fall out of the file."""

    def chunks(self, size: int, skip: int = 0) -> Iterator[Chunk]:
        """Rows in chunks of `size`, without the first `skip` non-empty data rows.

        The same file always gives the same rows under the same numbers. Raises FeedFileError where the
        file turns out to be damaged further down.
        """
        if size < 1 or skip < 0:
            raise ValueError("size must be positive and skip not negative")
        return rechunk(self.blocks(), size, skip, self.limits.chunk_chars)

    def close(self) -> None:  # noqa: B027 — most tables hold nothing but memory
        """Free what the table holds besides memory."""

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def checked_header(cells: Sequence[str], limits: Limits) -> list[str]:
    """The header without trailing unnamed columns.

    Raises header_missing, duplicate_header or too_many_columns.
    """
    names = list(cells)
    while names and not names[-1].strip():
        names.pop()
    if not names:
        raise FeedFileError("header_missing")
    if len(names) > limits.columns:
        raise FeedFileError("too_many_columns", count=len(names), limit=limits.columns)
    seen: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        key = name.strip()
        if key and seen.setdefault(key, number) != number:
            raise FeedFileError("duplicate_header", first=seen[key], second=number)
    return names


def is_empty(cells: Sequence[str]) -> bool:
    """Whether no cell holds anything but white space."""
    return not any(cells) or not "".join(cells).strip()


def drop_empty(rows: list[list[str]], lines: Sequence[int]) -> tuple[list[list[str]], Sequence[int]]:
    """The rows that hold anything, with their lines; looks closer only where the first cell is blank."""
    blank = [at for at, row in enumerate(rows) if not row or not row[0] or row[0].isspace()]
    empty = {at for at in blank if is_empty(rows[at])}
    if not empty:
        return rows, lines
    kept = [at for at in range(len(rows)) if at not in empty]
    return [rows[at] for at in kept], [lines[at] for at in kept]


def shape_rows(rows: list[list[str]], lines: Sequence[int], width: int, first_row: int) -> Chunk:
    """A chunk from non-empty rows; ragged ones become bad rows, extra empty cells are tolerated."""
    if set(map(len, rows)) == {width}:
        numbers = range(first_row, first_row + len(rows))
        return Chunk(first_row, len(rows), list(map(list, zip(*rows, strict=True))), numbers, lines)
    good: list[list[str]] = []
    row_numbers: list[int] = []
    line_numbers: list[int] = []
    bad: list[BadRow] = []
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), first_row):
        if len(row) < width:
            bad.append(BadRow(number, line, "too_few_cells", row))
        elif len(row) > width and not is_empty(row[width:]):
            bad.append(BadRow(number, line, "too_many_cells", row))
        else:
            good.append(row[:width])
            row_numbers.append(number)
            line_numbers.append(line)
    columns = list(map(list, zip(*good, strict=True))) if good else [[] for _ in range(width)]
    return Chunk(first_row, len(rows), columns, row_numbers, line_numbers, bad)
