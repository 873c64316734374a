"""Event parsing of workbook XML of any shape: slower than splitting, but never wrong."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import NoReturn
from xml.parsers import expat

from .errors import FeedFileError

ILLEGAL_BYTES = bytes(set(range(32)) - {9, 10, 13})
ILLEGAL_ENDS = ("\ufffe".encode(), "\uffff".encode())
DECLARED = re.compile(rb"encoding\s*=\s*[\"']([^\"']*)[\"']")
LONGEST_TOKEN = 4 << 20  # a tag or comment longer than this is an attack


def has_illegal(data: bytes) -> bool:
    """Whether UTF-8 text holds a character that no XML 1.0 document may hold."""
    return len(data.translate(None, ILLEGAL_BYTES)) != len(data) or any(end in data for end in ILLEGAL_ENDS)


class EventParser(ABC):
    """An expat parser that refuses declarations, overlong tokens and overlong cells."""

    def __init__(self, part: str, cell_chars: int) -> None:
        self.part = part
        self.capturing = False
        self.text: list[str] = []
        self._length = 0
        self._cell_chars = cell_chars
        self._fed = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._parser.StartElementHandler = lambda name, found: self.opened(name.rpartition(":")[2], found)
        self._parser.EndElementHandler = lambda name: self.closed(name.rpartition(":")[2])
        self._parser.CharacterDataHandler = self._characters

    @abstractmethod
    def opened(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; `name` comes without its prefix."""

    @abstractmethod
    def closed(self, name: str) -> None:
        """An element ends."""

    def line(self) -> object:
        """Where in the sheet the parser stands, for messages."""
        return "?"

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Parse on; raises corrupt_workbook, xml_doctype or cell_too_long."""
        try:
            self._parser.Parse(data, final)
        except (expat.ExpatError, LookupError, ValueError):  # the latter for encodings nobody knows
            raise FeedFileError("corrupt_workbook", part=self.part) from None
        self._fed += len(data)
        if self._fed - self._parser.CurrentByteIndex > LONGEST_TOKEN:
            raise FeedFileError("corrupt_workbook", part=self.part)

    def taken_text(self) -> str:
        """The characters captured since the last call."""
        text = "".join(self.text)
        self.text.clear()
        self._length = 0
        return text

    @staticmethod
    def plain_head(head: bytes) -> bool:
        """Whether what stands before the first row or string promises UTF-8 and no prefix."""
        declared = DECLARED.search(head)
        return head.lstrip(b"\xef\xbb\xbf").startswith(b"<") and (
            declared is None or declared[1].lower() in (b"utf-8", b"utf8", b"us-ascii")
        )

    def _characters(self, data: str) -> None:
        if self.capturing:
            self.text.append(data)
            self._length += len(data)
            if self._length > self._cell_chars:
                raise FeedFileError("cell_too_long", line=self.line(), limit=self._cell_chars)

    def _refuse(self, *_declaration: object) -> NoReturn:
        raise FeedFileError("xml_doctype")
