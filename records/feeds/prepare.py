"""One chunk from raw cells to lines ready for COPY, with every problem of every row. No database here."""

import datetime
from binascii import hexlify
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from creditplatform.core import vault
from records import rules
from records.enums import FieldRole, Required, SubjectKind, Tier
from records.feeds import columns as check
from records.feeds import summaries, values
from records.feeds.columns import Findings, Memo
from records.feeds.contents import ContentEncoder
from records.feeds.copytext import NULL, texts
from records.feeds.delivery import state_words_of_2015
from records.feeds.keys import decision_of, key_of
from records.feeds.mapping import ColumnMap
from records.feeds.plan import Plan
from records.feeds.prepared import Prepared, Problems, Rows, Setaside, SubjectKey, cells_of
from records.feeds.readers import BadRow, Chunk
from records.feeds.standing import Standing
from records.feeds.subjects import SubjectDraft, SubjectReader, subject_lines
from records.feeds.tie_reader import TieReader
from records.feeds.together import Together
from records.feeds.values import NO_END
from records.feeds.vocabulary import effects

SUBJECTS_REMEMBERED = 400_000  # a number each, about 30 MB
NULL_BYTES, NEVER = NULL.encode(), NO_END.isoformat()


class Life(NamedTuple):
    """Day, effects, tier and dates of a record as COPY text; its day twice, its effects, whether past keeping."""

    copied: bytes
    decided_on: datetime.date
    day: bytes
    effects: bytes
    lapsed: bool


# A clean row: its place in the chunk, whom it is about, what follows from its dates, whether of a minor.
Good = tuple[int, SubjectDraft, Life, bool]


class Columns(NamedTuple):
    """What the columns of a chunk come to: one value per row in each."""

    decided_on: list[str]
    effects: list[str]
    ends: list[str]
    document: list[str]
    content: list[bytes]
    private: list[bytes]
    sealed: list[bytes | None]


class Preparer:
    """Turns chunk after chunk into prepared rows, remembering what repeats."""

    def __init__(self, plan: Plan, column_map: ColumnMap, header: list[str]) -> None:
        self.plan, self.header = plan, header
        self.positions, self._counted_in, self._states = column_map.positions, column_map.units, column_map.states
        self.subjects, self._standing, self._together = SubjectReader(plan), Standing(plan), Together(plan)
        self._ties = TieReader(plan)
        self._readers = {item.code: Memo(check.reader_of(item)) for item in plan.fields}
        self._lives: Memo[tuple[str, str, str], Life] = Memo(lambda key: self._life(*key))
        self._effects: Memo[str, list[str]] = Memo(self._effect_codes)
        self._tiers: Memo[tuple[str, datetime.date], Tier] = Memo(lambda key: self._tier(*key))
        self._dates: Memo[tuple[Tier, datetime.date], tuple[Tier, rules.Periods]] = Memo(
            lambda key: self._periods(*key)
        )
        self._content = [item.code for item in plan.content if item.code in self.positions]
        self._private = [item.code for item in plan.sealed_content if item.code in self.positions]
        self._encode_content = ContentEncoder(self._content).encode
        self._encode_private = ContentEncoder(self._private).encode
        self._new_digest = blake2b(digest_size=16, key=plan.digest_key).copy
        self._known: set[int] = set()  # subjects with name and codes

    def prepare(self, chunk: Chunk) -> Prepared:
        """Check every row of a chunk and lay out the good ones for COPY."""
        prepared = Prepared(chunk.first_row, chunk.received)
        self._spell_out(chunk)
        findings = Findings()
        self._note_warnings(chunk, findings)
        columns = {code: check.clean(chunk.columns[at]) for code, at in self.positions.items()}
        kinds = self.subjects.kinds(columns, len(chunk), findings)
        self._check_columns(columns, kinds, findings)
        drafts = self.subjects.read(columns, kinds, findings)
        documents = self._role(columns, FieldRole.DOCUMENT_NUMBER, len(chunk))
        prepared.withdrawn = self._standing.take_out(columns, documents, drafts, findings, chunk.row_numbers)
        prepared.unstated = self._standing.unstated(columns, chunk.row_numbers)
        self._lay_out(prepared, chunk, columns, drafts, findings)
        prepared.setaside += [
            Setaside(bad.row_number, bad.line_number, cells_of(self.header, bad.cells), self._judged(bad))
            for bad in chunk.bad
        ]
        return prepared

    def _spell_out(self, chunk: Chunk) -> None:
        """What only the header says of a cell, in the cell itself, so that it says so wherever it goes from here."""
        for at, unit in self._counted_in.items():
            chunk.columns[at] = [values.in_unit(text, unit) for text in chunk.columns[at]]
        words = state_words_of_2015()
        for at in self._states:
            chunk.columns[at] = [words.get(text.strip(), text) for text in chunk.columns[at]]

    def _judged(self, bad: BadRow) -> Problems:
        """What is wrong with a row whose cells have no columns; a minor may stand in any of them."""
        if summaries.is_summary(bad.cells):
            return [("", summaries.CODE)]
        if self.plan.negative and any(map(self.subjects.names_minor, bad.cells)):
            return [("", bad.code), ("", "minor")]
        young = any(self._together.is_too_young(self.subjects.born_on(text)) for text in bad.cells)
        return [("", bad.code), ("", "under_age")] if young else [("", bad.code)]

    def _note_warnings(self, chunk: Chunk, findings: Findings) -> None:
        if not chunk.warnings:
            return
        rows = {line: row for row, line in enumerate(chunk.line_numbers)}
        codes = {at: code for code, at in self.positions.items()}
        for warning in chunk.warnings:
            if warning.line_number in rows and warning.column in codes:
                findings.add(rows[warning.line_number], codes[warning.column], warning.code)

    def _check_columns(self, columns: dict[str, list[str]], kinds: list[str], findings: Findings) -> None:
        for item in self.plan.fields:
            column = columns.get(item.code)
            if column is not None:
                column = check.in_codes(item, column)
                check.check_texts(item, column, findings)
                check.check_required(item, column, kinds, columns, findings)
                columns[item.code] = check.read_column(item, column, self._readers[item.code], findings)
            elif item.required not in (Required.ALWAYS, Required.NEVER) and item.role not in self.plan.constants:
                check.check_required(item, [""] * len(kinds), kinds, columns, findings)
        self._together.columns(columns, kinds, findings)

    def _effect_codes(self, text: str) -> list[str]:
        item = self.plan.by_role.get(FieldRole.EFFECTS)
        separators = item.separators if item else ";"
        return (effects().find(text, separators, frozenset()) or []) if text else []

    def _life(self, decided_on: str, effect_text: str, end: str) -> Life:
        """What follows from day and effects of a decision, and from the end that its source names."""
        codes, day = self._effects[effect_text], datetime.date.fromisoformat(decided_on)
        if self.plan.negative:
            tier, found = self._dates[self._tiers[effect_text, max(day, self.plan.today)], day]
            if end:
                found = rules.ended_early(found, day, datetime.date.fromisoformat(end))
            periods = (found.repairable_from, found.publish_until, found.retain_until)
            dates: tuple[str, ...] = (tier, *(date.isoformat() for date in periods))
            lapsed = found.retain_until <= self.plan.today
        else:
            dates, lapsed = (Tier.NONE, NULL, end or NULL, NULL), False
        copied = "\t".join((decided_on, "{" + ",".join(codes) + "}", *dates)).encode()
        return Life(copied, day, decided_on.encode(), ";".join(codes).encode(), lapsed)

    def _periods(self, tier: Tier, day: datetime.date) -> tuple[Tier, rules.Periods]:
        """Tier and dates of an unfavourable record."""
        plan, rule = self.plan, self.plan.version.tier_rule
        if "max_months" in rule:
            years = plan.version.retention_years or 0
            found = rules.fixed_periods(rule["min_months"], rule["max_months"], day, retention_years=years)
        else:
            found = rules.periods(
                tier, day, plan.today, plan.rulebook, field=plan.key_field, retention_years=plan.version.retention_years
            )
        return tier, found

    def _tier(self, effect_text: str, day: datetime.date) -> Tier:
        rule = self.plan.version.tier_rule
        if rule.get("rule") == "fixed":
            return Tier(rule["tier"])
        return rules.tier_of_effects(self._effects[effect_text], self.plan.rulebook, day)

    def _lay_out(
        self,
        prepared: Prepared,
        chunk: Chunk,
        columns: dict[str, list[str]],
        drafts: list[SubjectDraft | None],
        findings: Findings,
    ) -> None:
        """Judge the dates of every row that is clean so far, then write its COPY line."""
        found = self._columns(columns, drafts, findings)
        self._together.days(columns, found.decided_on, findings)
        self._together.ages(drafts, found.decided_on, findings)
        today, lives, is_minor, negative = (
            self.plan.today.isoformat(),
            self._lives,
            self.subjects.is_minor,
            self.plan.negative,
        )
        good: list[Good] = []
        rows = zip(drafts, found.decided_on, found.effects, found.ends, strict=True)
        for at, (draft, decided_on, effect_text, end) in enumerate(rows):
            if draft is None or not "" < decided_on <= today:
                continue
            life = lives[decided_on, effect_text, end]
            minor = draft.born_on is not None and is_minor(draft, life.decided_on)
            # Judged whatever else is wrong with the row: what may not be kept is not kept in quarantine either.
            if life.lapsed or (minor and negative):
                findings.add(at, "", "minor" if minor else "past_retention")
            if at not in findings.by_row:
                good.append((at, draft, life, minor))
        self._lay_out_rows(prepared.rows, good, found, chunk.row_numbers)
        self._add_subjects(prepared, self._subjects_of(prepared, good, chunk.row_numbers))
        if negative:
            self._find_minors(columns, findings)
        self._together.young_today(columns, self.subjects.born_on, findings)
        prepared.ties = self._ties.of(columns, found.document, found.ends, prepared.rows, chunk.row_numbers)
        self._collect(prepared, chunk, findings, drafts, found.document)

    def _subjects_of(self, prepared: Prepared, good: list[Good], numbers: Sequence[int]) -> dict[bytes, SubjectDraft]:
        """The subjects of the good rows; notes persons whom a later row names otherwise than an earlier one."""
        subjects: dict[bytes, SubjectDraft] = {}
        for at, draft, _life, _minor in good:
            first = subjects.setdefault(draft.number_index, draft)
            if first is not draft and first.name_index != draft.name_index and draft.kind == SubjectKind.PERSON:
                prepared.other_names[numbers[at]] = draft.name_index
        return subjects

    def _find_minors(self, columns: dict[str, list[str]], findings: Findings) -> None:
        """Minors in rows that the day of the decision could not judge, because it or the subject is not known.

        Whoever is a minor today was one on every earlier day.
        """
        item = self.plan.by_role.get(FieldRole.IDENTITY_NUMBER)
        numbers = columns.get(item.code) if item else None
        if numbers is None:
            return
        for at, problems in findings.by_row.items():
            if ("", "minor") not in problems and self.subjects.names_minor(numbers[at]):
                problems.append(("", "minor"))

    def _lay_out_rows(self, rows: Rows, good: list[Good], found: Columns, numbers: Sequence[int]) -> None:
        """The clean rows column by column; their lines have the order of `store.COLUMNS`, see `Row`."""
        dated, new = not self.plan.dated_by_receipt, self._new_digest
        rows.numbers = [numbers[at] for at, *_rest in good]
        rows.documents = [found.document[at] for at, *_rest in good]
        rows.subjects = [draft.number_index for _at, draft, _life, _minor in good]
        for number, document, (at, draft, life, minor) in zip(rows.numbers, texts(rows.documents), good, strict=True):
            content, sealed = found.content[at], found.sealed[at]
            # Of everything that a later delivery may change.
            said = (content, found.private[at], life.day if dated else b"", draft.name.encode(), life.effects)
            digesting = new()
            digesting.update(b"\0".join(said))
            digest = digesting.digest()
            rows.digests.append(digest)
            rows.lines.append(
                b"%d\t%b\t%b\t%b\t%b\t%b\t\\\\x%b" % (
                    number, document.encode(), life.copied, b"t" if minor else b"f",
                    content.replace(b"\\", b"\\\\"), b"\\\\x" + hexlify(sealed) if sealed else NULL_BYTES,
                    hexlify(digest),
                )
            )  # fmt: skip
        rows.keys, rows.cells = list(map(key_of, rows.subjects, rows.documents)), [0] * len(good)
        rows.said = list(map(key_of, rows.subjects, rows.documents, rows.digests))

    def _columns(self, columns: dict[str, list[str]], drafts: list[SubjectDraft | None], findings: Findings) -> Columns:
        """The parts of the records, column by column; names of persons stay out of the open content."""
        length, name_code = len(drafts), self._name_code
        if name_code in columns:
            named = zip(columns[name_code], drafts, strict=True)
            columns[name_code] = ["" if draft and draft.kind == SubjectKind.PERSON else name for name, draft in named]
        private = self._encode_private([columns[code] for code in self._private], length)
        private = [b"" if content == b"{}" else content for content in private]
        sealed = iter(vault.seal_many(filter(None, private), self.plan.sealed_payload))
        return Columns(
            decided_on=self._decided(columns, length, findings),
            effects=self._role(columns, FieldRole.EFFECTS, length),
            ends=self._ends(columns, length),
            document=self._role(columns, FieldRole.DOCUMENT_NUMBER, length),
            content=self._encode_content([columns[code] for code in self._content], length),
            private=private,
            sealed=[next(sealed) if content else None for content in private],
        )

    def _add_subjects(self, prepared: Prepared, drafts: dict[bytes, SubjectDraft]) -> None:
        """Lines of subjects that this batch has not had yet; for those on file they are made in vain."""
        if len(self._known) > SUBJECTS_REMEMBERED:
            self._known.clear()
        new = []
        for index, draft in drafts.items():
            codes = draft.codes if draft.kind != SubjectKind.PERSON else ()
            prepared.subjects[index] = SubjectKey(draft.kind, index, draft.name_index, codes)
            said = hash((index, draft.name_index, codes))
            if said not in self._known:
                self._known.add(said)
                new.append(draft)
        indexes = [draft.number_index for draft in new]
        prepared.subject_lines = dict(zip(indexes, subject_lines(new, self.plan), strict=True))

    @property
    def _name_code(self) -> str:
        item = self.plan.by_role.get(FieldRole.SUBJECT_NAME)
        return item.code if item else ""

    def _role(self, columns: dict[str, list[str]], role: str, length: int) -> list[str]:
        constant = self.plan.constants.get(role, "")
        return check.role_column(columns, self.plan.by_role.get(role), length, constant)

    def _ends(self, columns: dict[str, list[str]], length: int) -> list[str]:
        """The first day on which a record no longer holds as its source says; empty where it names no end."""
        valid_until = self._role(columns, FieldRole.VALID_UNTIL, length)
        ended_on = self._role(columns, FieldRole.ENDED_ON, length)
        if not any(valid_until) and not any(ended_on):
            return ended_on
        return [_first_day_without(*pair) for pair in zip(valid_until, ended_on, strict=True)]

    def _decided(self, columns: dict[str, list[str]], length: int, findings: Findings) -> list[str]:
        """The date of every decision as ISO text; where the file has none, the day the feed stands for."""
        item = self.plan.by_role.get(FieldRole.DECIDED_ON)
        fallback = self.plan.dated_on.isoformat() if self.plan.dated_on else ""
        if item is None or item.code not in columns:
            findings.add_where([fallback] * length, [""], item.code if item else FieldRole.DECIDED_ON, "required")
            return [fallback] * length
        today = self.plan.today.isoformat()
        decided = [day or fallback for day in columns[item.code]]
        findings.add_where(decided, {day for day in set(decided) if day > today}, item.code, "date_in_future")
        if item.required != Required.ALWAYS:
            findings.add_where(decided, [""], item.code, "required")
        return decided

    def _collect(
        self, prepared: Prepared, chunk: Chunk, findings: Findings, drafts: list[SubjectDraft | None], said: list[str]
    ) -> None:
        """Rows with problems leave the chunk; the decision is noted where subject and number can be read."""
        for row, problems in findings.by_row.items():
            cells, draft, document = (
                cells_of(self.header, (column[row] for column in chunk.columns)),
                drafts[row],
                said[row],
            )
            if summaries.is_summary(cells.values()):
                problems = [("", summaries.CODE)]
            known = draft is not None and document
            decision = decision_of(draft.number_index, document, self.plan.digest_key) if draft and known else None
            place = chunk.row_numbers[row], chunk.line_numbers[row]
            prepared.setaside.append(Setaside(*place, cells, problems, decision))


def _first_day_without(valid_until: str, ended_on: str) -> str:
    """The day after the last valid one, or the day of an earlier end; both and the answer as ISO text."""
    ended_on = "" if ended_on == NEVER else ended_on
    last = datetime.date.fromisoformat(valid_until) if valid_until else NO_END
    ends = [(last + datetime.timedelta(days=1)).isoformat()] if last < NO_END else []
    return min([*ends, *filter(None, [ended_on])], default="")
