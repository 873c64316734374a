"""What the tag of a plain cell says: learned once per wording, then looked up in a dictionary."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from .values import unescape_xml
from .xlsx_cells import Rendered, Renderer, column_index

HEAD = re.compile(r'([A-Z]{1,3})(?:" s="([0-9]{1,6}))?(?:" t="([a-zA-Z]+))?(?:" f="([12]))?')
FORMULA_CODES = {None: "", "1": "formula_cell", "2": "formula_without_value"}
REMEMBERED = 50_000  # values of one kind of cell
LONGEST_REMEMBERED = 24
MOST_SHAPES = 1_000
GAP, MARK = "\n", "\0"


class IrregularShapeError(Exception):
    """This is not of the plain shape; the event parser has to read it."""


class DoubtfulCellError(Exception):
    """A cell of this row needs more than its text."""


class Texts(dict[str, str]):
    """Stored value → shown text, remembered while there are few.

    Raises DoubtfulCellError where a warning is due.
    """

    def __init__(self, render: Callable[[str], Rendered]) -> None:
        super().__init__()
        self._render = render

    def __missing__(self, value: str) -> str:
        text, code = self._render(value) if value else ("", "")
        if code:
            raise DoubtfulCellError
        if len(value) < LONGEST_REMEMBERED:
            if len(self) > REMEMBERED:
                self.clear()
            self[value] = text
        return text


class EscapedTexts(dict[str, str]):
    """Stored value → shown text, for blocks in which anything is escaped."""

    def __init__(self, render: Callable[[str], Rendered]) -> None:
        super().__init__()
        self._render = render

    def __missing__(self, value: str) -> str:
        text, code = self._render(unescape_xml(value)) if value else ("", "")
        if code:
            raise DoubtfulCellError
        return text


class SameTexts(dict[str, str]):
    """Stored text that is shown as it is."""

    __missing__ = staticmethod(str)


class DoubtfulTexts(dict[str, str]):
    """Finds every cell doubtful: for those with formulas or beyond the width."""

    def __missing__(self, value: str) -> str:
        raise DoubtfulCellError


class Columns(dict[str, int]):
    """The start of a cell's tag, without its row number → its column; 0 where the table finds it doubtful."""

    def __init__(self, heads: Heads) -> None:
        super().__init__()
        self._heads = heads

    def __missing__(self, head: str) -> int:
        column = self[head] = self._heads.column(head)
        return column


class Tables(dict[str, dict[str, str]]):
    """The start of a cell's tag, without its row number → the table of its texts."""

    def __init__(self, heads: Heads, escaped: bool) -> None:
        super().__init__()
        self._heads, self._escaped = heads, escaped

    def __missing__(self, head: str) -> dict[str, str]:
        table = self[head] = self._heads.table(head, self._escaped)
        return table


class RowShape(NamedTuple):
    """Columns and tables of a row's cells; `template` is all their heads with a mark for the row number."""

    template: str
    columns: list[int]
    tables: list[dict[str, str]]


class Heads:
    """All that is known of the heads of one sheet; `width` is the number of columns kept."""

    def __init__(self, renderer: Renderer, width: int) -> None:
        self._renderer, self._width = renderer, width
        self.columns = Columns(self)
        self.tables, self.escaped_tables = Tables(self, False), Tables(self, True)
        self._shapes: dict[tuple[int, int, bool], RowShape] = {}
        self._texts: dict[tuple[Callable[[str], Rendered], bool], dict[str, str]] = {}

    def shape(self, heads: list[str], number: str, escaped: bool) -> RowShape:
        """What the heads of a row's cells say; rows of the same make as an earlier one cost a comparison.

        The shape is looked up by the number and length of the heads and believed only if it fits exactly.
        """
        joined = GAP.join(heads)
        likeness = (len(heads), len(joined) - len(heads) * len(number), escaped)
        known = self._shapes.get(likeness)
        if known is not None and known.template.replace(MARK, number) == joined:
            return known
        keys = [head.replace(number, "", 1) for head in heads]
        tables = self.escaped_tables if escaped else self.tables
        shape = RowShape(
            GAP.join([head.replace(number, MARK, 1) for head in heads]),
            list(map(self.columns.__getitem__, keys)),
            list(map(tables.__getitem__, keys)),
        )
        if len(self._shapes) > MOST_SHAPES:
            self._shapes.clear()
        self._shapes[likeness] = shape
        return shape

    def details(self, head: str) -> tuple[int, Callable[[str], Rendered], str]:
        """Column, rendering and formula code of a cell; IrregularShapeError when its tag is not plain."""
        match = HEAD.fullmatch(head)
        if not match:
            raise IrregularShapeError
        letters, style, kind, formula = match.groups()
        render = self._renderer.renderer(kind or "", int(style or 0))
        shows_nothing = formula == "2" and kind == "str"
        return column_index(letters), render, FORMULA_CODES["1" if shows_nothing else formula]

    def column(self, head: str) -> int:
        """Column of the cell, from 0; 0 for one beyond the width, which its table will find doubtful."""
        column = self.details(head)[0]
        return column if column < self._width else 0

    def table(self, head: str, escaped: bool) -> dict[str, str]:
        """The texts of such cells by what they store."""
        column, render, formula = self.details(head)
        if formula or column >= self._width:
            return DoubtfulTexts()
        if self._renderer.is_shared(render):
            return self._renderer.strings.texts
        key = (render, escaped)
        if key not in self._texts:
            same = render == self._renderer.text
            self._texts[key] = EscapedTexts(render) if escaped else SameTexts() if same else Texts(render)
        return self._texts[key]
