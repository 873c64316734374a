"""Worksheet XML to rows, at the speed of splitting strings wherever the sheet is as plain as usual.

The sheet is unpacked block by block and cut between rows. A block that holds nothing but
`<row r="…"><c r="…" s="…" t="…"><v>…</v></c>…</row>`, or inline strings in the same manner, is split at fixed
strings, the order of all tags being checked. Any other block, and any that leaves a doubt, goes to the event
parser, which stands at the same place of the document and reads every legal shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .table import CellWarning
from .values import unescape_xml
from .xlsx_cells import CellEvents, Renderer, SheetBlock, block_of
from .xlsx_heads import DoubtfulCellError, Heads, IrregularShapeError, Kind, RowShape

# One byte, which no XML may hold, for every run of tags that the plain shape repeats.
ROW_START, FIRST_CELL, NEXT_CELL, VALUE = b"\x05", b"\x04", b"\x03", b"\x01"
TAGS = (
    (b'</v></c><c r="', NEXT_CELL),
    (b'"><v>', VALUE),
    (b'</v></c></row><row r="', ROW_START),
)
INLINE_TAGS = (
    (b'</t></is></c><c r="', NEXT_CELL),
    (b'"><is><t>', VALUE),
    (b'"><is><t xml:space="preserve">', VALUE),
    (b'</t></is></c></row><row r="', ROW_START),
)
FIRST_TAG = b'><c r="'  # also ends those above, so it is replaced last
BEGIN = b'<row r="'
ENDS = re.compile(rb"(?:</v>|</t></is>)</c></row>\Z")
NOT_TAGS = bytes(set(range(256)) - set(range(32)) | set(b"\t\n\r"))
TO_PIECES = bytes.maketrans(FIRST_CELL + VALUE, NEXT_CELL * 2)
EMPTY_CELL = re.compile(rb'<c r="[A-Z]{1,3}[0-9]+"(?: s="[0-9]+")?(?: t="[a-zA-Z]+")?(?:/>|></c>|><v/></c>)')
EMPTY_ROW = re.compile(rb"<row(?: [^<>]*)?(?:/>|></row>)")
FORMULA = re.compile(rb'"><f(?: [^<>]*)?(?:/>|>[^<>]*</f>)(<v></v></c>|<v/></c>|</c>|<v>)')
ROW_TAG = re.compile(r'([0-9]{1,7})"[^<>]*')
LONGEST_END = 20
LONGEST_ROW = 2 << 20  # bytes of XML; a longer row goes to the event parser


class SheetReader:
    """Reads one worksheet from its beginning; `width` is the number of columns kept as cells."""

    def __init__(self, renderer: Renderer, width: int, cell_chars: int) -> None:
        self._warnings: list[CellWarning] = []
        self._renderer, self._width, self._cell_chars = renderer, width, cell_chars
        self._events = CellEvents(renderer, width, cell_chars, self._warnings)
        self._heads = Heads(renderer, width)
        self._rewriting = False
        self._line = 0

    def blocks(self, stream: Iterator[bytes]) -> Iterator[SheetBlock]:
        """The rows in runs, empty ones left out where that is free."""
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

    def _cells(self, stream: Iterator[tuple[bytes, bool]]) -> Iterator[SheetBlock]:
        rest, plain = b"", True
        for data, may_be_plain in stream:
            data = rest + data
            rest = b""
            plain = plain and may_be_plain and not _has(data, b"<!") and not _has(data, b"<?")
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

    def _parse(self, data: bytes) -> SheetBlock:
        if self._line > self._events.line():
            self._events.follow(self._line)
        self._events.feed(data)
        rows = self._events.take()
        self._line = max(self._line, self._events.line())
        warnings = list(self._warnings)
        self._warnings.clear()
        return block_of(rows, self._width, warnings)

    def _block(self, data: bytes) -> SheetBlock:
        """The rows of a block, split if it is plain or can be made so, else parsed."""
        for rewriting in (True,) if self._rewriting else (False, True):
            try:
                block = self._split(_plain(data) if rewriting else data)
            except (IrregularShapeError, ValueError, IndexError):
                continue
            self._rewriting = rewriting
            return block
        return self._parse(data)

    def _split(self, data: bytes) -> SheetBlock:
        """The rows of a plain block; raises IrregularShapeError, ValueError or IndexError at any doubt."""
        if not data:
            return block_of([], self._width, [])
        end = ENDS.search(data, len(data) - LONGEST_END)
        if not end or not data.startswith(BEGIN) or b't="s"><v>-' in data or _has(data, b"]]>"):
            raise IrregularShapeError
        data = data[len(BEGIN) : end.start()]
        for tags, byte in TAGS:
            data = data.replace(tags, byte)
        if b"</is>" in data:
            for tags, byte in INLINE_TAGS:
                data = data.replace(tags, byte)
        data = data.replace(FIRST_TAG, FIRST_CELL)
        if b"<" in data:
            raise IrregularShapeError
        shape = data.translate(None, NOT_TAGS).replace(b"\x03\x01", b"").split(ROW_START)
        if shape.count(b"\x04\x01") != len(shape):
            raise IrregularShapeError
        untouched = b"&" not in data and b"\r" not in data and b"_x" not in data
        runs = data.translate(TO_PIECES).decode().split("\x05")
        if max(map(len, runs)) > self._cell_chars:
            _check_lengths(runs, self._cell_chars)
        block = PlainBlock(self._heads, self._width, not untouched)
        for run in runs:
            block.add(run.split("\x03"))
        self._line = block.lines[-1]
        return block.finished()


class PlainBlock:
    """Rows of plain cells, gathered as stored and then turned into text column by column."""

    def __init__(self, heads: Heads, width: int, escaped: bool) -> None:
        self.lines: list[int] = []
        self._heads, self._width, self._escaped = heads, width, escaped
        self._shapes: list[RowShape] = []
        self._rows: list[tuple[str, ...]] = []
        self._extra: dict[int, dict[int, str]] = {}
        self._warnings: list[CellWarning] = []

    def add(self, pieces: list[str]) -> None:
        """Add a row from its pieces: its own tag, then in turn the head and the value of every cell."""
        tag = ROW_TAG.fullmatch(pieces[0])
        if not tag:
            raise IrregularShapeError
        shape = self._heads.shape(pieces[1::2], tag[1])
        values = pieces[2::2]
        if shape.extra:
            self._add_extra(shape, values)
        values.append("")
        self.lines.append(int(tag[1]))
        self._shapes.append(shape)
        self._rows.append(shape.arranged(values))

    def _add_extra(self, shape: RowShape, values: list[str]) -> None:
        texts = {cell.column: cell.render(unescape_xml(values[cell.place]))[0] for cell in shape.extra}
        filled = {column: text for column, text in texts.items() if text}
        if filled:
            self._extra[len(self.lines)] = filled

    def finished(self) -> SheetBlock:
        """The block with all its texts."""
        kinds: dict[int, set[Kind]] = {}
        for column, kind in frozenset().union(*(shape.kinds for shape in set(self._shapes))):
            kinds.setdefault(column, set()).add(kind)
        stored = zip(*self._rows, strict=True)
        columns = [self._column(column, next(stored), kinds.get(column, set())) for column in range(self._width)]
        self._warnings.sort()
        return SheetBlock(self.lines, columns, self._extra, self._warnings)

    def _column(self, column: int, stored: tuple[str, ...], kinds: set[Kind]) -> list[str]:
        if not kinds:
            return list(stored)
        if len(kinds) > 1:
            return self._one_by_one(column, stored)
        try:
            return kinds.pop().texts(stored, self._escaped)
        except DoubtfulCellError:
            return self._one_by_one(column, stored)

    def _one_by_one(self, column: int, stored: tuple[str, ...]) -> list[str]:
        """A column with cells of several kinds, or with warnings."""
        texts = []
        for line, shape, value in zip(self.lines, self._shapes, stored, strict=True):
            cell = shape.cells.get(column)
            text, code = cell.render(unescape_xml(value)) if cell and value else ("", "")
            texts.append(text)
            if cell and (code or cell.formula):
                self._warnings.append(CellWarning(line, column, code or cell.formula))
        return texts


def _has(data: bytes, mark: bytes) -> bool:
    """Whether `mark` occurs; looks first for the byte of it that is rare in a sheet, which is much faster."""
    return any(byte in data for byte in (b"!", b"?", b"]") if byte in mark) and mark in data


def _check_lengths(runs: list[str], limit: int) -> None:
    """IrregularShapeError when a cell is too long as written; the event parser counts what it means."""
    if any(len(piece) > limit for run in runs for piece in run.split("\x03")):
        raise IrregularShapeError


def _plain(data: bytes) -> bytes:
    """A block with formulas brought into the plain shape and empty cells taken out."""
    if b"<v" not in data and b"<f" not in data and b"<is" not in data:
        return _nothing(data)
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
