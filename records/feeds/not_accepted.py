"""The rows of a batch that were not accepted: its own, and those that an earlier delivery has set aside already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import merge
from itertools import islice

from records.enums import RowState
from records.feeds.delivery import with_state
from records.feeds.problems import sentence
from records.models import EntryField, FeedBatch, QuarantinedRow, RepeatedRow


@dataclass(frozen=True)
class NotAccepted:
    """Where a row stands in the file, the row set aside that holds its reason, and why it was not taken itself.

    `repeats` says that it is known by another delivery or line.
    """

    number: int
    line: int
    row: QuarantinedRow
    code: str = ""
    repeats: bool = False

    @property
    def problems(self) -> list[dict[str, str]]:
        """By field and code: what is wrong with the row now, or why what the file says of it was not taken."""
        return [{"field": "", "code": self.code}] if self.code else self.row.problems

    def in_words(self, fields: Mapping[str, EntryField]) -> list[tuple[str, str]]:
        """Every problem: name of the field, and how to mend it there."""
        return in_words(self.problems, fields)


def in_words(problems: Iterable[Mapping[str, str]], fields: Mapping[str, EntryField]) -> list[tuple[str, str]]:
    """Problems as name of the field, in the language of the page, and how to mend it in that field of a file."""
    found = [(one, fields.get(one["field"])) for one in problems]
    return [(item.label if item else one["field"], sentence(one["code"], item)) for one, item in found]


def fields_of(batch: FeedBatch) -> dict[str, EntryField]:
    """The fields of the batch's entry by code, newest version last."""
    fields = EntryField.objects.filter(version__entry=batch.feed.entry_id).order_by("version__number")
    return {item.code: item for item in with_state({one.code: one for one in fields}.values())}


def not_accepted(batch: FeedBatch, *, after: int = 0, limit: int, rejected: bool | None = None) -> list[NotAccepted]:
    """Rows of a batch in the order of the file, those rejected or the others or both; two queries."""
    own = batch.rows.filter(row_number__gt=after).order_by("row_number").defer("cells", "reason")
    again = batch.repeats.filter(row_number__gt=after).order_by("row_number").select_related("row")
    again = again.defer("row__cells", "row__reason")
    if rejected is not None:
        fate = {"state": RowState.REJECTED}
        own = own.filter(**fate) if rejected else own.exclude(**fate)
        again = again.filter(row__state=RowState.REJECTED) if rejected else again.exclude(row__state=RowState.REJECTED)
    first = _of_rows(own[:limit])
    return list(islice(merge(first, _of_repeats(again[:limit]), key=lambda one: one.number), limit))


def _of_rows(rows: Iterable[QuarantinedRow]) -> list[NotAccepted]:
    return [NotAccepted(row.row_number, row.line_number, row) for row in rows]


def _of_repeats(repeats: Iterable[RepeatedRow]) -> list[NotAccepted]:
    return [NotAccepted(one.row_number, one.line_number, one.row, one.code, repeats=True) for one in repeats]
