"""Columns that our own workbook of rows set aside adds to those of the sender: they come back and are understood.

One names the row set aside that a row mends; one says what is wrong and is not read; those named `+1`, `+2` … hold
cells that had no column. None of them is a column of the feed, whatever language the workbook was made in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from creditplatform.core.vault import pk_of_token, public_token
from records.feeds.mapping import header_key
from records.feeds.readers import BadRow, CellWarning, Chunk

ROW_KIND: Final = "set-aside-row-as-seen"
FORMER_KIND: Final = "set-aside-row"  # of keys that bear no revision
NOTED: Final = "mends"  # in the remarks on a batch whose rows mend others
REVISIONS: Final = 1 << 20  # of one row that are told apart
ROW_HEADERS: Final = {"zh-hans": "行标识（请勿改动）", "en": "Row key (leave as it is)"}
PROBLEM_HEADERS: Final = {"zh-hans": "问题说明（重新上传时不读取）", "en": "What is wrong (not read on upload)"}
BEYOND: Final = re.compile(r"\+\d{1,3}")

_ROW = frozenset(map(header_key, ROW_HEADERS.values()))
_PROBLEM = frozenset(map(header_key, PROBLEM_HEADERS.values()))


class Mends(NamedTuple):
    """A row set aside by its key, and its revision when it was handed out."""

    pk: int
    seen: int


def row_token(pk: int, revision: int) -> str:
    """The key of a row set aside as the workbook shows it: not to be guessed, another one once the row has changed."""
    return public_token(ROW_KIND, pk * REVISIONS + seen_as(revision))


def row_of_token(token: str) -> Mends | None:
    """The row a key stands for, as it was then; None for anything else. A former key is that of an untouched row."""
    if (number := pk_of_token(ROW_KIND, token)) is not None:
        return Mends(*divmod(number, REVISIONS))
    pk = pk_of_token(FORMER_KIND, token)
    return None if pk is None else Mends(pk, 0)


def seen_as(revision: int) -> int:
    """As much of a revision as a key bears."""
    return revision % REVISIONS


class MendingColumns(NamedTuple):
    """Where the added columns of a file stand; a file without the row's key has none."""

    row_key: int | None
    added: frozenset[int]
    beyond: tuple[int, ...]

    def __bool__(self) -> bool:
        return self.row_key is not None

    @classmethod
    def of(cls, header: Sequence[str]) -> MendingColumns:
        """Find the added columns in the header of a file."""
        keys = [header_key(name) for name in header]
        row_key = next((at for at, key in enumerate(keys) if key in _ROW), None)
        if row_key is None:
            return NOTHING_MENDED
        beyond = tuple(at for at, name in enumerate(header) if BEYOND.fullmatch(name.strip()))
        told = {at for at, key in enumerate(keys) if key in _PROBLEM or key in _ROW}
        return cls(row_key, frozenset({*told, *beyond}), beyond)

    def without(self, cells: Sequence[str]) -> list[str]:
        """A header or row without the added columns."""
        return [text for at, text in enumerate(cells) if at not in self.added]

    def split(self, chunk: Chunk) -> tuple[dict[int, Mends], Chunk]:
        """Which row set aside each row mends, by row number, and the chunk without the added columns.

        A row with a cell that had no column still has too many.
        """
        if self.row_key is None:
            return {}, chunk
        mends = {number: row for number, row in _named(chunk, self.row_key) if row}
        columns = [column for at, column in enumerate(chunk.columns) if at not in self.added]
        bad = [row._replace(cells=self.without(row.cells)) for row in chunk.bad]
        plain = Chunk(
            chunk.first_row, chunk.received, columns, chunk.row_numbers, chunk.line_numbers, bad,
            self._moved(chunk.warnings), chunk.chars,
        )  # fmt: skip
        wider = [at for at in range(len(chunk)) if any(chunk.columns[column][at].strip() for column in self.beyond)]
        return mends, self._with_too_many(plain, chunk, wider) if wider else plain

    def _moved(self, warnings: list[CellWarning]) -> list[CellWarning]:
        """Remarks on cells by their new places; those on added columns fall away."""
        return [
            warning._replace(column=warning.column - sum(at < warning.column for at in self.added))
            for warning in warnings
            if warning.column not in self.added
        ]

    def _with_too_many(self, plain: Chunk, chunk: Chunk, wider: list[int]) -> Chunk:
        more = [
            BadRow(
                chunk.row_numbers[at], chunk.line_numbers[at], "too_many_cells",
                [column[at] for column in (*plain.columns, *(chunk.columns[place] for place in self.beyond))],
            )
            for at in wider
        ]  # fmt: skip
        kept = plain.where([at not in wider for at in range(len(chunk))])
        kept.bad = [*plain.bad, *more]
        return kept


def _named(chunk: Chunk, column: int) -> list[tuple[int, Mends | None]]:
    """The row set aside whose key stands in each row, by row number; None where it is none of ours."""
    tokens = list(zip(chunk.row_numbers, chunk.columns[column], strict=True))
    tokens += [(row.row_number, row.cells[column]) for row in chunk.bad if len(row.cells) > column]
    return [(number, row_of_token(token.strip().lower())) for number, token in tokens]


NOTHING_MENDED: Final = MendingColumns(None, frozenset(), ())
