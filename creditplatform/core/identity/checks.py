"""One door to all checks of document numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from creditplatform.core.identity import organisations, persons
from creditplatform.core.identity.kinds import IdentifierKind, Problem

# The first two digits of GB/T 2260 codes, with Taiwan, Hong Kong and Macao in their older and newer coding,
# and 91, under which foreigners' numbers are issued.
PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65"  # noqa: SIM905
    " 71 81 82 83 91".split()
)

Check = Callable[[str, date], Problem | None]

_CHECKS: dict[IdentifierKind, Check] = {
    IdentifierKind.RESIDENT_ID: persons.check_resident_id,
    IdentifierKind.RESIDENT_ID_15: persons.check_resident_id_15,
    IdentifierKind.HMT_RESIDENCE_PERMIT: persons.check_hmt_residence_permit,
    IdentifierKind.FOREIGN_PERMANENT_RESIDENCE: persons.check_foreign_permanent_residence,
    IdentifierKind.PASSPORT: persons.check_passport,
    IdentifierKind.HK_MACAO_PASS: persons.check_hk_macao_pass,
    IdentifierKind.TAIWAN_PASS: persons.check_taiwan_pass,
    IdentifierKind.MILITARY_ID: persons.check_military_id,
    IdentifierKind.CREDIT_CODE: organisations.check_credit_code,
    IdentifierKind.ORGANISATION_CODE: organisations.check_organisation_code,
    IdentifierKind.BUSINESS_REGISTRATION: organisations.check_business_registration,
    IdentifierKind.TAX_REGISTRATION: organisations.check_tax_registration,
    IdentifierKind.INSTITUTION_CERTIFICATE: organisations.check_institution_certificate,
    IdentifierKind.SOCIAL_GROUP_REGISTRATION: organisations.check_social_group_registration,
}

_DIVISION_STARTS_AT: dict[IdentifierKind, int] = {
    IdentifierKind.RESIDENT_ID: 0,
    IdentifierKind.RESIDENT_ID_15: 0,
    IdentifierKind.CREDIT_CODE: 2,
}


def check(kind: IdentifierKind, number: str, today: date | None = None) -> Problem | None:
    """What is wrong with a number already brought into its one spelling by `normalise`, None if nothing.

    `today` bounds dates of birth; default: the day it is. Costs about a microsecond.
    """
    return _CHECKS[kind](number, today or date.today())


def check_many(kind: IdentifierKind, numbers: Iterable[str], today: date | None = None) -> dict[str, Problem]:
    """The bad ones among many normalised numbers, each with what is wrong; hand in distinct values."""
    examine, day = _CHECKS[kind], today or date.today()
    return {number: problem for number in numbers if (problem := examine(number, day)) is not None}


def warnings(kind: IdentifierKind, number: str) -> list[Problem]:
    """What is odd about a number that passed `check`: worth a look, never a reason to refuse it.

    An unknown province, a registration number without the check digit of GS 15-2006, or a credit code
    whose organisation code has a wrong check digit of its own.
    """
    found = []
    start = _DIVISION_STARTS_AT.get(kind)
    if start is not None and number[start : start + 2] not in PROVINCES:
        found.append(Problem.UNKNOWN_PROVINCE)
    if not _inner_check_digit_fits(kind, number):
        found.append(Problem.WRONG_CHECK_DIGIT)
    return found


def _inner_check_digit_fits(kind: IdentifierKind, number: str) -> bool:
    if kind == IdentifierKind.BUSINESS_REGISTRATION:
        return organisations.registration_check_digit_fits(number)
    if kind == IdentifierKind.CREDIT_CODE:
        return organisations.organisation_check_digit(number[8:16]) == number[16]
    return True
