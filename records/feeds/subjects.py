"""Whom each row is about: exact numbers only, checked, in one spelling, with contradictions set aside."""

import datetime
from collections.abc import Sequence
from typing import NamedTuple

from creditplatform.core import vault
from creditplatform.core.identity import (
    IdentifierKind,
    Problem,
    check,
    facts,
    grams,
    guess_organisation_kind,
    normalise,
    organisation_code_of,
)
from records import rules
from records.enums import FieldRole, SubjectKind
from records.feeds.columns import Findings, Memo, role_column
from records.feeds.copytext import NULL, array, binary, line, text
from records.feeds.plan import Plan
from records.feeds.vocabulary import IDENTIFIER_KINDS, SUBJECT_KINDS, fold
from records.identifiers import ORGANISATION_NUMBERS, Identifier, identifier, name_index

CREDIT, ORGANISATION, REGISTRATION = 0, 1, 2
BUSINESS_CODES = "92"  # credit codes of individual businesses (GB 32100, registration by market regulation)


class Resolved(NamedTuple):
    """What the numbers of a row come to: the identifier, all codes, and problems by role."""

    identifier: Identifier | None
    codes: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


class SubjectDraft(NamedTuple):
    """A subject as one row names it; `name`, numbers and date of birth are personal values where it is a person."""

    kind: str
    identifier: Identifier
    number_index: bytes
    name: str
    name_index: bytes
    codes: tuple[str, ...]
    born_on: datetime.date | None


class Named(NamedTuple):
    """What kind, numbers and name of a row come to: a subject, or the problems by role that stand against one."""

    draft: SubjectDraft | None
    problems: tuple[tuple[str, str], ...] = ()


def resolve_organisation(numbers: tuple[str, ...]) -> Resolved:
    """One organisation from up to six numbers, in the order of ORGANISATION_NUMBERS.

    Senders put credit codes where organisation codes or registration numbers belong; such a code
    counts as what it is. A filler beside a real code is no value. Codes that contradict each other name nobody.
    """
    given = [normalise(number) if number else "" for number in numbers]
    problems: list[tuple[str, str]] = []
    for place in (ORGANISATION, REGISTRATION):
        if len(given[place]) == 18 and guess_organisation_kind(given[place]) == IdentifierKind.CREDIT_CODE:
            if given[CREDIT] and given[CREDIT] != given[place]:
                problems.append((ORGANISATION_NUMBERS[place][0], "codes_disagree"))
            given[CREDIT], given[place] = given[CREDIT] or given[place], ""
    wrong = {
        at: problem for at, (_role, kind) in enumerate(ORGANISATION_NUMBERS)
        if given[at] and (problem := check(kind, given[at]))
    }  # fmt: skip
    if any(given[at] and at not in wrong for at in range(len(given))):
        given = ["" if wrong.get(at) == Problem.PLACEHOLDER else number for at, number in enumerate(given)]
    problems += [(ORGANISATION_NUMBERS[at][0], problem.value) for at, problem in wrong.items() if given[at]]
    code_within = organisation_code_of(given[CREDIT]) if given[CREDIT] and not problems else None
    if code_within and given[ORGANISATION] and code_within != given[ORGANISATION].replace("-", ""):
        problems.append((FieldRole.ORGANISATION_CODE, "codes_disagree"))
    codes = tuple(number for number in given if number)
    first = next((i for i, number in enumerate(given) if number), None)
    if problems or first is None:
        return Resolved(None, codes, tuple(problems))
    return Resolved(identifier(ORGANISATION_NUMBERS[first][1], given[first]), codes)


def document_of(kind_text: str, number: str) -> tuple[IdentifierKind | None, str]:
    """Kind of an identity document by its word, and its number in one spelling; None where nobody knows the word.

    Without a word it is a resident identity card, which is what senders leave unsaid.
    """
    kind = IDENTIFIER_KINDS.get(fold(kind_text)) if kind_text else IdentifierKind.RESIDENT_ID
    text = normalise(number)
    if kind == IdentifierKind.RESIDENT_ID and len(text) == 15:
        kind = IdentifierKind.RESIDENT_ID_15
    return kind, text


def resolve_person(kind_text: str, number: str) -> Resolved:
    """One person from the kind and number of the identity document."""
    kind, text = document_of(kind_text, number)
    if kind is None:
        return Resolved(None, (), ((FieldRole.IDENTITY_KIND, "document_kind_unknown"),))
    if not text:
        return Resolved(None)
    problem: Problem | None = check(kind, text)
    if problem:
        return Resolved(None, (), ((FieldRole.IDENTITY_NUMBER, problem.value),))
    return Resolved(identifier(kind, text))


class SubjectReader:
    """Reads the subjects of chunk after chunk, remembering what it has worked out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._named: Memo[tuple[str, tuple[str, ...], tuple[str, str], str], Named] = Memo(_name, limit=20_000)

    def kinds(self, columns: dict[str, list[str]], length: int, findings: Findings) -> list[str]:
        """The kind of subject of every row; only one kind allowed by the entry needs no column."""
        allowed = self.plan.version.subject_kinds
        item = self.plan.by_role.get(FieldRole.SUBJECT_KIND)
        constant = self.plan.constants.get(FieldRole.SUBJECT_KIND, "")
        if (item is None or item.code not in columns) and not constant:
            return self._unsaid(columns, length, findings)
        texts = role_column(columns, item, length, constant)
        read: Memo[str, str] = Memo(lambda text: SUBJECT_KINDS.get(fold(text), ""))
        kinds = [read[text] for text in texts]
        code = item.code if item else FieldRole.SUBJECT_KIND
        findings.add_where(kinds, [""], code, "kind_unknown")
        findings.add_where(kinds, set(kinds) - set(allowed) - {""}, code, "kind_not_allowed")
        return kinds

    def _unsaid(self, columns: dict[str, list[str]], length: int, findings: Findings) -> list[str]:
        """The kinds where the file has no column for them: the only one allowed, or told by the credit code."""
        allowed = self.plan.version.subject_kinds
        if len(allowed) == 1:
            return [allowed[0]] * length
        if SubjectKind.PERSON in allowed:
            return self._unknown(length, findings)
        codes = self._column(columns, FieldRole.CREDIT_CODE, length)
        businesses = SubjectKind.BUSINESS.value, SubjectKind.ORGANISATION.value
        return [businesses[not code.startswith(BUSINESS_CODES)] for code in codes]

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
        found = list(map(self._named.__getitem__, zip(kinds, numbers, identity, names, strict=True)))
        for row, named in enumerate(found):
            if named.draft is None:
                self._note(row, kinds[row], named.problems, findings)
        return [named.draft for named in found]

    def _column(self, columns: dict[str, list[str]], role: str, length: int) -> list[str]:
        return role_column(columns, self.plan.by_role.get(role), length, self.plan.constants.get(role, ""))

    def _note(self, row: int, kind: str, problems: tuple[tuple[str, str], ...], findings: Findings) -> None:
        for role, problem in problems:
            item = self.plan.by_role.get(role)
            findings.add(row, item.code if item else role, problem)
        if not problems and kind:
            self._nothing_given(row, kind, findings)

    def _nothing_given(self, row: int, kind: str, findings: Findings) -> None:
        role = FieldRole.IDENTITY_NUMBER if kind == SubjectKind.PERSON else FieldRole.CREDIT_CODE
        item = self.plan.by_role.get(role)
        problem = "required" if kind == SubjectKind.PERSON else "one_of_missing"
        if (item.code if item else role, problem) not in findings.by_row.get(row, []):
            findings.add(row, item.code if item else role, problem)

    def is_minor(self, draft: SubjectDraft, decided_on: datetime.date) -> bool:
        """Whether the person was a minor on that day, as far as the number tells."""
        return draft.born_on is not None and rules.is_minor(draft.born_on, decided_on, self.plan.rulebook)

    def names_minor(self, text: str) -> bool:
        """Whether a text is the number of somebody who is a minor today, whatever column it stands in.

        Residence permits are numbered like resident numbers; old ones of 15 digits are of adults.
        """
        born_on = self.born_on(text)
        return born_on is not None and rules.is_minor(born_on, self.plan.today, self.plan.rulebook)

    def born_on(self, text: str) -> datetime.date | None:
        """The day of birth that a text tells where it is the number of a person; None where it is none."""
        number = normalise(text)
        if check(IdentifierKind.RESIDENT_ID, number) is not None:
            return None
        return facts(IdentifierKind.RESIDENT_ID, number).birth_date


def _name(key: tuple[str, tuple[str, ...], tuple[str, str], str]) -> Named:
    """Whom kind, numbers of an organisation, identity document and name mean together."""
    kind, numbers, identity, name = key
    if kind == SubjectKind.PERSON or (kind == SubjectKind.BUSINESS and not any(numbers) and identity[1]):
        found = resolve_person(*identity)
    else:
        found = resolve_organisation(numbers)
    if found.identifier is None:
        return Named(None, found.problems)
    number = found.identifier
    born_on = facts(number.kind, number.number).birth_date if kind == SubjectKind.PERSON else None
    owned = kind == SubjectKind.BUSINESS and number.kind.personal
    index = number.business_index if owned else number.blind_index
    return Named(SubjectDraft(kind, number, index, name, name_index(name), found.codes, born_on))


def subject_line(draft: SubjectDraft, plan: Plan) -> bytes:
    """The COPY line of a subject: a person sealed, an organisation in clear.

    A business known by its owner's number keeps that number sealed.
    """
    number, personal = draft.identifier.number, draft.identifier.kind.personal
    head = (draft.kind, draft.identifier.kind.value, binary(draft.number_index), binary(draft.name_index))
    sealed = binary(vault.seal(number, plan.sealed_number)) if personal else NULL
    if draft.kind == SubjectKind.PERSON:
        name = binary(vault.seal(draft.name, plan.sealed_person_name))
        return line((*head, sealed, name, "", "", "{}", "{}"))
    code = "" if personal else text(number)
    return line((*head, sealed, NULL, code, text(draft.name), array(draft.codes), array(grams(draft.name))))
