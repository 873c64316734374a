"""Checks of several columns together: days in order, groups of which one is filled in, units, youngest age."""

import datetime
from collections.abc import Callable, Sequence
from itertools import compress

from creditplatform.core.identity import IdentifierKind, Problem, check, normalise
from records import rules
from records.enums import FieldRole, SubjectKind
from records.feeds import values
from records.feeds.columns import Findings, Memo
from records.feeds.plan import Plan
from records.feeds.subjects import SubjectDraft, document_of
from records.identifiers import ORGANISATION_NUMBERS

DOING_BUSINESS = frozenset({SubjectKind.ORGANISATION.value, SubjectKind.BUSINESS.value})
CODE_ROLES = frozenset(role for role, _kind in ORGANISATION_NUMBERS)
KIND_UNKNOWN = "document_kind_unknown"
OTHER_SPELLINGS = "[［【〖(（ 　０１２３４５６７８９"
BirthDate = Callable[[str], datetime.date | None]


def fold_documents(column: list[str]) -> list[str]:
    """Document numbers with the year in the brackets of the standard, so that one decision is never two."""
    whole = "".join(column)
    if not any(mark in whole for mark in OTHER_SPELLINGS):
        return column
    return list(map(values.document_number, column))


class Together:
    """The checks of one plan; what a plan has no use for costs nothing."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.groups = _groups(plan)
        self._wrong_documents: Memo[tuple[str, str], str] = Memo(lambda pair: _wrong_document(*pair))

    def columns(self, columns: dict[str, list[str]], kinds: Sequence[str], findings: Findings) -> None:
        """What the columns of a chunk say together, before anybody asks whom the rows are about."""
        self._documents(columns, findings)
        for role in (FieldRole.SOURCE_CODE, FieldRole.AGENCY_CODE):
            self._agency(role, columns, findings)
        for names in self.groups:
            self._group(names, columns, kinds, findings)
        self._employer(columns, findings)
        self._representative(columns, findings)

    def days(self, columns: dict[str, list[str]], decided: Sequence[str], findings: Findings) -> None:
        """No record ends before it begins: neither before its decision nor before its first valid day."""
        begins = self._column(FieldRole.VALID_FROM, columns)
        for role in (FieldRole.VALID_UNTIL, FieldRole.ENDED_ON):
            ends = self._column(role, columns)
            if ends is None or not any(ends):
                continue
            code = self.plan.by_role[role].code
            for starts in (decided, begins) if role == FieldRole.VALID_UNTIL else (decided,):
                self._in_order(code, starts, ends, findings)

    def _in_order(self, code: str, starts: Sequence[str] | None, ends: Sequence[str], findings: Findings) -> None:
        if starts is None:
            return
        for at in compress(range(len(ends)), map(str.__lt__, ends, starts)):
            if ends[at] and (code, "ends_before_start") not in findings.by_row.get(at, ()):
                findings.add(at, code, "ends_before_start")

    def ages(self, drafts: Sequence[SubjectDraft | None], decided: Sequence[str], findings: Findings) -> None:
        """Persons younger on the day of the decision than the entry allows, or whose number tells no age."""
        years = self.plan.version.min_age
        if years is None:
            return
        code = item.code if (item := self.plan.by_role.get(FieldRole.IDENTITY_NUMBER)) else ""
        for at, (draft, day) in enumerate(zip(drafts, decided, strict=True)):
            if draft is None or not day:
                continue
            if draft.born_on is None:
                findings.add(at, code, "age_unknown")
            elif datetime.date.fromisoformat(day) < rules.add_months(draft.born_on, 12 * years):
                findings.add(at, "", "under_age")

    def young_today(self, columns: dict[str, list[str]], born_on: BirthDate, findings: Findings) -> None:
        """Rows with other problems about persons too young even today: they are not kept in quarantine either."""
        item = self.plan.by_role.get(FieldRole.IDENTITY_NUMBER)
        numbers = columns.get(item.code) if item else None
        if self.plan.version.min_age is None or numbers is None:
            return
        for at, problems in findings.by_row.items():
            if ("", "under_age") not in problems and self.is_too_young(born_on(numbers[at])):
                problems.append(("", "under_age"))

    def is_too_young(self, born_on: datetime.date | None) -> bool:
        """Whether somebody born then has not reached the youngest age of the entry today."""
        years = self.plan.version.min_age
        return years is not None and born_on is not None and self.plan.today < rules.add_months(born_on, 12 * years)

    def _column(self, role: str, columns: dict[str, list[str]]) -> list[str] | None:
        item = self.plan.by_role.get(role)
        return columns.get(item.code) if item else None

    def _agency(self, role: str, columns: dict[str, list[str]], findings: Findings) -> None:
        """Deciding and sending unit are the feed's or below it, or one it sends for.

        While no code of theirs is on file only its form is checked; the receipt says so.
        """
        column = self._column(role, columns)
        others = set(column or ()) - self.plan.agency_codes - {""}
        if not column or not others:
            return
        code, known = self.plan.by_role[role].code, self.plan.codes_on_file
        for text in others - known:
            if wrong := check(IdentifierKind.CREDIT_CODE, normalise(text)):
                findings.add_where(column, [text], code, wrong.value)
                others.discard(text)
        if self.plan.agency_codes:
            findings.add_where(column, others & known, code, "agency_not_entitled")
            findings.add_where(column, others - known, code, "agency_unknown")

    def _documents(self, columns: dict[str, list[str]], findings: Findings) -> None:
        """Document numbers in one spelling; one without any numeral names no decision, nor does a year to come.

        The number of a record that is being corrected stays what it is.
        """
        item = self.plan.by_role.get(FieldRole.DOCUMENT_NUMBER)
        if item is None or item.code not in columns:
            return
        column = columns[item.code] = fold_documents(columns[item.code])
        known, this_year = {"", self.plan.constants.get(FieldRole.DOCUMENT_NUMBER, "")}, str(self.plan.today.year)
        bare = {t for t in column if not values.has_numeral(t)}
        findings.add_where(column, bare - known, item.code, "no_number")
        if values.latest_year("\n".join(column)) > this_year:
            later = {t for t in set(column) if values.latest_year(t) > this_year}
            findings.add_where(column, later - known, item.code, "year_to_come")

    def _representative(self, columns: dict[str, list[str]], findings: Findings) -> None:
        """The document of the legal representative, where one is given: kind known, number sound; a filler is none."""
        numbers = self._column(FieldRole.LEGAL_REPRESENTATIVE_NUMBER, columns)
        if numbers is None or not any(numbers):
            return
        number = self.plan.by_role[FieldRole.LEGAL_REPRESENTATIVE_NUMBER]
        kinds = self._column(FieldRole.LEGAL_REPRESENTATIVE_KIND, columns) or [""] * len(numbers)
        kind_code = self.plan.by_role[FieldRole.LEGAL_REPRESENTATIVE_KIND].code if any(kinds) else number.code
        for at, text in enumerate(numbers):
            if text and (wrong := self._wrong_documents[kinds[at], text]):
                if wrong == Problem.PLACEHOLDER:
                    numbers[at] = ""
                else:
                    findings.add(at, kind_code if wrong == KIND_UNKNOWN else number.code, wrong)

    def _group(self, names: list[str], columns: dict[str, list[str]], kinds: Sequence[str], findings: Findings) -> None:
        given = [columns[name] for name in names if name in columns]
        filled = map(any, zip(*given, strict=True)) if given else iter([False] * len(kinds))
        for at, (one, kind) in enumerate(zip(filled, kinds, strict=True)):
            if not one and kind in DOING_BUSINESS:
                findings.add(at, names[0], "one_of_group_missing")

    def _employer(self, columns: dict[str, list[str]], findings: Findings) -> None:
        """The credit code of the organisation a person belongs to is a real one; nobody is tied by a name."""
        column = self._column(FieldRole.BELONGS_TO_CODE, columns)
        if column is None:
            return
        item = self.plan.by_role[FieldRole.BELONGS_TO_CODE]
        for text in set(column) - {""}:
            if problem := check(IdentifierKind.CREDIT_CODE, normalise(text)):
                findings.add_where(column, [text], item.code, problem.value)


def _wrong_document(kind_text: str, number: str) -> str:
    """The code of what is wrong with an identity document; empty where nothing is."""
    kind, text = document_of(kind_text, number)
    if kind is None:
        return KIND_UNKNOWN
    problem = check(kind, text)
    return problem.value if problem else ""


def _groups(plan: Plan) -> list[list[str]]:
    """Groups of fields of which one is filled in; those of an organisation's codes are asked with the subject."""
    groups: dict[str, list[str]] = {}
    for item in plan.fields:
        if item.one_of:
            groups.setdefault(item.one_of, []).append(item.code)
    of_codes = {item.one_of for item in plan.fields if item.role in CODE_ROLES}
    return [names for group, names in groups.items() if group not in of_codes]
