"""The part of a Chinese address that names province, prefecture and county, and nothing beyond."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

_LONGEST_NAME = 16
_SECTION = re.compile(r"^\[\w+\]$", re.MULTILINE)
_COMMENT = re.compile(r"^#.*$", re.MULTILINE)


def down_to_county(address: str) -> str:
    """The leading names of province, prefecture and county; empty if the address begins with none of them.

    Only names of real divisions are kept: no pattern can tell a county (惠城区) from an estate (花园小区).
    """
    text = "".join(address.split())
    end = 0
    for names in _levels():
        end += _length_of_name_at(text, end, names)
    return text[:end]


def _length_of_name_at(text: str, start: int, names: frozenset[str]) -> int:
    for size in range(_LONGEST_NAME, 1, -1):
        if text[start : start + size] in names:
            return min(size, len(text) - start)
    return 0


@lru_cache(maxsize=1)
def _levels() -> tuple[frozenset[str], ...]:
    """The names of provinces, of prefectures and of counties; about 4,600, read once."""
    text = _COMMENT.sub("", Path(__file__).with_name("divisions.txt").read_text("utf-8"))
    return tuple(frozenset(section.split()) for section in _SECTION.split(text)[1:])
