"""Numbers of natural persons: GB 11643-1999 and the documents modelled on it, passports and passes.

Whether the division code was in force is never a reason to refuse: codes are those of the day of issue, and
many have been abolished since.
"""

from __future__ import annotations

import re
from datetime import date

from stdnum.cn import ric

from creditplatform.core.identity.kinds import IdentifierKind, PersonFacts, Problem, Sex
from creditplatform.core.identity.numbers import check_form, filler_or, is_placeholder

EARLIEST_BIRTH = date(1870, 1, 1)  # older than anybody alive when the numbers were introduced in 1984
_CENTENARIAN_SEQUENCES = frozenset({"996", "997", "998", "999"})  # in old numbers: born in the 19th century
_HMT_PREFIXES = ("81", "82", "83")

_PASSPORT = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,15}")
_HK_MACAO_PASS = re.compile(r"[HM](?:[0-9]{8}|[0-9]{10})")
_TAIWAN_PASS = re.compile(r"[0-9]{8}(?:[0-9]{2})?")
_MILITARY_ID = re.compile(r"(?:[\u4e00-\u9fff]{1,3}字第?)?[0-9]{4,10}号?")


def check_resident_id(number: str, today: date) -> Problem | None:
    """GB 11643-1999: 6 digits division, 8 birth, 3 sequence, check digit mod 11-2; 18 characters."""
    if len(number) != 18:
        return filler_or(number, Problem.WRONG_LENGTH)
    if not (number.isascii() and number[:17].isdigit() and number[17] in "0123456789X"):
        return filler_or(number, Problem.WRONG_CHARACTERS)
    if ric.calc_check_digit(number) != number[17]:
        return filler_or(number, Problem.WRONG_CHECK_DIGIT)
    try:
        possible = EARLIEST_BIRTH <= date.fromisoformat(number[6:14]) <= today
    except ValueError:
        possible = False
    return None if possible else filler_or(number, Problem.IMPOSSIBLE_DATE)


def check_resident_id_15(number: str, today: date) -> Problem | None:
    """The number before 1999: 6 digits division, 6 birth, 3 sequence; no check digit."""
    if len(number) != 15:
        return filler_or(number, Problem.WRONG_LENGTH)
    if not (number.isascii() and number.isdigit()):
        return Problem.WRONG_CHARACTERS
    if is_placeholder(number):
        return Problem.PLACEHOLDER
    return check_resident_id(upgrade_15_to_18(number), today)


def check_hmt_residence_permit(number: str, today: date) -> Problem | None:
    """Residence permit of 2018: a resident number whose first digits are 81, 82 or 83."""
    problem = check_resident_id(number, today)
    if problem is None and not number.startswith(_HMT_PREFIXES):
        return Problem.WRONG_CHARACTERS
    return problem


def check_foreign_permanent_residence(number: str, today: date) -> Problem | None:
    """The card of 2023 (18 digits beginning with 9) or the older one (3 letters and 12 digits).

    The older card's own check digit is not computed: its rule was never published.
    """
    if len(number) == 18:
        problem = check_resident_id(number, today)
        return Problem.WRONG_CHARACTERS if problem is None and number[0] != "9" else problem
    if len(number) != 15:
        return filler_or(number, Problem.WRONG_LENGTH)
    if not (number.isascii() and number[:3].isalpha() and number[:3].isupper() and number[3:].isdigit()):
        return filler_or(number, Problem.WRONG_CHARACTERS)
    return None if _birth_of_short_year(number[7:13], today) else Problem.IMPOSSIBLE_DATE


def check_passport(number: str, today: date) -> Problem | None:
    """A passport of any country: 5 to 15 letters and digits, at least one digit."""
    return check_form(number, _PASSPORT, range(5, 16))


def check_hk_macao_pass(number: str, today: date) -> Problem | None:
    """Mainland travel permit: H or M and 8 digits, on older cards 10 with the count of renewals."""
    return check_form(number, _HK_MACAO_PASS, (9, 11))


def check_taiwan_pass(number: str, today: date) -> Problem | None:
    """Mainland travel permit for Taiwan residents: 8 digits, on older ones 10."""
    return check_form(number, _TAIWAN_PASS, (8, 10))


def check_military_id(number: str, today: date) -> Problem | None:
    """Officers' and soldiers' documents: 4 to 10 digits, with or without the words around them."""
    return check_form(number, _MILITARY_ID, range(4, 17))


def upgrade_15_to_18(number: str) -> str:
    """The 18-character number of the holder of a 15-digit one.

    Sequences 996 to 999 were given to persons born before 1900. Raises ValueError if it is not 15 digits.
    """
    if len(number) != 15 or not (number.isascii() and number.isdigit()):
        raise ValueError("An old resident number has 15 digits.")
    century = "18" if number[12:] in _CENTENARIAN_SEQUENCES else "19"
    body = number[:6] + century + number[6:]
    return body + ric.calc_check_digit(body + "0")


def make_resident_id(division: str, birth: date, sequence: int) -> str:
    """A well-formed resident number for fictitious persons; odd sequences (0 to 999) are male.

    Raises ValueError if the division has not 6 digits or the sequence not at most 3.
    """
    if not (len(division) == 6 and division.isascii() and division.isdigit() and 0 <= sequence <= 999):
        raise ValueError("A resident number needs a division of 6 digits and a sequence of 0 to 999.")
    body = f"{division}{birth:%Y%m%d}{sequence:03d}"
    return body + ric.calc_check_digit(body + "0")


def facts(kind: IdentifierKind, number: str, today: date | None = None) -> PersonFacts:
    """Birth date, sex and division as the number tells them; the number must have passed `check`.

    A number that tells nothing (passports, passes, organisations, or one that is wrong) gives empty facts.
    Two-digit years are read as the latest ones not after `today`.
    """
    if kind == IdentifierKind.RESIDENT_ID_15 and len(number) == 15 and number.isascii() and number.isdigit():
        return _facts_of_18(upgrade_15_to_18(number), with_division=True)
    if kind in (IdentifierKind.RESIDENT_ID, IdentifierKind.HMT_RESIDENCE_PERMIT):
        return _facts_of_18(number, with_division=True)
    if kind == IdentifierKind.FOREIGN_PERMANENT_RESIDENCE:
        if len(number) == 15:
            return PersonFacts(birth_date=_birth_of_short_year(number[7:13], today or date.today()))
        return _facts_of_18(number, with_division=False)
    return PersonFacts()


def age_on(birth: date, day: date) -> int:
    """Full years of age on `day`; a year is complete on the birthday (29 February: on 1 March)."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _facts_of_18(number: str, *, with_division: bool) -> PersonFacts:
    try:
        birth = date.fromisoformat(number[6:14])
        sex = Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
    except (ValueError, IndexError):
        return PersonFacts()
    return PersonFacts(birth, sex, number[:6] if with_division else None)


def _birth_of_short_year(digits: str, today: date) -> date | None:
    for century in ("20", "19"):
        try:
            birth = date.fromisoformat(century + digits)
        except ValueError:
            continue
        if birth <= today:
            return birth
    return None
