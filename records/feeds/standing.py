"""Whether a source still stands by a decision: rows that say it is withdrawn, taken out before the others are judged.

A row that withdraws needs nothing but what names the decision: whoever takes a decision back need not repeat it.
"""

import re
from collections.abc import Sequence

import msgspec

from records.enums import FieldRole
from records.feeds.columns import Findings
from records.feeds.delivery import DIGITS_OF_2015
from records.feeds.keys import key_of
from records.feeds.plan import Plan
from records.feeds.subjects import SubjectDraft
from records.feeds.values import NO_VALUE
from records.feeds.vocabulary import fold
from records.identifiers import ORGANISATION_NUMBERS
from records.models import EntryField

WITHDRAWN = frozenset(
    {"撤销", "已撤销", "撤回", "已撤回", "作废", "已作废", "删除", "已删除", "无效", "已无效", "withdrawn", "revoked"}
)
_LEADING_DIGIT = re.compile(r"\d+[-.、:_]?")
# A number that is on file is taken back as it stands there, whatever form numbers have to have by now.
OF_FORM = frozenset({"no_number", "year_to_come"})
# What names a decision; all else about a row that withdraws it is not looked at.
NAMING = frozenset(
    {
        FieldRole.SUBJECT_KIND, FieldRole.IDENTITY_KIND, FieldRole.IDENTITY_NUMBER, FieldRole.DOCUMENT_NUMBER,
        FieldRole.AGENCY_CODE, FieldRole.SOURCE_CODE, FieldRole.SOURCE_STATUS,
        *(role for role, _kind in ORGANISATION_NUMBERS),
    }
)  # fmt: skip


class Withdrawal(msgspec.Struct, array_like=True, gc=False):
    """A row that withdraws a decision: its number, the subject and document that name it, `key` as in `Row`."""

    number: int
    subject: bytes
    document: str
    key: int


def withdrawing_words(item: EntryField) -> frozenset[str]:
    """The values of a status field that mean that the source no longer stands by the decision, folded."""
    if DIGITS_OF_2015.issubset(item.choices):
        return WITHDRAWN | {"1"}
    if not item.choices:
        return WITHDRAWN
    return frozenset(fold(text) for text in item.choices if _LEADING_DIGIT.sub("", fold(text), count=1) in WITHDRAWN)


class Standing:
    """Reads the status column of chunk after chunk."""

    def __init__(self, plan: Plan) -> None:
        self.item = plan.by_role.get(FieldRole.SOURCE_STATUS)
        self._words = withdrawing_words(self.item) if self.item else frozenset()
        named = [item.code for role in NAMING if (item := plan.by_role.get(role))]
        self._naming = frozenset([*named, *map(str, NAMING)])

    def column(self, columns: dict[str, list[str]]) -> list[str] | None:
        """The status column of a chunk, if the file has one."""
        return columns.get(self.item.code) if self.item else None

    def take_out(
        self,
        columns: dict[str, list[str]],
        documents: Sequence[str],
        drafts: list[SubjectDraft | None],
        findings: Findings,
        numbers: Sequence[int],
    ) -> list[Withdrawal]:
        """The rows that withdraw; their subjects leave `drafts`, so that nothing else comes of them."""
        column = self.column(columns)
        if column is None:
            return []
        meant = {text for text in set(column) - {""} if fold(text) in self._words}
        if not meant:
            return []
        found = []
        for at, text in enumerate(column):
            if text in meant:
                self._forgive(at, findings)
                draft, drafts[at] = drafts[at], None
                if draft is not None and at not in findings.by_row:
                    document = documents[at]
                    found.append(
                        Withdrawal(numbers[at], draft.number_index, document, key_of(draft.number_index, document))
                    )
        return found

    def _forgive(self, at: int, findings: Findings) -> None:
        """Keep only the problems of a row that leave open which decision it withdraws."""
        problems = findings.by_row.pop(at, [])
        naming = [(name, code) for name, code in problems if name in self._naming or code == "minor"]
        left = [(name, code) for name, code in naming if code not in OF_FORM]
        if left:
            findings.by_row[at] = left

    def unstated(self, columns: dict[str, list[str]], numbers: Sequence[int]) -> list[int] | None:
        """Rows whose status column is empty; None where the file says nothing of the status at all."""
        column = self.column(columns)
        if column is None:
            return None
        return [number for number, text in zip(numbers, column, strict=True) if text in NO_VALUE or not text]
