"""Cell values as text: what a spreadsheet shows, without the noise of binary numbers."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

FORMULA = re.compile(r"\s*(?:[=@\uff1d\uff20]\s*\S|[+\-]\s*(?:[A-Za-z\"'@=]|[^(|!]*[(|!]))")
BRACKETED_NUMBER = re.compile(r"\s*[+\-][\d\s.,()\-]*$")
XML_ENTITY = re.compile(r"&([^;&]*);")
ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
ESCAPED_UNITS = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")
EXACT = 10**15  # Excel keeps 15 digits
DAY = 86_400
LAST_SERIAL = 2_958_465  # 9999-12-31
FAKE_LEAP_DAY = 60  # serial of 1900-02-29, which Excel believes in
EPOCH_1900, EPOCH_1904 = date(1899, 12, 30), date(1904, 1, 1)


def looks_like_formula(value: str) -> bool:
    """Whether a spreadsheet would run this text as a formula ('=HYPERLINK(…', '@SUM(1)', '+cmd|…').

    Signed numbers and telephone numbers such as '-12.50' or '+86 (0)138-0000-0000' are not formulas, nor
    is a dash on its own or before Chinese text.
    """
    return bool(FORMULA.match(value)) and not BRACKETED_NUMBER.match(value)


def number_text(raw: str) -> str:
    """A stored number as Excel shows it, with at most 15 digits: '8782.639999999999' → '8782.64'.

    From 10^15 on, where Excel has already lost digits, those stored in the file are kept as they are.
    What is not a number is returned unchanged.
    """
    if len(raw) < 16:
        whole, point, part = raw.partition(".")
        if whole.isdecimal() and (part.isdecimal() and part[-1] != "0" if point else True):
            return raw
    try:
        number = float(raw)
    except ValueError:
        return raw
    size = abs(number)
    if size >= EXACT:
        return format(Decimal(raw.strip()), "f") if size < 1e21 else raw
    text = f"{number:.15g}"
    if "e" in text and (size >= 1e-15 or size == 0):
        text = format(Decimal(text), "f")
    return "0" if text == "-0" else text


def loses_precision(text: str) -> bool:
    """Whether a number, written as `number_text` does, has more digits than a spreadsheet can keep."""
    return (len(text) > 15 or "E" in text.upper()) and abs(float(text)) >= EXACT


@lru_cache(maxsize=16_384)
def serial_text(raw: str, date1904: bool) -> str | None:
    """A date serial as ISO text: '2018-05-03', '2018-05-03T14:30:00', or '14:30:00' below one day.

    None when the number is no date a spreadsheet could show.
    """
    try:
        serial = float(raw)
    except ValueError:
        return None
    if not 0 <= serial < LAST_SERIAL + 1:
        return None
    day, second = divmod(round(serial * DAY), DAY)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    if day == 0 and not date1904:
        return clock
    shown = _day_text(day, date1904)
    return f"{shown}T{clock}" if second else shown


def _day_text(day: int, date1904: bool) -> str:
    if date1904:
        return (EPOCH_1904 + timedelta(day)).isoformat()
    if day == FAKE_LEAP_DAY:
        return "1900-02-29"
    return (EPOCH_1900 + timedelta(day + (day < FAKE_LEAP_DAY))).isoformat()


def elapsed_text(raw: str) -> str | None:
    """A duration in days as hours, minutes and seconds ('26:30:00'); None when it is no such number."""
    try:
        seconds = round(float(raw) * DAY)
    except (ValueError, OverflowError):
        return None
    if not 0 <= seconds < 10_000 * 3600 * 24:
        return None
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def unescape_xml(text: str) -> str:
    """Character data without entities and with plain line ends; raises ValueError for an unknown entity."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "&" not in text:
        return text
    if text.count("&") != len(XML_ENTITY.findall(text)):
        raise ValueError("stray ampersand")
    return XML_ENTITY.sub(_entity, text)


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if name.startswith("#x"):
        code = int(name[2:], 16)
    elif name.startswith("#"):
        code = int(name[1:])
    elif name in ENTITIES:
        return ENTITIES[name]
    else:
        raise ValueError("unknown entity")
    if code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0xFFFF < code <= 0x10FFFF:
        return chr(code)
    raise ValueError("forbidden character")


def decode_units(text: str) -> str:
    """Spreadsheet strings write characters that XML cannot hold as '_x000D_'; this reads them back.

    A NUL written that way, and half a character, stay as written.
    """
    return ESCAPED_UNITS.sub(_units, text) if "_x" in text else text


def _units(match: re.Match[str]) -> str:
    written = match[0]
    data = b"".join(int(written[at + 2 : at + 6], 16).to_bytes(2, "little") for at in range(0, len(written), 7))
    try:
        text = data.decode("utf-16-le")
    except UnicodeDecodeError:
        return written
    return written if "\0" in text else text
