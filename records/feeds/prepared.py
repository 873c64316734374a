"""What a chunk of a delivery comes to, in a form that one process can hand to another."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from itertools import compress
from typing import Any, NamedTuple

import msgspec

from records.feeds.known import Same
from records.feeds.mending import Mends
from records.feeds.problems import REJECTED
from records.feeds.readers import Chunk
from records.feeds.standing import Withdrawal
from records.feeds.tie_reader import Tie

Problems = list[tuple[str, str]]
Delivered = tuple[list[str], list[int], list[int], list[list[str]]]

pack = msgspec.msgpack.Encoder().encode
_unpack_delivered = msgspec.msgpack.Decoder(Delivered).decode


class Setaside(msgspec.Struct, array_like=True):
    """A row that is not accepted: place, cells by header, problems by field and code, decision where it is known."""

    row_number: int
    line_number: int
    cells: dict[str, str]
    problems: Problems
    decision: int | None = None

    @property
    def rejected(self) -> bool:
        """Whether the row may not be kept at all."""
        return any(code in REJECTED for _field, code in self.problems)


class SubjectKey(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """As much of a subject as finds it: kind, blind index of the number, index of the name, an organisation's codes."""

    kind: str
    number_index: bytes
    name_index: bytes
    codes: tuple[str, ...]


class Row(NamedTuple):
    """An accepted row: its number, subject and document, the digest of its content, and its line for COPY.

    `key` stands for the decision and `said` for what the row says of it, see `keys`; `cells` for the row as delivered,
    see `memory`.

    The line lacks what stands before it, key and kind of the subject, and after it, what all rows have in common.
    """

    number: int
    subject: bytes
    document: str
    digest: bytes
    key: int
    said: int
    line: bytes
    cells: int


class Rows(msgspec.Struct, array_like=True):
    """The accepted rows of a chunk, column by column: most of the work on them is one step for all."""

    numbers: list[int] = []
    subjects: list[bytes] = []
    documents: list[str] = []
    digests: list[bytes] = []
    keys: list[int] = []
    said: list[int] = []
    lines: list[bytes] = []
    cells: list[int] = []

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Row]:
        return map(Row._make, zip(*self.columns, strict=True))

    @property
    def columns(self) -> tuple[list[Any], ...]:
        """Every column, in the order of `Row`."""
        return (
            self.numbers, self.subjects, self.documents, self.digests, self.keys, self.said, self.lines, self.cells,
        )  # fmt: skip

    def where(self, wanted: Sequence[bool]) -> "Rows":
        """The rows marked as wanted."""
        return Rows(*(list(compress(column, wanted)) for column in self.columns))

    def extend(self, more: "Rows") -> None:
        """Add the rows of another chunk behind these."""
        for column, others in zip(self.columns, more.columns, strict=True):
            column += others


class Prepared(msgspec.Struct, array_like=True):
    """What a chunk comes to: rows to write, their subjects by blind index, and the rows set aside.

    `other_names` are the indexes of names of persons whom an earlier row of the chunk names otherwise, by row.
    `subject_lines` are the COPY lines of subjects that no earlier chunk had, or had under another name or other codes.
    `same` are rows known at sight, see `memory`. `delivered` holds the cells as they came, packed; it stays empty where
    they can be read again, see `again`.
    `mends` names the row set aside, as it was seen, that a row of the chunk mends.
    `withdrawn` are rows that take a decision back, see `standing`; `unstated` those that leave open whether the source
    stands by it, None where the file has no such column. `ties` say what the person of a row belongs to, by row, see
    `tie_reader`.
    """

    first_row: int
    received: int
    delivered: bytes = b""
    rows: Rows = msgspec.field(default_factory=Rows)
    subjects: dict[bytes, SubjectKey] = {}
    other_names: dict[int, bytes] = {}
    subject_lines: dict[bytes, bytes] = {}
    setaside: list[Setaside] = []
    same: list[Same] = []
    mends: dict[int, Mends] = {}
    withdrawn: list[Withdrawal] = []
    unstated: list[int] | None = None
    ties: dict[int, Tie] = {}

    @property
    def last_row(self) -> int:
        """Number of the last row covered."""
        return self.first_row + self.received - 1

    @property
    def problems(self) -> Counter[str]:
        """How often each problem occurs, once per row."""
        return Counter(code for row in self.setaside for code in {code for _field, code in row.problems})

    def set_rows_aside(self, found: dict[int, Problems]) -> None:
        """Set rows aside, by their numbers, that the database knew more about."""
        if not found:
            return
        header, numbers, lines, columns = _unpack_delivered(self.delivered)
        for at, number in enumerate(numbers):
            if number in found:
                cells = cells_of(header, [column[at] for column in columns])
                self.setaside.append(Setaside(number, lines[at], cells, found[number]))

    def leave_out(self, numbers: Set[int]) -> dict[SubjectKey, bytes]:
        """Take rows out, by their numbers, as if they had said nothing: they count as unchanged.

        Returns the lines of subjects that no other row of the chunk names; a later chunk relies on having had them.
        """
        self.rows = self.rows.where([number not in numbers for number in self.rows.numbers])
        self.setaside = [row for row in self.setaside if row.row_number not in numbers]
        self.same = [row for row in self.same if row.number not in numbers]
        self.withdrawn = [row for row in self.withdrawn if row.number not in numbers]
        named = set(self.rows.subjects)
        gone = [index for index in self.subjects if index not in named]
        keys = {index: self.subjects.pop(index) for index in gone}
        return {keys[index]: line for index in gone if (line := self.subject_lines.pop(index, None)) is not None}

    def cells_of_rows(self, wanted: Collection[int]) -> dict[int, dict[str, str]]:
        """The cells as delivered of rows with as many as the header, by their numbers."""
        if not wanted:
            return {}
        header, numbers, _lines, columns = _unpack_delivered(self.delivered)
        places = [(at, number) for at, number in enumerate(numbers) if number in wanted]
        return {number: cells_of(header, [column[at] for column in columns]) for at, number in places}

    def lines_of_rows(self) -> dict[int, int]:
        """Where each row that is known by its cells or as set aside stands in the file, by its number."""
        lines = {row.row_number: row.line_number for row in self.setaside}
        if not self.delivered:
            return lines
        _header, numbers, places, _columns = _unpack_delivered(self.delivered)
        return {**lines, **dict(zip(numbers, places, strict=True))}

    def chunk_of(self, wanted: set[int]) -> Chunk:
        """Rows of the chunk as delivered, by their numbers, as a chunk of their own."""
        _header, numbers, lines, columns = _unpack_delivered(self.delivered)
        chunk = Chunk(self.first_row, self.received, columns, numbers, lines)
        return chunk.where([number in wanted for number in numbers])

    def take_in(self, more: "Prepared") -> None:
        """Add what other rows of the same chunk came to."""
        self.rows.extend(more.rows)
        self.setaside += more.setaside
        for index, key in more.subjects.items():
            first = self.subjects.setdefault(index, key)
            if first.name_index != key.name_index:
                self.other_names.update((row.number, key.name_index) for row in more.rows if row.subject == index)
        self.other_names |= more.other_names
        self.subject_lines |= more.subject_lines
        self.withdrawn += more.withdrawn
        if more.unstated is not None:
            self.unstated = [*(self.unstated or []), *more.unstated]
        self.ties |= more.ties


def delivered_cells(chunk: Chunk, header: list[str]) -> bytes:
    """The cells of a chunk as they came, packed."""
    return pack((header, list(chunk.row_numbers), list(chunk.line_numbers), chunk.columns))


def cells_of(header: Sequence[str], row: Iterable[str]) -> dict[str, str]:
    """The cells of a row by the names of their columns; cells beyond the header by their place."""
    cells = list(row)
    names = [*header, *(f"+{n}" for n in range(1, len(cells) - len(header) + 1))]
    return dict(zip(names, cells, strict=False))


unpack = msgspec.msgpack.Decoder(Prepared).decode
