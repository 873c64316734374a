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
from records.enums import ColumnFate, FieldRole, FieldType, Required
from records.feeds.delivery import DIGITS_OF_2015, marks_of_2015, state_headers_of_2015
from records.feeds.headers import other_headers
from records.feeds.vocabulary import fold
from records.models import EntryField

LIKE_ENOUGH = 0.6  # share of common characters from which a field is proposed
MOST_PROPOSED_FOR = 100
HEADER_SHOWN = 100
TAKEN = frozenset({ColumnFate.NAME, ColumnFate.CONFIRMED})
OPEN = frozenset({ColumnFate.PROPOSED, ColumnFate.UNKNOWN})
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
# What the header of an amount may say it is counted in, and how a cell says the same; amounts are kept in 万元.
UNITS = {"万元": "", "亿元": "亿元", "元": "元", "10,000yuan": "", "yuan": "元"}
UNIT = re.compile(r"\((万元|亿元|元|10,000yuan|yuan)\)$")
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
    """Column positions by field code, the headers nobody knows, and every column with its fate.

    `units` is in what the bare numbers of a column are counted, by position, where its header says other than 万元;
    `states` are the columns whose digits are those of the standard of 2015, so that they are read in words.
    """

    positions: dict[str, int]
    unknown: list[str] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    units: dict[int, str] = field(default_factory=dict)
    states: tuple[int, ...] = ()


def header_key(text: str) -> str:
    """One form for comparing headers: brackets, widths, spaces, case and marks of required columns do not matter."""
    folded = INVISIBLE.sub("", fold(text)).casefold()
    return DECORATION.sub("", DECORATION.sub("", folded)) or folded


def shown(header: str) -> str:
    """A header as it is kept and shown: cut, and without numbers of persons where a file has no header at all."""
    return scrub(header.strip())[:HEADER_SHOWN]


def known_names(fields: Iterable[EntryField]) -> dict[str, str]:
    """Code of the field by every form of a header that stands for it without anybody's confirmation.

    The header of an amount says in what it is counted; one that does not is asked about, see `map_columns`.
    """
    names: dict[str, str] = {}
    fields = list(fields)
    for item in fields:
        for text in (item.code, item.name, item.name_en, *item.aliases):
            for key in _keys(item, text):
                names.setdefault(key, item.code)
    for item in fields:
        for text in other_headers(item.name):
            for key in _keys(item, text):
                names.setdefault(key, item.code)
    return names


def _keys(item: EntryField, text: str) -> list[str]:
    """The forms of a header for comparison; of an amount with every unit, and with none only by the field's code."""
    key = header_key(text)
    if item.type != FieldType.AMOUNT or text == item.code:
        return [key]
    bare = UNIT.sub("", key)
    return [f"{bare}({unit})" for unit in UNITS] if bare != key else []


def _texts(item: EntryField) -> list[str]:
    return [item.name, item.name_en, *item.aliases, *other_headers(item.name)]


def unit_of(header: str) -> str:
    """In what the header of an amount says that bare numbers are counted, as a cell would say it; empty for 万元."""
    found = UNIT.search(header_key(header))
    return UNITS[found[1]] if found else ""


def _without_unit(columns: Iterable[Column], fields: Iterable[EntryField]) -> list[EntryField]:
    """Amounts whose column nobody has confirmed, since it bears the name and does not say in what it is counted."""
    amounts = {item.code: item for item in fields if item.type == FieldType.AMOUNT}
    bare = {(UNIT.sub("", header_key(text)), item.code) for item in amounts.values() for text in _texts(item)}
    asked = [one for one in columns if one.fate == ColumnFate.PROPOSED]
    return [amounts[one.field] for one in asked if (header_key(one.header), one.field) in bare]


def _units(columns: Iterable[Column], fields: Iterable[EntryField]) -> dict[int, str]:
    amounts = {item.code for item in fields if item.type == FieldType.AMOUNT}
    taken = [one for one in columns if one.fate in TAKEN and one.field in amounts]
    return {one.position: unit for one in taken if (unit := unit_of(one.header))}


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
    if doubtful := _without_unit(columns, fields):
        raise ColumnsToConfirm(columns, doubtful)
    return _mapped(columns, fields)


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
    fields = list(fields)
    return _mapped(read_header(header, fields, remembered=remembered), fields)


def _mapped(columns: list[Column], fields: Sequence[EntryField]) -> ColumnMap:
    positions = {column.field: column.position for column in columns if column.fate in TAKEN}
    unknown = [column.header for column in columns if column.fate in OPEN]
    states = _states_of_2015(columns, fields)
    status = next((item.code for item in fields if item.role == FieldRole.SOURCE_STATUS), "")
    if states and status:  # whatever else the standard in force reads there, it says whether the source stands by it
        positions.setdefault(status, states[0])
    return ColumnMap(positions, unknown, columns, _units(columns, fields), states)


def _states_of_2015(columns: Sequence[Column], fields: Iterable[EntryField]) -> tuple[int, ...]:
    """The column whose digits are those of the standard of 2015, where the file has columns that only that one has.

    Not where the entry itself reads those digits as the state of the datum.
    """
    if not {header_key(text) for text in marks_of_2015()}.intersection(header_key(one.header) for one in columns):
        return ()
    own = {one.code for one in fields if one.role == FieldRole.SOURCE_STATUS and DIGITS_OF_2015.issubset(one.choices)}
    states = {header_key(text) for text in state_headers_of_2015()}
    named = [one for one in columns if header_key(one.header) in states and one.fate in TAKEN and one.field not in own]
    return tuple(one.position for one in named)[:1]


def propose(unknown: Mapping[int, str], free: Sequence[EntryField]) -> dict[int, tuple[str, str]]:
    """For each unknown column the free field it resembles most, each field once; only ever a proposal."""
    names = {item.code: {header_key(text) for text in (item.code, *_texts(item))} for item in free}
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
