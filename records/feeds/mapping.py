"""Which column of a file is which field of the catalogue entry: known, confirmed for the feed, or only proposed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError
from creditplatform.core.masking import scrub
from creditplatform.core.wording import joined
from records.enums import ColumnFate, FieldRole, Required
from records.feeds.headers import other_headers
from records.feeds.vocabulary import fold
from records.models import EntryField

LIKE_ENOUGH = 0.6  # share of common characters from which a field is proposed
MOST_PROPOSED_FOR = 100
HEADER_SHOWN = 100
TAKEN = frozenset({ColumnFate.NAME, ColumnFate.CONFIRMED})
OPEN = frozenset({ColumnFate.PROPOSED, ColumnFate.UNKNOWN})
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
DECORATION = re.compile(r"^\*+|[*:]+$|\((?:必填|选填|必填项|选填项|非必填|required|optional)\)$")


class WrongHeader(CreditError):
    """The file lacks columns it must have; names the fields, never what stood in the header."""


class ColumnsToConfirm(CreditError):
    """The header is nearly understood: a member of the unit has to say which column is which field."""

    http_status = 409
    default_code = "columns_to_confirm"
    default_message = _("Some columns of this file have to be confirmed before it is taken in.")

    def __init__(self, columns: "Sequence[Column]", missing: Sequence[EntryField]) -> None:
        super().__init__()
        self.columns, self.missing = list(columns), list(missing)


@dataclass(frozen=True)
class Column:
    """A named column of a file and what becomes of it; `field` is the field's code, empty where there is none."""

    position: int
    header: str
    field: str
    fate: str

    def as_data(self, *, filled: bool | None = None) -> dict[str, Any]:
        """For the batch that keeps it."""
        known = {} if filled is None else {"filled": filled}
        return {"header": self.header, "field": self.field, "fate": str(self.fate), **known}


@dataclass(frozen=True)
class ColumnMap:
    """Column positions by field code, the headers nobody knows, and every column with its fate."""

    positions: dict[str, int]
    unknown: list[str] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)


def header_key(text: str) -> str:
    """One form for comparing headers: brackets, widths, spaces, case and marks of required columns do not matter."""
    folded = INVISIBLE.sub("", fold(text)).casefold()
    return DECORATION.sub("", DECORATION.sub("", folded)) or folded


def shown(header: str) -> str:
    """A header as it is kept and shown: cut, and without numbers of persons where a file has no header at all."""
    return scrub(header.strip())[:HEADER_SHOWN]


def known_names(fields: Iterable[EntryField]) -> dict[str, str]:
    """Code of the field by every form of a header that stands for it without anybody's confirmation."""
    names: dict[str, str] = {}
    fields = list(fields)
    for item in fields:
        for text in (item.code, item.name, item.name_en, *item.aliases):
            names.setdefault(header_key(text), item.code)
    for item in fields:
        for text in other_headers(item.name):
            names.setdefault(header_key(text), item.code)
    return names


def map_columns(
    header: Sequence[str],
    fields: Iterable[EntryField],
    *,
    remembered: Mapping[str, str],
    constants: Mapping[str, str],
    dated_elsewhere: bool,
) -> ColumnMap:
    """Map a header by what was confirmed for the feed, then by code, name and other known headers.

    Raises ColumnsToConfirm where required fields lack a column and one nobody knows may be theirs, WrongHeader
    naming every such field where the header is not understood.
    """
    fields = list(fields)
    columns = read_header(header, fields, remembered=remembered)
    positions = {column.field: column.position for column in columns if column.fate in TAKEN}
    missing = [f for f in fields if f.code not in positions and is_needed(f, constants, dated_elsewhere)]
    if missing or not positions:
        raise _refusal(columns, missing)
    return ColumnMap(positions, [column.header for column in columns if column.fate in OPEN], columns)


def read_header(header: Sequence[str], fields: Sequence[EntryField], *, remembered: Mapping[str, str]) -> list[Column]:
    """Every named column in the order of the file; what was confirmed goes before names, the first before later ones.

    Fields that are left over are proposed for the columns they resemble most.
    """
    named = [(at, text) for at, text in enumerate(header) if text.strip()]
    names, codes = known_names(fields), {item.code for item in fields}
    confirmed = {header_key(text): code for text, code in remembered.items() if not code or code in codes}
    found: dict[int, tuple[str, str]] = {}
    for fate, known in ((ColumnFate.CONFIRMED, confirmed), (ColumnFate.NAME, names)):
        for at, text in named:
            code = known.get(header_key(shown(text)))
            if code is None or at in found:
                continue
            if not code:
                found[at] = ("", ColumnFate.IGNORED)
            elif code not in {taken for taken, _fate in found.values()}:
                found[at] = (code, fate)
    taken = {code for code, _fate in found.values()}
    proposed = propose(
        {at: text for at, text in named if at not in found}, [item for item in fields if item.code not in taken]
    )
    return [Column(at, shown(text), *found.get(at, proposed.get(at, ("", ColumnFate.UNKNOWN)))) for at, text in named]


def find_columns(header: Sequence[str], fields: Iterable[EntryField], *, remembered: Mapping[str, str]) -> ColumnMap:
    """Which column is which field, whether or not the header has all it must have; what is only proposed is none."""
    columns = read_header(header, list(fields), remembered=remembered)
    positions = {column.field: column.position for column in columns if column.fate in TAKEN}
    return ColumnMap(positions, [column.header for column in columns if column.fate in OPEN], columns)


def propose(unknown: Mapping[int, str], free: Sequence[EntryField]) -> dict[int, tuple[str, str]]:
    """For each unknown column the free field it resembles most, each field once; only ever a proposal."""
    names: dict[str, list[str]] = {}
    for key, code in known_names(free).items():
        names.setdefault(code, []).append(key)
    pairs = [
        (likeness, -at, code)
        for at, text in list(unknown.items())[:MOST_PROPOSED_FOR]
        for code, keys in names.items()
        if (likeness := max(_likeness(header_key(text), key) for key in keys)) >= LIKE_ENOUGH
    ]
    found: dict[int, tuple[str, str]] = {}
    for _likeness_of_pair, at, code in sorted(pairs, reverse=True):
        if -at not in found and code not in {taken for taken, _fate in found.values()}:
            found[-at] = (code, ColumnFate.PROPOSED)
    return found


def is_needed(item: EntryField, constants: Mapping[str, str], dated_elsewhere: bool) -> bool:
    """Whether a file must have a column for this field: it is always required and nothing else states it."""
    if item.required != Required.ALWAYS or item.role in constants:
        return False
    return not (dated_elsewhere and item.role == FieldRole.DECIDED_ON)


def _likeness(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= LIKE_ENOUGH else 0.0


def _refusal(columns: Sequence[Column], missing: Sequence[EntryField]) -> CreditError:
    """A question where half of the columns are understood and enough others are left for what is missing."""
    left = sum(1 for column in columns if column.fate in OPEN)
    understood = sum(1 for column in columns if column.fate != ColumnFate.UNKNOWN)
    if missing and left >= len(missing) and 2 * understood >= len(columns):
        return ColumnsToConfirm(columns, missing)
    return WrongHeader(
        "wrong_header",
        _("The file lacks these columns: %(columns)s. Compare its first row with the template of the entry."),
        columns=lazy(lambda: joined(item.label for item in missing) or "—", str)(),
    )
