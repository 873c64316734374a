"""Rows set aside that a batch mends: closed where the row is taken in, brought up to date where it is still wrong."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec
from django.db.models import Exists, F, OuterRef, Q

from creditplatform.core import vault
from creditplatform.core.sealed import sealed_name
from records.enums import BatchState, RowState
from records.feeds.keys import decision_of
from records.feeds.mending import seen_as
from records.feeds.plan import Plan
from records.feeds.prepared import Prepared, Problems, Row, Setaside, SubjectKey
from records.feeds.problems import NEEDS_CONFIRMATION, REJECTED
from records.feeds.spent import KeptRows, note_repeats
from records.models import FeedBatch, QuarantinedRow, RepeatedRow
from records.querysets import QuarantinedRowQuerySet
from records.workflows.feed_batch import FEED_BATCH

Found = Callable[[Any, list[Row]], Mapping[int, Any]]
CLOSE = """
UPDATE records_quarantinedrow q SET state = 'corrected', record_id = t.record, cells = coalesce(t.cells, q.cells),
    corrected_in_id = %s, closed_at = now(), closed_by_id = %s, revision = q.revision + 1
FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[]) AS t (id, record, cells)
WHERE q.id = t.id AND q.state = 'open'
"""
KEEP = """
UPDATE records_quarantinedrow q SET state = t.state, problems = t.problems::jsonb, decision = t.decision,
    cells = CASE WHEN t.state = 'rejected' THEN NULL ELSE coalesce(t.cells, q.cells) END, revision = q.revision + 1
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bytea[]) AS t (id, state, problems, decision, cells)
WHERE q.id = t.id AND q.state = 'open'
"""
WAITING = """
SELECT id, decision FROM records_quarantinedrow
WHERE feed_id = %s AND state = 'open' AND decision = ANY(%s) AND batch_id <> %s
"""
UNSETTLED = Q(row__state=RowState.OPEN) | Q(code="mended_before", row__record__changed_at__lte=F("created_at"))


def problems_json(problems: Problems) -> str:
    """The problems of a row as they are kept."""
    return msgspec.json.encode([{"field": name, "code": code} for name, code in problems]).decode()


def still_to_confirm(former: Sequence[Mapping[str, str]], problems: Problems) -> Problems:
    """The problems of a row tried again, and those that ask somebody to look at the decision: nobody has by failing."""
    if any(code in REJECTED for _field, code in problems):
        return problems
    said = {code for _field, code in problems}
    asked = [(one["field"], one["code"]) for one in former if one["code"] in NEEDS_CONFIRMATION - said]
    return [*problems, *asked]


def same_cells(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two rows say the same, whatever empty cells they have besides."""
    return {k: v for k, v in one.items() if v} == {k: v for k, v in other.items() if v}


class MendedRows:
    """Those that the rows of a batch name by their key, or whose decision a row of the batch brings in good order.

    A key is good for one row of one batch, and for the row set aside as it was when the key was handed out. `confirmed`
    says that somebody has looked at the decision itself: then a row may also say otherwise than the record on file.
    Costs one query per batch where no row of the feed waits.
    """

    def __init__(self, plan: Plan, batch: FeedBatch, *, confirmed: bool) -> None:
        self._plan, self._batch, self._confirmed = plan, batch, confirmed
        self._named: dict[int, QuarantinedRow] = {}
        self._moved: set[int] = set()
        self._contradicted: dict[int, QuarantinedRow] = {}
        self._places: dict[int, int] = {}
        self._used: set[int] = set()
        self._lines: dict[SubjectKey, bytes] = {}
        self._bound = sealed_name(QuarantinedRow, "cells")

    @cached_property
    def _some_wait(self) -> bool:
        rows = QuarantinedRow.objects.filter(feed=self._batch.feed_id, decision__isnull=False)
        return rows.waiting().exclude(batch=self._batch).exists()

    def look_up(self, prepared: Prepared) -> None:
        """Which rows set aside the rows of a chunk name; they are held until the chunk is written.

        Of a key that comes twice the first row counts, the others are rows of their own. A row whose key is spent
        leaves the chunk; one that somebody changed since stays as it is now. What the chunk says otherwise is told.
        """
        self._named, self._moved, spent = {}, set(), dict[int, QuarantinedRow]()
        wanted = self._of_feed(prepared).select_for_update(no_key=True).order_by("pk")
        rows = {row.pk: row for row in wanted} if prepared.mends else {}
        for number, (pk, seen) in sorted(prepared.mends.items()):
            if pk not in rows or pk in self._used:
                continue
            if rows[pk].state != RowState.OPEN:
                spent[number] = rows[pk]
                self._used.add(pk)
                continue
            self._named[number] = rows[pk]
            if seen_as(rows[pk].revision) == seen:
                self._used.add(pk)
            else:
                self._moved.add(number)
        self._places = prepared.lines_of_rows() if prepared.mends else {}
        self._contradicted = KeptRows(self._plan, self._batch.feed).contradicted(prepared, spent)
        told = {**dict.fromkeys(self._moved, "changed_since"), **dict.fromkeys(self._contradicted, "mended_before")}
        self._leave_out(prepared, spent.keys() | self._moved)
        prepared.setaside += [Setaside(n, self._places.get(n, 0), {}, [("", told[n])]) for n in sorted(told)]

    def remember(self, prepared: Prepared) -> None:
        """On resuming: which keys the rows worked off before have used, and which of these rows were not taken in."""
        rows = {row.pk: row for row in self._of_feed(prepared)} if prepared.mends else {}
        ours = {pk for pk, row in rows.items() if row.corrected_in_id == self._batch.pk}
        self._used |= rows.keys()
        self._leave_out(prepared, {n for n, (pk, _seen) in prepared.mends.items() if pk in rows and pk not in ours})

    @property
    def keys(self) -> dict[int, int]:
        """The keys of the rows that rows of the chunk at hand may bring up to date, by row number."""
        return {number: row.pk for number, row in self._named.items() if number not in self._moved}

    def _of_feed(self, prepared: Prepared) -> QuarantinedRowQuerySet:
        return QuarantinedRow.objects.filter(feed=self._batch.feed_id, pk__in={pk for pk, _ in prepared.mends.values()})

    def _leave_out(self, prepared: Prepared, numbers: set[int]) -> None:
        if numbers:
            self._lines |= prepared.leave_out(numbers)
        for index, key in prepared.subjects.items() if self._lines else ():
            if index not in prepared.subject_lines and key in self._lines:
                prepared.subject_lines[index] = self._lines[key]

    def unconfirmed(self, changed: Iterable[Row]) -> dict[int, Problems]:
        """Rows that would change the record on file although nobody said so: they stay set aside for what they were."""
        if self._confirmed or not self._named:
            return {}
        waiting = {number: _to_confirm(row) for number, row in self._named.items()}
        return {row.number: [("", code)] for row in changed if (code := waiting.get(row.number))}

    def close(self, cursor: Any, prepared: Prepared, on_file: Found) -> None:
        """Close the rows whose content is on file now, each with its record and the cells as they were mended."""
        if not self._named and not self._some_wait:
            return
        wrong = {row.row_number for row in prepared.setaside}
        taken = [row for row in prepared.rows if row.number not in wrong]
        waiting = self._waiting(cursor, taken)
        involved = [row for row in taken if row.number in self._named or row.number in waiting]
        good = {number: row for number, row in self._named.items() if number not in wrong}
        if not involved and not good:
            return
        records = {number: found.pk for number, found in on_file(cursor, involved).items()}
        records |= {row.number: row.record for row in prepared.same if row.number in self._named}
        cells = {} if self._batch.rerun else prepared.cells_of_rows(good)
        closing = [
            (row.pk, records.get(number), self._new_cells(row, cells.get(number))) for number, row in good.items()
        ]
        closing += [(pk, records.get(number), None) for number, pks in waiting.items() for pk in pks]
        if closing:
            parameters = map(list, zip(*closing, strict=True))
            cursor.execute(CLOSE, [self._batch.pk, self._batch.submitted_by_id, *parameters])

    def _waiting(self, cursor: Any, taken: list[Row]) -> dict[int, list[int]]:
        """Open rows of earlier batches about the decisions of these rows, by row number."""
        if not self._some_wait or not taken:
            return {}
        key = self._plan.digest_key
        decisions = {decision_of(row.subject, row.document, key): row.number for row in taken if row.document}
        cursor.execute(WAITING, [self._batch.feed_id, list(decisions), self._batch.pk])
        found: dict[int, list[int]] = {}
        for pk, decision in cursor.fetchall():
            found.setdefault(decisions[decision], []).append(pk)
        return found

    def keep(self, cursor: Any, setaside: list[Setaside]) -> list[Setaside]:
        """Bring the rows up to date that are still wrong; returns the others, to be set aside anew.

        A row that somebody changed meanwhile is left alone and not set aside a second time.
        """
        self._note_repeats(cursor, setaside)
        known = self._named.keys() - self._moved
        still = [(self._named[row.row_number], row) for row in setaside if row.row_number in known]
        changes = [change for one, row in still if (change := self._change(one, row))]
        if changes:
            cursor.execute(KEEP, [list(column) for column in zip(*changes, strict=True)])
        return [row for row in setaside if row.row_number not in self._named.keys() | self._contradicted.keys()]

    def _note_repeats(self, cursor: Any, setaside: list[Setaside]) -> None:
        """Which rows of the file were not taken for what a row of an earlier batch says."""
        known = {**self._named, **self._contradicted}
        codes = {**dict.fromkeys(self._moved, "changed_since"), **dict.fromkeys(self._contradicted, "mended_before")}
        found = [
            (row.row_number, row.line_number, known[row.row_number].pk, codes.get(row.row_number, ""))
            for row in setaside
            if row.row_number in known
        ]
        note_repeats(cursor, self._batch.pk, found)

    def _change(self, known: QuarantinedRow, row: Setaside) -> tuple[int, str, str, int | None, bytes | None] | None:
        """What becomes of a row that is still wrong; nothing where it stays as it was."""
        cells = None if self._batch.rerun else self._new_cells(known, row.cells)
        problems = still_to_confirm(known.problems, row.problems)
        told = [{"field": name, "code": code} for name, code in problems]
        if cells is None and told == known.problems:
            return None
        state = RowState.REJECTED if row.rejected else RowState.OPEN
        return known.pk, state.value, problems_json(problems), row.decision, cells

    def _new_cells(self, known: QuarantinedRow, cells: dict[str, str] | None) -> bytes | None:
        """The mended cells sealed, where they are others than before."""
        if cells is None or known.cells is None or same_cells(msgspec.json.decode(known.cells), cells):
            return None
        return vault.seal(msgspec.json.encode(cells), self._bound)


def _to_confirm(row: QuarantinedRow) -> str:
    """Why somebody has to look at the decision before the row may change the record; empty where nobody has to."""
    return next((problem["code"] for problem in row.problems if problem["code"] in NEEDS_CONFIRMATION), "")


def settle(feed_id: int) -> None:
    """Take batches of a feed whose rows are all corrected or discarded to their next step.

    That goes for the rows of earlier batches as well that a batch repeated; where it contradicted a mended row, once
    the record has changed. A batch that is older than these notes follows once no row of the feed waits.
    """
    rows = QuarantinedRow.objects.filter(batch=OuterRef("pk"))
    repeats = RepeatedRow.objects.filter(batch=OuterRef("pk"))
    batches = FeedBatch.objects.filter(feed=feed_id, state=BatchState.PARTLY_QUARANTINED, quarantined__gt=0)
    done = batches.exclude(Exists(rows.waiting())).exclude(Exists(repeats.filter(UNSETTLED)))
    if QuarantinedRow.objects.filter(feed=feed_id).waiting().exists():
        done = done.filter(Exists(rows.exclude(state=RowState.REJECTED)) | Exists(repeats))
    for batch in done.order_by("pk"):
        FEED_BATCH.take("correct", batch, user=None)


def settle_record(record_id: int) -> None:
    """A record was corrected: batches that contradicted the row it came from may be at their end."""
    waiting = RepeatedRow.objects.filter(row__record=record_id, batch__state=BatchState.PARTLY_QUARANTINED)
    for feed in waiting.order_by().values_list("batch__feed", flat=True).distinct():
        settle(feed)
