"""Search over the public registers: by name, by any code, by document number. Never by a personal number."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q
from django.db.models.functions import Length

from creditplatform.core.identity import fold_name, grams, normalise
from creditplatform.core.models import Site
from publicity.rules import too_common
from publicity.selectors.keyset import Page, page_of
from publicity.selectors.registers import LISTED_KINDS, for_list, listed
from records.models import Subject

SHORTEST = 2
LONGEST = 100
SUBJECT_LIMIT = 300
PREFIX_LENGTH = 4
BRACKETS = (("〔", "〕"), ("[", "]"), ("(", ")"), ("（", "）"), ("［", "］"), ("【", "】"))


class Hint(StrEnum):
    """What to tell the visitor beside the results."""

    NONE = ""
    TOO_SHORT = "too_short"
    TOO_COMMON = "too_common"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search: the words looked for, one page of records, and what to tell beside it."""

    words: str
    page: Page
    hint: Hint = Hint.NONE


def tidy(query: str) -> str:
    """The query without control characters and outer space, at most LONGEST characters."""
    return "".join(character for character in query if character.isprintable()).strip()[:LONGEST]


def find(site: Site, query: str, after: str = "") -> Found:
    """Public records of a site about organisations with that name or code, or with that document number.

    Three queries: rule values, at most SUBJECT_LIMIT organisations by GIN index (shortest names first, so
    that the exact one is among them), one page of records. The caller has refused personal numbers before.
    """
    words = tidy(query)
    folded = fold_name(words)
    if len(folded) < SHORTEST:
        return Found(words, Page([], "", True), Hint.TOO_SHORT)
    common = too_common(folded)
    subjects = _subjects(folded, normalise(words), by_name=not common)
    hint = Hint.TOO_COMMON if common else Hint.TOO_MANY if len(subjects) > SUBJECT_LIMIT else Hint.NONE
    matching = Q(subject__in=subjects[:SUBJECT_LIMIT]) | _documents(words)
    return Found(words, page_of(for_list(listed(site).filter(matching)), after), hint)


def _subjects(folded: str, code: str, *, by_name: bool) -> list[int]:
    """Organisations known by the code or bearing the text in their name, at most one more than the limit.

    The index on grams knows only pieces of two; that they stand together is checked here on the folded name,
    since the stored one keeps full-width letters and brackets.
    """
    known_by = Q(codes__contains=[code])
    if by_name:
        known_by |= Q(grams__contains=[piece for piece in grams(folded) if len(piece) == SHORTEST])
    rows = (
        Subject.objects.filter(known_by, kind__in=LISTED_KINDS)
        .order_by(Length("name"), "pk")
        .values_list("pk", "name", "codes")[: SUBJECT_LIMIT + 1]
    )
    return [pk for pk, name, codes in rows if code in codes or folded in fold_name(name)]


def _documents(words: str) -> Q:
    """The document number whole, or its beginning once that is long enough to mean something."""
    spellings = _spellings(words)
    numbered = Q(document_number__in=spellings)
    if len(words) >= PREFIX_LENGTH:
        for spelling in spellings:
            numbered |= Q(document_number__startswith=spelling)
    return numbered


def _spellings(words: str) -> list[str]:
    """As typed, and with every kind of bracket that stands around the year of a document number."""
    closed = "".join(words.split())
    plain = closed
    for opening, closing in BRACKETS:
        plain = plain.replace(opening, "[").replace(closing, "]")
    both = [plain.replace("[", opening).replace("]", closing) for opening, closing in BRACKETS]
    return list(dict.fromkeys([words, closed, *both]))
