"""Rows known at sight: what the last delivery of a feed said, which record says so, and whether it still does.

A row that comes again as it was is the commonest of all. Its cells, under the same columns and the same version of the
entry, give the same keyed digest; the record it led to is asked whether its content is still the one it had then.
Only then the row counts as unchanged without being checked again. A record corrected by hand since is not turned back
by a row that says nothing new: the row is set aside, so that the unit mends its own file.
"""

import struct
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from records.feeds.known import Same
from records.feeds.mapping import ColumnMap
from records.feeds.plan import Plan
from records.feeds.readers import Chunk
from records.models import Feed, FeedMemory

MOST_ROWS = 1_000_000  # three numbers of eight bytes each
NUMBER = 8
STILL_SO = """
SELECT r.id, r.digest, b.format = 'form' FROM records_creditrecord r LEFT JOIN records_feedbatch b ON b.id = r.batch_id
WHERE r.id = ANY(%s)
"""


def head_of(digest: bytes) -> int:
    """The first eight bytes of a content digest as a number."""
    return int.from_bytes(digest[:NUMBER], "little")


def heads_of(digests: Sequence[bytes]) -> list[int]:
    """The same for many digests of sixteen bytes at once: every second number of eight bytes."""
    return list(struct.unpack(f"<{2 * len(digests)}Q", b"".join(digests))[::2])


class RowDigest:
    """Keyed digests of rows as delivered; other columns, another version or other constants give other digests."""

    def __init__(self, plan: Plan, columns: ColumnMap, header: list[str]) -> None:
        reading = msgspec.json.encode(
            [plan.version.pk, sorted(columns.positions.items()), header, sorted(plan.constants.items())]
        )
        key = blake2b(reading, digest_size=32, key=plan.digest_key).digest()
        self._new = blake2b(digest_size=NUMBER, key=key).copy

    def of(self, chunk: Chunk) -> list[int]:
        """One number of 64 bits per row of the chunk."""
        new, found = self._new, []
        for row in zip(*chunk.columns, strict=True):
            digesting = new()
            digesting.update("\x1f".join(row).encode())
            found.append(int.from_bytes(digesting.digest(), "little"))
        return found


class Memory:
    """The rows of one delivery by the digest of their cells."""

    def __init__(self) -> None:
        self._columns: tuple[array[int], ...] = (array("Q"), array("Q"), array("Q"))

    @classmethod
    def of(cls, feed: Feed) -> "Memory":
        """What the feed's last delivery left; empty before the first one."""
        memory, found = cls(), FeedMemory.objects.filter(feed=feed).values_list("rows", flat=True).first()
        data = memoryview(found or b"")
        third = len(data) // 3
        for at, column in enumerate(memory._columns):
            column.frombytes(data[at * third : (at + 1) * third])
        return memory

    def __len__(self) -> int:
        return len(self._columns[0])

    @property
    def records(self) -> "array[int]":
        """Keys of the records that the rows led to."""
        return self._columns[1]

    def note(self, cells: Sequence[int], records: Sequence[int], contents: Sequence[int]) -> None:
        """Keep digest of the cells, record and content head of rows, as many as there is room for."""
        for column, values in zip(self._columns, (cells, records, contents), strict=True):
            column.extend(values[: max(0, MOST_ROWS - len(column))])

    def keep(self, feed: Feed, batch_id: int) -> None:
        """Replace what the feed remembers; must run in the transaction that finishes the batch."""
        cells = self._columns[0]
        order = sorted(range(len(cells)), key=cells.__getitem__)
        rows = b"".join(array("Q", map(column.__getitem__, order)).tobytes() for column in self._columns)
        FeedMemory.objects.update_or_create(feed=feed, defaults={"rows": rows, "batch_id": batch_id})

    def find(self, chunk: Chunk, digests: list[int]) -> list[Same]:
        """Rows of a chunk that were delivered just so; a cell with a remark of the reader is looked at again."""
        cells, records, contents = self._columns
        remarked = {warning.line_number for warning in chunk.warnings}
        found = []
        for number, line, digest in zip(chunk.row_numbers, chunk.line_numbers, digests, strict=True):
            at = bisect_left(cells, digest)
            if at < len(cells) and cells[at] == digest and line not in remarked:
                found.append(Same(number, digest, records[at], contents[at]))
        return found


def sort_out(cursor: Any, rows: list[Same]) -> tuple[list[Same], set[int], set[int]]:
    """Rows whose record still says the same; numbers of those whose record was corrected by hand since; the rest."""
    cursor.execute(STILL_SO, [[row.record for row in rows]])
    found = {pk: (head_of(bytes(digest)), by_hand) for pk, digest, by_hand in cursor.fetchall()}
    same = [row for row in rows if found.get(row.record, (None, False))[0] == row.content]
    others = {row.number: row.record for row in rows}
    for row in same:
        del others[row.number]
    corrected = {number for number, record in others.items() if found.get(record, (0, False))[1]}
    return same, corrected, set(others) - corrected
