"""What the pages of rows set aside show: rows with their problems in words, one row with its fields and its story."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from django.apps import apps
from django.utils import timezone

from creditplatform.core.models import User
from records.desk.mending_form import MendingForm
from records.enums import RowState
from records.feeds import not_accepted
from records.feeds.delivery import with_state
from records.feeds.problems import sentence
from records.models import EntryField, Feed, QuarantinedRow
from records.services.setaside_table import delivered_by_field

PAGE = 50


@dataclass(frozen=True)
class Problem:
    """What is wrong, in words; `field` is its name, empty where the whole row is meant."""

    field: str
    text: str
    code: str


@dataclass(frozen=True)
class ListedRow:
    """A row as a list shows it: its place and its problems, never its cells."""

    row: QuarantinedRow
    problems: list[Problem]


@dataclass(frozen=True)
class Mended:
    """One field of the row page: its input, what was delivered, what is wrong with it."""

    bound: Any
    delivered: str
    problems: list[Problem]


@dataclass(frozen=True)
class Change:
    """Something that happened to a row: when, who, and the columns that said something else before."""

    at: Any
    by: str
    columns: list[str]
    state: str


def listed(rows: Iterable[QuarantinedRow]) -> list[ListedRow]:
    """Rows with their problems in words; one query for the names of the fields."""
    found = list(rows)
    fields = fields_of_entries({row.feed.entry_id for row in found})
    return [ListedRow(row, in_words(row, fields[row.feed.entry_id])) for row in found]


def fields_of_entries(entries: set[int]) -> dict[int, dict[str, EntryField]]:
    """The fields of entries by code, those of the newest version last."""
    found: dict[int, dict[str, EntryField]] = {entry: {} for entry in entries}
    fields = EntryField.objects.filter(version__entry__in=entries).order_by("version__number")
    for item in fields.select_related("version"):
        found[item.version.entry_id][item.code] = item
    return {entry: {item.code: item for item in with_state(known.values())} for entry, known in found.items()}


def field_labels(entry: int) -> dict[str, str]:
    """Names of the fields of an entry by code, in the language of the page."""
    return {code: item.label for code, item in fields_of_entries({entry})[entry].items()}


def in_words(row: QuarantinedRow, fields: Mapping[str, EntryField]) -> list[Problem]:
    """The problems of a row."""
    told = not_accepted.in_words(row.problems, fields)
    return [Problem(name, text, one["code"]) for (name, text), one in zip(told, row.problems, strict=True)]


def feeds_of(user: User, agencies: set[int]) -> list[Feed]:
    """Feeds of units, for choosing one."""
    return list(Feed.objects.filter(agency__in=agencies).select_related("agency", "entry").order_by("agency", "code"))


def cells_of(row: QuarantinedRow) -> dict[str, str]:
    """The cells of a row by column; none of one that may not be kept."""
    return msgspec.json.decode(row.cells, type=dict[str, str]) if row.cells else {}


def columns_in_words(feed: Feed, fields: Mapping[str, EntryField]) -> dict[str, str]:
    """Names of the fields by the header of their column in the files of the feed, in the language of the page."""
    return {header: item.label for item in fields.values() for header in (item.code, item.name, *item.aliases)} | {
        header: fields[code].label for header, code in feed.mapping.items() if code in fields
    }


def cells_shown(row: QuarantinedRow, labels: dict[str, str]) -> list[tuple[str, str, str]]:
    """The cells that say something: name of the field, the header of the file where it differs, the text."""
    found = [(labels.get(column, column), column, text) for column, text in cells_of(row).items() if text]
    return [(label, column if column != label else "", text) for label, column, text in found]


def mended_fields(form: MendingForm, row: QuarantinedRow) -> tuple[list[Mended], list[Mended]]:
    """The fields of the form: first those with something wrong, then the others."""
    delivered = delivered_by_field(cells_of(row), form.items, row.feed)
    by_field: dict[str, list[Problem]] = {}
    items = {item.code: item for item in form.items}
    for problem in row.problems:
        told = Problem("", sentence(problem["code"], items.get(problem["field"]), form=True), problem["code"])
        by_field.setdefault(problem["field"], []).append(told)
    fields = [Mended(form[i.code], delivered.get(i.code, ""), by_field.get(i.code, [])) for i in form.items]
    return [one for one in fields if one.problems], [one for one in fields if not one.problems]


def problems_of_the_whole(form: MendingForm, row: QuarantinedRow) -> list[Problem]:
    """Problems that no field of the form stands for."""
    known = {item.code for item in form.items}
    others = [problem for problem in row.problems if problem["field"] not in known]
    return [Problem(problem["field"], sentence(problem["code"], form=True), problem["code"]) for problem in others]


def story_of(row: QuarantinedRow, labels: dict[str, str]) -> list[Change]:
    """What happened to a row since it was set aside, newest first: names of columns, never what they said."""
    history: Any = apps.get_model("records", "QuarantinedRowEvent")
    before = list(history.objects.filter(pgh_obj_id=row.pk).order_by("pgh_id"))
    after = [*before[1:], row] if before else []
    people = {user.pk: str(user) for user in User.objects.filter(pk__in={_actor(event) for event in before} - {None})}
    changes = []
    for old, new in zip(before, after, strict=True):
        one, other = cells_of(old), cells_of(new)
        differing = [name for name in {**one, **other} if one.get(name, "") != other.get(name, "")] if new.cells else []
        columns = [labels.get(name, name) for name in differing]
        if (old.revision, old.state) == (new.revision, new.state):
            continue  # nothing of it that anybody could see
        by = people.get(_actor(old), "")
        changes.append(Change(timezone.localtime(old.pgh_created_at), by, columns, str(RowState(new.state).label)))
    return changes[::-1]


def _actor(event: Any) -> Any:
    return (event.pgh_context or {}).get("actor")
