"""Hiding of personal numbers in free text, for logs and error reports."""

from __future__ import annotations

import re

HIDDEN_TEXT = "[hidden]"
_CREDIT_CODE_LENGTH = 18
_DIGITS_OF_A_PERSON = 15  # old resident numbers; new ones and bank cards are longer
# Begins with a plain digit class, so that the engine skips texts without digits at once.
_RUN = re.compile(
    r"\d(?<!\d\d)(?=(?:[ \-\u00a0]?\d){10})\d{2,}"
    r"(?:[ \-\u00a0]\d{3,})*(?:[ \-\u00a0]\d{1,2}(?!\d))?(?:[ \-]?[XxＸｘ])?"
)
_PHONE = re.compile(r"(?<!\d)(?:0{0,2}86)?(?:1[3-9]\d(?:[ \-]?\d{4}){2}|0[1-9]\d{1,2}[ \-]?\d{7,8})(?!\d)")
_TOKEN = re.compile(r"[0-9A-Za-z]+")
_CREDIT_CODE = re.compile(r"[1-9ANY][0-9A-HJ-NPQRTUWXY][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9X]")


def scrub(text: str) -> str:
    """The text with everything that looks like a resident number, telephone or bank card hidden.

    Runs of 15 digits and more go, whether or not grouped by single spaces or hyphens; so do telephones.
    Credit codes of organisations stay if the letters in them tell; where it could be either, it is hidden.
    """
    return _RUN.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    run = found.group()
    if not run.isascii():
        return HIDDEN_TEXT
    if sum(map(str.isdigit, run)) < _DIGITS_OF_A_PERSON:
        return _PHONE.sub(HIDDEN_TEXT, run)
    return run if _is_in_credit_code(found) else HIDDEN_TEXT


def _is_in_credit_code(found: re.Match[str]) -> bool:
    text, start = found.string, found.start()
    nearest = max(start - _CREDIT_CODE_LENGTH, 0)
    while start > nearest and text[start - 1].isascii() and text[start - 1].isalnum():
        start -= 1
    token = _TOKEN.match(text, start, start + _CREDIT_CODE_LENGTH + 1)
    code = token.group() if token else ""
    return bool(_CREDIT_CODE.fullmatch(code)) and not _RESIDENT_ID.fullmatch(code)
