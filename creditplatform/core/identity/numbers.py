"""Numbers as people type them: one spelling for each, and fillers recognised."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from creditplatform.core.identity.kinds import Problem

_INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]+")
_DASHES = re.compile(r"[-\u2010-\u2015\u2212_]+")
_LOOKS_LIKE_X = str.maketrans({"×": "X", "✕": "X", "Х": "X", "х": "X"})
_FILLER_CHARACTERS = frozenset("/\\*-.,_?~|#+=:;、。·—–\u2026")
_FILLER_WORDS = frozenset(
    "无 空 暂无 没有 未知 不详 不明 无码 无号 未提供 未填 待补 缺 "  # noqa: SIM905
    "NULL NONE NIL NAN NA N/A UNKNOWN TEST".split()
)
_ASCENDING = "0123456789" * 3
_DESCENDING = _ASCENDING[::-1]
_SHORTEST_RUN = 6


def normalise(number: str) -> str:
    """The one spelling of a number under which it is stored, indexed and checked.

    Full-width characters become half-width, spaces and invisible characters go, letters become capitals.
    Hyphens go only where nothing but ASCII letters and digits remains, since older registration numbers
    written in Chinese use them as part of the number. Idempotent.
    """
    if number.isascii() and number.isalnum():
        return number.upper()
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", number)).translate(_LOOKS_LIKE_X).upper()
    text = unicodedata.normalize("NFKC", text).lstrip("'`\u2018\u2019")
    joined = _DASHES.sub("", text)
    return joined if joined.isascii() and joined.isalnum() else text


def is_placeholder(number: str) -> bool:
    """Whether this is something typed to fill a box: all zeros, 123456…, 无, /, null and the like.

    Such a value must never become a key: it would bind strangers to one another.
    """
    text = normalise(number)
    if not text or text in _FILLER_WORDS or _FILLER_CHARACTERS.issuperset(text):
        return True
    stem = text[:-1] if text.endswith("X") else text
    if len(set(stem)) <= 1:
        return True
    return len(stem) >= _SHORTEST_RUN and stem.isdigit() and (stem in _ASCENDING or stem in _DESCENDING)


def filler_or(number: str, problem: Problem) -> Problem:
    """Placeholder if the number is one, else the problem: that it is no number at all says more."""
    return Problem.PLACEHOLDER if is_placeholder(number) else problem


def check_form(number: str, form: re.Pattern[str], lengths: Container[int]) -> Problem | None:
    """What is wrong with a number that has a form but no check digit; `lengths` are those the form allows."""
    if form.fullmatch(number):
        return Problem.PLACEHOLDER if is_placeholder(number) else None
    return filler_or(number, Problem.WRONG_CHARACTERS if len(number) in lengths else Problem.WRONG_LENGTH)
