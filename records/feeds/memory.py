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
from itertools import product
from typing import Any

import msgspec
from django.db import connection, transaction

from records.feeds.known import Same
from records.feeds.mapping import ColumnMap
from records.feeds.plan import Plan
from records.feeds.readers import Chunk
from records.models import Feed

MOST_ROWS = 1_000_000  # three numbers of eight bytes each
NUMBER = 8
PIECE = 1 << 17  # numbers, that is a megabyte
IN_PIECES = """
SELECT octet_length(rows), substring(rows FROM 1 + start FOR %(piece)s)
FROM records_feedmemory, generate_series(0, octet_length(rows) - 1, %(piece)s) start
WHERE feed_id = %(feed)s ORDER BY start
"""
PIECES = """
CREATE TEMPORARY TABLE IF NOT EXISTS credit_memory_piece (number int, piece bytea);
TRUNCATE credit_memory_piece;
"""
KEEP = """
INSERT INTO records_feedmemory (feed_id, batch_id, rows)
SELECT %s, %s, coalesce(string_agg(piece, ''::bytea ORDER BY number), ''::bytea) FROM credit_memory_piece
ON CONFLICT (feed_id) DO UPDATE SET rows = excluded.rows, batch_id = excluded.batch_id
"""
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
        """What the feed's last delivery left; empty before the first one. Fetched in pieces, as it may be long."""
        memory, position = cls(), 0
        with transaction.atomic(), connection.chunked_cursor() as cursor:
            cursor.execute(IN_PIECES, {"feed": feed.pk, "piece": NUMBER * PIECE})
            while found := cursor.fetchone():
                whole, piece = found
                position = memory._fill(memoryview(piece), position, whole // len(memory._columns))
        return memory

    def _fill(self, piece: memoryview, position: int, length: int) -> int:
        """Take in bytes from a position, the columns lying one behind the other; gives the position after them."""
        while piece:
            column, begun = divmod(position, length)
            taken = piece[: length - begun]
            self._columns[column].frombytes(taken)
            piece, position = piece[len(taken) :], position + len(taken)
        return position

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
        """Replace what the feed remembers; must run in the transaction that finishes the batch.

        Goes to the database in pieces: a million rows as one literal would take hundreds of megabytes for a moment.
        """
        with connection.cursor() as cursor:
            cursor.execute(PIECES)
            order = self._in_order()
            starts = range(0, len(order), PIECE)
            for number, (column, start) in enumerate(product(self._columns, starts)):
                piece = array("Q", map(column.__getitem__, order[start : start + PIECE])).tobytes()
                cursor.execute("INSERT INTO credit_memory_piece VALUES (%s, %s)", [number, piece])
            cursor.execute(KEEP, [feed.pk, batch_id])

    def _in_order(self) -> "array[int]":
        """Places of the rows in the order of their digests, sorted in parts so that few objects exist at once."""
        cells = self._columns[0]
        parts = [array("I") for _first_byte in range(256)]
        for at, cell in enumerate(cells):
            parts[cell >> 56].append(at)
        order = array("I")
        for part in parts:
            order.extend(sorted(part, key=cells.__getitem__))
        return order

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
