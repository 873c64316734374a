"""Numbers of organisations: GB 32100-2015 credit codes, GB 11714 organisation codes, registrations."""

from __future__ import annotations

import re
from datetime import date

from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_10

from creditplatform.core.identity.kinds import IdentifierKind, Problem
from creditplatform.core.identity.numbers import check_form, filler_or, is_placeholder, normalise

CREDIT_CODE_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I, O, S, V, Z
_CREDIT_CODE = re.compile(r"[1-9ANY][0-9A-HJ-NPQRTUWXY][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
# The weights of GB 32100 are the powers of 3 modulo 31, and 34 leaves 3 modulo 31: a code read backwards as a
# number of base 34 leaves the weighted sum. One call instead of seventeen multiplications.
_BASE_34 = bytes.maketrans(CREDIT_CODE_ALPHABET.encode(), b"0123456789abcdefghijklmnopqrstu")

_ORGANISATION_CODE = re.compile(r"[0-9A-Z]{8}[0-9X]")
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_REGISTRATION = re.compile(r"[0-9A-Z]{13}|[0-9A-Z]{15}|[0-9A-Z]{18}")
_WRITTEN_REGISTRATION = re.compile(r"[\u4e00-\u9fff()0-9]{1,16}字第?[0-9A-Z-]{3,13}号?")
_TAX_REGISTRATION = re.compile(r"[0-9A-Z]{15}|[0-9A-Z]{17,18}|[0-9A-Z]{20}")
_INSTITUTION_CERTIFICATE = re.compile(r"(?:事证第)?[0-9]{12}号?")
_SOCIAL_GROUP = re.compile(r"[0-9A-Z]{3,18}|[\u4e00-\u9fff]{1,12}?第?[0-9A-Z]{3,18}(?:-[0-9]{1,4})?号?")


def check_credit_code(number: str, today: date) -> Problem | None:
    """GB 32100-2015: authority, kind, 6 digits division, 9 organisation code, check character mod 31."""
    if len(number) != 18:
        return filler_or(number, Problem.WRONG_LENGTH)
    if not _CREDIT_CODE.fullmatch(number):
        return filler_or(number, Problem.WRONG_CHARACTERS)
    digits = number.encode().translate(_BASE_34)
    if (int(digits[16::-1], 34) + int(digits[17:], 34)) % 31:
        return filler_or(number, Problem.WRONG_CHECK_DIGIT)
    filler = number.startswith("00000000", 8) or number.count(number[0]) == 18
    return Problem.PLACEHOLDER if filler else None


def check_organisation_code(number: str, today: date) -> Problem | None:
    """GB 11714: 8 characters and a check digit mod 11, written without the hyphen; 9 characters."""
    if len(number) != 9:
        return filler_or(number, Problem.WRONG_LENGTH)
    if not _ORGANISATION_CODE.fullmatch(number):
        return filler_or(number, Problem.WRONG_CHARACTERS)
    if is_placeholder(number):
        return Problem.PLACEHOLDER
    return None if organisation_check_digit(number[:8]) == number[8] else Problem.WRONG_CHECK_DIGIT


def check_business_registration(number: str, today: date) -> Problem | None:
    """13, 15 or 18 letters and digits, or the older form written out in Chinese.

    The check digit of GS 15-2006 is only a warning: real lists hold numbers without it.
    """
    if _WRITTEN_REGISTRATION.fullmatch(number):
        return None
    return check_form(number, _REGISTRATION, (13, 15, 18))


def check_tax_registration(number: str, today: date) -> Problem | None:
    """15, 17, 18 or 20 letters and digits; for individual businesses it may hold a resident number."""
    return check_form(number, _TAX_REGISTRATION, (15, 17, 18, 20))


def check_institution_certificate(number: str, today: date) -> Problem | None:
    """The certificate of a public institution (事业单位法人证书): 12 digits, with or without the words."""
    return check_form(number, _INSTITUTION_CERTIFICATE, range(12, 17))


def check_social_group_registration(number: str, today: date) -> Problem | None:
    """The registration of a social group; forms differ by province, at least 3 letters and digits."""
    return check_form(number, _SOCIAL_GROUP, range(3, 38))


def organisation_check_digit(org8: str) -> str:
    """The check digit of GB 11714 for the first 8 characters (digits and capital letters)."""
    total = sum(int(character, 36) * w for character, w in zip(org8, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]


def registration_check_digit_fits(number: str) -> bool:
    """Whether a registration number of 15 digits has the check digit of GS 15-2006 (mod 11, 10).

    Other forms have no check digit and fit by definition.
    """
    if len(number) == 15 and number.isascii() and number.isdigit():
        return bool(mod_11_10.is_valid(number))
    return True


def organisation_code_of(credit_code: str) -> str | None:
    """The organisation code inside a credit code (characters 9 to 17); None if it is not 18 long."""
    return credit_code[8:17] if len(credit_code) == 18 else None


def guess_organisation_kind(number: str) -> IdentifierKind | None:
    """Which kind of organisation number this looks like by its form alone, None if like none.

    18 characters: credit code, or a registration if it cannot be one. 9: organisation code. 13 or 15:
    registration. Says nothing about the check digit.
    """
    text = normalise(number)
    if is_placeholder(text):
        return None
    if _CREDIT_CODE.fullmatch(text):
        return IdentifierKind.CREDIT_CODE
    if _ORGANISATION_CODE.fullmatch(text):
        return IdentifierKind.ORGANISATION_CODE
    if _REGISTRATION.fullmatch(text) or _WRITTEN_REGISTRATION.fullmatch(text):
        return IdentifierKind.BUSINESS_REGISTRATION
    return None


def make_credit_code(prefix8: str, org8: str) -> str:
    """A well-formed credit code for fictitious organisations, both check characters computed.

    `prefix8` is authority, kind and division, `org8` the organisation code without its check digit.
    Raises ValueError for characters GB 32100 does not know.
    """
    body = prefix8 + org8 + organisation_check_digit(org8)
    code = body + str(uscc.calc_check_digit(body))
    if not _CREDIT_CODE.fullmatch(code):
        raise ValueError("These characters cannot form a credit code.")
    return code
