"""Worksheet XML to rows, at the speed of splitting strings wherever the sheet is as plain as usual.

The sheet is unpacked block by block and cut between rows. A block that holds nothing but
`<row r="…"><c r="…" s="…" t="…"><v>…</v></c>…</row>` is split at fixed strings, every piece and the number
of tags being checked, so that whatever passes is well-formed. Any other block goes to the event parser, which
stands at the same place of the document and reads every legal shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import getitem

from .table import CellWarning
from .values import unescape_xml
from .xlsx_cells import CellEvents, Renderer, SheetRow, store_cell
from .xlsx_heads import DoubtfulCellError, Heads, IrregularShapeError

# One byte, which no XML may hold, for every run of tags that the plain shape repeats.
ROW_START, FIRST_CELL, NEXT_CELL, VALUE = b"\x05", b"\x04", b"\x03", b"\x01"
TAGS = (
    (b'</v></c><c r="', NEXT_CELL),
    (b'"><v>', VALUE),
    (b'</v></c></row><row r="', ROW_START),
    (b'><c r="', FIRST_CELL),
)
BEGIN, END = b'<row r="', b"</v></c></row>"
NOT_TAGS = bytes(set(range(256)) - set(range(32)) | set(b"\t\n\r"))
TO_PIECES = bytes.maketrans(FIRST_CELL + VALUE, NEXT_CELL * 2)
EMPTY_CELL = re.compile(rb'<c r="[A-Z]{1,3}[0-9]+"(?: s="[0-9]+")?(?: t="[a-zA-Z]+")?(?:/>|></c>|><v/></c>)')
EMPTY_ROW = re.compile(rb"<row(?: [^<>]*)?(?:/>|></row>)")
FORMULA = re.compile(rb'"><f(?: [^<>]*)?(?:/>|>[^<>]*</f>)(<v></v></c>|<v/></c>|</c>|<v>)')
ROW_TAG = re.compile(r'([0-9]{1,7})"[^<>]*')
LONGEST_ROW = 2 << 20  # bytes of XML; a longer row goes to the event parser


class SheetReader:
    """Reads one worksheet from its beginning; `width` is the number of columns kept as cells."""

    def __init__(self, renderer: Renderer, width: int, cell_chars: int) -> None:
        self.warnings: list[CellWarning] = []
        self._renderer, self._width, self._cell_chars = renderer, width, cell_chars
        self._events = CellEvents(renderer, width, cell_chars, self.warnings)
        self._heads = Heads(renderer, width)
        self._all = list(range(width))
        self._rewriting = False
        self._line = 0

    def rows(self, stream: Iterator[bytes]) -> Iterator[list[SheetRow]]:
        """The rows in runs, empty ones left out where that is free; `warnings` is filled along the way."""
        yield from self._cells(self._head(stream))
        self._events.feed(b"", final=True)

    def _head(self, stream: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
        """The blocks, each with whether it may be plain; feeds what stands before the first row."""
        plain = True
        started = False
        for data in stream:
            if not started:
                started = True
                start = data.find(b"<sheetData>") + len(b"<sheetData>")
                plain = start >= len(b"<sheetData>") and self._events.plain_head(data[:start])
                if plain:
                    self._events.feed(data[:start])
                    data = data[start:]
            yield data, plain

    def _cells(self, stream: Iterator[tuple[bytes, bool]]) -> Iterator[list[SheetRow]]:
        rest, plain = b"", True
        for data, may_be_plain in stream:
            data = rest + data
            rest = b""
            plain = plain and may_be_plain and b"<!" not in data and b"<?" not in data
            if plain:
                end = data.find(b"</sheetData>")
                cut = end if end >= 0 else data.rfind(b"<row")
                plain = end < 0 and len(data) - cut < LONGEST_ROW
                if cut > 0:
                    yield self._block(data[:cut])
                rest = data[max(cut, 0) :]
                if plain:
                    continue
                data, rest = rest, b""
            yield self._parse(data)
        yield self._parse(rest)

    def _parse(self, data: bytes) -> list[SheetRow]:
        self._events.follow(self._line) if self._line > self._events.line() else None
        self._events.feed(data)
        rows = self._events.take()
        self._line = max(self._line, self._events.line())
        return rows

    def _block(self, data: bytes) -> list[SheetRow]:
        """The rows of a block, split if it is plain or can be made so, else parsed."""
        marked = len(self.warnings)
        for rewriting in (True,) if self._rewriting else (False, True):
            try:
                rows = self._split(_plain(data) if rewriting else data)
            except (IrregularShapeError, ValueError, IndexError):
                del self.warnings[marked:]
            else:
                self._rewriting = rewriting
                return rows
        return self._parse(data)

    def _split(self, data: bytes) -> list[SheetRow]:
        """The rows of a plain block; raises IrregularShapeError, ValueError or IndexError at any doubt."""
        if not data:
            return []
        if not data.startswith(BEGIN) or not data.endswith(END) or b"]]>" in data:
            raise IrregularShapeError
        data = data[len(BEGIN) : -len(END)]
        for tags, byte in TAGS:
            data = data.replace(tags, byte)
        if b"<" in data:
            raise IrregularShapeError
        shape = data.translate(None, NOT_TAGS).replace(b"\x03\x01", b"").split(ROW_START)
        if shape.count(b"\x04\x01") != len(shape):
            raise IrregularShapeError
        untouched = b"&" not in data and b"\r" not in data and b"_x" not in data
        runs = data.translate(TO_PIECES).decode().split("\x05")
        if max(map(len, runs)) > self._cell_chars:
            _check_lengths(runs, self._cell_chars)
        return [self._row(run.split("\x03"), untouched) for run in runs]

    def _row(self, pieces: list[str], untouched: bool) -> SheetRow:
        """A row from its pieces: its own tag, then in turn the head and the value of every cell."""
        tag = ROW_TAG.fullmatch(pieces[0])
        if not tag:
            raise IrregularShapeError
        self._line = int(tag[1])
        heads, values = pieces[1::2], pieces[2::2]
        shape = self._heads.shape(heads, tag[1], not untouched)
        try:
            if shape.columns == self._all:
                return SheetRow(self._line, list(map(getitem, shape.tables, values)), {})
            cells = [""] * self._width
            for column, text in zip(shape.columns, map(getitem, shape.tables, values), strict=True):
                cells[column] = text
        except DoubtfulCellError:
            return self._doubtful_row([head.replace(tag[1], "", 1) for head in heads], values)
        return SheetRow(self._line, cells, {})

    def _doubtful_row(self, keys: list[str], values: list[str]) -> SheetRow:
        """A row with cells that need a warning or lie beyond the width."""
        row = SheetRow(self._line, [""] * self._width, {})
        for key, value in zip(keys, values, strict=True):
            column, render, formula = self._heads.details(key)
            text, code = render(unescape_xml(value)) if value else ("", "")
            store_cell(row, column, text)
            if code or formula:
                self.warnings.append(CellWarning(row.line, column, code or formula))
        return row


def _check_lengths(runs: list[str], limit: int) -> None:
    """IrregularShapeError when a cell is too long as written; the event parser counts what it means."""
    if any(len(piece) > limit for run in runs for piece in run.split("\x03")):
        raise IrregularShapeError


def _plain(data: bytes) -> bytes:
    """A block with inline strings and formulas brought into the plain shape and empty cells taken out."""
    if b"<v" not in data and b"<f" not in data and b"<is" not in data:
        return _nothing(data)
    if b"<is>" in data:
        data = data.replace(b'<is><t xml:space="preserve">', b"<v>").replace(b"<is><t>", b"<v>")
        data = data.replace(b"</t></is>", b"</v>")
    if b"<f" in data:
        data = FORMULA.sub(_marked, data)
    if b"/>" in data or b'"></c>' in data:
        data = EMPTY_ROW.sub(b"", EMPTY_CELL.sub(b"", data))
    return data


def _nothing(data: bytes) -> bytes:
    """No text for a block of rows and cells without any value."""
    tags = data.count(b"<row") + data.count(b"</row>") + data.count(b"<c ") + data.count(b"</c>")
    if data.count(b"<") != tags:
        raise IrregularShapeError
    return b""


def _marked(match: re.Match[bytes]) -> bytes:
    return b'" f="1"><v>' if match[1] == b"<v>" else b'" f="2"><v></v></c>'
