"""Tokens for machine clients: the library's address, whose refusal says how a client may name itself here."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from oauth2_provider.views import TokenView

CHALLENGE = 'Basic realm="api", charset="UTF-8"'


class Tokens(TokenView):  # type: ignore[misc]  # the library bears no types
    """`POST /api/v1/token/`."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A token, or why there is none; RFC 6749, 5.2: the challenge is that of clients, not that of tokens."""
        response: HttpResponse = super().post(request, *args, **kwargs)
        if response.status_code == 401:
            response["WWW-Authenticate"] = CHALLENGE
        return response
