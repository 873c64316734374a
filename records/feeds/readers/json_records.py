"""JSON feeds: an array of flat objects, bare or under `rows`; each object is a record, its names are the columns.

Read as a stream: no more than one record and one block of text is in memory. Numbers stay the text they are written
as, so no digit is lost; what nests, repeats a name or is neither text nor number sets its record aside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import Text

from .encoding import NAMES, Encoding, check_text, text_blocks, with_bom
from .errors import FeedFileError
from .table import BadRow, Chunk, Limits, Table, checked_header, is_empty

HEADER_RECORDS = 200
BLOCK_RECORDS = 1_000
DEEPEST = 32
SPACE = re.compile(r"[ \t\r\n]*")
STRING = r'"(?:[^"\\]++|\\.)*+"'
START = re.compile(r"\s*(?:\[|\{\s*\"rows\"\s*:\s*\[)")
# What a file may hold that was cut off before its first record.
BEFORE_START = re.compile(r"\s*(?:\{\s*(?:\"(?:r(?:o(?:ws?)?)?)?|\"rows\"\s*:?\s*)?)?")
KINDS: tuple[tuple[re.Pattern[str], Text], ...] = (
    (re.compile('"'), _("a text")),
    (re.compile(r"-?\d"), _("a number")),
    (re.compile(r"(?:true|false)\b"), _("true or false")),
    (re.compile(r"null\b"), _("null")),
    (re.compile(r"\["), _("a list")),
)
HEAD_CHARS = 4096
LONGEST_WORD = 6  # of true, false and null, and what ends it
# A record without anything nested; possessive, so that no input makes it go back.
FLAT = re.compile(rf"\{{(?:[^{{}}\[\]\"]++|{STRING})*+\}}", re.DOTALL)
TOKEN = re.compile(rf"{STRING}|[{{}}\[\]\"]", re.DOTALL)
UNPAIRED = re.compile("[\ud800-\udfff]")


class Record(NamedTuple):
    """One record: its columns in order of appearance, and what is wrong with its shape."""

    number: int
    cells: dict[str, str]
    code: str = ""
    detail: tuple[str, ...] = ()


class JsonTable(Table):
    """Records of a JSON file; the columns are those of the first 200 records, the line is the record's number."""

    format = "json"

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(limits)
        self._path = path
        with path.open("rb") as file:
            self._codec = with_bom(file.read(4)) or Encoding("utf-8")
        check_text(path, self._codec)
        self.encoding = NAMES[self._codec.codec]
        names: dict[str, None] = {}
        first = list(islice(self._records(), HEADER_RECORDS))
        for record in first:
            if not record.code:
                names.update(dict.fromkeys(record.cells))
        if not first:
            raise FeedFileError("no_rows")
        self.header = checked_header(list(names), limits)

    def blocks(self) -> Iterator[Chunk]:
        """All records; raises json_malformed, _cut_off, _record or _too_deep, or row_too_long where they occur."""
        records = (record for record in self._records() if record.code or not is_empty(list(record.cells.values())))
        number = 1
        while run := list(islice(records, BLOCK_RECORDS)):
            yield self._shaped(run, number)
            number += len(run)

    def _records(self) -> Iterator[Record]:
        splitter = _Splitter(text_blocks(self._path, self._codec), self.limits)
        for number, text in enumerate(splitter.objects(), 1):
            try:
                yield _read(text, number, self.limits)
            except _Broken as broken:
                raise splitter.malformed(broken.offset - len(text)) from None

    def _shaped(self, run: list[Record], number: int) -> Chunk:
        known = frozenset(self.header)
        good: list[list[str]] = []
        numbers: list[int] = []
        lines: list[int] = []
        bad: list[BadRow] = []
        for at, record in enumerate(run, number):
            unknown = tuple(name for name in record.cells if name not in known)
            if record.code or unknown:
                code, detail = (record.code, record.detail) if record.code else ("unknown_column", unknown)
                bad.append(BadRow(at, record.number, code, list(record.cells.values()), detail))
            else:
                good.append([record.cells.get(name, "") for name in self.header])
                numbers.append(at)
                lines.append(record.number)
        columns = list(map(list, zip(*good, strict=True))) if good else [[] for _ in self.header]
        return Chunk(number, len(run), columns, numbers, lines, bad)


class _Splitter:
    """Cuts the text of an array into the texts of its objects."""

    def __init__(self, texts: Iterator[str], limits: Limits) -> None:
        self._texts, self._limits = texts, limits
        self._text, self._at, self._number = "", 0, 0
        self._line, self._column = 1, 1  # of the first character of the text at hand

    def objects(self) -> Iterator[str]:
        """The text of every object in order."""
        wrapped = self._begin()
        if self._next() != "]":
            while True:
                self._number += 1
                yield self._object()
                mark = self._next()
                if mark not in (",", "]"):
                    raise self._unexpected(mark)
                self._at += 1
                if mark == "]":
                    break
        else:
            self._at += 1
        self._end(wrapped)

    def _begin(self) -> bool:
        while True:
            found = START.match(self._text)
            if found:
                self._at = found.end()
                return "{" in found[0]
            if len(self._text) > HEAD_CHARS or not self._more():
                raise self._no_list()

    def _no_list(self) -> FeedFileError:
        """What the file is where it begins as no list of records does."""
        if BEFORE_START.fullmatch(self._text):
            return self._cut_off()
        if found := _kind_of(self._text.lstrip()):
            return FeedFileError("json_value", found=found)
        if self._text.lstrip().startswith("{"):
            return FeedFileError("json_no_records")
        return self.malformed()

    def malformed(self, offset: int = 0) -> FeedFileError:
        """The refusal of what is no JSON, so many characters from here."""
        return FeedFileError("json_malformed", record=max(self._number, 1), **self._place(self._at + offset))

    def _cut_off(self) -> FeedFileError:
        return FeedFileError("json_cut_off", record=max(self._number, 1), **self._place(len(self._text)))

    def _unexpected(self, mark: str) -> FeedFileError:
        return self.malformed() if mark else self._cut_off()

    def _place(self, at: int) -> dict[str, int]:
        """Line and column of a character of the text at hand, both from 1."""
        before = self._text[:at]
        lines = before.count("\n")
        column = len(before) - before.rfind("\n") if lines else self._column + len(before)
        return {"line": self._line + lines, "column": column}

    def _end(self, wrapped: bool) -> None:
        if wrapped:
            if (mark := self._next()) != "}":
                raise FeedFileError("json_no_records") if mark == "," else self._unexpected(mark)
            self._at += 1
        if self._next():
            raise self.malformed()

    def _next(self) -> str:
        """The next character that is no space, where it stands; empty at the end of the file."""
        while True:
            space = SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Take in another block, letting go of what was read."""
        block = next(self._texts, None)
        if block is None:
            return False
        place = self._place(self._at)
        self._line, self._column = place["line"], place["column"]
        self._text, self._at = self._text[self._at :] + block, 0
        return True

    def _object(self) -> str:
        if (mark := self._next()) != "{":
            raise self._no_record() if mark else self._cut_off()
        while True:
            flat = FLAT.match(self._text, self._at)
            end = flat.end() if flat else self._nested_end()
            if end:
                text = self._text[self._at : end]
                self._at = end
                if len(text) > self._limits.chunk_chars:
                    raise FeedFileError("row_too_long", line=self._number, limit=self._limits.chunk_chars)
                return text
            if len(self._text) - self._at > self._limits.chunk_chars:
                raise FeedFileError("row_too_long", line=self._number, limit=self._limits.chunk_chars)
            if not self._more():
                raise self._cut_off()

    def _no_record(self) -> FeedFileError:
        """What stands in the place of a record."""
        while len(self._text) - self._at < LONGEST_WORD and self._more():
            pass
        found = _kind_of(self._text[self._at : self._at + LONGEST_WORD])
        return FeedFileError("json_record", record=self._number, found=found) if found else self.malformed()

    def _nested_end(self) -> int:
        """Where an object with something nested ends; 0 where more text is needed."""
        depth = 0
        for found in TOKEN.finditer(self._text, self._at):
            part = found[0]
            if part == '"':  # a text that is not closed yet
                return 0
            depth += (part in "{[") - (part in "}]")
            if depth > DEEPEST:
                raise FeedFileError("json_too_deep", record=self._number, limit=DEEPEST)
            if not depth:
                return found.end()
        return 0


class _Broken(ValueError):
    """The text of an object is no JSON; `offset` is where, in characters."""

    def __init__(self, offset: int = 0) -> None:
        super().__init__(offset)
        self.offset = offset


def _kind_of(text: str) -> Text:
    """What a value is that begins like this; empty for an object and for what is no JSON."""
    return next((name for form, name in KINDS if form.match(text)), "")


def _read(text: str, number: int, limits: Limits) -> Record:
    """A record of the text of an object; raises _Broken, cell_too_long or nul_byte."""
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs, parse_float=str, parse_int=str, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise _Broken(error.pos) from None
    except (ValueError, RecursionError):
        raise _Broken from None
    cells: dict[str, str] = {}
    wrong: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in cells:
            wrong.setdefault("repeated_column", []).append(name)
        elif isinstance(value, _Pairs | list):
            wrong.setdefault("nested_value", []).append(name)
        elif isinstance(value, bool):
            wrong.setdefault("wrong_type", []).append(name)
        cells.setdefault(_text(name, number, limits), _text(value, number, limits))
    code = next(iter(wrong), "")
    return Record(number, cells, code, tuple(wrong.get(code, ())))


class _Pairs(list):  # type: ignore[type-arg]
    """Names and values of an object in their order, the same name twice as it stands."""


def _text(value: object, number: int, limits: Limits) -> str:
    """The value as text; nothing for null."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > limits.cell_chars:
        raise FeedFileError("cell_too_long", line=number, limit=limits.cell_chars)
    if "\0" in text:
        raise FeedFileError("nul_byte", line=number)
    if UNPAIRED.search(text):
        raise _Broken
    return text


def _no_number(_word: str) -> object:
    raise ValueError("not a number of JSON")
