"""Which column of a file is which field of the catalogue entry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError
from records.enums import FieldRole, Required
from records.feeds.vocabulary import fold
from records.models import EntryField


class WrongHeader(CreditError):
    """The file lacks columns it must have; names the fields, never what stood in the header."""


@dataclass(frozen=True)
class ColumnMap:
    """Column positions by field code, and the headers nobody knows."""

    positions: dict[str, int]
    unknown: list[str] = field(default_factory=list)


def header_key(text: str) -> str:
    """One form for comparing headers: brackets, widths, spaces and case do not matter."""
    return fold(text).casefold()


def map_columns(
    header: Sequence[str],
    fields: Iterable[EntryField],
    *,
    remembered: Mapping[str, str],
    constants: Mapping[str, str],
    dated_elsewhere: bool,
) -> ColumnMap:
    """Map a header by what was confirmed for the feed, then by code, name and other known headers.

    Raises WrongHeader naming every required field without a column.
    """
    fields = list(fields)
    found = find_columns(header, fields, remembered=remembered)
    missing = [f for f in fields if f.code not in found.positions and is_needed(f, constants, dated_elsewhere)]
    if missing or not found.positions:
        raise WrongHeader(
            "wrong_header",
            _("The file lacks these columns: %(columns)s. Compare its first row with the template of the entry."),
            columns="、".join(f.name for f in missing) or "—",
        )
    return found


def find_columns(header: Sequence[str], fields: Iterable[EntryField], *, remembered: Mapping[str, str]) -> ColumnMap:
    """Which column is which field, whether or not the header has all it must have."""
    names = _known_names(fields)
    confirmed = {header_key(column): code for column, code in remembered.items()}
    positions: dict[str, int] = {}
    unknown = []
    for position, column in enumerate(header):
        key = header_key(column)
        code = confirmed.get(key) or names.get(key)
        if code and code not in positions:
            positions[code] = position
        elif column.strip():
            unknown.append(column.strip()[:100])
    return ColumnMap(positions, unknown)


def _known_names(fields: Iterable[EntryField]) -> dict[str, str]:
    names: dict[str, str] = {}
    for item in fields:
        for text in (item.code, item.name, item.name_en, *item.aliases):
            names.setdefault(header_key(text), item.code)
    return names


def is_needed(item: EntryField, constants: Mapping[str, str], dated_elsewhere: bool) -> bool:
    """Whether a table must have a column for a field."""
    if item.required != Required.ALWAYS or item.role in constants:
        return False
    return not (dated_elsewhere and item.role == FieldRole.DECIDED_ON)
