"""Subjects of a batch in their table: found by set, made by COPY, names and codes of organisations kept right."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from records.enums import SubjectKind
from records.feeds.copying import copied, copy
from records.feeds.keys import KeysSeen, hash_of
from records.feeds.prepared import Prepared

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
SUBJECT_KEYS = """
SELECT array_agg(nextval(s)) FROM pg_get_serial_sequence('records_subject', 'id') s, generate_series(1, %s)
"""
FIND_SUBJECTS = "SELECT number_index, id, kind, name_index, codes FROM records_subject WHERE number_index = ANY(%s)"
SUBJECTS_REMEMBERED = 50_000


class OnFile(NamedTuple):
    """A subject on file: its key, the index of its name, its codes."""

    pk: int
    name_index: bytes
    codes: tuple[str, ...]


class SubjectStore:
    """The subjects the rows of a batch are about, by the blind index of their number.

    Those of a long file are forgotten now and then; which of them this batch made itself never is, at eight bytes each.
    """

    def __init__(self, agency_id: int) -> None:
        self._agency = {"agency": agency_id}
        self._subjects: dict[bytes, OnFile] = {}
        self._line_heads: dict[bytes, bytes] = {}
        self._made, self._made_before = set[bytes](), KeysSeen()

    def __getitem__(self, index: bytes) -> OnFile:
        return self._subjects[index]

    def line_heads(self, indexes: Iterable[bytes]) -> Iterable[bytes]:
        """How the line of a record of each of these subjects begins."""
        return map(self._line_heads.__getitem__, indexes)

    def made(self, index: bytes) -> bool:
        """Whether this batch made the subject itself, so that nothing was recorded of it before."""
        return index in self._made or hash_of(index) in self._made_before

    def ensure(self, cursor: Any, prepared: Prepared) -> None:
        """Make the subjects that are not on file yet, and learn the keys of all."""
        if len(self._subjects) > SUBJECTS_REMEMBERED:
            self._subjects.clear()
            self._line_heads.clear()
            self._made_before.add(map(hash_of, self._made))
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
        (keys,) = cursor.fetchone()
        made: dict[bytes, int] = dict(zip(sorted(missing), keys, strict=True))
        lines = b"".join(b"%d\t%b\n" % (pk, prepared.subject_lines[index]) for index, pk in made.items())
        if not copied(cursor, f"records_subject (id, {SUBJECT_NAMES})", lines):
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
        copy(cursor, f"credit_staging_subject ({SUBJECT_NAMES})", lines)
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
        copy(cursor, f"credit_staging_subject ({SUBJECT_NAMES})", lines)
        cursor.execute(MEND_ORGANISATIONS, self._agency)

    def _learn(self, rows: list[tuple[Any, int, str, Any, Any]]) -> list[bytes]:
        """Remember subjects by their blind index; returns these indexes."""
        found = {bytes(index): OnFile(pk, bytes(name), tuple(codes)) for index, pk, kind, name, codes in rows}
        self._line_heads.update((bytes(index), f"{pk}\t{kind}\t".encode()) for index, pk, kind, _name, _codes in rows)
        self._subjects.update(found)
        return list(found)
