"""One prepared chunk into the database: subjects by set, COPY to staging, one upsert, rows set aside, counts."""

import io
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
from django.db import connection

from creditplatform.core import vault
from creditplatform.core.identity import grams
from records.enums import RowState, SubjectKind
from records.feeds.plan import Plan, sealed_name
from records.feeds.prepare import ESCAPES, NULL, Prepared, Problems, Setaside
from records.feeds.subjects import SubjectDraft
from records.identifiers import name_index
from records.models import FeedBatch, QuarantinedRow

STAGING = """
CREATE TEMPORARY TABLE IF NOT EXISTS credit_staging (
    row_number integer, number_index bytea, name_index bytea, subject_kind text, document_number text,
    decided_on date, effects varchar[], tier text, repairable_from date, publish_until date, retain_until date,
    minor boolean, payload jsonb, sealed_payload bytea, digest bytea
);
CREATE TEMPORARY TABLE IF NOT EXISTS credit_staging_subject (
    kind text, identifier_kind text, number_index bytea, name_index bytea, number_sealed bytea, name_sealed bytea,
    code text, name text, codes varchar[], grams varchar[]
);
TRUNCATE credit_staging, credit_staging_subject;
"""
INSERT_SUBJECTS = """
INSERT INTO records_subject
    (kind, identifier_kind, number_index, name_index, number_sealed, name_sealed, code, name, codes, grams)
SELECT * FROM credit_staging_subject ORDER BY number_index ON CONFLICT (number_index) DO NOTHING
"""
NAME_DIFFERS = """
DELETE FROM credit_staging t USING records_subject s
WHERE s.number_index = t.number_index AND t.subject_kind = 'person' AND s.name_index <> t.name_index
RETURNING t.row_number
"""
# A row that is there already and the same is left out before the upsert, so it costs no lock and no dead row.
UPSERT = """
INSERT INTO records_creditrecord AS r (
    subject_id, subject_kind, entry_id, version_id, agency_id, site_id, field, polarity, document_number, decided_on,
    effects, tier, repairable_from, publish_until, retain_until, minor_at_decision, state, disputed, withheld,
    payload, sealed_payload, digest, batch_id, row_number
)
SELECT s.id, t.subject_kind, %(entry)s, %(version)s, %(agency)s, %(site)s, %(field)s, %(polarity)s, t.document_number,
    t.decided_on, t.effects, t.tier, t.repairable_from, t.publish_until, t.retain_until, t.minor, 'in_force', false,
    false, t.payload, t.sealed_payload, t.digest, %(batch)s, t.row_number
FROM credit_staging t JOIN records_subject s ON s.number_index = t.number_index
WHERE NOT EXISTS (
    SELECT 1 FROM records_creditrecord k WHERE k.subject_id = s.id AND k.entry_id = %(entry)s
        AND k.agency_id = %(agency)s AND k.document_number = t.document_number
        AND (k.digest = t.digest OR k.batch_id = %(batch)s)
)
ON CONFLICT (subject_id, entry_id, agency_id, document_number) DO UPDATE SET
    version_id = excluded.version_id, field = excluded.field, effects = excluded.effects,
    {dates}
    payload = excluded.payload, sealed_payload = excluded.sealed_payload,
    digest = excluded.digest, batch_id = excluded.batch_id, row_number = excluded.row_number, changed_at = now()
WHERE r.digest <> excluded.digest
"""
DATES = """decided_on = excluded.decided_on, tier = excluded.tier, repairable_from = excluded.repairable_from,
    publish_until = excluded.publish_until, retain_until = excluded.retain_until,
    minor_at_decision = excluded.minor_at_decision,"""
# Rows of this very batch that came earlier with other content: the file contradicts itself.
CONTRADICTED = """
SELECT t.row_number FROM credit_staging t JOIN records_subject s ON s.number_index = t.number_index
JOIN records_creditrecord k ON k.subject_id = s.id AND k.entry_id = %(entry)s AND k.agency_id = %(agency)s
    AND k.document_number = t.document_number AND k.digest <> t.digest
"""


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


class Store:
    """Writes the chunks of one batch on the connection of this thread."""

    def __init__(self, plan: Plan, batch: FeedBatch) -> None:
        self.plan, self.batch = plan, batch
        self._names: dict[bytes, bytes] = {}
        self._cells_bound = sealed_name(QuarantinedRow, "cells")
        self._parameters = {
            "entry": plan.version.entry_id,
            "version": plan.version.pk,
            "agency": plan.agency.pk,
            "site": plan.agency.site_id,
            "field": plan.key_field,
            "polarity": plan.version.polarity,
            "batch": batch.pk,
        }

    def write(self, prepared: Prepared) -> Outcome:
        """Write one chunk inside the caller's transaction and context."""
        with connection.cursor() as cursor:
            cursor.execute(STAGING)
            accepted = self._write_records(cursor, prepared) if prepared.lines else 0
            self._write_setaside(cursor, prepared.setaside)
        rejected = sum(row.rejected for row in prepared.setaside)
        return Outcome(
            received=prepared.chunk.received,
            accepted=accepted,
            quarantined=len(prepared.setaside) - rejected,
            rejected=rejected,
            problems=prepared.problems,
        )

    def _write_records(self, cursor: Any, prepared: Prepared) -> int:
        self._ensure_subjects(cursor, prepared.subjects)
        _copy(cursor, "credit_staging", prepared.lines)
        self._set_aside(cursor, prepared, NAME_DIFFERS, "name_differs")
        dates = "" if self.plan.dated_by_receipt else DATES
        cursor.execute(UPSERT.format(dates=dates), self._parameters)
        accepted: int = cursor.rowcount
        if accepted < len(prepared.lines):
            self._set_aside(cursor, prepared, CONTRADICTED, "duplicate_in_file")
        return accepted

    def _set_aside(self, cursor: Any, prepared: Prepared, query: str, code: str) -> None:
        cursor.execute(query, self._parameters)
        for (number,) in cursor.fetchall():
            prepared.set_row_aside(number, [("", code)])

    def _ensure_subjects(self, cursor: Any, drafts: dict[bytes, SubjectDraft]) -> None:
        """Make the subjects that are not on file yet; those that are stay as they are."""
        new = [draft for index, draft in drafts.items() if index not in self._names]
        if not new:
            return
        cursor.execute(
            "SELECT number_index, name_index FROM records_subject WHERE number_index = ANY(%s)",
            [[draft.index for draft in new]],
        )
        if len(self._names) > 200_000:
            self._names.clear()
        known = {bytes(index): bytes(name) for index, name in cursor.fetchall()}
        missing = [draft for draft in new if draft.index not in known]
        if missing:
            _copy(cursor, "credit_staging_subject", [self._subject_line(draft) for draft in missing])
            cursor.execute(INSERT_SUBJECTS)
        self._names.update(dict.fromkeys(drafts, b""))

    def _subject_line(self, draft: SubjectDraft) -> str:
        number = draft.identifier.number
        index = ("\\\\x" + draft.index.hex(), "\\\\x" + name_index(draft.name).hex())
        if draft.kind == SubjectKind.PERSON:
            sealed = (
                "\\\\x" + vault.seal(number, self.plan.sealed_number).hex(),
                "\\\\x" + vault.seal(draft.name, self.plan.sealed_person_name).hex(),
            )
            return "\t".join((draft.kind, draft.identifier.kind.value, *index, *sealed, "", "", "{}", "{}"))
        return "\t".join(self._organisation_line(draft, number, index))

    def _organisation_line(self, draft: SubjectDraft, number: str, index: tuple[str, str]) -> tuple[str, ...]:
        """An organisation in clear; a business known by its owner's number keeps that number sealed."""
        sealed = "\\\\x" + vault.seal(number, self.plan.sealed_number).hex() if draft.identifier.kind.personal else NULL
        code = "" if draft.identifier.kind.personal else number
        return (
            draft.kind, draft.identifier.kind.value, *index, sealed, NULL, code or "-",
            draft.name.translate(ESCAPES), _array(draft.codes), _array(grams(draft.name)),
        )  # fmt: skip

    def _write_setaside(self, cursor: Any, rows: list[Setaside]) -> None:
        if not rows:
            return
        lines = [self._setaside_line(row) for row in rows]
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS credit_staging_row (row_number int, line_number int,"
                       " cells bytea, row_digest bytea, problems jsonb, state text)")  # fmt: skip
        cursor.execute("TRUNCATE credit_staging_row")
        _copy(cursor, "credit_staging_row", lines)
        cursor.execute(
            "INSERT INTO records_quarantinedrow (batch_id, feed_id, row_number, line_number, cells, row_digest,"
            " problems, state) SELECT %s, %s, * FROM credit_staging_row ON CONFLICT (feed_id, row_digest)"
            " WHERE state IN ('open', 'rejected') DO NOTHING",
            [self.batch.pk, self.batch.feed_id],
        )

    def _setaside_line(self, row: Setaside) -> str:
        cells = msgspec.json.encode(row.cells)
        digest = blake2b(cells, digest_size=16, key=self.plan.digest_key).hexdigest()
        sealed = NULL if row.rejected else "\\\\x" + vault.seal(cells, self._cells_bound).hex()
        state = RowState.REJECTED if row.rejected else RowState.OPEN
        problems = _problems_json(row.problems).replace("\\", "\\\\")
        return "\t".join((str(row.row_number), str(row.line_number), sealed, "\\\\x" + digest, problems, state))


def _problems_json(problems: Problems) -> str:
    return msgspec.json.encode([{"field": name, "code": code} for name, code in problems]).decode()


def _array(texts: tuple[str, ...] | list[str]) -> str:
    """A text array for COPY: quoted, with the quoting of arrays first and that of COPY after it."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return ("{" + ",".join(f'"{text}"' for text in quoted) + "}").translate(ESCAPES)


def _copy(cursor: Any, table: str, lines: list[str]) -> None:
    cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO("\n".join(lines) + "\n"), 1 << 18)
