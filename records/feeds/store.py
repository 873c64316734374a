"""One prepared chunk into the database: subjects by set, COPY of what is new, one upsert of what changed, counts."""

import io
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from django.db import IntegrityError, connection, transaction
from psycopg2.errors import UniqueViolation

from creditplatform.core import vault
from records.enums import RecordState, RowState, SubjectKind
from records.feeds import copytext
from records.feeds.keys import KeysSeen
from records.feeds.plan import Plan, sealed_name
from records.feeds.prepared import Prepared, Problems, Row, Setaside
from records.models import FeedBatch, QuarantinedRow

BLOCK = 1 << 20

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
SUBJECT_COLUMNS = (
    "kind", "identifier_kind", "number_index", "name_index", "number_sealed", "name_sealed", "code", "name", "codes",
    "grams",
)  # fmt: skip
SUBJECT_NAMES = ", ".join(SUBJECT_COLUMNS)
SUBJECT_STAGING = """
CREATE TEMPORARY TABLE IF NOT EXISTS credit_staging_subject AS SELECT {names} FROM records_subject WITH NO DATA;
TRUNCATE credit_staging_subject;
"""
INSERT_SUBJECTS = """
INSERT INTO records_subject ({names})
SELECT {names} FROM credit_staging_subject ORDER BY number_index ON CONFLICT (number_index) DO NOTHING
RETURNING number_index, id, kind, name_index, codes
"""
# What an organisation is called and by which codes it is found. A unit that alone speaks of it may rename it; where
# others do as well, every name is found and none is overwritten.
MEND_ORGANISATIONS = """
WITH held AS MATERIALIZED (
    SELECT id FROM records_subject WHERE number_index IN (SELECT number_index FROM credit_staging_subject)
    ORDER BY number_index FOR NO KEY UPDATE
)
UPDATE records_subject s SET
    name = CASE WHEN said.alone THEN said.name ELSE s.name END,
    name_index = CASE WHEN said.alone THEN said.name_index ELSE s.name_index END,
    grams = ARRAY(SELECT DISTINCT unnest(s.grams || said.grams)),
    codes = ARRAY(SELECT DISTINCT unnest(s.codes || said.codes))
FROM held JOIN LATERAL (
    SELECT t.*, NOT EXISTS (
        SELECT 1 FROM records_creditrecord r WHERE r.subject_id = held.id AND r.agency_id <> %(agency)s
    ) AS alone
    FROM credit_staging_subject t JOIN records_subject o USING (number_index) WHERE o.id = held.id
) said ON true
WHERE s.id = held.id AND NOT (s.codes @> said.codes AND s.grams @> said.grams
    AND (s.name = said.name OR NOT said.alone))
"""
SUBJECT_KEYS = "SELECT nextval(s) FROM pg_get_serial_sequence('records_subject', 'id') s, generate_series(1, %s)"
FIND_SUBJECTS = "SELECT number_index, id, kind, name_index, codes FROM records_subject WHERE number_index = ANY(%s)"
# LIMIT keeps the planner to one look at the unique index per row, however little it knows about the table.
ON_FILE = """
SELECT t.number, k.digest
FROM unnest(%(numbers)s::bigint[], %(subjects)s::bigint[], %(documents)s::text[]) AS
    t (number, subject_id, document_number)
CROSS JOIN LATERAL (
    SELECT r.digest FROM records_creditrecord r WHERE r.subject_id = t.subject_id
        AND r.entry_id = %(entry)s AND r.agency_id = %(agency)s AND r.document_number = t.document_number LIMIT 1
) k
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
DATES = """decided_on = excluded.decided_on, tier = excluded.tier, repairable_from = excluded.repairable_from,
    publish_until = excluded.publish_until, retain_until = excluded.retain_until,
    minor_at_decision = excluded.minor_at_decision,
    -- a date corrected by the source may show that publication has not ended after all
    state = CASE WHEN r.state = 'expired' AND excluded.publish_until > %(today)s THEN 'in_force' ELSE r.state END,"""
SUBJECTS_REMEMBERED = 50_000


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


class OnFile(NamedTuple):
    """A subject on file: its key, the index of its name, its codes, and how the line of a record of it begins."""

    pk: int
    name_index: bytes
    codes: tuple[str, ...]
    line_head: bytes


class Store:
    """Writes the chunks of one batch on the connection of this thread.

    Decisions that are not on file go into their table by COPY; those on file with other content are brought
    in by an upsert from a staging table; those that are the same cost no lock and no dead row.
    """

    def __init__(self, plan: Plan, batch: FeedBatch) -> None:
        self.plan, self.batch = plan, batch
        self._subjects: dict[bytes, OnFile] = {}
        self._made: set[bytes] = set()
        self._seen = KeysSeen()
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
            accepted = self._write_records(cursor, prepared) if prepared.rows else 0
            self._write_setaside(cursor, prepared.setaside)
        rejected = sum(row.rejected for row in prepared.setaside)
        return Outcome(
            received=prepared.received,
            accepted=accepted,
            quarantined=len(prepared.setaside) - rejected,
            rejected=rejected,
            problems=prepared.problems,
        )

    def _write_records(self, cursor: Any, prepared: Prepared) -> int:
        self._ensure_subjects(cursor, prepared)
        first, later = _first_and_later(self._of_known_name(prepared))
        on_file = self._on_file(cursor, [row for row in first if self._may_be_on_file(row)])
        new = [row for row in first if row.number not in on_file]
        changed = [row for row in first if on_file.get(row.number, row.digest) != row.digest]
        contradicted = {row.key for row in changed if row.key in self._seen}
        truth = {row.key: row.digest for row in first if row.key not in contradicted}
        again = [*(row for row in changed if row.key in contradicted), *later]
        # Said before, in this chunk or an earlier one: a repetition. Otherwise the file contradicts itself.
        against = [row for row in again if row.digest != truth.get(row.key) and row.said not in self._seen]
        prepared.set_rows_aside({row.number: [("", "duplicate_in_file")] for row in against})
        self._keep_in_mind([row for row in first if row.key not in contradicted])
        return self._insert(cursor, new) + self._upsert(cursor, [r for r in changed if r.key not in contradicted])

    def _may_be_on_file(self, row: Row) -> bool:
        """Not where this batch made the subject and has not named the decision: nobody can have recorded it before.

        Should another batch be quicker after all, the unique key says so and the row goes the way of changed ones.
        """
        return row.subject not in self._made or row.key in self._seen

    def remember(self, prepared: Prepared) -> None:
        """On resuming: which decisions the rows worked off before have named."""
        with connection.cursor() as cursor:
            self._ensure_subjects(cursor, prepared)
        first, _later = _first_and_later(self._of_known_name(prepared))
        self._keep_in_mind([row for row in first if row.key not in self._seen])

    def _keep_in_mind(self, rows: list[Row]) -> None:
        """Which decisions the file has named, and what it said of them first."""
        self._seen.add([*(row.key for row in rows), *(row.said for row in rows)])

    def _of_known_name(self, prepared: Prepared) -> list[Row]:
        """The rows whose person, if it is one, is on file under this name; the others are set aside."""
        on_file, names = self._subjects, prepared.other_names
        differing = {
            index for index, key in prepared.subjects.items()
            if key.kind == SubjectKind.PERSON and on_file[index].name_index != key.name_index
        }  # fmt: skip
        if not differing and not names:
            return prepared.rows
        wrong: dict[int, Problems] = {}
        for row in prepared.rows:
            name = names.get(row.number)
            if row.subject in differing if name is None else name != on_file[row.subject].name_index:
                wrong[row.number] = [("", "name_differs")]
        prepared.set_rows_aside(wrong)
        return [row for row in prepared.rows if row.number not in wrong]

    def _on_file(self, cursor: Any, rows: list[Row]) -> dict[int, bytes]:
        """Digests of the decisions that are there already, by row number."""
        if not rows:
            return {}
        places = {
            "numbers": [row.number for row in rows],
            "subjects": [self._subjects[row.subject].pk for row in rows],
            "documents": [row.document for row in rows],
        }
        cursor.execute(ON_FILE, {**self._keys, **places})
        return {number: bytes(digest) for number, digest in cursor.fetchall()}

    def _insert(self, cursor: Any, rows: list[Row]) -> int:
        """COPY new decisions; where another batch was first with one of them, they go the way of changed ones."""
        if not rows:
            return 0
        if _copied(cursor, f"records_creditrecord ({NAMES})", self._lines(rows)):
            return len(rows)
        return self._upsert(cursor, rows)

    def _upsert(self, cursor: Any, rows: list[Row]) -> int:
        if not rows:
            return 0
        cursor.execute(STAGING.format(names=NAMES))
        _copy(cursor, f"credit_staging ({NAMES})", self._lines(rows))
        dates = "" if self.plan.dated_by_receipt else DATES
        cursor.execute(UPSERT.format(names=NAMES, dates=dates), {"today": self.plan.today})
        accepted: int = cursor.rowcount
        return accepted

    def _lines(self, rows: list[Row]) -> bytes:
        subjects, shared = self._subjects, self._shared
        parts: list[bytes] = []
        for row in rows:
            parts += (subjects[row.subject].line_head, row.line, shared)
        return b"".join(parts)

    def _ensure_subjects(self, cursor: Any, prepared: Prepared) -> None:
        """Make the subjects that are not on file yet, and learn the keys of all."""
        if len(self._subjects) > SUBJECTS_REMEMBERED:
            self._subjects.clear()
            self._made.clear()
        unknown = [index for index in prepared.subjects if index not in self._subjects]
        if unknown:
            cursor.execute(FIND_SUBJECTS, [unknown])
            self._learn(cursor.fetchall())
        missing = [index for index in unknown if index not in self._subjects]
        if missing and not self._copy_subjects(cursor, missing, prepared):
            self._insert_subjects(cursor, missing, prepared)
        self._mend_organisations(cursor, prepared)

    def _copy_subjects(self, cursor: Any, missing: list[bytes], prepared: Prepared) -> bool:
        """COPY new subjects under keys taken beforehand; says whether nobody else made one of them meanwhile."""
        cursor.execute(SUBJECT_KEYS, [len(missing)])
        made = dict(zip(sorted(missing), (pk for (pk,) in cursor.fetchall()), strict=True))
        lines = b"".join(b"%d\t%b\n" % (pk, prepared.subject_lines[index]) for index, pk in made.items())
        if not _copied(cursor, f"records_subject (id, {SUBJECT_NAMES})", lines):
            return False
        drafts = [(pk, index, prepared.subjects[index]) for index, pk in made.items()]
        self._made.update(
            self._learn([(index, pk, draft.kind, draft.name_index, draft.codes) for pk, index, draft in drafts])
        )
        return True

    def _insert_subjects(self, cursor: Any, missing: list[bytes], prepared: Prepared) -> None:
        """Where another batch makes some of them at this moment: insert the others, and learn whose were first."""
        cursor.execute(SUBJECT_STAGING.format(names=SUBJECT_NAMES))
        lines = b"".join(prepared.subject_lines[index] + b"\n" for index in missing)
        _copy(cursor, f"credit_staging_subject ({SUBJECT_NAMES})", lines)
        cursor.execute(INSERT_SUBJECTS.format(names=SUBJECT_NAMES))
        self._made.update(self._learn(cursor.fetchall()))
        others = [index for index in missing if index not in self._subjects]
        if others:
            cursor.execute(FIND_SUBJECTS, [others])
            self._learn(cursor.fetchall())

    def _mend_organisations(self, cursor: Any, prepared: Prepared) -> None:
        """Names and codes of organisations that are not on file as this delivery has them."""
        on_file = self._subjects
        other = [
            key for index, key in prepared.subjects.items()
            if key.kind != SubjectKind.PERSON and index in prepared.subject_lines
            and (key.name_index != on_file[index].name_index or not set(key.codes).issubset(on_file[index].codes))
        ]  # fmt: skip
        if not other:
            return
        lines = b"".join(prepared.subject_lines[key.number_index] + b"\n" for key in other)
        cursor.execute(SUBJECT_STAGING.format(names=SUBJECT_NAMES))
        _copy(cursor, f"credit_staging_subject ({SUBJECT_NAMES})", lines)
        cursor.execute(MEND_ORGANISATIONS, self._keys)

    def _learn(self, rows: list[tuple[Any, int, str, Any, Any]]) -> list[bytes]:
        """Remember subjects by their blind index; returns these indexes."""
        found = {
            bytes(index): OnFile(pk, bytes(name), tuple(codes), f"{pk}\t{kind}\t".encode())
            for index, pk, kind, name, codes in rows
        }
        self._subjects.update(found)
        return list(found)

    def _write_setaside(self, cursor: Any, rows: list[Setaside]) -> None:
        if not rows:
            return
        lines = [self._setaside_line(row) for row in rows]
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS credit_staging_row (row_number int, line_number int,"
                       " cells bytea, row_digest bytea, problems jsonb, state text)")  # fmt: skip
        cursor.execute("TRUNCATE credit_staging_row")
        _copy(cursor, "credit_staging_row", b"".join(line + b"\n" for line in lines))
        cursor.execute(
            "INSERT INTO records_quarantinedrow (batch_id, feed_id, row_number, line_number, cells, row_digest,"
            " problems, state) SELECT %s, %s, * FROM credit_staging_row ON CONFLICT (feed_id, row_digest)"
            " WHERE state IN ('open', 'rejected') DO NOTHING",
            [self.batch.pk, self.batch.feed_id],
        )

    def _setaside_line(self, row: Setaside) -> bytes:
        cells = msgspec.json.encode(row.cells)
        digest = copytext.binary(blake2b(cells, digest_size=16, key=self.plan.digest_key).digest())
        sealed = copytext.NULL if row.rejected else copytext.binary(vault.seal(cells, self._cells_bound))
        state = RowState.REJECTED if row.rejected else RowState.OPEN
        problems = _problems_json(row.problems).replace("\\", "\\\\")
        return copytext.line((str(row.row_number), str(row.line_number), sealed, digest, problems, state))


def _first_and_later(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """The first row of every decision, and the rows that name one again."""
    named: dict[int, Row] = {}
    first = [row for row in rows if named.setdefault(row.key, row) is row]
    later = [row for row in rows if named[row.key] is not row] if len(first) < len(rows) else []
    return first, later


def _problems_json(problems: Problems) -> str:
    return msgspec.json.encode([{"field": name, "code": code} for name, code in problems]).decode()


def _copied(cursor: Any, target: str, lines: bytes) -> bool:
    """COPY, unless another batch was first with one of the keys; says whether."""
    try:
        with transaction.atomic():
            _copy(cursor, target, lines)
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            return False
        raise
    return True


def _copy(cursor: Any, target: str, lines: bytes) -> None:
    with connection.wrap_database_errors:  # the framework's cursor does so for everything but COPY
        cursor.copy_expert(f"COPY {target} FROM STDIN", io.BytesIO(lines), BLOCK)
