"""Rows of totals that people leave below their tables: no decisions, so there is nothing in them to mend."""

import re
import unicodedata
from collections.abc import Iterable

CODE = "summary_row"
WORDS = frozenset(
    {"合计", "总计", "小计", "共计", "累计", "总合计", "本页小计", "本页合计", "total", "subtotal", "sum"}
)
MOST_CELLS = 6  # a decision fills more: who, what, on what basis, when
_NOISE = re.compile(r"[\s::()()]+")


def is_summary(cells: Iterable[str]) -> bool:
    """Whether a row with something wrong is one of totals: it begins with such a word, and little else stands in it."""
    filled = [text for text in map(str.strip, cells) if text]
    if not 0 < len(filled) <= MOST_CELLS:
        return False
    return _NOISE.sub("", unicodedata.normalize("NFKC", filled[0])).casefold() in WORDS
