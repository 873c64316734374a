"""Which cell styles of a workbook show numbers as dates."""

from __future__ import annotations

import re
from enum import Enum

from .xlsx_package import Package


class NumberKind(Enum):
    """How a numeric cell is shown."""

    NUMBER = "number"
    DATE = "date"
    ELAPSED = "elapsed"


BUILT_IN_DATES = {*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)}  # 27–36 and 50–58: Chinese locales
BUILT_IN_ELAPSED = {46}
LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.')
ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
BRACKETS = re.compile(r"\[[^\]]*\]")
DATE_LETTERS = re.compile(r"[ymdhs]|(?<![0#?.])e(?![+\-])", re.IGNORECASE)


def format_kind(code: str) -> NumberKind:
    """How a number format such as 'yyyy\\-mm\\-dd', '[h]:mm' or '#,##0.00' shows a number."""
    first = LITERAL.sub("", code).partition(";")[0]
    if ELAPSED.search(first):
        return NumberKind.ELAPSED
    bare = BRACKETS.sub("", first)
    if bare.strip().lower() in ("", "general", "@"):
        return NumberKind.NUMBER
    if DATE_LETTERS.search(re.sub("general", "", bare, flags=re.IGNORECASE)):
        return NumberKind.DATE
    return NumberKind.NUMBER


def style_kinds(package: Package, part: str | None) -> list[NumberKind]:
    """For every cell style by its index, how numbers are shown."""
    if part is None or part not in package:
        return []
    root = package.small(part)
    custom = {
        node.get("numFmtId"): format_kind(node.get("formatCode") or "")
        for node in root.iterfind("{*}numFmts/{*}numFmt")
    }
    return [_kind(node.get("numFmtId") or "0", custom) for node in root.iterfind("{*}cellXfs/{*}xf")]


def _kind(identifier: str, custom: dict[str | None, NumberKind]) -> NumberKind:
    if identifier in custom:
        return custom[identifier]
    number = int(identifier) if identifier.isdecimal() else 0
    if number in BUILT_IN_ELAPSED:
        return NumberKind.ELAPSED
    return NumberKind.DATE if number in BUILT_IN_DATES else NumberKind.NUMBER
