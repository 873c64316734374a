"""The font of reports, and what becomes of a character it lacks: its code is printed, never a gap or another one.

PDF/A forbids text without a glyph, so a name with such a character would otherwise get no report at all.
"""

import struct
from functools import cache
from importlib import metadata
from pathlib import Path

FONT_PACKAGE, FONT_FILE = "zhplot", "NotoSansSC-Regular.ttf"
FAMILY = "Noto Sans SC"
BREAKS = {"\n", "\t"}


@cache
def font() -> Path:
    """The font file, found without importing the package that carries it. Raises FileNotFoundError."""
    for file in metadata.files(FONT_PACKAGE) or ():
        if file.name == FONT_FILE:
            return Path(str(file.locate()))
    raise FileNotFoundError(FONT_FILE)


@cache
def known() -> frozenset[int]:
    """Every code point the font has a glyph for, read from the table `cmap` (format 12) of the file."""
    data = font().read_bytes()
    (count,) = struct.unpack_from(">H", data, 4)
    tables = {data[12 + 16 * n : 16 + 16 * n]: 12 + 16 * n for n in range(count)}
    (start,) = struct.unpack_from(">I", data, tables[b"cmap"] + 8)
    (subtables,) = struct.unpack_from(">H", data, start + 2)
    found: set[int] = set()
    for n in range(subtables):
        (offset,) = struct.unpack_from(">I", data, start + 8 + 8 * n)
        found |= _ranges(data, start + offset)
    return frozenset(found)


def _ranges(data: bytes, at: int) -> set[int]:
    (form,) = struct.unpack_from(">H", data, at)
    if form != 12:
        return set()
    (groups,) = struct.unpack_from(">I", data, at + 12)
    found: set[int] = set()
    for n in range(groups):
        first, last, glyph = struct.unpack_from(">III", data, at + 16 + 12 * n)
        found.update(range(first + (glyph == 0), last + 1))
    return found


def printable(text: str) -> str:
    """The text with every character the font lacks written as its code, as in [U+2E9F5]."""
    have = known()
    return "".join(one if ord(one) in have or one in BREAKS else f"[U+{ord(one):04X}]" for one in text)


def lacking(text: str) -> bool:
    """Whether a text holds a character the font lacks."""
    return printable(text) != text
