"""The fonts of reports, and what becomes of a character they lack: its code is printed, never a gap or another one.

PDF/A forbids text without a glyph, so a name with such a character would otherwise get no report at all. Rare
characters of names (Unicode extensions B to F, level 3 of GB 18030-2022) come from a second font where there is one.
"""

import struct
from functools import cache
from importlib import metadata
from pathlib import Path

from django.conf import settings

FONT_PACKAGE, FONT_FILE = "zhplot", "NotoSansSC-Regular.ttf"
FAMILY, RARE_FAMILY = "Noto Sans SC", "HanaMinB"
BREAKS = {"\n", "\t"}


@cache
def font() -> Path:
    """The font file, found without importing the package that carries it. Raises FileNotFoundError."""
    for file in metadata.files(FONT_PACKAGE) or ():
        if file.name == FONT_FILE:
            return Path(str(file.locate()))
    raise FileNotFoundError(FONT_FILE)


def rare_font() -> Path | None:
    """The file with the rare characters that the setting REPORT_RARE_FONT names, where it is there."""
    named = Path(settings.REPORT_RARE_FONT)
    return named if named.is_file() else None


def known() -> frozenset[int]:
    """Every code point the font has a glyph for."""
    return _covered(font())


@cache
def _covered(file: Path) -> frozenset[int]:
    """Read from the table `cmap` (format 12) of a font file."""
    data = file.read_bytes()
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
    """The text with every character that both fonts lack written as its code, as in [U+2E9F5]."""
    rare = rare_font()
    missing = {one for one in beyond(text) if rare is None or ord(one) not in _covered(rare)}
    return "".join(f"[U+{ord(one):04X}]" if one in missing else one for one in text) if missing else text


def lacking(text: str) -> bool:
    """Whether a text holds a character that both fonts lack."""
    return printable(text) != text


def beyond(text: str) -> set[str]:
    """The characters of a text that the first font lacks."""
    have = known()
    return {one for one in set(text) if ord(one) not in have and one not in BREAKS}
