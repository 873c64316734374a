"""Checks of a chunk column by column: whole columns at once, single values only where a column is not clean."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from creditplatform.core.masking import holds_number, may_hold_number
from records.enums import FieldRole, FieldType, Required, SubjectKind
from records.feeds import values
from records.feeds.delivery import last_days
from records.feeds.vocabulary import codes_by_word, effects, fold
from records.models import EntryField

Key = TypeVar("Key")
Value = TypeVar("Value")
KINDS_REQUIRED = {
    Required.PERSONS: frozenset({SubjectKind.PERSON}),
    Required.ORGANISATIONS: frozenset({SubjectKind.ORGANISATION}),
    Required.BUSINESSES: frozenset({SubjectKind.ORGANISATION, SubjectKind.BUSINESS}),
}
# What every formula begins with; looked for before the exact and slower question.
FORMULA_MARKS = frozenset("=@+-")
# Days that may lie so far ahead that there is none.
LAST_DAYS = frozenset({FieldRole.VALID_UNTIL, FieldRole.ENDED_ON})
SHORTEST_NUMBER = 11  # digits of a mobile telephone; all other numbers of persons are longer


@dataclass
class Findings:
    """Problems by row: index in the chunk → (field code, problem code)."""

    by_row: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, row: int, field_code: str, problem: str) -> None:
        """Note one problem."""
        self.by_row.setdefault(row, []).append((field_code, problem))

    def add_where(self, column: Sequence[object], bad: Iterable[object], field_code: str, problem: str) -> None:
        """Note a problem for every row whose value is among the bad ones."""
        wrong = set(bad)
        if wrong:
            for row, value in enumerate(column):
                if value in wrong:
                    self.add(row, field_code, problem)


class Memo(dict[Key, Value]):
    """What a text means, worked out once; forgets everything when it has grown too large."""

    def __init__(self, read: Callable[[Key], Value], limit: int = 20_000) -> None:
        super().__init__()
        self.read, self.limit = read, limit

    def __missing__(self, key: Key) -> Value:
        if len(self) >= self.limit:
            self.clear()
        value = self[key] = self.read(key)
        return value


class MemoOfMany(dict[Key, Value]):
    """What keys mean, worked out together for all that are not known yet; forgets everything when it is too large."""

    def __init__(self, read: Callable[[Sequence[Key]], Iterable[Value]], limit: int) -> None:
        super().__init__()
        self.read, self.limit = read, limit

    def of(self, keys: Sequence[Key]) -> list[Value]:
        """The value of every key, in order."""
        found = list(map(self.get, keys))
        if None in found:
            fresh = list(dict.fromkeys(key for key, value in zip(keys, found, strict=True) if value is None))
            known = dict(zip(fresh, self.read(fresh), strict=True))
            found = [known[key] if value is None else value for key, value in zip(keys, found, strict=True)]
            if len(self) + len(known) > self.limit:
                self.clear()
            self.update(known)
        return found  # type: ignore[return-value]


def clean(column: Sequence[str]) -> list[str]:
    """Texts without surrounding space; fillers such as / and 无 become nothing."""
    if not any(column):
        return list(column)
    stripped = list(map(str.strip, column))
    fillers = values.NO_VALUE.intersection(stripped)
    if fillers:
        return ["" if text in fillers else text for text in stripped]
    return stripped


def in_codes(item: EntryField, column: list[str]) -> list[str]:
    """The column with codes in the place of words where a standard wants the code: 有效 is 1."""
    codes = codes_by_word(item.code) if item.type == FieldType.CHOICE else {}
    if not codes:
        return column
    words = {t: code for t in set(column) - {*item.choices, ""} if (code := codes.get(fold(t))) in item.choices}
    return [words.get(text, text) for text in column] if words else column


def check_texts(item: EntryField, column: Sequence[str], findings: Findings) -> None:
    """Length, unseen characters, formula beginnings, numbers of persons; a few passes in C over a clean column."""
    if not any(column):
        return
    longest = max(map(len, column), default=0)
    if longest > item.length:
        findings.add_where(column, {t for t in column if len(t) > item.length}, item.code, "too_long")
    if item.pattern:
        form = re.compile(item.pattern)
        findings.add_where(column, {t for t in set(column) if t and not form.fullmatch(t)}, item.code, "pattern")
    whole = "".join(column)
    if is_open_text(item) and longest >= SHORTEST_NUMBER and may_hold_number(whole):
        personal = {t for t in set(column) if may_hold_number(t) and holds_number(t)}
        findings.add_where(column, personal, item.code, "personal_in_text")
    plain = whole.isprintable()
    if not plain and values.has_unseen("\n".join(column)):
        findings.add_where(column, {t for t in column if values.has_unseen(t)}, item.code, "control_characters")
    if (not plain or _may_begin_formula(column, whole)) and values.begins_like_formula("\n".join(column)):
        findings.add_where(column, {t for t in column if values.begins_like_formula(t)}, item.code, "formula")
    _check_powers_of_ten(item, column, whole, findings)


def _may_begin_formula(column: Sequence[str], whole: str) -> bool:
    """Whether a text begins as every formula does; most columns hold none of these marks anywhere."""
    return any(mark in whole for mark in FORMULA_MARKS) and not FORMULA_MARKS.isdisjoint([text[:1] for text in column])


def _check_powers_of_ten(item: EntryField, column: Sequence[str], whole: str, findings: Findings) -> None:
    """Numbers such as 4.413E+17, which a spreadsheet has written into a CSV file in the place of all their digits."""
    if item.type not in READ_PROBLEM and "E+" in whole:
        findings.add_where(column, {t for t in column if values.is_power_of_ten(t)}, item.code, "precision_lost")


def is_open_text(item: EntryField) -> bool:
    """Whether a field holds free text that is shown to the public, so that no number of a person may stand in it."""
    return item.type == FieldType.TEXT and item.published and item.role == FieldRole.CONTENT


def check_required(
    item: EntryField, column: Sequence[str], kinds: Sequence[str], columns: dict[str, list[str]], findings: Findings
) -> None:
    """Empty cells of a field that must be filled, always or for the kind of subject or because of another field."""
    if item.required == Required.NEVER or "" not in column:
        return
    empty = [row for row, text in enumerate(column) if not text]
    if item.required in KINDS_REQUIRED:
        wanted = KINDS_REQUIRED[Required(item.required)]
        empty = [row for row in empty if kinds[row] in wanted]
    elif item.required == Required.WHEN:
        empty = _where_condition_holds(item, empty, columns)
    for row in empty:
        findings.add(row, item.code, "required")


def _where_condition_holds(item: EntryField, rows: list[int], columns: dict[str, list[str]]) -> list[int]:
    other = columns.get(item.when_field)
    if other is None:
        return []
    if not item.when_any:
        return [row for row in rows if other[row]]
    wanted = set(item.when_any)
    found: Memo[str, bool] = Memo(lambda text: bool(wanted.intersection(_codes(text))))
    return [row for row in rows if found[other[row]]]


def _codes(text: str) -> list[str]:
    return effects().find(text, ";；、", frozenset()) or [text]


def read_column(item: EntryField, column: list[str], memo: Memo[str, str | None], findings: Findings) -> list[str]:
    """The column in its one spelling: dates as ISO text, amounts as decimal text; what cannot be read is noted."""
    problem = READ_PROBLEM.get(item.type)
    if problem is None:
        return column
    read = list(map(memo.__getitem__, column))
    if None in read:
        why = WHY.get(item.type)
        for row, value in enumerate(read):
            if value is None:
                findings.add(row, item.code, why(column[row]) if why else problem)
        return [value or "" for value in read]
    return read  # type: ignore[return-value]


READ_PROBLEM: dict[str, str] = {
    FieldType.DATE: "not_a_date",
    FieldType.AMOUNT: "not_an_amount",
    FieldType.INTEGER: "not_a_number",
    FieldType.CHOICE: "unknown_choice",
    FieldType.EFFECTS: "unknown_effect",
}

# What cannot be read, told apart further.
WHY: dict[str, Callable[[str], str]] = {FieldType.DATE: values.why_no_date, FieldType.AMOUNT: values.why_no_amount}


def reader_of(item: EntryField) -> Callable[[str], str | None]:
    """How one cell of this field is read; empty stays empty, None means it cannot be read."""
    choices = frozenset(item.choices)
    ends = item.role in LAST_DAYS or item.code in last_days()
    day_of = values.parse_last_day if ends else values.parse_date
    readers: dict[str, Callable[[str], str | None]] = {
        FieldType.DATE: lambda text: day.isoformat() if (day := day_of(text)) else None,
        FieldType.AMOUNT: values.parse_amount,
        FieldType.INTEGER: values.parse_integer,
        FieldType.CHOICE: lambda text: text if not choices or _fits(text, choices) else None,
        FieldType.EFFECTS: lambda text: effects().in_order(text, item.separators, choices),
    }
    read = readers.get(item.type, _as_written)
    return lambda text: read(text) if text else ""


def _as_written(text: str) -> str | None:
    return text


def _fits(text: str, choices: frozenset[str]) -> bool:
    """Whether a text is one of the choices; a choice that ends in “-” or “-…” allows what follows it."""
    if text in choices:
        return True
    return any(text.startswith(choice.rstrip("….")) for choice in choices if choice.rstrip("….").endswith("-"))


def role_column(columns: dict[str, list[str]], item: EntryField | None, length: int, constant: str = "") -> list[str]:
    """The column that feeds a part of the record, else the feed's constant, else nothing."""
    if item is not None and item.code in columns:
        return columns[item.code]
    return [constant] * length
