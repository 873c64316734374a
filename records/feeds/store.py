"""One prepared chunk into the database: subjects by set, COPY of what is new, one upsert of what changed, counts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain, repeat
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from creditplatform.core import vault
from creditplatform.core.sealed import sealed_name
from records.enums import RecordState, RowState, SubjectKind
from records.feeds import copytext
from records.feeds.again import SecondPass
from records.feeds.consequences import Consequences
from records.feeds.copying import copied, copy
from records.feeds.keys import KeysSeen
from records.feeds.memory import Memory, head_of, heads_of, sort_out
from records.feeds.mended import MendedRows, problems_json
from records.feeds.plan import Plan
from records.feeds.prepared import Prepared, Problems, Row, Rows, Setaside
from records.feeds.reading import Reading
from records.feeds.subject_store import SubjectStore
from records.feeds.told import Told
from records.models import FeedBatch, QuarantinedRow
from records.services import missing

COLUMNS = (
    "subject_id", "subject_kind", "row_number", "document_number", "decided_on", "effects", "tier",
    "repairable_from", "publish_until", "retain_until", "minor_at_decision", "payload", "sealed_payload", "digest",
    "entry_id", "version_id", "agency_id", "site_id", "field", "polarity", "batch_id", "state", "disputed", "withheld",
)  # fmt: skip
NAMES = ", ".join(COLUMNS)
STAGING = """
CREATE TEMPORARY TABLE IF NOT EXISTS credit_staging AS SELECT {names} FROM records_creditrecord WITH NO DATA;
TRUNCATE credit_staging;
"""
# LIMIT keeps the planner to one look at the unique index per row, however little it knows about the table.
ON_FILE = """
SELECT t.number, k.id, k.digest
FROM unnest(%(numbers)s::bigint[], %(subjects)s::bigint[], %(documents)s::text[]) AS
    t (number, subject_id, document_number)
CROSS JOIN LATERAL (
    SELECT r.id, r.digest FROM records_creditrecord r WHERE r.subject_id = t.subject_id
        AND r.entry_id = %(entry)s AND r.agency_id = %(agency)s AND r.document_number = t.document_number LIMIT 1
) k
"""
RECORD_KEYS = """
SELECT array_agg(nextval(s)) FROM pg_get_serial_sequence('records_creditrecord', 'id') s, generate_series(1, %s)
"""
UPSERT = """
INSERT INTO records_creditrecord AS r ({names})
SELECT {names} FROM credit_staging ORDER BY subject_id, document_number
ON CONFLICT (subject_id, entry_id, agency_id, document_number) DO UPDATE SET
    version_id = excluded.version_id, field = excluded.field, effects = excluded.effects,
    {dates}
    payload = excluded.payload, sealed_payload = excluded.sealed_payload,
    digest = excluded.digest, batch_id = excluded.batch_id, row_number = excluded.row_number, changed_at = now()
WHERE r.digest <> excluded.digest
"""
# Rows that are set aside already, under another batch or an earlier line of this one.
REPEATS = """
INSERT INTO records_repeatedrow (batch_id, row_number, line_number, row_id, code)
SELECT %(batch)s, s.row_number, s.line_number, q.id, ''
FROM credit_staging_row s JOIN records_quarantinedrow q ON q.feed_id = %(feed)s AND q.row_digest = s.row_digest
WHERE (q.batch_id, q.row_number) <> (%(batch)s, s.row_number) ON CONFLICT DO NOTHING
"""
DATES = """decided_on = excluded.decided_on, tier = excluded.tier, repairable_from = excluded.repairable_from,
    publish_until = excluded.publish_until, retain_until = excluded.retain_until,
    minor_at_decision = excluded.minor_at_decision,
    -- a date corrected by the source may show that publication has not ended after all
    state = CASE WHEN r.state = 'expired' AND excluded.publish_until > %(today)s THEN 'in_force' ELSE r.state END,"""


@dataclass
class Outcome:
    """Counts of one chunk; received = accepted + unchanged + quarantined + rejected."""

    received: int
    accepted: int
    quarantined: int
    rejected: int
    problems: Counter[str] = field(default_factory=Counter)

    @property
    def unchanged(self) -> int:
        """Rows that say what is on file already, or what an earlier row of the file said."""
        return self.received - self.accepted - self.quarantined - self.rejected


class Recorded(NamedTuple):
    """A decision on file: the key of its record and the digest of its content."""

    pk: int
    digest: bytes


class Store:
    """Writes the chunks of one batch on the connection of this thread.

    Decisions that are not on file go into their table by COPY; those on file with other content are brought
    in by an upsert from a staging table; those that are the same cost no lock and no dead row. `reading` checks again
    what was known at sight and has changed after all; what was checked anyhow needs none. `again` reads the cells of
    rows that turn out to be wrong only here. `other_names` are the rows of the chunk written last that name a person on
    file otherwise, with the index of its number.
    """

    def __init__(
        self,
        plan: Plan,
        batch: FeedBatch,
        reading: Reading | None = None,
        again: SecondPass | None = None,
        *,
        confirmed: bool = False,
    ) -> None:
        self.plan, self.batch, self._reading, self._again = plan, batch, reading, again
        self._mended = MendedRows(plan, batch, confirmed=confirmed)
        self._subjects = SubjectStore(plan.agency.pk)
        self._seen, self._same, self._repeats = KeysSeen(), KeysSeen(), False
        self._memory, self._whole = Memory(), True
        self._consequences, self.other_names = Consequences(plan, batch), dict[int, bytes]()
        self._told = Told(plan, batch)
        self._cells_bound = sealed_name(QuarantinedRow, "cells")
        version, agency = plan.version, plan.agency
        self._keys = {"entry": version.entry_id, "agency": agency.pk}
        shared = (
            version.entry_id, version.pk, agency.pk, agency.site_id, plan.key_field, version.polarity, batch.pk,
            RecordState.IN_FORCE.value, "f", "f",
        )  # fmt: skip
        self._shared = copytext.line(("", *map(str, shared))) + b"\n"

    def write(self, prepared: Prepared) -> Outcome:
        """Write one chunk inside the caller's transaction and context."""
        with connection.cursor() as cursor:
            self.other_names = {}
            if prepared.mends:
                self._read_again(prepared)
            self._mended.look_up(prepared)
            if prepared.same:
                self._work_off_known(cursor, prepared)
            accepted = self._write_records(cursor, prepared) if prepared.rows else 0
            withdrawn, unknown = self._consequences.withdraw(cursor, prepared.withdrawn)
            accepted += withdrawn
            self._set_aside(prepared, unknown)
            self._mended.close(cursor, prepared, self._on_file)
            self._write_setaside(cursor, self._mended.keep(cursor, prepared.setaside))
            self._consequences.compare_names(self.other_names, self._mended.keys)
        rejected = sum(row.rejected for row in prepared.setaside)
        return Outcome(
            received=prepared.received,
            accepted=accepted,
            quarantined=len(prepared.setaside) - rejected,
            rejected=rejected,
            problems=prepared.problems,
        )

    def finish(self) -> None:
        """In the transaction that finishes the batch: remember what its rows said, and see what a list has lost."""
        if self._reading and self._reading.mending:  # a few mended rows are not what the feed says as a whole
            return
        self._memory.keep(self.batch.feed, self.batch.pk)
        if self._whole and (found := missing.propose(self.batch, self._memory.records)):
            self.batch.notes = {**self.batch.notes, **found}
            FeedBatch.objects.filter(pk=self.batch.pk).update(notes=self.batch.notes)

    def _work_off_known(self, cursor: Any, prepared: Prepared) -> None:
        """Rows known at sight are unchanged if their record still says what they say; the others are checked."""
        same, corrected, changed = sort_out(cursor, prepared.same)
        self._same.add(row.record for row in same)
        remembered = [*same, *(row for row in prepared.same if row.number in corrected)]
        if remembered:
            _numbers, cells, records, contents = zip(*remembered, strict=True)
            self._memory.note(cells, records, contents)
        self._set_aside(prepared, {number: [("", "corrected_since")] for number in corrected})
        if changed and self._reading:
            self._read_again(prepared)
            self._reading.check_again(prepared, changed)

    def _set_aside(self, prepared: Prepared, found: dict[int, Problems]) -> None:
        """Set rows aside, by their numbers, that the database knew more about."""
        if found:
            self._read_again(prepared)
            prepared.set_rows_aside(found)

    def _read_again(self, prepared: Prepared) -> None:
        """Have the cells of the chunk at hand."""
        if not prepared.delivered and self._again:
            prepared.delivered = self._again.cells(prepared.first_row, prepared.last_row)

    def _write_records(self, cursor: Any, prepared: Prepared) -> int:
        self._subjects.ensure(cursor, prepared)
        rows = self._of_known_name(prepared)
        if self._surely_new(rows) and (keys := self._copy(cursor, rows.subjects, rows.lines)):
            self._seen.add([*rows.keys, *rows.said])
            if prepared.ties:
                self._consequences.tie(prepared, zip(rows, keys, strict=True))
            self._memory.note(rows.cells, keys, heads_of(rows.digests))
            persons = self._persons(prepared)
            told = [pk for subject, pk in zip(rows.subjects, keys, strict=True) if subject in persons]
            self._told.of_new(cursor, told)
            return len(rows)
        return self._write_with_care(cursor, prepared, list(rows))

    def _surely_new(self, rows: Rows) -> bool:
        """Whether nobody can have recorded any of these decisions before, unless the file itself repeats some.

        Should it, or should another batch be quicker, the unique key says so.
        """
        first = not self._repeats and len(set(rows.keys)) == len(rows) > 0
        return first and all(map(self._subjects.made, rows.subjects))

    def _write_with_care(self, cursor: Any, prepared: Prepared, rows: list[Row]) -> int:
        """Rows of which some may be on file, or named twice."""
        first, later = _first_and_later(rows)
        on_file = self._on_file(cursor, [row for row in first if self._may_be_on_file(row)])
        back, refused = self._come_back(cursor, prepared, on_file)
        if refused:
            self._set_aside(prepared, refused)
            first = [row for row in first if row.number not in refused]
        new = [row for row in first if row.number not in on_file]
        known = [row for row in first if row.number in on_file]
        changed = [row for row in known if on_file[row.number].digest != row.digest]
        if unconfirmed := self._mended.unconfirmed(changed):
            self._set_aside(prepared, unconfirmed)
            first, known, changed = (
                [r for r in rows if r.number not in unconfirmed] for rows in (first, known, changed)
            )
        contradicted = {row.key for row in changed if row.key in self._seen or on_file[row.number].pk in self._same}
        truth = {row.key: row.digest for row in first if row.key not in contradicted}
        again = [*(row for row in changed if row.key in contradicted), *later]
        # Said before, in this chunk or an earlier one: a repetition. Otherwise the file contradicts itself.
        against = [row for row in again if row.digest != truth.get(row.key) and row.said not in self._seen]
        self._set_aside(prepared, {row.number: [("", "duplicate_in_file")] for row in against})
        self._keep_in_mind([row for row in first if row.key not in contradicted])
        self._note((row, on_file[row.number].pk) for row in known if row.key not in contradicted)
        changed = [row for row in changed if row.key not in contradicted]
        accepted = self._insert(cursor, new) + self._upsert(cursor, changed)
        self._tell(cursor, prepared, new, [on_file[row.number].pk for row in changed])
        if prepared.ties:
            self._tie(cursor, prepared, [*new, *changed, *(row for row in known if row.number in back)])
        return accepted + len(back - {row.number for row in changed})

    def _persons(self, prepared: Prepared) -> set[bytes]:
        """The persons of a chunk who are told of what it says against them."""
        if not self.plan.negative:
            return set()
        return {index for index, key in prepared.subjects.items() if key.kind == SubjectKind.PERSON}

    def _tell(self, cursor: Any, prepared: Prepared, new: list[Row], changed: list[int]) -> None:
        if persons := self._persons(prepared):
            rows = [row for row in new if row.subject in persons]
            self._told.of_new(cursor, [one.pk for one in self._on_file(cursor, rows).values()])
            self._told.of_changed(cursor, changed)

    def _come_back(
        self, cursor: Any, prepared: Prepared, on_file: dict[int, Recorded]
    ) -> tuple[set[int], dict[int, Problems]]:
        if prepared.unstated is None or not on_file:
            return set(), {}
        return self._consequences.come_back(cursor, prepared.unstated, {n: one.pk for n, one in on_file.items()})

    def _tie(self, cursor: Any, prepared: Prepared, rows: list[Row]) -> None:
        """Memberships and affiliations follow the records of these rows."""
        on_file = self._on_file(cursor, rows)
        unique = {row.number: row for row in rows if row.number in on_file}
        self._consequences.tie(prepared, [(row, on_file[number].pk) for number, row in unique.items()])

    def _note(self, rows: Iterable[tuple[Row, int]]) -> None:
        for row, record in rows:
            self._memory.note([row.cells], [record], [head_of(row.digest)])

    def _may_be_on_file(self, row: Row) -> bool:
        """Not where this batch made the subject and has not named the decision: nobody can have recorded it before.

        Should another batch be quicker after all, the unique key says so and the row goes the way of changed ones.
        """
        return row.key in self._seen or not self._subjects.made(row.subject)

    def remember(self, prepared: Prepared) -> None:
        """On resuming: which decisions the rows worked off before have named."""
        self._whole = False
        self._mended.remember(prepared)
        self._consequences.remember(prepared)
        with connection.cursor() as cursor:
            self._subjects.ensure(cursor, prepared)
        first, _later = _first_and_later(list(self._of_known_name(prepared)))
        self._repeats = True
        self._keep_in_mind([row for row in first if row.key not in self._seen])

    def _keep_in_mind(self, rows: list[Row]) -> None:
        """Which decisions the file has named, and what it said of them first."""
        self._seen.add([*(row.key for row in rows), *(row.said for row in rows)])

    def _of_known_name(self, prepared: Prepared) -> Rows:
        """The rows whose person, if it is one, is on file under this name and whose decision the file has not taken
        back before; the others are set aside."""
        on_file, names, wrong = self._subjects, prepared.other_names, self._consequences.withdrawn_earlier(prepared)
        differing = {
            index for index, key in prepared.subjects.items()
            if key.kind == SubjectKind.PERSON and on_file[index].name_index != key.name_index
        }  # fmt: skip
        self.other_names = {}
        if not differing and not names and not wrong:
            return prepared.rows
        for row in prepared.rows:
            name = names.get(row.number)
            if row.subject in differing if name is None else name != on_file[row.subject].name_index:
                wrong[row.number] = [("", "name_differs")]
                self.other_names[row.number] = row.subject
        self._set_aside(prepared, wrong)
        return prepared.rows.where([number not in wrong for number in prepared.rows.numbers])

    def _on_file(self, cursor: Any, rows: list[Row]) -> dict[int, Recorded]:
        """The decisions that are there already, by row number."""
        if not rows:
            return {}
        places = {
            "numbers": [row.number for row in rows],
            "subjects": [self._subjects[row.subject].pk for row in rows],
            "documents": [row.document for row in rows],
        }
        cursor.execute(ON_FILE, {**self._keys, **places})
        return {number: Recorded(pk, bytes(digest)) for number, pk, digest in cursor.fetchall()}

    def _insert(self, cursor: Any, rows: list[Row]) -> int:
        """COPY new decisions; where another batch was first with one of them, they go the way of changed ones."""
        if not rows:
            return 0
        keys = self._copy(cursor, [row.subject for row in rows], [row.line for row in rows])
        if not keys:
            return self._upsert(cursor, rows)
        self._note(zip(rows, keys, strict=True))
        return len(rows)

    def _copy(self, cursor: Any, subjects: list[bytes], lines: list[bytes]) -> list[int]:
        """COPY rows under keys taken beforehand; no keys where somebody, or the file itself, was first with one."""
        cursor.execute(RECORD_KEYS, [len(lines)])
        (keys,) = cursor.fetchone()
        heads = [b"%d\t" % key for key in keys]
        if copied(cursor, f"records_creditrecord (id, {NAMES})", self._lines(subjects, lines, heads)):
            return list(keys)
        self._repeats = True
        return []

    def _upsert(self, cursor: Any, rows: list[Row]) -> int:
        if not rows:
            return 0
        cursor.execute(STAGING.format(names=NAMES))
        lines = self._lines([row.subject for row in rows], [row.line for row in rows], repeat(b""))
        copy(cursor, f"credit_staging ({NAMES})", lines)
        dates = "" if self.plan.dated_by_receipt else DATES
        cursor.execute(UPSERT.format(names=NAMES, dates=dates), {"today": self.plan.today})
        accepted: int = cursor.rowcount
        return accepted

    def _lines(self, subjects: list[bytes], lines: list[bytes], heads: Iterable[bytes]) -> bytes:
        """Lines for COPY: what each begins with, key and kind of its subject, the row itself, what all have in common.

        `heads` may be longer than the others.
        """
        about = self._subjects.line_heads(subjects)
        return b"".join(chain.from_iterable(zip(heads, about, lines, repeat(self._shared), strict=False)))

    def _write_setaside(self, cursor: Any, rows: list[Setaside]) -> None:
        if not rows:
            return
        # In the order of the file, so that their keys follow it.
        lines = [self._setaside_line(row) for row in sorted(rows, key=lambda row: row.row_number)]
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS credit_staging_row (row_number int, line_number int,"
                       " cells bytea, row_digest bytea, problems jsonb, state text, decision bigint)")  # fmt: skip
        cursor.execute("TRUNCATE credit_staging_row")
        copy(cursor, "credit_staging_row", b"".join(line + b"\n" for line in lines))
        cursor.execute(
            "INSERT INTO records_quarantinedrow (batch_id, feed_id, row_number, line_number, cells, row_digest,"
            " problems, state, decision) SELECT %s, %s, * FROM credit_staging_row"
            " ON CONFLICT (feed_id, row_digest) DO NOTHING",
            [self.batch.pk, self.batch.feed_id],
        )
        cursor.execute(REPEATS, {"batch": self.batch.pk, "feed": self.batch.feed_id})

    def _setaside_line(self, row: Setaside) -> bytes:
        cells = msgspec.json.encode(row.cells)
        digest = copytext.binary(blake2b(cells, digest_size=16, key=self.plan.digest_key).digest())
        sealed = copytext.NULL if row.rejected else copytext.binary(vault.seal(cells, self._cells_bound))
        state = RowState.REJECTED if row.rejected else RowState.OPEN
        problems = problems_json(row.problems).replace("\\", "\\\\")
        decision = copytext.NULL if row.decision is None else str(row.decision)
        return copytext.line((str(row.row_number), str(row.line_number), sealed, digest, problems, state, decision))


def _first_and_later(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """The first row of every decision, and the rows that name one again."""
    named: dict[int, Row] = {}
    first = [row for row in rows if named.setdefault(row.key, row) is row]
    later = [row for row in rows if named[row.key] is not row] if len(first) < len(rows) else []
    return first, later
