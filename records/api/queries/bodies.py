"""What clients send: JSON objects with texts, read strictly, everything wrong told at once and nothing repeated."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from creditplatform.core.api import ApiView
from creditplatform.core.enums import Authority, Door
from creditplatform.core.errors import FieldProblem, Invalid
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.masking import holds_number
from creditplatform.core.models import Agency, ApiClient
from records.api.deliveries.parsing import JsonBody
from records.identifiers import Identifier, checked_person
from records.models import Purpose
from records.services.queries import Draft

LONGEST = 500
MOST_UNKNOWN = 50
A_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")
QUESTION = ("purpose", "authority", "reference", "case_number", "name", "number")
AUTHORITIES = (Authority.CONSENT.value, Authority.STATUTE.value)


class AboutPersons(ApiView):
    """An address that takes JSON about persons, and reads it itself: a library's words on it may repeat a value."""

    parser_classes = (JsonBody,)


@dataclass(frozen=True)
class Named:
    """On whose authority a call says it asks: the person's consent, or a statute, each by its number or code."""

    authority: str
    reference: str


@dataclass(frozen=True)
class Words:
    """The texts of a body by their names, empty where one is missing or wrong; and everything that is wrong with it."""

    texts: dict[str, str]
    problems: list[FieldProblem]


def object_of(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises UnsupportedMediaType for another kind of body, Invalid for what is none."""
    if request.content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType(request.content_type)
    try:
        said = msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise Invalid.in_field("", "malformed", _("The body is no JSON object.")) from error
    if not isinstance(said, dict):
        raise Invalid.in_field("", "malformed", _("The body is no JSON object."))
    return said


def nothing_of(request: Request) -> None:
    """Make sure that a call which takes nothing was sent nothing. Raises as `object_of` does, Invalid for any field."""
    if request.body.strip() and (problems := unknown(object_of(request), ())):
        raise Invalid(problems)


def read(
    said: Mapping[str, Any], *, required: Collection[str], optional: Collection[str] = (), others: Collection[str] = ()
) -> Words:
    """The texts under these names, with everything wrong at once: unknown, malformed and missing fields.

    `others` are fields that hold no text; whoever calls reads them, and only that a required one is there is seen to.
    """
    problems, found = unknown(said, {*required, *optional, *others}), {}
    for name in dict.fromkeys((*required, *optional)):
        text = said.get(name, "")
        missing = name in required and (name not in said or (isinstance(text, str) and not text.strip()))
        if missing:
            problems.append(FieldProblem(name, "required", _("This is missing.")))
        elif name not in others and (not isinstance(text, str) or len(text) > LONGEST or "\x00" in text):
            problems.append(FieldProblem(name, "malformed", _("Give a text of at most 500 characters.")))
        elif name not in others:
            found[name] = text.strip()
    return Words({name: found.get(name, "") for name in (*required, *optional)}, problems)


def texts(said: Mapping[str, Any], *, required: Collection[str], optional: Collection[str] = ()) -> dict[str, str]:
    """The texts under these names, empty where an optional one is left out. Raises Invalid with all that is wrong."""
    words = read(said, required=required, optional=optional)
    if words.problems:
        raise Invalid(words.problems)
    return words.texts


def unknown(said: Iterable[str], known: Collection[str], within: str = "") -> list[FieldProblem]:
    """Fields that a call does not know: whoever meant to ask for less must not be answered as if nothing was said.

    What cannot be the name of a field is not repeated, since it may be anything, also the name or number of a person.
    """
    names = [name if A_NAME.fullmatch(name) and not holds_number(name) else "" for name in said if name not in known]
    sentence = _("This call has no field of this name. Nothing was done.")
    places = dict.fromkeys(f"{within}.{name}".strip(".") for name in names)
    return [FieldProblem(place, "unknown_field", sentence) for place in list(places)[:MOST_UNKNOWN]]


def person_of(words: Mapping[str, str]) -> Identifier:
    """The person a body names by `name`, `document` and `number`. Raises Invalid by these names."""
    kind = words["document"] or IdentifierKind.RESIDENT_ID.value
    try:
        return checked_person(words["name"], kind, words["number"])
    except Invalid as error:
        names = {"kind": "document"}
        raise Invalid(one._replace(field=names.get(one.field, one.field)) for one in error.problems) from None


def draft_of(
    said: Mapping[str, Any], kind: str, client: ApiClient, agency: Agency
) -> tuple[Draft, Named, list[FieldProblem]]:
    """A question about one person as it came, the authority it names, and what is wrong with the body."""
    read_so = read(said, required=QUESTION, optional=("document",))
    words = read_so.texts
    draft = Draft(
        agency=agency,
        user=None,
        client=client,
        door=Door.API,
        purpose=words["purpose"],
        kind=kind,
        name=words["name"],
        document=words["document"] or IdentifierKind.RESIDENT_ID.value,
        number=words["number"],
        case_number=words["case_number"],
    )
    return draft, Named(words["authority"], words["reference"]), read_so.problems


def authority_problems(purpose: Purpose, named: Named) -> list[FieldProblem]:
    """What is wrong with the authority a call names for this purpose.

    A consent is named by the number of its receipt; for many persons each one's consent is found. A statute is named
    by the code under which the list of purposes (`/api/v1/purposes/`) names it.
    """
    wanted = Authority.CONSENT if purpose.needs_consent else Authority.STATUTE
    if named.authority not in AUTHORITIES:
        return [FieldProblem("authority", "unknown", _("Say “consent” or “statute”."))]
    if named.authority != wanted:
        sentence = _("This purpose needs the person's consent; no statute stands in its place.")
        if wanted == Authority.STATUTE:
            sentence = _("This purpose rests on a statute; name it instead of a consent.")
        return [FieldProblem("authority", "wrong_authority", sentence)]
    if wanted == Authority.STATUTE and named.reference != purpose.legal_basis_id:
        return [FieldProblem("reference", "wrong_statute", _("The purpose does not rest on this statute."))]
    return []
