"""Rows set aside of one feed as one table, whatever headers their files had: for the marked workbook and the re-run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.utils import timezone

from records.enums import FieldRole
from records.feeds.mapping import find_columns
from records.feeds.mending import BEYOND
from records.feeds.plan import Plan
from records.models import EntryField, Feed, FeedBatch
from records.querysets import QuarantinedRowQuerySet

AT_A_TIME = 2000
MOST_ROWS = 100_000


@dataclass(frozen=True)
class TableRow:
    """One row: its key and revision, line and problems, and a text for every column of the table."""

    pk: int
    revision: int
    batch_id: int
    line_number: int
    problems: list[dict[str, str]]
    texts: list[str]


@dataclass
class SetAsideTable:
    """Columns in the order of the senders, one per field even where files named it differently; unknown ones by name.

    Reads the rows twice, sealed cells and all, and keeps none of them. At most `MOST_ROWS` rows.
    """

    plan: Plan
    feed: Feed
    rows: QuarantinedRowQuerySet
    columns: dict[str, str] = field(default_factory=dict)  # code of the field, or "=" and the name → name shown
    _keys: dict[tuple[str, ...], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find out which columns there are; those without a header of their own come last."""
        for _row, cells in self._cells():
            self._keys_of(tuple(cells))
        beyond = [key for key in self.columns if BEYOND.fullmatch(key.removeprefix("="))]
        self.columns |= {key: self.columns.pop(key) for key in beyond}
        day = self.plan.by_role.get(FieldRole.DECIDED_ON)
        if day and day.code not in self.columns and (self.feed.dated_by_receipt or self._some_dated()):
            self.columns[day.code] = day.name

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return list(self.columns.values())

    def places(self) -> dict[str, int]:
        """The place of each field's column, by its code."""
        return {key: at for at, key in enumerate(self.columns) if not key.startswith("=")}

    def __iter__(self) -> Iterator[TableRow]:
        """The rows, oldest first."""
        for row, cells in self._cells():
            said = dict(zip(self._keys_of(tuple(cells)), cells.values(), strict=True))
            said = {**self._unsaid(row, said), **said}
            texts = [said.get(key, "") for key in self.columns]
            yield TableRow(row["pk"], row["revision"], row["batch_id"], row["line_number"], row["problems"], texts)

    def _cells(self) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
        wanted = self.rows.filter(feed=self.feed, cells__isnull=False).order_by("pk")[:MOST_ROWS]
        names = ("pk", "revision", "batch_id", "line_number", "problems", "cells")
        for row in wanted.values(*names, "batch__dated_on", "batch__received_at").iterator(chunk_size=AT_A_TIME):
            yield row, msgspec.json.decode(row["cells"], type=dict[str, str])

    def _keys_of(self, header: tuple[str, ...]) -> list[str]:
        if header not in self._keys:
            found = find_columns(header, self.plan.fields, remembered=self.feed.mapping).positions
            codes = {at: code for code, at in found.items()}
            keys = self._keys[header] = [codes.get(at, f"={name}") for at, name in enumerate(header)]
            for key, name in zip(keys, header, strict=True):
                self.columns.setdefault(key, name)
        return self._keys[header]

    def _some_dated(self) -> bool:
        return self.rows.filter(feed=self.feed, batch__dated_on__isnull=False).exists()

    def _unsaid(self, row: dict[str, Any], said: dict[str, str]) -> dict[str, str]:
        """What a row lacks that its feed or its file states for it; a date of the file also fills an empty cell."""
        constants = {
            item.code: self.plan.constants[item.role] for item in self.plan.fields if item.role in self.plan.constants
        }
        day = self.plan.by_role.get(FieldRole.DECIDED_ON)
        dated = row["batch__dated_on"] or (self.feed.dated_by_receipt and timezone.localdate(row["batch__received_at"]))
        if day and dated and not said.get(day.code):
            said.pop(day.code, None)
            constants[day.code] = dated.isoformat()
        return constants


def day_of(batch: FeedBatch) -> Any:
    """The date that stands for an undated row of a batch, if there is one."""
    return batch.dated_on or (timezone.localdate(batch.received_at) if batch.feed.dated_by_receipt else None)


def delivered_by_field(cells: dict[str, str], fields: list[EntryField], feed: Feed) -> dict[str, str]:
    """The cells of one row by the code of the field they belong to."""
    header = list(cells)
    found = find_columns(header, fields, remembered=feed.mapping).positions
    return {code: cells[header[at]] for code, at in found.items()}
