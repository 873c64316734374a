"""Whom each row is about: exact numbers only, checked, in one spelling, with contradictions set aside."""

import datetime
from collections.abc import Iterator, Sequence
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
from records.feeds.columns import Findings, Memo, MemoOfMany, role_column
from records.feeds.copytext import NULL, array, binary, line, text
from records.feeds.plan import Plan
from records.feeds.vocabulary import IDENTIFIER_KINDS, SUBJECT_KINDS, fold
from records.identifiers import ORGANISATION_NUMBERS, Identifier, identifier, name_indexes, number_indexes

CREDIT, ORGANISATION, REGISTRATION = 0, 1, 2
BUSINESS_CODES = "92"  # credit codes of individual businesses (GB 32100, registration by market regulation)


# Kind of subject, numbers of an organisation, kind and number of an identity document, name: as a row says them.
Naming = tuple[str, tuple[str, ...], tuple[str, str], str]


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
        self._named: MemoOfMany[Naming, Named] = MemoOfMany(_name_all, limit=20_000)
        self._full_age: Memo[datetime.date, int] = Memo(lambda day: rules.full_age(day, plan.rulebook))

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
        found = self._named.of(list(zip(kinds, numbers, identity, names, strict=True)))
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
        born_on = draft.born_on
        if born_on is None or decided_on.year - born_on.year > self._full_age[decided_on]:
            return False
        return rules.is_minor(born_on, decided_on, self.plan.rulebook)

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


def _name_all(keys: Sequence[Naming]) -> list[Named]:
    """Whom kind, numbers of an organisation, identity document and name mean together, for many at once."""
    named = [_numbers_of(kind, numbers, identity) for kind, numbers, identity, _name in keys]
    good = [(key, found) for key, found in zip(keys, named, strict=True) if found.identifier is not None]
    indexed = [_indexed(key[0], found.identifier) for key, found in good if found.identifier is not None]
    indexes = zip(number_indexes(indexed), name_indexes(key[3] for key, _found in good), strict=True)
    return [_named(key, found, indexes) for key, found in zip(keys, named, strict=True)]


def _numbers_of(kind: str, numbers: tuple[str, ...], identity: tuple[str, str]) -> Resolved:
    if kind == SubjectKind.PERSON or (kind == SubjectKind.BUSINESS and not any(numbers) and identity[1]):
        return resolve_person(*identity)
    return resolve_organisation(numbers)


def _indexed(kind: str, number: Identifier) -> str:
    """What the index of a subject is made from; a business known by its owner's number is not its owner."""
    return number.indexed_of_business if kind == SubjectKind.BUSINESS and number.kind.personal else number.indexed


def _named(key: Naming, found: Resolved, indexes: Iterator[tuple[bytes, bytes]]) -> Named:
    """The subject, which takes the next of the indexes, or the problems that stand against one."""
    if found.identifier is None:
        return Named(None, found.problems)
    kind, number, (index, name_index) = key[0], found.identifier, next(indexes)
    born_on = facts(number.kind, number.number).birth_date if kind == SubjectKind.PERSON else None
    return Named(SubjectDraft(kind, number, index, key[3], name_index, found.codes, born_on))


def subject_lines(drafts: Sequence[SubjectDraft], plan: Plan) -> list[bytes]:
    """The COPY lines of subjects: persons sealed, organisations in clear.

    A business known by its owner's number keeps that number sealed.
    """
    secret = [draft.identifier.number for draft in drafts if draft.identifier.kind.personal]
    persons = [draft.name for draft in drafts if draft.kind == SubjectKind.PERSON]
    numbers, names = vault.seal_many(secret, plan.sealed_number), vault.seal_many(persons, plan.sealed_person_name)
    sealed_numbers, sealed_names = iter(numbers), iter(names)
    return [_subject_line(draft, sealed_numbers, sealed_names) for draft in drafts]


def _subject_line(draft: SubjectDraft, numbers: Iterator[bytes], names: Iterator[bytes]) -> bytes:
    """The line of a subject, which takes the next sealed number and name where its own are kept sealed."""
    personal = draft.identifier.kind.personal
    head = (draft.kind, draft.identifier.kind.value, binary(draft.number_index), binary(draft.name_index))
    sealed = binary(next(numbers)) if personal else NULL
    if draft.kind == SubjectKind.PERSON:
        return line((*head, sealed, binary(next(names)), "", "", "{}", "{}"))
    code = "" if personal else text(draft.identifier.number)
    return line((*head, sealed, NULL, code, text(draft.name), array(draft.codes), array(grams(draft.name))))
