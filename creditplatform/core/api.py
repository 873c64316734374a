"""What every address of the interface stands on: tokens of machine clients, scopes, errors as data, limits."""

import hashlib
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from oauth2_provider.models import get_access_token_model
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from redis.exceptions import RedisError
from rest_framework.exceptions import APIException, NotAuthenticated, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.views import exception_handler as library_handler

from creditplatform.core import limits
from creditplatform.core.enums import Scope
from creditplatform.core.errors import CreditError, FieldProblem, Invalid, NotFoundHere
from creditplatform.core.models import Agency, ApiClient
from creditplatform.core.permissions import anyone

TAKEN_BACK = "taken_back"
WHOLE = "non_field_errors"
# Sentences of the library under other codes may repeat the value that was sent.
QUOTING_NOTHING = frozenset(
    {"required", "null", "blank", "empty", "max_length", "min_length", "max_value", "min_value", "not_a_list"}
)
log = structlog.get_logger(__name__)


class TokenInvalid(CreditError):
    """A token came that is unknown, has expired or was taken back (HTTP 401)."""

    http_status = 401
    default_code = "token_invalid"
    default_message = _("This token is unknown or has expired. Get a new one with the client's name and secret.")


class ClientScopes(BaseScopes):  # type: ignore[misc]  # the library bears no types
    """Scopes are those of the client; one that asks for none gets all it was given."""

    def get_all_scopes(self) -> dict[str, str]:
        """Every scope with what it allows."""
        return {scope.value: str(scope.label) for scope in Scope}

    def get_available_scopes(self, application: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        """What this client was given."""
        return list(application.scopes) if application else list(self.get_all_scopes())

    def get_default_scopes(self, application: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        """What a client gets that names no scope."""
        return self.get_available_scopes(application)


class TokenInOneQuery(OAuth2Validator):  # type: ignore[misc]  # the library bears no types
    """The library's checks of a token, which comes with client, unit and place at once: every call needs all three."""

    def _load_access_token(self, token: str) -> Any:
        return tokens_with_client().filter(token_checksum=digest_of(token)).first()


class ScopeGranted(BasePermission):  # type: ignore[misc]
    """The token bears every scope the view asks for; a view that asks for none is open to nobody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether it does."""
        token, wanted = request.auth, list(view.scopes)
        return bool(token) and bool(wanted) and isinstance(client_of(request), ApiClient) and token.allow_scopes(wanted)


class ClientThrottle(BaseThrottle):  # type: ignore[misc]
    """So many calls a minute of the clock for one client, whatever its addresses."""

    seconds = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call; while the cache does not answer, nobody is turned away."""
        now, client = time.time(), client_of(request)
        minute = int(now // limits.MINUTE)
        try:
            made = limits.count(f"api:{client.pk}:{minute}", 2 * limits.MINUTE) if client else 0
        except RedisError as error:
            log.warning("limits_down", error=error)
            return True
        self.seconds = max(1, math.ceil((minute + 1) * limits.MINUTE - now))
        return bool(made <= settings.API_CALLS_PER_MINUTE)

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return self.seconds


class ApiView(APIView):  # type: ignore[misc]
    """An address for machine clients. Say in `scopes` what the token must allow.

    The rule of the middleware lets everybody through to here: the token decides, not a session. A view that takes
    files says so with `takes_stream`: its body may be large, is not read before the view does, and the view opens the
    context of what it changes itself.

    A refusal that is raised takes back what the call has written. A view that must keep something although it refuses
    answers with the refusal instead of raising it.
    """

    access_rule = staticmethod(anyone)
    authentication_classes: Sequence[type] = (OAuth2Authentication,)
    permission_classes: Sequence[type] = (ScopeGranted,)
    throttle_classes: Sequence[type] = (ClientThrottle,)
    scopes: Sequence[Scope] = ()
    takes_stream = False

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Speak the language that the client asks for (`Accept-Language`)."""
        translation.activate(translation.get_language_from_request(request))
        return super().initialize_request(request, *args, **kwargs)

    @property
    def client(self) -> ApiClient:
        """The client that calls."""
        client: ApiClient = self.request.auth.application
        return client

    @property
    def agency(self) -> Agency:
        """The unit the client speaks for."""
        agency: Agency = self.client.agency
        return agency


def token_allows(request: HttpRequest, scopes: Sequence[Scope]) -> bool:
    """Whether the request bears a valid token of a client in use with these scopes; its body is not looked at."""
    kind, _space, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token or not scopes:
        return False
    found = tokens_with_client().filter(token_checksum=digest_of(token.strip())).first()
    return bool(found and found.is_valid(list(scopes)) and found.application.is_usable(request))


def tokens_with_client() -> Any:
    """Tokens with client, unit and place."""
    return get_access_token_model().objects.select_related("application__agency__site", "user")


def digest_of(token: str) -> str:
    """Under what a token is found; the token itself is kept nowhere."""
    return hashlib.sha256(token.encode()).hexdigest()


def client_of(request: Request) -> ApiClient | None:
    """The client whose token came with the request, if one did."""
    return getattr(request.auth, "application", None)


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal in one form: `code`, `message`, and `problems` with field, code and message.

    What the call has written is taken back, see `take_back`.
    """
    take_back(context["request"])
    if isinstance(error, ValidationError):
        error = Invalid(dict.fromkeys(_problems_in(error.detail)))
    if isinstance(error, CreditError):
        return _answer(error.http_status, error.code, error.message, error)
    response = library_handler(error, context)
    if response is None:
        return None
    found = NotFoundHere() if isinstance(error, Http404) else error
    if isinstance(error, NotAuthenticated) and "Authorization" in context["request"].headers:
        found = TokenInvalid()
    code = found.code if isinstance(found, CreditError) else _code_of(found)
    told = found.message if isinstance(found, CreditError) else getattr(found, "detail", "")
    response.data = {"code": code, "message": str(told), "problems": []}
    return response


def take_back(request: Request | None) -> None:
    """Let the transaction that the middleware has opened around this call, if it did, end without a trace."""
    if request is not None:
        setattr(request._request, TAKEN_BACK, True)


def _problems_in(detail: Any, field: str = "") -> Iterator[FieldProblem]:
    """What the library found wrong, by the field that a form declares: keys further down are what was sent."""
    if isinstance(detail, dict):
        for name, within in detail.items():
            yield from _problems_in(within, field or ("" if name == WHOLE else str(name)))
    elif isinstance(detail, list):
        for within in detail:
            yield from _problems_in(within, field)
    else:
        said = str(detail) if detail.code in QUOTING_NOTHING else str(Invalid.default_message)
        yield FieldProblem(field, detail.code, said)


def _code_of(error: Exception) -> str:
    codes = error.get_codes() if isinstance(error, APIException) else error.__class__.__name__
    return codes if isinstance(codes, str) else "invalid"


def _answer(status: int, code: str, message: str, error: CreditError) -> Response:
    problems = error.problems if isinstance(error, Invalid) else []
    body = {
        "code": code,
        "message": message,
        "problems": [{"field": p.field, "code": p.code, "message": str(p.message)} for p in problems],
    }
    return Response(body, status=status)
