"""The shared strings of a workbook: in memory while they are few, in a temporary file when they are many."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections import OrderedDict
from collections.abc import Iterator

from .values import decode_units, unescape_xml
from .xlsx_package import Package
from .xml_events import EventParser, has_illegal

OPEN, CLOSE = "<si><t>", "</t></si>"
PRESERVED = '<si><t xml:space="preserve">'
STRING_OVERHEAD = 80  # bytes a Python string takes besides its characters, with its place in a list
PAGE = 64  # strings
PAGES_BYTES = 24 << 20  # of pages kept at hand


class StringEvents(EventParser):
    """Strings out of any well-formed table: rich text is joined, phonetic hints are left out."""

    def __init__(self, cell_chars: int) -> None:
        super().__init__("sharedStrings.xml", cell_chars)
        self._found: list[str] = []
        self._hint = 0

    def take(self) -> list[str]:
        """The strings completed since the last call."""
        found, self._found = self._found, []
        return found

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "rPh":
            self._hint += 1
        elif name == "si":
            self.taken_text()
        self.capturing = name == "t" and not self._hint

    def closed(self, name: str) -> None:
        """An element ends."""
        self.capturing = False
        if name == "rPh":
            self._hint -= 1
        elif name == "si":
            self._found.append(decode_units(self.taken_text()))


def read_strings(package: Package, part: str | None, cell_chars: int, memory: int) -> SharedStrings:
    """All shared strings of a workbook; beyond `memory` bytes the rest goes to a temporary file."""
    strings = SharedStrings(memory)
    if part is not None and part in package:
        for batch in _batches(package, part, cell_chars):
            strings.extend(batch)
    strings.finish()
    return strings


def _batches(package: Package, part: str, cell_chars: int) -> Iterator[list[str]]:
    """Strings block by block: split where the table is plain, parsed event by event elsewhere."""
    events = StringEvents(cell_chars)
    rest, started, plain = b"", False, True
    for data in package.stream(part):
        data = rest + data
        rest = b""
        if not started:
            start = data.find(b"<si")
            plain = start >= 0 and events.plain_head(data[:start])
            started = True
            events.feed(data[:start] if plain else data)
            data = data[start:] if plain else b""
        if plain and (b"<!" in data or b"<?" in data):
            plain = False
        if not plain:
            events.feed(data)
            yield events.take()
            continue
        end = data.rfind(b"</si>") + 5
        if end < 5:
            plain = len(data) < 16 << 20
            if plain:
                rest = data
            else:
                events.feed(data)
            continue
        rest = data[end:]
        batch = _split(data[:end], cell_chars)
        if batch is None:
            events.feed(data[:end])
            batch = events.take()
        yield batch
    events.feed(rest, final=True)
    yield events.take()


def _split(data: bytes, cell_chars: int) -> list[str] | None:
    """The strings of a run of plain `<si><t>…</t></si>` elements; None when anything else is among them."""
    try:
        text = data.decode() if not has_illegal(data) else ""
    except UnicodeDecodeError:
        return None
    text = text.replace(PRESERVED, OPEN)
    if not text.startswith(OPEN) or not text.endswith(CLOSE):
        return None
    found = text[len(OPEN) : -len(CLOSE)].split(CLOSE + OPEN)
    if text.count("<") != 4 * len(found) or max(map(len, found)) > cell_chars or "]]>" in text:
        return None
    try:
        if "&" in text or "\r" in text:
            found = [unescape_xml(string) for string in found]
    except ValueError:
        return None
    return [decode_units(string) for string in found] if "_x" in text else found


class SharedStrings:
    """Strings by index. Memory stays near the limit given, however many there are."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self.strings: list[str] = []
        self._page: list[str] = []
        self._spool: int | None = None
        self._offsets = array("Q")
        self._kept: OrderedDict[int, list[str]] = OrderedDict()
        self._kept_bytes = 0
        self._end = 0
        self._used = 0

    def extend(self, batch: list[str]) -> None:
        """Append strings."""
        if self._used < self._memory:
            self.strings += batch
            self._used += sum(map(len, batch)) * 2 + len(batch) * STRING_OVERHEAD
            return
        for start in range(0, len(batch), PAGE):
            self._page += batch[start : start + PAGE]
            while len(self._page) >= PAGE:
                self._write(self._page[:PAGE])
                del self._page[:PAGE]

    def finish(self) -> None:
        """Write what is still held back; nothing is appended after this."""
        if self._page:
            self._write(self._page)
            self._page = []

    def _write(self, page: list[str]) -> None:
        if self._spool is None:
            with tempfile.TemporaryFile() as file:
                self._spool = os.dup(file.fileno())
        data = "\0".join(page).encode()
        view = memoryview(data)
        while view:
            view = view[os.write(self._spool, view) :]
        self._offsets.append(self._end)
        self._end += len(data)

    @property
    def lookup(self) -> list[str] | SharedStrings:
        """What to index: the plain list while all strings are in it."""
        return self.strings if self._spool is None else self

    def __getitem__(self, index: int) -> str:
        if index < len(self.strings):
            return self.strings[index]
        page, place = divmod(index - len(self.strings), PAGE)
        return (self._kept.get(page) or self._load(page))[place]

    def _load(self, page: int) -> list[str]:
        if page >= len(self._offsets) or self._spool is None:
            raise IndexError(page)
        length = self._length(page)
        strings = os.pread(self._spool, length, self._offsets[page]).decode().split("\0")
        self._kept[page] = strings
        self._kept_bytes += length
        while self._kept_bytes > PAGES_BYTES and len(self._kept) > 1:
            dropped, _strings = self._kept.popitem(last=False)
            self._kept_bytes -= self._length(dropped)
        return strings

    def _length(self, page: int) -> int:
        end = self._offsets[page + 1] if page + 1 < len(self._offsets) else self._end
        return end - self._offsets[page]

    def close(self) -> None:
        """Remove the temporary file."""
        if self._spool is not None:
            os.close(self._spool)
            self._spool = None

    def __del__(self) -> None:
        self.close()
