"""Rows set aside that are closed, and rows that come again after all: what a later file says otherwise is told."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from records.feeds.mapping import find_columns
from records.feeds.plan import Plan
from records.feeds.prepared import Prepared
from records.models import CreditRecord, Feed, QuarantinedRow

NOTE = """
INSERT INTO records_repeatedrow (batch_id, row_number, line_number, row_id, code)
SELECT %s, * FROM unnest(%s::int[], %s::int[], %s::bigint[], %s::text[]) ON CONFLICT DO NOTHING
"""


def note_repeats(cursor: Any, batch_id: int, found: Iterable[tuple[int, int, int, str]]) -> None:
    """Keep for rows of a batch which row set aside they concern: number, line, key of that row, problem code."""
    if columns := [list(column) for column in zip(*found, strict=True)]:
        cursor.execute(NOTE, [batch_id, *columns])


class KeptRows:
    """What closed rows of a feed say, for comparing it with the same rows of a later file. Two queries at most."""

    def __init__(self, plan: Plan, feed: Feed) -> None:
        self._plan, self._feed = plan, feed

    def contradicted(self, prepared: Prepared, closed: Mapping[int, QuarantinedRow]) -> dict[int, QuarantinedRow]:
        """The closed rows, by row number, of which the file says otherwise than the row as it was closed and the
        record it became. What was discarded is compared with its cells alone."""
        cells = {row.row_number: row.cells for row in prepared.setaside} | prepared.cells_of_rows(closed)
        differing = {n: row for n, row in closed.items() if n in cells and not self._same(row, cells[n])}
        became = {row.record_id for row in differing.values() if row.record_id is not None}
        records = CreditRecord.objects.filter(pk__in=became)
        digests = {pk: bytes(digest) for pk, digest in records.values_list("pk", "digest")} if differing else {}
        said = dict(zip(prepared.rows.numbers, prepared.rows.digests, strict=True))
        known = {row.number: row.record for row in prepared.same}
        on_file = {n for n, row in differing.items() if row.record_id and known.get(n) == row.record_id}
        on_file |= {n for n, row in differing.items() if n in said and said[n] == digests.get(row.record_id or 0)}
        return {number: row for number, row in differing.items() if number not in on_file}

    def _same(self, row: QuarantinedRow, cells: Mapping[str, str]) -> bool:
        if row.cells is None:
            return True
        return self._by_field(msgspec.json.decode(row.cells, type=dict[str, str])) == self._by_field(cells)

    def _by_field(self, cells: Mapping[str, str]) -> dict[str, str]:
        """Cells that hold anything, by the code of their field or by their header."""
        header = list(cells)
        found = find_columns(header, self._plan.fields, remembered=self._feed.mapping).positions
        codes = {header[at]: code for code, at in found.items()}
        return {codes.get(name, name): text.strip() for name, text in cells.items() if text.strip()}
