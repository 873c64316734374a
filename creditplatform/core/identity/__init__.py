"""Document numbers and names: one spelling, checks, what they tell, and fictitious ones for demonstrations.

`normalise` first, then `check`; what passed is fit to be a key. Names are folded for comparison only: a
person is never identified by name.
"""

from creditplatform.core.identity.checks import PROVINCES, check, check_many, warnings
from creditplatform.core.identity.kinds import PERSON_KINDS, IdentifierKind, PersonFacts, Problem, Sex
from creditplatform.core.identity.names import fold_name, grams
from creditplatform.core.identity.numbers import is_placeholder, normalise
from creditplatform.core.identity.organisations import (
    guess_organisation_kind,
    make_credit_code,
    organisation_check_digit,
    organisation_code_of,
)
from creditplatform.core.identity.persons import age_on, facts, make_resident_id, upgrade_15_to_18

__all__ = [
    "PERSON_KINDS",
    "PROVINCES",
    "IdentifierKind",
    "PersonFacts",
    "Problem",
    "Sex",
    "age_on",
    "check",
    "check_many",
    "facts",
    "fold_name",
    "grams",
    "guess_organisation_kind",
    "is_placeholder",
    "make_credit_code",
    "make_resident_id",
    "normalise",
    "organisation_check_digit",
    "organisation_code_of",
    "upgrade_15_to_18",
    "warnings",
]
