"""Whom each row is about: exact numbers only, checked, in one spelling, with contradictions set aside."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from creditplatform.core.identity import (
    IdentifierKind,
    Problem,
    check,
    facts,
    guess_organisation_kind,
    normalise,
    organisation_code_of,
)
from records import rules
from records.enums import FieldRole, SubjectKind
from records.feeds.columns import Findings, Memo, role_column
from records.feeds.plan import Plan
from records.feeds.vocabulary import IDENTIFIER_KINDS, SUBJECT_KINDS, fold
from records.identifiers import ORGANISATION_NUMBERS, Identifier, identifier, name_index

CREDIT, ORGANISATION, REGISTRATION = 0, 1, 2


class Resolved(NamedTuple):
    """What the numbers of a row come to: the identifier, all codes, and problems by role."""

    identifier: Identifier | None
    codes: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SubjectDraft:
    """A subject as one row names it; `name` and numbers are personal values where it is a person."""

    kind: str
    identifier: Identifier
    index: bytes
    name: str
    codes: tuple[str, ...]


def resolve_organisation(numbers: tuple[str, ...]) -> Resolved:
    """One organisation from up to six numbers, in the order of ORGANISATION_NUMBERS.

    Senders put credit codes where organisation codes or registration numbers belong; such a code
    counts as what it is. Codes that contradict each other name nobody.
    """
    given = [normalise(number) if number else "" for number in numbers]
    problems: list[tuple[str, str]] = []
    for place in (ORGANISATION, REGISTRATION):
        if len(given[place]) == 18 and guess_organisation_kind(given[place]) == IdentifierKind.CREDIT_CODE:
            if given[CREDIT] and given[CREDIT] != given[place]:
                problems.append((ORGANISATION_NUMBERS[place][0], "codes_disagree"))
            given[CREDIT], given[place] = given[CREDIT] or given[place], ""
    for (role, kind), number in zip(ORGANISATION_NUMBERS, given, strict=True):
        if number and (problem := check(kind, number)):
            problems.append((role, problem.value))
    if given[CREDIT] and given[ORGANISATION] and not problems:
        if organisation_code_of(given[CREDIT]) != given[ORGANISATION].replace("-", ""):
            problems.append((FieldRole.ORGANISATION_CODE, "codes_disagree"))
    codes = tuple(number for number in given if number)
    first = next((i for i, number in enumerate(given) if number), None)
    if problems or first is None:
        return Resolved(None, codes, tuple(problems))
    return Resolved(identifier(ORGANISATION_NUMBERS[first][1], given[first]), codes)


def resolve_person(kind_text: str, number: str) -> Resolved:
    """One person from the kind and number of the identity document."""
    kind = IDENTIFIER_KINDS.get(fold(kind_text)) if kind_text else IdentifierKind.RESIDENT_ID
    if kind is None:
        return Resolved(None, (), ((FieldRole.IDENTITY_KIND, "document_kind_unknown"),))
    text = normalise(number)
    if kind == IdentifierKind.RESIDENT_ID and len(text) == 15:
        kind = IdentifierKind.RESIDENT_ID_15
    problem: Problem | None = check(kind, text)
    if problem:
        return Resolved(None, (), ((FieldRole.IDENTITY_NUMBER, problem.value),))
    return Resolved(identifier(kind, text))


@dataclass
class SubjectReader:
    """Reads the subjects of chunk after chunk, remembering what it has worked out."""

    plan: Plan
    _organisations: Memo[tuple[str, ...], Resolved] = field(default_factory=lambda: Memo(resolve_organisation))
    _persons: Memo[tuple[str, str], Resolved] = field(default_factory=lambda: Memo(lambda pair: resolve_person(*pair)))
    _indexes: Memo[Identifier, bytes] = field(default_factory=lambda: Memo(lambda number: number.blind_index))
    _names: Memo[str, bytes] = field(default_factory=lambda: Memo(name_index))

    def kinds(self, columns: dict[str, list[str]], length: int, findings: Findings) -> list[str]:
        """The kind of subject of every row; only one kind allowed by the entry needs no column."""
        allowed = self.plan.version.subject_kinds
        item = self.plan.by_role.get(FieldRole.SUBJECT_KIND)
        constant = self.plan.constants.get(FieldRole.SUBJECT_KIND, "")
        if (item is None or item.code not in columns) and not constant:
            return [allowed[0]] * length if len(allowed) == 1 else self._unknown(length, findings)
        texts = role_column(columns, item, length, constant)
        read: Memo[str, str] = Memo(lambda text: SUBJECT_KINDS.get(fold(text), ""))
        kinds = [read[text] for text in texts]
        code = item.code if item else FieldRole.SUBJECT_KIND
        findings.add_where(kinds, [""], code, "kind_unknown")
        findings.add_where(kinds, set(kinds) - set(allowed) - {""}, code, "kind_not_allowed")
        return kinds

    def _unknown(self, length: int, findings: Findings) -> list[str]:
        for row in range(length):
            findings.add(row, FieldRole.SUBJECT_KIND, "kind_unknown")
        return [""] * length

    def read(
        self, columns: dict[str, list[str]], kinds: Sequence[str], findings: Findings
    ) -> list[SubjectDraft | None]:
        """The subject of every row, None where its numbers name nobody; notes what is wrong with them."""
        length = len(kinds)
        numbers = list(zip(*(self._column(columns, role, length) for role, _kind in ORGANISATION_NUMBERS), strict=True))
        identity = list(
            zip(
                self._column(columns, FieldRole.IDENTITY_KIND, length),
                self._column(columns, FieldRole.IDENTITY_NUMBER, length),
                strict=True,
            )
        )
        names = self._column(columns, FieldRole.SUBJECT_NAME, length)
        return [
            self._draft(row, kind, self._resolve(kind, numbers[row], identity[row]), names[row], findings)
            for row, kind in enumerate(kinds)
        ]

    def _column(self, columns: dict[str, list[str]], role: str, length: int) -> list[str]:
        return role_column(columns, self.plan.by_role.get(role), length, self.plan.constants.get(role, ""))

    def _resolve(self, kind: str, numbers: tuple[str, ...], identity: tuple[str, str]) -> Resolved:
        if kind == SubjectKind.PERSON or (kind == SubjectKind.BUSINESS and not any(numbers) and identity[1]):
            return self._persons[identity]
        return self._organisations[numbers]

    def _draft(self, row: int, kind: str, found: Resolved, name: str, findings: Findings) -> SubjectDraft | None:
        for role, problem in found.problems:
            item = self.plan.by_role.get(role)
            findings.add(row, item.code if item else role, problem)
        if found.identifier is None:
            if not found.problems and kind:
                self._nothing_given(row, kind, findings)
            return None
        return SubjectDraft(kind, found.identifier, self._indexes[found.identifier], name, found.codes)

    def _nothing_given(self, row: int, kind: str, findings: Findings) -> None:
        role = FieldRole.IDENTITY_NUMBER if kind == SubjectKind.PERSON else FieldRole.CREDIT_CODE
        item = self.plan.by_role.get(role)
        problem = "required" if kind == SubjectKind.PERSON else "one_of_missing"
        if (item.code if item else role, problem) not in findings.by_row.get(row, []):
            findings.add(row, item.code if item else role, problem)

    def name_index(self, name: str) -> bytes:
        """The blind index of a name, remembered."""
        return self._names[name]

    def is_minor(self, draft: SubjectDraft, decided_on: datetime.date) -> bool:
        """Whether the person was a minor on that day, as far as the number tells."""
        if draft.kind != SubjectKind.PERSON:
            return False
        birth = facts(draft.identifier.kind, draft.identifier.number).birth_date
        return birth is not None and rules.is_minor(birth, decided_on, self.plan.rulebook)
