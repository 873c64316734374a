"""Consent over the interface: ask a person, and see the answer. Nothing here says whether anybody is on file."""

from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core.enums import Door, Scope
from creditplatform.core.errors import CreditError, FieldProblem, Invalid
from records.api.errors import error_answers, refusal
from records.api.queries import bodies, forms
from records.api.queries.answers import private, refused
from records.models import Authorisation
from records.models.authorisation import AUTHORISATION_KIND
from records.own_numbers import not_of_client
from records.queries.grants import NotAuthorised, permitted_purpose
from records.services import authorisations

TAGS = ["authorisations"]
REFUSALS = {
    400: refusal("outside_purpose", "The purpose does not cover everything that was asked for.", "fields"),
    409: refusal(
        "asked_again_too_soon",
        "This request was refused for the same purpose, or consent was withdrawn. Your unit can ask again from"
        " 2026-12-03 on.",
    ),
}
MOST_FIELDS = 200
REQUIRED, OPTIONAL = ("purpose", "name", "number"), ("case_number", "document", "message")


class ConsentRequests(bodies.AboutPersons):
    """`POST /api/v1/authorisations/`."""

    scopes = (Scope.AUTHORISATIONS_WRITE,)

    @extend_schema(
        operation_id="authorisation_request",
        tags=TAGS,
        request=forms.ConsentRequestForm,
        responses={201: forms.ConsentForm, **error_answers(400, 401, 403, 409, 415, 429, but=REFUSALS)},
        examples=[
            forms.example("Ask", forms.CONSENT_REQUEST, request_only=True),
            forms.example("Asked", forms.ASKED_FOR, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Ask a person for consent; the person reads who asks for what, and answers when signed in.

        The answer is the same whether or not anybody of that number is on file or has an account. 409 where the unit
        has too many requests to this person waiting, or asks again too soon after a refusal or a withdrawal.
        """
        said = bodies.object_of(request)
        found = bodies.read(said, required=REQUIRED, optional=OPTIONAL, others=("fields",))
        words = found.texts
        if problems := [*found.problems, *fields_problems(said.get("fields", []))]:
            raise Invalid(problems)
        person = bodies.person_of(words)
        try:
            asked = authorisations.request_authorisation(
                agency=self.agency, purpose=permitted_purpose(words["purpose"], self.agency), person=person,
                name=words["name"], fields=said.get("fields", []), case_number=words["case_number"][:60],
                message=words["message"], client=self.client,
            )  # fmt: skip
        except CreditError as error:
            authorisations.note_refused(
                agency=self.agency, purpose=words["purpose"], error=error, door=Door.API,
                case_number=words["case_number"],
            )  # fmt: skip
            return refused(error)
        return private(_told(asked), 201)


class ConsentView(bodies.AboutPersons):
    """`GET /api/v1/authorisations/{number}/`."""

    scopes = (Scope.AUTHORISATIONS_WRITE,)

    @extend_schema(
        operation_id="authorisation_state",
        tags=TAGS,
        responses={200: forms.ConsentForm, **error_answers(401, 403, 404, 429)},
        examples=[forms.example("Granted", forms.CONSENT, response_only=True)],
    )
    def get(self, request: Request, number: str) -> Response:
        """What the person has answered, and how many uses are left."""
        try:
            return private(_told(authorisations.by_number(number, self.agency)))
        except NotAuthorised:
            raise not_of_client(AUTHORISATION_KIND, self.client) from None


def fields_problems(said: Any) -> list[FieldProblem]:
    """What is wrong with the list of fields."""
    good = isinstance(said, list) and len(said) <= MOST_FIELDS and all(isinstance(one, str) for one in said)
    return [] if good else [FieldProblem("fields", "malformed", _("Give a list of names of fields."))]


def _told(asked: Authorisation) -> dict[str, Any]:
    return {
        "authorisation": asked.number,
        "state": asked.state,
        "purpose": asked.purpose_id,
        "requested_fields": asked.requested_fields,
        "granted_fields": asked.granted_fields,
        "answer_until": localtime(asked.answer_until).isoformat(),
        "expires_at": localtime(asked.expires_at).isoformat() if asked.expires_at else None,
        "uses_left": asked.uses_allowed - asked.uses if asked.granted_fields else 0,
    }
