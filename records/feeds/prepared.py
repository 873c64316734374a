"""What a chunk of a delivery comes to, in a form that one process can hand to another."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from records.feeds.known import Same
from records.feeds.problems import REJECTED
from records.feeds.readers import Chunk
from records.feeds.standing import Withdrawal
from records.feeds.tie_reader import Tie

Problems = list[tuple[str, str]]
Delivered = tuple[list[str], list[int], list[int], list[list[str]]]

pack = msgspec.msgpack.Encoder().encode
_unpack_delivered = msgspec.msgpack.Decoder(Delivered).decode


class Setaside(msgspec.Struct, array_like=True):
    """A row that is not accepted: place, cells by header, problems by field and code."""

    row_number: int
    line_number: int
    cells: dict[str, str]
    problems: Problems

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


class Row(msgspec.Struct, array_like=True, gc=False):
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
    cells: int = 0


class Prepared(msgspec.Struct, array_like=True):
    """What a chunk comes to: rows to write, their subjects by blind index, and the rows set aside.

    `other_names` are the indexes of names of persons whom an earlier row of the chunk names otherwise, by row.
    `subject_lines` are the COPY lines of subjects that no earlier chunk had, or had under another name or other codes.
    `same` are rows known at sight, see `memory`. `delivered` holds the cells as they came, packed, for the few rows of
    which the database knows more. `withdrawn` are rows that take a decision back, see `standing`; `unstated` those that
    leave open whether the source stands by it, None where the file has no such column. `ties` say what the person of
    a row belongs to, by row, see `tie_reader`.
    """

    first_row: int
    received: int
    delivered: bytes
    rows: list[Row] = []
    subjects: dict[bytes, SubjectKey] = {}
    other_names: dict[int, bytes] = {}
    subject_lines: dict[bytes, bytes] = {}
    setaside: list[Setaside] = []
    same: list[Same] = []
    withdrawn: list[Withdrawal] = []
    unstated: list[int] | None = None
    ties: dict[int, Tie] = {}

    @classmethod
    def of(cls, chunk: Chunk, header: list[str]) -> "Prepared":
        """Nothing found out about a chunk yet."""
        return cls(chunk.first_row, chunk.received, delivered_cells(chunk, header))

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

    def chunk_of(self, wanted: set[int]) -> Chunk:
        """Rows of the chunk as delivered, by their numbers, as a chunk of their own."""
        _header, numbers, lines, columns = _unpack_delivered(self.delivered)
        chunk = Chunk(self.first_row, self.received, columns, numbers, lines)
        return chunk.where([number in wanted for number in numbers])

    def take_in(self, more: "Prepared") -> None:
        """Add what other rows of the same chunk came to."""
        self.rows += more.rows
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
