"""The kinds of document numbers, what may be wrong with one, and what a person's number tells."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class IdentifierKind(StrEnum):
    """Which register a number comes from.

    Hashes like its value, so that a value read from the database finds what a member was stored under.
    """

    __hash__ = str.__hash__

    RESIDENT_ID = "resident_id"
    RESIDENT_ID_15 = "resident_id_15"
    HMT_RESIDENCE_PERMIT = "hmt_residence_permit"
    FOREIGN_PERMANENT_RESIDENCE = "foreign_permanent_residence"
    PASSPORT = "passport"
    HK_MACAO_PASS = "hk_macao_pass"  # noqa: S105
    TAIWAN_PASS = "taiwan_pass"  # noqa: S105
    MILITARY_ID = "military_id"
    CREDIT_CODE = "credit_code"
    ORGANISATION_CODE = "organisation_code"
    BUSINESS_REGISTRATION = "business_registration"
    TAX_REGISTRATION = "tax_registration"
    INSTITUTION_CERTIFICATE = "institution_certificate"
    SOCIAL_GROUP_REGISTRATION = "social_group_registration"

    @property
    def label(self) -> Promise:
        """The name of the document for people."""
        return _KIND_LABELS[self]

    @property
    def personal(self) -> bool:
        """Whether the number belongs to a natural person."""
        return self in PERSON_KINDS

    @classmethod
    def choices(cls) -> list[tuple[str, Promise]]:
        """Pairs of value and label, as form and model fields take them."""
        return [(kind.value, kind.label) for kind in cls]


_KIND_LABELS: dict[IdentifierKind, Promise] = {
    IdentifierKind.RESIDENT_ID: _("Resident identity number"),
    IdentifierKind.RESIDENT_ID_15: _("Resident identity number of 15 digits (old)"),
    IdentifierKind.HMT_RESIDENCE_PERMIT: _("Residence permit for Hong Kong, Macao and Taiwan residents"),
    IdentifierKind.FOREIGN_PERMANENT_RESIDENCE: _("Foreign permanent resident ID card"),
    IdentifierKind.PASSPORT: _("Passport"),
    IdentifierKind.HK_MACAO_PASS: _("Mainland travel permit for Hong Kong and Macao residents"),
    IdentifierKind.TAIWAN_PASS: _("Mainland travel permit for Taiwan residents"),
    IdentifierKind.MILITARY_ID: _("Military identity document"),
    IdentifierKind.CREDIT_CODE: _("Unified social credit code"),
    IdentifierKind.ORGANISATION_CODE: _("Organisation code"),
    IdentifierKind.BUSINESS_REGISTRATION: _("Business registration number"),
    IdentifierKind.TAX_REGISTRATION: _("Tax registration number"),
    IdentifierKind.INSTITUTION_CERTIFICATE: _("Certificate number of a public institution"),
    IdentifierKind.SOCIAL_GROUP_REGISTRATION: _("Registration number of a social group"),
}

PERSON_KINDS = frozenset(
    {
        IdentifierKind.RESIDENT_ID,
        IdentifierKind.RESIDENT_ID_15,
        IdentifierKind.HMT_RESIDENCE_PERMIT,
        IdentifierKind.FOREIGN_PERMANENT_RESIDENCE,
        IdentifierKind.PASSPORT,
        IdentifierKind.HK_MACAO_PASS,
        IdentifierKind.TAIWAN_PASS,
        IdentifierKind.MILITARY_ID,
    }
)


class Problem(StrEnum):
    """What is wrong with a number, or (from `warnings`) merely odd about it."""

    WRONG_LENGTH = "wrong_length"
    WRONG_CHARACTERS = "wrong_characters"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    IMPOSSIBLE_DATE = "impossible_date"
    PLACEHOLDER = "placeholder"
    UNKNOWN_PROVINCE = "unknown_province"

    @property
    def code(self) -> str:
        """The stable code, the same as the value."""
        return self.value

    @property
    def message(self) -> Promise:
        """The sentence for people; never holds the number."""
        return _PROBLEM_MESSAGES[self]


_PROBLEM_MESSAGES: dict[Problem, Promise] = {
    Problem.WRONG_LENGTH: _("The number has too few or too many characters; compare it with the document."),
    Problem.WRONG_CHARACTERS: _(
        "The number has characters that cannot stand where they do; compare it with the document."
    ),
    Problem.WRONG_CHECK_DIGIT: _("The check digit does not fit; a character was probably mistyped."),
    Problem.IMPOSSIBLE_DATE: _("The date of birth in the number does not exist or cannot be right."),
    Problem.PLACEHOLDER: _("This is a filler, not a number."),
    Problem.UNKNOWN_PROVINCE: _("The number does not begin with the code of a province."),
}


class Sex(StrEnum):
    """Sex as the sequence digit of a number tells it (GB 11643: odd male, even female)."""

    MALE = "male"
    FEMALE = "female"


class PersonFacts(NamedTuple):
    """What a person's number itself tells; None where that kind of number does not tell it."""

    birth_date: date | None = None
    sex: Sex | None = None
    division_code: str | None = None
