"""The one form of every refusal, for the documentation of the interface."""

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
EXAMPLE = OpenApiExample(
    "Refusal",
    value={
        "code": "invalid", "message": "Some of what was entered is missing or wrong.",
        "problems": [{"field": "dated_on", "code": "not_a_date", "message": "This is not a date."}],
    },
    response_only=True,
)  # fmt: skip


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


def error_answers(*statuses: int) -> dict[int, Any]:
    """The refusals an address may answer with, for `extend_schema`."""
    return {status: OpenApiResponse(ErrorForm, REASONS[status], examples=[EXAMPLE]) for status in statuses}
