"""The one form of every refusal, for the documentation of the interface."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

REASONS = {
    400: "What was sent is incomplete or wrong; `problems` names everything at once.",
    401: "There is no valid token.",
    403: "The token lacks the scope.",
    404: "There is nothing here that this client may know of.",
    409: "The state does not allow it, or the key was used for something else.",
    413: "The body is larger than the platform takes.",
    415: "This kind of body is not read.",
    429: "Too many calls; `Retry-After` says when to come again.",
    503: "The platform cannot do this at the moment; come again later.",
}
Refusal = dict[str, Any]


def refusal(code: str, message: str, *fields: str) -> Refusal:
    """What a refusal looks like; with fields, each of them has the problem."""
    problems = [{"field": field, "code": code, "message": message} for field in fields]
    return {"code": code, "message": message, "problems": problems}


USUAL = {
    400: refusal("malformed", "The body is no JSON object.", ""),
    401: refusal(
        "token_invalid", "This token is unknown or has expired. Get a new one with the client's name and secret."
    ),
    403: refusal("permission_denied", "You do not have permission to perform this action."),
    404: refusal("not_found", "There is nothing here under this address."),
    409: refusal("conflict", "This has changed in the meantime. Please look again before you go on."),
    413: refusal("body_too_large", "The body is larger than this address takes from you."),
    415: refusal("unsupported_media_type", "Unsupported media type \"text/plain\" in request."),
    429: refusal(
        "throttled", "Too many calls in a short time; please wait as long as the header Retry-After says."
    ),
    503: refusal(
        "no_report_authority",
        "Reports cannot be issued at the moment: the key that signs them is missing or unusable.",
    ),
}  # fmt: skip
MISSING = {**refusal("required", "This is missing.", "case_number"), "code": "invalid",
           "message": "Some of what was entered is missing or wrong."}  # fmt: skip
NO_DATE = refusal("not_a_date", "This is not a date; write it like 2018-05-03.", "dated_on")
NO_NUMBER = refusal("not_a_number", "Give a whole number from 1 to 1000.", "limit")
NOT_COVERED = refusal(
    "not_authorised",
    "No valid authorisation and no statute covers this query. Nothing was looked up, and this answer does not say"
    " whether anybody is on file.",
)
KEY_USED = refusal(
    "idempotency_key_reused",
    "This Idempotency-Key was used for another question. Ask every new question under a new key.",
)


class FieldProblemForm(serializers.Serializer):  # type: ignore[misc]
    """One thing wrong with one field."""

    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class ErrorForm(serializers.Serializer):  # type: ignore[misc]
    """Why something was refused: a stable code, a sentence, and every problem with its field."""

    code = serializers.CharField(help_text="Stable, untranslated.")
    message = serializers.CharField(help_text="In the language asked for with `Accept-Language`.")
    problems = FieldProblemForm(many=True)


def answers(form: Any, name: str, value: Any) -> OpenApiResponse:
    """An answer with an example, for `extend_schema`."""
    return OpenApiResponse(form, examples=[OpenApiExample(name, value=value, response_only=True)])


def error_answers(*statuses: int, but: Mapping[int, Refusal] | None = None) -> dict[int, Any]:
    """The refusals an address may answer with, for `extend_schema`; `but` shows those that are its own."""
    shown = {**USUAL, **(but or {})}
    return {
        status: OpenApiResponse(
            ErrorForm, REASONS[status], examples=[OpenApiExample("Refusal", value=shown[status], response_only=True)]
        )
        for status in statuses
    }
