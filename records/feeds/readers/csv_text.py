"""CSV, TSV and their relatives: text with one record per line and cells between delimiters."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from .encoding import Encoding, detect_encoding, text_blocks
from .errors import FeedFileError
from .table import Chunk, Limits, Table, checked_header, drop_empty, is_empty, shape_rows
from .titles import TITLE_ROWS, TOP_ROWS, find_header

DELIMITERS = ",\t;|"
# A record appended behind every block: where it does not come back whole, a quotation mark is still open.
END = ["\ufdd0", "\ufdd0"]
LINE_BREAK = re.compile("\r\n|\r|\n")
QUOTED = re.compile(r'(?<![^,\t;|\r\n])"(?:[^"]|"")*"')
SEP_LINE = re.compile(r'"?sep=([,;|\t])"?', re.IGNORECASE)


class Rows(NamedTuple):
    """Records as parsed, with the line each begins in, and the length of the text they stood in."""

    rows: list[list[str]]
    lines: Sequence[int]
    chars: int


class CsvTable(Table):
    """A delimited text file; encoding, delimiter and header are settled when it is opened."""

    format = "csv"

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(limits)
        self._path = path
        self._codec: Encoding = detect_encoding(path)
        self.encoding = self._codec.name
        self.delimiter, self._start_line = self._find_delimiter()
        self._header_line = 0
        self._read_header()

    def _find_delimiter(self) -> tuple[str, int]:
        """The delimiter and the number of lines above the table (a `sep=` line of Excel's)."""
        text = _head_text(self._path, self._codec)
        if not text.strip("\ufeff \t\r\n"):
            raise FeedFileError("empty_file")
        for number, line in enumerate(StringIO(text, newline=""), 1):
            announced = SEP_LINE.fullmatch(line.rstrip("\r\n"))
            if announced:
                return announced[1], number
            if line.strip():
                break
        return detect_delimiter(_first_delimited(text)), 0

    def _read_header(self) -> None:
        below = (
            (line, row)
            for rows, lines, _chars in self._records()
            for row, line in zip(rows, lines, strict=True)
            if line > self._start_line and not is_empty(row)
        )
        top = list(islice(below, TOP_ROWS))
        if not top:
            raise FeedFileError("header_missing")
        self._header_line, cells, self.skipped_lines = find_header(top)
        self.header = checked_header(cells, self.limits)

    def _records(self) -> Iterator[Rows]:
        return CsvParser(self._path, self._codec, self.delimiter, self.limits).records()

    def blocks(self) -> Iterator[Chunk]:
        """All data rows; raises unterminated_quote, cell_too_long or row_too_long where they occur."""
        number, width = 1, len(self.header)
        for rows, lines, chars in self._records():
            if lines and lines[0] <= self._header_line:
                first = sum(1 for line in lines if line <= self._header_line)
                rows, lines = rows[first:], lines[first:]
            rows, lines = drop_empty(rows, lines)
            if rows:
                chunk = shape_rows(rows, lines, width, number)
                chunk.chars = chars
                yield chunk
                number += len(rows)


class CsvParser:
    """Parses a text file block by block, so that memory depends on the longest record only."""

    def __init__(self, path: Path, encoding: Encoding, delimiter: str, limits: Limits) -> None:
        self._path, self._encoding, self._delimiter, self._limits = path, encoding, delimiter, limits
        self._line = 1  # of the first character of the text at hand

    def records(self) -> Iterator[Rows]:
        """All records, blank lines included, in runs of about a million characters."""
        rest = ""
        for block in text_blocks(self._path, self._encoding):
            text = rest + block
            end = _last_line_end(text)
            if end:
                found, unread = self._parse(text[:end])
                rest = unread + text[end:]
                if found.rows:
                    self._check_lengths(found)
                    yield found
            else:
                rest = text
            if len(rest) > self._limits.chunk_chars:
                raise FeedFileError("row_too_long", line=self._line, limit=self._limits.chunk_chars)
        if rest:
            found, unread = self._parse(rest)
            if unread:
                raise self._broken(unread, self._line)
            self._check_lengths(found)
            yield found

    def _parse(self, text: str) -> tuple[Rows, str]:
        """The complete records of `text`, and the text of a last one whose quotation mark is still open."""
        source = chain(StringIO(text, newline=""), (self._delimiter.join(END),))
        reader = csv.reader(source, delimiter=self._delimiter)
        rows: list[list[str]] = []
        try:
            rows.extend(reader)
        except csv.Error:
            begin = self._line_ends(rows)[-1] if rows else self._line
            raise self._broken(_after_lines(text, begin - self._line), begin) from None
        complete = rows.pop() == END
        count = reader.line_num - 1
        if complete and count == len(rows):
            lines: Sequence[int] = range(self._line, self._line + count)
            self._line += count
            return Rows(rows, lines, len(text)), ""
        ends = self._line_ends(rows)
        found = Rows(rows, [self._line, *ends[:-1]] if rows else [], len(text))
        unread = "" if complete else _after_lines(text, (ends[-1] if ends else self._line) - self._line)
        self._line = ends[-1] if ends else self._line
        return found, unread

    def _check_lengths(self, found: Rows) -> None:
        """Raise cell_too_long; the csv module does so itself at its own limit."""
        limit = self._limits.cell_chars
        if limit >= csv.field_size_limit():
            return
        for row, line in zip(found.rows, found.lines, strict=True):
            if row and max(map(len, row)) > limit:
                raise FeedFileError("cell_too_long", line=line, limit=limit)

    def _line_ends(self, rows: list[list[str]]) -> list[int]:
        """For every record the line after its last one."""
        ends, line = [], self._line
        for row in rows:
            cells = "".join(row)
            if "\n" in cells or "\r" in cells:
                line += sum(len(LINE_BREAK.findall(cell)) for cell in row)
            line += 1
            ends.append(line)
        return ends

    def _broken(self, text: str, line: int) -> FeedFileError:
        """The error of the record which `text` begins with: a cell too long or a quotation mark left open."""
        limit = self._limits.cell_chars
        plain = re.compile(f"[^{re.escape(self._delimiter)}\r\n]*")
        position = 0
        while position < len(text):
            quoted = QUOTED.match(text, position)
            if text[position] == '"' and (not quoted or _swallows(quoted[0], limit)):
                break
            cell_end = plain.match(text, quoted.end() if quoted else position)
            end = cell_end.end() if cell_end else position
            if end - position > limit or end >= len(text) or text[end] in "\r\n":
                return FeedFileError("cell_too_long", line=line, limit=limit)
            line += len(LINE_BREAK.findall(text, position, end))
            position = end + 1
        return FeedFileError("unterminated_quote", line=line)


def _swallows(cell: str, limit: int) -> bool:
    """Whether a quoted cell is so long, over several lines, that its end is hardly the one meant."""
    return len(cell) > limit and LINE_BREAK.search(cell) is not None


def detect_delimiter(header: str) -> str:
    """The delimiter that occurs most often outside quotation marks in the header; a comma where none does."""
    bare = QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)


def _first_record(text: str) -> str:
    """The first line that is not blank, with the lines its quoted cells go on in."""
    text = text.lstrip("\ufeff \r\n")
    hidden = QUOTED.sub(lambda cell: "x" * len(cell[0]), text)
    end = LINE_BREAK.search(hidden)
    return text[: end.start()] if end else text


def _first_delimited(text: str) -> str:
    """The first record, or where that may be a title above the header the first one with several filled cells."""
    first = record = _first_record(text)
    for _title in range(TITLE_ROWS):
        plain = QUOTED.sub("x", record)
        if not record or any(sum(map(bool, map(str.strip, plain.split(mark)))) > 1 for mark in DELIMITERS):
            return record or first
        text = text.lstrip("\ufeff \r\n")[len(record) :]
        record = _first_record(text)
    return record or first


def _head_text(path: Path, encoding: Encoding) -> str:
    """The beginning of the text: the first block that holds anything but white space."""
    for text in text_blocks(path, encoding):
        if text.strip("\ufeff \t\r\n"):
            return text
    return ""


def _last_line_end(text: str) -> int:
    """Length of the text up to its last line end; a final CR may still get its LF and does not count."""
    return max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1


def _after_lines(text: str, count: int) -> str:
    stream = StringIO(text, newline="")
    for _ in range(count):
        stream.readline()
    return stream.read()
