"""XML feeds: one child element of the root per record, whose own children and attributes are the columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _
from lxml import etree

from .encoding import Encoding, check_text, is_really_utf8, text_blocks, with_bom
from .errors import FeedFileError
from .table import BadRow, Chunk, Limits, Table, checked_header, is_empty

HEADER_RECORDS = 200
BLOCK_RECORDS = 1_000
FEED_CHARS = 1 << 18
LONGEST_PROLOG = 1 << 20
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
ROOT_NAME = re.compile(r"<(?:[^\s<>/:]*:)?([^\s<>/:]+)")
SPREADSHEET_2003 = "{urn:schemas-microsoft-com:office:spreadsheet}Workbook"
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
            raise FeedFileError("no_rows")
        self.header = checked_header(list(names), limits)

    def _records(self) -> Iterator[Record]:
        return RecordParser(text_blocks(self._path, self._codec), self.limits).records()

    def blocks(self) -> Iterator[Chunk]:
        """All records; raises xml_malformed, xml_doctype or row_too_long where they occur."""
        records = (record for record in self._records() if record.code or not _is_blank(record))
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
        rows = [
            list(record.cells.values())
            if list(record.cells) == self.header
            else [record.cells.get(name, "") for name in self.header]
            for record in good
        ]
        columns = list(map(list, zip(*rows, strict=True))) if rows else [[] for _ in self.header]
        return Chunk(number, len(run), columns, numbers, [record.line for record in good], bad)


class RecordParser:
    """A hardened parser that keeps no more of the document than the records at hand."""

    def __init__(self, texts: Iterator[str], limits: Limits) -> None:
        self._texts, self._limits = texts, limits
        self._root: etree._Element | None = None
        self._tag = ""
        self._root_name = ""
        self._names = LocalNames()
        self._line = 1

    def records(self) -> Iterator[Record]:
        """All records in order; raises xml_doctype, xml_malformed, row_too_long or cell_too_long."""
        start = self._prolog()
        parser = etree.XMLPullParser(
            events=("start",),
            tag="{*}" + self._root_name,
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        waiting = 0
        for data in _pieces(start, self._texts):
            self._feed(parser, data)
            found = self._take(keep=1)
            waiting = 0 if found else waiting + len(data)
            if waiting > self._limits.xml_record_bytes:
                raise FeedFileError("row_too_long", line=self._line, limit=self._limits.xml_record_bytes)
            yield from found
        self._feed(parser, b"")
        yield from self._take(keep=0)

    def _prolog(self) -> str:
        """The first text of the file, which reaches into the root element; refuses a document type."""
        head = ""
        for text in self._texts:
            head += text
            place = 0
            while item := PROLOG_ITEM.match(head, place):
                place = item.end()
            if head.startswith("<!DOCTYPE", place):
                raise FeedFileError("xml_doctype")
            root = ROOT_NAME.match(head, place)
            if root and root.end() < len(head):
                self._root_name = root[1]
                return head
            if len(head) > LONGEST_PROLOG:
                break
        raise FeedFileError("xml_malformed", line=1)

    def _feed(self, parser: etree.XMLPullParser[etree._Element], data: bytes) -> None:
        """Parse on, or to the end when there is no more data."""
        try:
            parser.feed(data) if data else parser.close()
        except etree.XMLSyntaxError as error:
            known = [entry.line for entry in parser.feed_error_log]
            line = error.lineno or (known[0] if known else self._line)
            raise FeedFileError("xml_malformed", line=line) from None
        except ValueError:  # the name of the root has characters that no name may have
            raise FeedFileError("xml_malformed", line=1) from None
        if self._root is None:
            self._root = next((element for _event, element in parser.read_events()), None)
            if self._root is not None:
                _check_root(self._root)
        for _event in parser.read_events():
            pass  # elements that bear the root's name; kept events would keep the whole document

    def _take(self, keep: int) -> list[Record]:
        """The records read completely, which are then freed; the last `keep` elements may be incomplete."""
        if self._root is None:
            return []
        count = len(self._root) - keep
        if count < 1:
            return []
        elements = self._root[:count]
        if not self._tag:
            self._tag = str(elements[0].tag)
        found = [record for element in elements for record in self._record(element)]
        self._line = elements[-1].sourceline or self._line
        del self._root[:count]
        return found

    def _record(self, element: etree._Element) -> Iterator[Record]:
        """The record, and any text that stands between it and the next."""
        line = element.sourceline or 0
        if element.tag != self._tag:
            yield Record(line, _texts(element), "unknown_record", (_local(element.tag),))
        else:
            yield self._cells(element, line)
        if element.tail and _has_text(element.tail):
            yield Record(line, {"": element.tail}, "stray_text")

    def _cells(self, element: etree._Element, line: int) -> Record:
        """The record; the usual case, a run of plain children, is read without looking twice."""
        attributes = {_local(name): value for name, value in element.items() if not name.startswith(FOREIGN)}
        if len(element) == 0 or _has_text(element.text):
            return self._odd_cells(element, line, attributes)
        names, cells = self._names, attributes.copy()
        for child in element:
            tail = child.tail
            if len(child) or (tail and not tail.isspace()):
                return self._odd_cells(element, line, attributes)
            cells[names[child.tag]] = child.text or ""
        if len(cells) != len(attributes) + len(element):
            return self._odd_cells(element, line, attributes)
        return self._checked(Record(line, cells))

    def _odd_cells(self, element: etree._Element, line: int, cells: dict[str, str]) -> Record:
        """A record that is more or less than a run of children, with what is wrong; `cells` are its attributes."""
        own = (element.text or "") if _has_text(element.text) else ""
        if len(element) == 0 and not cells:
            return self._checked(Record(line, {_local(element.tag): own} if own else {}))
        code = "stray_text" if own else ""
        detail: tuple[str, ...] = ()
        for child in element:
            name = _local(child.tag)
            if name in cells:
                code, detail = "repeated_column", (name,)
                name = _free_name(name, cells)
            if len(child):
                code, detail = "nested_element", (name,)
                cells[name] = "".join(child.itertext())
            else:
                cells[name] = child.text or ""
            if _has_text(child.tail):
                code, detail = "stray_text", ()
        return self._checked(Record(line, cells, code, detail))

    def _checked(self, record: Record) -> Record:
        """The record, unless a cell is longer than allowed."""
        if max(map(len, record.cells.values()), default=0) > self._limits.cell_chars:
            raise FeedFileError("cell_too_long", line=record.line, limit=self._limits.cell_chars)
        return record


def declared_encoding(path: Path) -> Encoding:
    """The encoding of an XML file by its mark or declaration, checked over the whole file.

    GBK and GB2312 are read as GB18030, of which they are parts. Raises encoding_unsupported,
    encoding_mismatch, invalid_encoding or nul_byte.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    encoding = with_bom(head) or _wide(head) or _by_name(path, head)
    check_text(path, encoding)
    return encoding


def _wide(head: bytes) -> Encoding | None:
    """UTF-16 without a byte order mark, by the zero byte beside the first tag."""
    if head.startswith(b"<\0"):
        return Encoding("utf-16-le")
    return Encoding("utf-16-be") if head.startswith(b"\0<") else None


def _by_name(path: Path, head: bytes) -> Encoding:
    declared = DECLARED.search(head.decode("latin-1"))
    name = declared[1] if declared else "UTF-8"
    codec = CODECS.get(name.lower())
    if codec is None:
        raise FeedFileError("encoding_unsupported", encoding=name[:20])
    if codec.startswith("utf-16"):
        raise FeedFileError("encoding_mismatch", encoding=name, actual="UTF-8 / GB18030")
    if codec == "gb18030" and is_really_utf8(path):
        raise FeedFileError("encoding_mismatch", encoding=name, actual="UTF-8")
    return Encoding(codec)


def _check_root(root: etree._Element) -> None:
    """Refuse documents that are XML but no feed."""
    if root.tag == SPREADSHEET_2003:
        raise FeedFileError("not_a_table", found=_("an XML spreadsheet of 2003"))
    if root.getroottree().docinfo.doctype:
        raise FeedFileError("xml_doctype")


def _pieces(start: str, texts: Iterator[str]) -> Iterator[bytes]:
    """The text in pieces of moderate size, as UTF-8."""
    for text in chain((start,), texts):
        for at in range(0, len(text), FEED_CHARS):
            yield text[at : at + FEED_CHARS].encode()


def _local(tag: object) -> str:
    """The name of an element or attribute without its namespace."""
    return str(tag).rpartition("}")[2]


class LocalNames(dict[object, str]):
    """Names of elements without their namespaces, worked out once."""

    def __missing__(self, tag: object) -> str:
        name = self[tag] = _local(tag)
        return name


def _has_text(text: str | None) -> bool:
    return text is not None and not text.isspace()


def _is_blank(record: Record) -> bool:
    return is_empty(list(record.cells.values()))


def _texts(element: etree._Element) -> dict[str, str]:
    """All texts of an element of unknown kind, kept for the quarantine."""
    return {str(at): text for at, text in enumerate((*element.attrib.values(), *element.itertext()))}


def _free_name(name: str, taken: dict[str, str]) -> str:
    """A key for the second cell of the same name, so that its text is kept too."""
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"
