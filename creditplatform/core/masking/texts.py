"""Numbers of persons inside free text: found before a text is kept, hidden before it is shown.

Unlike `scrub`, which hides whatever might be one, this tells apart what proves itself: texts of decisions are
full of numbers of licences, files and organisations that have to be read.
"""

from __future__ import annotations

import re

from creditplatform.core.identity import PROVINCES, IdentifierKind, check, is_placeholder
from creditplatform.core.identity.organisations import registration_check_digit_fits
from creditplatform.core.masking.masks import HIDDEN

_SHORTEST = 11
_ONLY_DIGITS = bytes.maketrans(bytes(range(256)), bytes(0x30 if 0x30 <= byte <= 0x39 else 0x20 for byte in range(256)))
_LONG_RUN = b"0" * _SHORTEST
# Every second character of a run that long, single spaces and hyphens counted as part of it.
_DIGITS_AND_BETWEEN = _ONLY_DIGITS[:0x20] + b"0" + _ONLY_DIGITS[0x21:0x2D] + b"0" + _ONLY_DIGITS[0x2E:]
_SAMPLED_RUN = b"0" * (_SHORTEST // 2)
# Nearly every number of a person holds a 1 or a 2: mobiles begin with 1, years of birth with 19 or 20.
_FULL_WIDTH_1, _FULL_WIDTH_2 = "１", "２"
_HALF_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘ－＋", "0123456789Xx-+")
_CANDIDATE = re.compile(
    r"(?<![0-9])(?:"
    r"(?:\+86|0086)?[ \-]?1[3-9][0-9]([ \-]?)[0-9]{4}\1[0-9]{4}(?![0-9])"
    r"|[0-9]{6}([ \-]?)[0-9]{8}\2[0-9]{3}[0-9Xx](?![0-9Xx])"
    r"|[0-9]{4}([ \-]?)[0-9]{4}\3[0-9]{4}\3[0-9]{4}(?:\3[0-9]{1,3})?(?![0-9])"
    r"|(?<![A-Za-z])[0-9]{15}(?![0-9A-Za-z])"
    r")"
)
_MOBILE = re.compile(r"(?:\+?86|0086)?1[3-9][0-9]{9}")
# Bank cards bear these first digits (ISO/IEC 7812, 9 for old national ones); other numbers fit by chance too often.
_CARD_BEGINNINGS = frozenset("34569")
_CARD_LENGTHS = range(16, 20)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def may_hold_number(text: str) -> bool:
    """Whether a text, or many joined, has a run of digits long enough to ask further; a quick pass in C.

    Answers yes too often and, of what `holds_number` finds, never no: about 2 ns per character.
    """
    if _FULL_WIDTH_1 in text or _FULL_WIDTH_2 in text:
        return True
    if _SAMPLED_RUN not in text[::2].encode("ascii", "replace").translate(_DIGITS_AND_BETWEEN):
        return False
    return _LONG_RUN in text.encode("ascii", "replace").translate(_ONLY_DIGITS, b" -")


def holds_number(text: str) -> bool:
    """Whether a text holds a resident number, a mobile telephone of the mainland or the number of a bank card.

    Resident numbers count with the right check digit, old ones of 15 digits with a possible date of birth, cards
    with theirs (Luhn). Credit codes and registration numbers that prove themselves do not count.
    """
    return any(_is_personal(found.group()) for found in _CANDIDATE.finditer(text.translate(_HALF_WIDTH)))


def hide_numbers(text: str) -> str:
    """The text with every such number hidden."""
    if not may_hold_number(text):
        return text
    shown, end = [], 0
    for found in _CANDIDATE.finditer(text.translate(_HALF_WIDTH)):
        if _is_personal(found.group()):
            shown += [text[end : found.start()], HIDDEN]
            end = found.end()
    return "".join([*shown, text[end:]])


def _is_personal(found: str) -> bool:
    number = found.replace(" ", "").replace("-", "").upper()
    if _MOBILE.fullmatch(number):
        return True
    if len(number) == 15:
        unproven = number[:2] in PROVINCES and not registration_check_digit_fits(number)
        return unproven and check(IdentifierKind.RESIDENT_ID_15, number) is None
    if len(number) == 18 and check(IdentifierKind.RESIDENT_ID, number) is None:
        return number[:2] in PROVINCES or check(IdentifierKind.CREDIT_CODE, number) is not None
    return _is_card(number)


def _is_card(number: str) -> bool:
    if len(number) not in _CARD_LENGTHS or number[0] not in _CARD_BEGINNINGS or not number.isdigit():
        return False
    if is_placeholder(number) or check(IdentifierKind.CREDIT_CODE, number) is None:
        return False
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(_DOUBLED[digit] for digit in digits[1::2])) % 10 == 0
