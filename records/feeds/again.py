"""Rows read a second time, for the few of which the database knows more than the file says.

Handing over every cell between two processes costs more than reading some chunks twice, so cells stay with the process
that reads. Rows are asked for in their order, hence one more pass over the file at the very most.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from records.feeds.mending import NOTHING_MENDED, MendingColumns
from records.feeds.prepared import delivered_cells
from records.feeds.readers import Chunk, Table, joined, open_table

SIZE = 1000


class SecondPass:
    """The rows of a file once more, from the first one that is asked for."""

    def __init__(self, path: Path, kind: str | None, mending: MendingColumns = NOTHING_MENDED) -> None:
        self._path, self._kind, self._mending = path, kind, mending
        self._table: Table | None = None
        self._chunks: Iterator[Chunk] = iter(())

    def cells(self, first_row: int, last_row: int) -> bytes:
        """The cells of these rows as `Prepared.delivered` holds them; a later call asks for later rows."""
        if self._table is None:
            self._table = open_table(self._path, kind=self._kind, name=f"again.{self._kind}")
            self._chunks = self._table.chunks(SIZE, skip=first_row - 1)
        parts: list[Chunk] = []
        for chunk in self._chunks:
            if chunk.last_row > last_row:
                self._chunks = chain([chunk], self._chunks)
            if chunk.last_row >= first_row:
                parts.append(chunk.part(max(first_row, chunk.first_row), min(last_row, chunk.last_row)))
            if chunk.last_row >= last_row:
                break
        _mends, plain = self._mending.split(joined(parts))
        return delivered_cells(plain, self._mending.without(self._table.header))

    def close(self) -> None:
        """Let go of the file."""
        if self._table is not None:
            self._table.close()
