"""What clients send: JSON objects with texts, read strictly, everything wrong told at once and nothing repeated."""

from collections.abc import Mapping
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
from creditplatform.core.models import Agency, ApiClient
from records.api.deliveries.parsing import JsonBody
from records.models import Purpose
from records.services.queries import Draft

LONGEST = 500
OF_A_PERSON = ("purpose", "authority", "reference", "case_number", "name", "number")
AUTHORITIES = (Authority.CONSENT.value, Authority.STATUTE.value)


class AboutPersons(ApiView):
    """An address that takes JSON about persons, and reads it itself: a library's words on it may repeat a value."""

    parser_classes = (JsonBody,)


@dataclass(frozen=True)
class Named:
    """On whose authority a call says it asks: the person's consent, or a statute, each by its number or code."""

    authority: str
    reference: str


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


def texts(said: Mapping[str, Any], *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, str]:
    """The texts under these names, empty where an optional one is left out. Raises Invalid with all that is wrong."""
    problems, found = [], {}
    for name in (*required, *optional):
        text = said.get(name, "")
        if not isinstance(text, str) or len(text) > LONGEST or "\x00" in text:
            problems.append(FieldProblem(name, "malformed", _("Give a text of at most 500 characters.")))
        elif not text.strip() and name in required:
            problems.append(FieldProblem(name, "required", _("This is missing.")))
        else:
            found[name] = text.strip()
    if problems:
        raise Invalid(problems)
    return found


def draft_of(said: Mapping[str, Any], kind: str, client: ApiClient, agency: Agency) -> tuple[Draft, Named]:
    """A question about one person as it came, and the authority it names. Raises Invalid for what is missing."""
    words = texts(said, required=OF_A_PERSON, optional=("document",))
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
    return draft, Named(words["authority"], words["reference"])


def authority_problems(purpose: Purpose, named: Named, *, many: bool = False) -> list[FieldProblem]:
    """What is wrong with the authority a call names for this purpose.

    A consent is named by the number of its receipt; for many persons each one's consent is found. A statute is named
    by the code under which the list of purposes names it.
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
    if wanted == Authority.CONSENT and not named.reference and not many:
        return [FieldProblem("reference", "required", _("Give the number of the consent receipt."))]
    return []
