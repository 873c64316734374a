"""Names brought into the form in which they are compared and searched."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_ALREADY_FOLDED = re.compile("[\u4e00-\u9fff()·0-9a-z]+")
_BEYOND_BMP = re.compile("([\U00010000-\U0010ffff]+)")
_HAN = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WHITE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_BRACKETS = str.maketrans("[{〔【〖〘「『《〈⟨)]}〕】〗〙」』》〉⟩", "(((((((((((" + "))))))))))))")
_DOTS = str.maketrans(dict.fromkeys("·•・．‧∙⋅･ᐧ●﹒", "·"))
_DOT_BETWEEN_HAN = re.compile(
    "(?<=[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff])[.](?=[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff])"
)


def fold_name(name: str) -> str:
    """The form under which two spellings of one name are equal.

    Full-width becomes half-width, all brackets round, all middle dots one, Latin letters small; spaces go
    from names in Chinese characters and shrink to one elsewhere. Characters beyond the basic plane are kept
    exactly: for many persons they are the name, and no folding of them is safe. Idempotent.
    """
    name = name.replace("（", "(").replace("）", ")")
    if _ALREADY_FOLDED.fullmatch(name):
        return name
    folded = _fold_once(name)
    while folded != name:  # taking out a space can bring together what then combines
        name, folded = folded, _fold_once(folded)
    return folded


def grams(name: str) -> list[str]:
    """The distinct pieces of one and of two characters of a folded name, for an array with a GIN index."""
    folded = fold_name(name)
    pairs = map("".join, pairwise(folded))
    return list(dict.fromkeys((*folded, *pairs)))


def _fold_once(name: str) -> str:
    parts = [name] if name.isascii() or max(name) <= "\uffff" else _BEYOND_BMP.split(name)
    text = "".join(part if part[:1] > "\uffff" else _fold_characters(part) for part in parts)
    text = _WHITE.sub("" if _HAN.search(text) else " ", text.translate(_BRACKETS)).strip()
    return _DOT_BETWEEN_HAN.sub("·", text)


def _fold_characters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text.translate(_DOTS)).lower()
    return unicodedata.normalize("NFKC", folded).translate(_DOTS)
