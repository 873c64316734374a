"""One chunk from raw cells to lines ready for COPY, with every problem of every row. No database here."""

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from creditplatform.core import vault
from records import rules
from records.enums import FieldRole, Required, SubjectKind, Tier
from records.feeds import columns as check
from records.feeds.columns import Findings, Memo
from records.feeds.mapping import ColumnMap
from records.feeds.plan import Plan
from records.feeds.problems import REJECTED
from records.feeds.readers import Chunk
from records.feeds.subjects import SubjectDraft, SubjectReader
from records.feeds.values import NO_END
from records.feeds.vocabulary import effects
from records.models import EntryField

encode_json = msgspec.json.Encoder().encode
Problems = list[tuple[str, str]]
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
NULL = r"\N"


class Setaside(NamedTuple):
    """A row that is not accepted: place, cells by header, problems by field and code."""

    row_number: int
    line_number: int
    cells: dict[str, str]
    problems: Problems

    @property
    def rejected(self) -> bool:
        """Whether the row may not be kept at all."""
        return any(code in REJECTED for _field, code in self.problems)


class Life(NamedTuple):
    """Tier and dates of a record as COPY text."""

    tier: str
    repairable_from: str
    publish_until: str
    retain_until: str
    lapsed: bool = False


@dataclass
class Prepared:
    """What a chunk comes to. `lines` are COPY rows; `row_of` finds the chunk's row again by its number."""

    chunk: Chunk
    header: list[str]
    lines: list[str] = field(default_factory=list)
    subjects: dict[bytes, SubjectDraft] = field(default_factory=dict)
    setaside: list[Setaside] = field(default_factory=list)
    repeated: int = 0

    @property
    def problems(self) -> Counter[str]:
        """How often each problem occurs, once per row."""
        return Counter(code for row in self.setaside for code in {code for _field, code in row.problems})

    def set_row_aside(self, row_number: int, problems: Problems) -> None:
        """Set a row aside that the database knew more about."""
        at = self.chunk.row_numbers.index(row_number)
        cells = _cells(self.header, [column[at] for column in self.chunk.columns])
        self.setaside.append(Setaside(row_number, self.chunk.line_numbers[at], cells, problems))


def _cells(header: list[str], row: Iterable[str]) -> dict[str, str]:
    cells = list(row)
    names = [*header, *(f"+{n}" for n in range(1, len(cells) - len(header) + 1))]
    return dict(zip(names, cells, strict=False))


class Preparer:
    """Turns chunk after chunk into prepared rows, remembering what repeats."""

    def __init__(self, plan: Plan, column_map: ColumnMap, header: list[str]) -> None:
        self.plan, self.header = plan, header
        self.positions = column_map.positions
        self.subjects = SubjectReader(plan)
        self._readers = {item.code: Memo(check.reader_of(item)) for item in plan.fields}
        self._lives: Memo[tuple[str, str, str], Life] = Memo(lambda key: self._life(*key))
        self._effects = Memo(self._effect_codes)

    def prepare(self, chunk: Chunk) -> Prepared:
        """Check every row of a chunk and lay out the good ones for COPY."""
        prepared = Prepared(chunk, self.header)
        findings = Findings()
        self._note_warnings(chunk, findings)
        columns = {code: check.clean(chunk.columns[at]) for code, at in self.positions.items()}
        kinds = self.subjects.kinds(columns, len(chunk), findings)
        self._check_columns(columns, kinds, findings)
        drafts = self.subjects.read(columns, kinds, findings)
        self._lay_out(prepared, columns, drafts, findings)
        prepared.setaside += [
            Setaside(bad.row_number, bad.line_number, _cells(self.header, bad.cells), [("", bad.code)])
            for bad in chunk.bad
        ]
        return prepared

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
                check.check_texts(item, column, findings)
                check.check_required(item, column, kinds, columns, findings)
                columns[item.code] = check.read_column(item, column, self._readers[item.code], findings)
            elif item.required in check.KINDS_REQUIRED and item.role not in self.plan.constants:
                check.check_required(item, [""] * len(kinds), kinds, columns, findings)
        self._check_agency(columns, findings)

    def _check_agency(self, columns: dict[str, list[str]], findings: Findings) -> None:
        """The sending unit is the unit of the feed or one below it; unchecked while no code of theirs is on file."""
        item = self.plan.by_role.get(FieldRole.SOURCE_CODE)
        if item is None or item.code not in columns or not self.plan.agency_codes:
            return
        column = columns[item.code]
        findings.add_where(column, set(column) - self.plan.agency_codes - {""}, item.code, "agency_unknown")

    def _effect_codes(self, text: str) -> list[str]:
        item = self.plan.by_role.get(FieldRole.EFFECTS)
        separators = item.separators if item else ";"
        return (effects().find(text, separators, frozenset()) or []) if text else []

    def _life(self, decided_on: str, effect_text: str, valid_until: str) -> Life:
        """Tier and dates of a record; positive and neutral ones end with their own validity."""
        plan, day = self.plan, datetime.date.fromisoformat(decided_on)
        if not plan.negative:
            end = datetime.date.fromisoformat(valid_until) if valid_until else NO_END
            return Life(Tier.NONE, NULL, NULL if end >= NO_END else end.isoformat(), NULL)
        tier = self._tier(effect_text, day)
        rule = plan.version.tier_rule
        if "max_months" in rule:
            years = plan.version.retention_years or 0
            found = rules.fixed_periods(rule["min_months"], rule["max_months"], day, retention_years=years)
        else:
            found = rules.periods(
                tier, day, plan.today, plan.rulebook, field=plan.key_field, retention_years=plan.version.retention_years
            )
        return Life(
            tier,
            found.repairable_from.isoformat(),
            found.publish_until.isoformat(),
            found.retain_until.isoformat(),
            lapsed=found.retain_until <= plan.today,
        )

    def _tier(self, effect_text: str, day: datetime.date) -> Tier:
        rule = self.plan.version.tier_rule
        if rule.get("rule") == "fixed":
            return Tier(rule["tier"])
        return rules.tier_of_effects(self._effects[effect_text], self.plan.rulebook, max(day, self.plan.today))

    def _lay_out(
        self,
        prepared: Prepared,
        columns: dict[str, list[str]],
        drafts: list[SubjectDraft | None],
        findings: Findings,
    ) -> None:
        """Judge the dates of every row that is clean so far, then write its COPY line."""
        length = len(drafts)
        decided = self._decided(columns, length, findings)
        effect_texts = self._role(columns, FieldRole.EFFECTS, length)
        valid_until = self._role(columns, FieldRole.VALID_UNTIL, length)
        documents = self._role(columns, FieldRole.DOCUMENT_NUMBER, length)
        contents = self._contents(columns, self.plan.content, length)
        sealed = self._contents(columns, self.plan.sealed_content, length)
        seen: dict[tuple[bytes, str], bytes] = {}
        for row, draft in enumerate(drafts):
            if row in findings.by_row or draft is None:
                continue
            life = self._lives[decided[row], effect_texts[row], valid_until[row]]
            minor = self.subjects.is_minor(draft, datetime.date.fromisoformat(decided[row]))
            if (minor and self.plan.negative) or life.lapsed:
                findings.add(row, "", "minor" if minor and self.plan.negative else "past_retention")
                continue
            line = self._line(
                prepared.chunk.row_numbers[row], draft, documents[row], decided[row], life, minor,
                self._effects[effect_texts[row]], contents[row], sealed[row], findings, row, seen,
            )  # fmt: skip
            if line:
                prepared.lines.append(line)
                prepared.subjects.setdefault(draft.index, draft)
        self._collect(prepared, findings)

    def _line(
        self, number: int, draft: SubjectDraft, document: str, decided_on: str, life: Life, minor: bool,
        effect_codes: list[str], content: dict[str, str], sealed: dict[str, str], findings: Findings, row: int,
        seen: dict[tuple[bytes, str], bytes],
    ) -> str:  # fmt: skip
        """The COPY line of a row, or nothing where the file has the decision twice."""
        person = draft.kind == SubjectKind.PERSON
        if person:
            content.pop(self._name_code, None)
        payload = encode_json(content)
        private = encode_json(sealed) if sealed else b""
        dated = b"" if self.plan.dated_by_receipt else decided_on.encode()
        digest = blake2b(
            b"\0".join((payload, private, dated, draft.name.encode(), ";".join(effect_codes).encode())),
            digest_size=16,
            key=self.plan.digest_key,
        ).digest()
        known = seen.setdefault((draft.index, document), digest)
        if known is not digest:
            if known != digest:
                findings.add(row, "", "duplicate_in_file")
            return ""
        return "\t".join(
            (
                str(number), "\\\\x" + draft.index.hex(), "\\\\x" + self.subjects.name_index(draft.name).hex(),
                draft.kind, document.translate(ESCAPES), decided_on, "{" + ",".join(effect_codes) + "}", *life[:4],
                "t" if minor else "f", payload.decode().replace("\\", "\\\\"),
                "\\\\x" + vault.seal(private, self.plan.sealed_payload).hex() if private else NULL,
                "\\\\x" + digest.hex(),
            )
        )  # fmt: skip

    @property
    def _name_code(self) -> str:
        item = self.plan.by_role.get(FieldRole.SUBJECT_NAME)
        return item.code if item else ""

    def _role(self, columns: dict[str, list[str]], role: str, length: int) -> list[str]:
        constant = self.plan.constants.get(role, "")
        return check.role_column(columns, self.plan.by_role.get(role), length, constant)

    def _decided(self, columns: dict[str, list[str]], length: int, findings: Findings) -> list[str]:
        """The date of every decision as ISO text; where the file has none, the day the feed stands for."""
        item = self.plan.by_role.get(FieldRole.DECIDED_ON)
        fallback = self.plan.dated_on.isoformat() if self.plan.dated_on else ""
        if item is None or item.code not in columns:
            return [fallback] * length
        today = self.plan.today.isoformat()
        decided = [day or fallback for day in columns[item.code]]
        findings.add_where(decided, {day for day in set(decided) if day > today}, item.code, "date_in_future")
        if item.required != Required.ALWAYS:
            findings.add_where(decided, [""], item.code, "required")
        return decided

    def _contents(self, columns: dict[str, list[str]], fields: list[EntryField], length: int) -> list[dict[str, str]]:
        """What is kept of every row: values by field code, empty ones left out."""
        present = [(item.code, columns[item.code]) for item in fields if item.code in columns]
        if not present:
            return [{} for _row in range(length)]
        codes = [code for code, _column in present]
        rows = zip(*(column for _code, column in present), strict=True)
        return [{code: text for code, text in zip(codes, row, strict=True) if text} for row in rows]

    def _collect(self, prepared: Prepared, findings: Findings) -> None:
        """Rows with problems leave the chunk; rows that merely repeat another are counted."""
        chunk = prepared.chunk
        for row, problems in findings.by_row.items():
            cells = _cells(self.header, (column[row] for column in chunk.columns))
            prepared.setaside.append(Setaside(chunk.row_numbers[row], chunk.line_numbers[row], cells, problems))
        prepared.repeated = len(chunk) - len(findings.by_row) - len(prepared.lines)
