"""What the person of a row belongs to: a key group with its licence, an organisation known by its exact code."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from creditplatform.core.identity import normalise
from records.enums import FieldRole
from records.feeds.columns import role_column
from records.feeds.plan import Plan


class Numbered(Protocol):
    """A row that is accepted."""

    @property
    def number(self) -> int:
        """Its place in the file."""


class Tie(msgspec.Struct, array_like=True, gc=False):
    """Licence number, credit code and name of the organisation, first day and first day without, as stated.

    Days are ISO text; no first day means that of the decision, no first day without means no end.
    """

    licence: str
    code: str
    name: str
    since: str
    until: str


class TieReader:
    """Reads ties of chunk after chunk; nothing where the entry makes none."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.wanted = bool(plan.version.key_group or plan.version.affiliation)

    def of(
        self,
        columns: dict[str, list[str]],
        documents: Sequence[str],
        ends: Sequence[str],
        rows: Iterable[Numbered],
        numbers: Sequence[int],
    ) -> dict[int, Tie]:
        """The tie of every accepted row, by its number. The licence is the document itself where no field names one."""
        if not self.wanted:
            return {}
        length = len(numbers)
        licences = self._column(columns, FieldRole.LICENCE_NUMBER, length)
        codes = self._column(columns, FieldRole.BELONGS_TO_CODE, length)
        names = self._column(columns, FieldRole.BELONGS_TO_NAME, length)
        begins = self._column(columns, FieldRole.VALID_FROM, length)
        places = {number: at for at, number in enumerate(numbers)}
        return {
            row.number: Tie(licences[at] or documents[at], normalise(codes[at]), names[at], begins[at], ends[at])
            for row in rows
            if (at := places.get(row.number)) is not None
        }

    def _column(self, columns: dict[str, list[str]], role: str, length: int) -> list[str]:
        return role_column(columns, self.plan.by_role.get(role), length, self.plan.constants.get(role, ""))
