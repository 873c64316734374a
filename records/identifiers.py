"""Which number a subject is known by, and its blind index: the only thing records bind to."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from creditplatform.core import vault
from creditplatform.core.errors import FieldProblem, Invalid
from creditplatform.core.identity import IdentifierKind, check, fold_name, normalise, upgrade_15_to_18
from records.enums import FieldRole

NUMBER_FIELD = "records.Subject.number"
NAME_FIELD = "records.Subject.name"
OLD_LENGTH = 15  # resident numbers before 1999

# By which of several numbers an organisation is known: the first that is there.
ORGANISATION_NUMBERS: tuple[tuple[str, IdentifierKind], ...] = (
    (FieldRole.CREDIT_CODE, IdentifierKind.CREDIT_CODE),
    (FieldRole.ORGANISATION_CODE, IdentifierKind.ORGANISATION_CODE),
    (FieldRole.REGISTRATION_NUMBER, IdentifierKind.BUSINESS_REGISTRATION),
    (FieldRole.TAX_NUMBER, IdentifierKind.TAX_REGISTRATION),
    (FieldRole.INSTITUTION_NUMBER, IdentifierKind.INSTITUTION_CERTIFICATE),
    (FieldRole.SOCIAL_GROUP_NUMBER, IdentifierKind.SOCIAL_GROUP_REGISTRATION),
)


class Identifier(NamedTuple):
    """A document number in its one spelling with its kind."""

    kind: IdentifierKind
    number: str

    @property
    def blind_index(self) -> bytes:
        """The keyed blind index under which the subject is found."""
        return vault.blind_index(self.indexed, NUMBER_FIELD)

    @property
    def business_index(self) -> bytes:
        """The index of a business known by its owner's number: never the same subject as the owner."""
        return vault.blind_index(self.indexed_of_business, NUMBER_FIELD)

    @property
    def indexed(self) -> str:
        """What `blind_index` is made from, for those who make many at once."""
        return f"{self.kind.value}|{self.number}"

    @property
    def indexed_of_business(self) -> str:
        """What `business_index` is made from."""
        return f"business|{self.indexed}"


def identifier(kind: IdentifierKind, number: str) -> Identifier:
    """One spelling for one person: old resident numbers become 18 digits, residence permits their own kind."""
    text = normalise(number)
    if kind == IdentifierKind.RESIDENT_ID and len(text) == OLD_LENGTH:
        kind = IdentifierKind.RESIDENT_ID_15
    if kind == IdentifierKind.RESIDENT_ID_15:
        return Identifier(IdentifierKind.RESIDENT_ID, upgrade_15_to_18(text))
    if kind == IdentifierKind.RESIDENT_ID and text[:2] in {"81", "82", "83"}:
        return Identifier(IdentifierKind.HMT_RESIDENCE_PERMIT, text)
    return Identifier(kind, text)


def checked_person(name: str, kind: IdentifierKind | str, number: str) -> Identifier:
    """The document number of a person in its one spelling. Raises Invalid with everything wrong at once."""
    problems = []
    if not name.strip():
        problems.append(FieldProblem("name", "required", _("Please enter the name as it stands on the document.")))
    if kind not in IdentifierKind.__members__.values() or not IdentifierKind(kind).personal:
        problems.append(FieldProblem("kind", "document_kind_unknown", _("Please choose the kind of the document.")))
        raise Invalid(problems)
    text = normalise(number)
    chosen = IdentifierKind(kind)
    if chosen == IdentifierKind.RESIDENT_ID and len(text) == OLD_LENGTH:
        chosen = IdentifierKind.RESIDENT_ID_15
    if problem := check(chosen, text):
        problems.append(FieldProblem("number", problem.code, problem.message))
    if problems:
        raise Invalid(problems)
    return identifier(chosen, text)


def number_indexes(indexed: Iterable[str]) -> list[bytes]:
    """The blind indexes of many identifiers at once, from their `indexed` or `indexed_of_business`."""
    return vault.blind_index_many(indexed, NUMBER_FIELD)


def name_indexes(names: Iterable[str]) -> list[bytes]:
    """The indexes of many names at once, see `name_index`."""
    return vault.blind_index_many(map(fold_name, names), NAME_FIELD)


def name_index(name: str) -> bytes:
    """The keyed blind index of a folded name: for comparing two spellings, never for finding a person."""
    return vault.blind_index(fold_name(name), NAME_FIELD)
