"""What the tags of plain cells say, learned once per wording, and whole columns of such cells turned into text."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from .values import unescape_xml
from .xlsx_cells import Rendered, Renderer, column_index
from .xlsx_strings import SharedStrings

HEAD = re.compile(r'([A-Z]{1,3})(?:" s="([0-9]{1,6}))?(?:" t="([a-zA-Z]+))?(?:" f="([12]))?')
FORMULA_CODES = {None: "", "1": "formula_cell", "2": "formula_without_value"}
# Numbers that `number_text` would return unchanged, one per line.
PLAIN_NUMBERS = re.compile(r"(?:(?:(?:0|[1-9][0-9]{0,10})\.[0-9]{0,2}[1-9]|0|[1-9][0-9]{0,14}|)\n)*+")
REMEMBERED = 50_000  # values of one kind of cell
LONGEST_REMEMBERED = 24
SHORT_NUMBER = 16
MOST_SHAPES = 4_000
GAP, MARK = "\n", "\0"
Render = Callable[[str], Rendered]


class IrregularShapeError(Exception):
    """This is not of the plain shape; the event parser has to read it."""


class DoubtfulCellError(Exception):
    """A cell of this column needs a warning, so the column is read cell by cell."""


class Kind(ABC):
    """How cells of one type and style are turned into text, a column at a time."""

    @abstractmethod
    def texts(self, stored: Sequence[str], escaped: bool) -> list[str]:
        """The texts of these cells, '' for missing ones; raises DoubtfulCellError where a warning is due."""


class SharedKind(Kind):
    """Cells that hold the index of a shared string."""

    def __init__(self, strings: SharedStrings) -> None:
        self._strings = strings.lookup

    def texts(self, stored: Sequence[str], escaped: bool) -> list[str]:
        """The strings; ValueError or IndexError for an index that is none."""
        strings = self._strings
        if "" in stored:
            return [strings[int(index)] if index else "" for index in stored]
        return list(map(strings.__getitem__, map(int, stored)))


class TextKind(Kind):
    """Cells that hold their text themselves."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def texts(self, stored: Sequence[str], escaped: bool) -> list[str]:
        """The texts as stored, or read from their escapes."""
        return [self._render(unescape_xml(text))[0] for text in stored] if escaped else list(stored)


class RenderedKind(Kind):
    """Cells whose text is worked out from a short stored value, and remembered while there are few."""

    def __init__(self, render: Render) -> None:
        self._remembered = RememberedTexts(render)

    def texts(self, stored: Sequence[str], escaped: bool) -> list[str]:
        """The rendered values."""
        if escaped and any("&" in value for value in stored):
            raise IrregularShapeError
        return list(map(self._remembered.__getitem__, stored))


class NumberCells(RenderedKind):
    """Cells with numbers, most of which are shown as they are stored."""

    def texts(self, stored: Sequence[str], escaped: bool) -> list[str]:
        """The numbers as shown; only those too long to be plain are worked out."""
        short = [value for value in stored if len(value) < SHORT_NUMBER]
        if not PLAIN_NUMBERS.fullmatch("\n".join(short) + "\n"):
            return super().texts(stored, escaped)
        if len(short) == len(stored):
            return short
        remembered = self._remembered
        return [value if len(value) < SHORT_NUMBER else remembered[value] for value in stored]


class DoubtfulKind(Kind):
    """Cells with formulas: each needs a warning."""

    def texts(self, stored: Sequence[str], escaped: bool) -> list[str]:
        """Never; they are read cell by cell."""
        raise DoubtfulCellError


class RememberedTexts(dict[str, str]):
    """Stored value → shown text; raises DoubtfulCellError where a warning is due."""

    def __init__(self, render: Render) -> None:
        super().__init__({"": ""})
        self._render = render

    def __missing__(self, value: str) -> str:
        text, code = self._render(value)
        if code:
            raise DoubtfulCellError
        if len(value) < LONGEST_REMEMBERED:
            if len(self) > REMEMBERED:
                self.clear()
                self[""] = ""
            self[value] = text
        return text


class Cell(NamedTuple):
    """What the head of a cell says, and its place among the cells of its row."""

    place: int
    column: int
    render: Render
    formula: str
    kind: Kind


class RowShape:
    """What the heads of a row's cells say together; `template` is their text with a mark for the row number."""

    def __init__(self, template: str, cells: list[Cell], width: int) -> None:
        self.template = template
        self.cells = {cell.column: cell for cell in cells if cell.column < width}
        self.extra = [cell for cell in cells if cell.column >= width]
        self.kinds = frozenset((column, cell.kind) for column, cell in self.cells.items())
        places = [self.cells[column].place if column in self.cells else -1 for column in range(width)]
        self.arranged: Callable[[list[str]], tuple[str, ...]] = itemgetter(*places, -1, -1)


class Heads:
    """All that is known of the heads of one sheet; `width` is the number of columns kept."""

    def __init__(self, renderer: Renderer, width: int) -> None:
        self._renderer, self._width = renderer, width
        self._alike: dict[tuple[int, int], RowShape] = {}
        self._shapes: dict[tuple[str, ...], RowShape] = {}
        self._details: dict[str, tuple[int, Render, str, Kind]] = {}
        self._kinds: dict[Render, Kind] = {
            renderer.shared: SharedKind(renderer.strings),
            renderer.text: TextKind(renderer.text),
            renderer.number: NumberCells(renderer.number),
        }
        self._doubtful = DoubtfulKind()

    def shape(self, heads: list[str], number: str) -> RowShape:
        """What the heads of a row's cells say; rows of the same make as an earlier one cost a comparison.

        The shape is looked up by the number and length of the heads and believed only if it fits exactly.
        """
        joined = GAP.join(heads)
        likeness = (len(heads), len(joined) - len(heads) * len(number))
        known = self._alike.get(likeness)
        if known is not None and known.template.replace(MARK, number) == joined:
            return known
        keys = tuple([head.replace(number, "", 1) for head in heads])
        shape = self._shapes.get(keys)
        if shape is None:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
                self._alike.clear()
            cells = [Cell(place, *self._head(key)) for place, key in enumerate(keys)]
            template = GAP.join([head.replace(number, MARK, 1) for head in heads])
            shape = self._shapes[keys] = RowShape(template, cells, self._width)
        self._alike[likeness] = shape
        return shape

    def _head(self, key: str) -> tuple[int, Render, str, Kind]:
        """Column, rendering, formula code and kind of a cell; IrregularShapeError when its tag is not plain."""
        known = self._details.get(key)
        if known is not None:
            return known
        match = HEAD.fullmatch(key)
        if not match:
            raise IrregularShapeError
        letters, style, kind, formula = match.groups()
        render = self._renderer.renderer(kind or "", int(style or 0))
        shows_nothing = formula == "2" and kind == "str"
        code = FORMULA_CODES["1" if shows_nothing else formula]
        self._details[key] = found = column_index(letters), render, code, self._kind(render, code)
        return found

    def _kind(self, render: Render, formula: str) -> Kind:
        if formula:
            return self._doubtful
        if render not in self._kinds:
            self._kinds[render] = RenderedKind(render)
        return self._kinds[render]
