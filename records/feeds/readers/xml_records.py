"""XML feeds: a root element with one child element per record, whose own children and attributes are the columns."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from .encoding import Encoding, byte_blocks, detect_encoding, first_error, refuse_nul, text_blocks, with_bom
from .errors import FeedFileError
from .table import BadRow, Chunk, Limits, Table, checked_header, is_empty

HEADER_RECORDS = 200
BLOCK_RECORDS = 1_000
FEED_CHARS = 1 << 17
PROLOG = 1 << 16
DECLARED = re.compile(r"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._:-]+)[\"']")
PROLOG_ITEM = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL)
CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "gb18030": "gb18030",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
FOREIGN = ("{http://www.w3.org/2001/XMLSchema-instance}", "{http://www.w3.org/XML/1998/namespace}")


class Record(NamedTuple):
    """One record: its columns in order of appearance, and what is wrong with its shape."""

    line: int
    cells: dict[str, str]
    code: str = ""
    detail: tuple[str, ...] = ()


class XmlTable(Table):
    """Records of an XML file; the columns are those of the first 200 records."""

    format = "xml"

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(limits)
        self._path = path
        self._codec = declared_encoding(path)
        self.encoding = self._codec.name
        names: dict[str, None] = {}
        first = list(islice(self._records(), HEADER_RECORDS))
        for record in first:
            if not record.code:
                names.update(dict.fromkeys(record.cells))
        if not first:
            raise FeedFileError("header_missing")
        self.header = checked_header(list(names), limits)

    def _records(self) -> Iterator[Record]:
        return RecordParser(text_blocks(self._path, self._codec), self.limits).records()

    def blocks(self) -> Iterator[Chunk]:
        """All records; raises xml_malformed, xml_doctype or row_too_long where they occur."""
        records = (record for record in self._records() if record.code or not is_empty(list(record.cells.values())))
        number = 1
        while run := list(islice(records, BLOCK_RECORDS)):
            yield self._shaped(run, number)
            number += len(run)

    def _shaped(self, run: list[Record], number: int) -> Chunk:
        known = frozenset(self.header)
        good: list[Record] = []
        numbers: list[int] = []
        bad: list[BadRow] = []
        for at, record in enumerate(run, number):
            unknown = () if record.cells.keys() <= known else tuple(n for n in record.cells if n not in known)
            if record.code or unknown:
                code, detail = (record.code, record.detail) if record.code else ("unknown_column", unknown)
                bad.append(BadRow(at, record.line, code, list(record.cells.values()), detail))
            else:
                good.append(record)
                numbers.append(at)
        columns = [[record.cells.get(name, "") for record in good] for name in self.header]
        return Chunk(number, len(run), columns, numbers, [record.line for record in good], bad)
