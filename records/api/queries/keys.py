"""Calls under an `Idempotency-Key`: the same call gets the same answer, and takes no second use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core.models import ApiClient
from records.api.deliveries.parsing import key_of
from records.api.queries.answers import private
from records.models import KeptAnswer
from records.services import kept_answers


@dataclass(frozen=True)
class Keyed:
    """A call under the key that came with it; without a key nothing is looked for and nothing kept."""

    client: ApiClient
    key: str
    mark: bytes

    @classmethod
    def of(cls, request: Request, client: ApiClient) -> "Keyed":
        """Raises Invalid for a key that is none."""
        key = key_of(request)
        return cls(client, key, kept_answers.fingerprint(request.path, request.body) if key else b"")

    def kept(self) -> KeptAnswer | None:
        """The answer this call got before; a call under the same key at this moment is waited for.

        Raises AnotherQuestion.
        """
        return kept_answers.find(self.client, self.key, self.mark) if self.key else None

    def answer(self, body: dict[str, Any], status: int, access: int | None) -> Response:
        """The answer, kept where a key came; `access` is the number of its line in the access log."""
        if self.key:
            kept_answers.keep(
                client=self.client, key=self.key, request=self.mark, status=status, body=body, access=access
            )
        return private(body, status)


def again(body: dict[str, Any], status: int) -> Response:
    """An answer that was given before under the same key."""
    response = private(body, status)
    response["Idempotent-Replay"] = "true"
    return response


def parameters(description: str, statuses: Sequence[int]) -> list[OpenApiParameter]:
    """The header with the key, and the one that marks a repetition, for `extend_schema`."""
    key = OpenApiParameter(
        "Idempotency-Key", str, OpenApiParameter.HEADER, description=description,
        examples=[OpenApiExample("A UUID", value="0b9f6d5e-6f0c-4b55-9a0e-2f8f7d1c3a41")],
    )  # fmt: skip
    replay = OpenApiParameter(
        "Idempotent-Replay", str, OpenApiParameter.HEADER, response=list(statuses), enum=["true"],
        description="Stands where the answer was given before under this key.",
    )  # fmt: skip
    return [key, replay]
