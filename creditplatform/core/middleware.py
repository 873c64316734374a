"""What happens around every request: limits, closed by default, changes under a context, logs without values."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseBadRequest, HttpResponseBase, UnreadablePostError
from django.middleware.locale import LocaleMiddleware
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils import translation
from django.utils.module_loading import import_string

from creditplatform.core import audit, error_pages, limits
from creditplatform.core.api import TAKEN_BACK, token_allows
from creditplatform.core.enums import Door
from creditplatform.core.errors import wants_room
from creditplatform.core.permissions import Rule
from creditplatform.core.unstored import unstored

Handler = Callable[[HttpRequest], HttpResponseBase]
SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
DOORS = {"/admin/": Door.ADMIN, "/desk/": Door.DESK, "/api/": Door.API}
log = structlog.get_logger("creditplatform.request")


class RequestLogMiddleware:
    """One line per request: the name of the page, never its address, since addresses may bear values."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, then log page, status and time."""
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        log.info(
            "request",
            page=match.view_name if match else "unknown",
            method=request.method,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - started) * 1000),
        )
        return response


class ChosenLanguageMiddleware(LocaleMiddleware):
    """Chinese unless the visitor has chosen otherwise; what a browser was set to at its shop decides nothing."""

    def process_request(self, request: HttpRequest) -> None:
        """Take the language from the visitor's own choice, kept in a cookie."""
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        known = {code for code, _name in settings.LANGUAGES}
        translation.activate(chosen if chosen in known else settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language()


class BodySizeMiddleware:
    """Refuses what is too large by what the client says of its length, before a byte of it is read (413).

    Only the routes in LARGE_BODY_ROUTES take large files: pages from staff, addresses of the interface from a client
    whose token opens them; every other page takes BODY_MAX_BYTES. A body whose length is not said counts as empty in
    WSGI, and so needs no limit here.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or refuse and say how much may be sent."""
        if not (request.META.get("CONTENT_LENGTH") or "0").isdecimal():
            return error_pages.bad_request(request, BadRequest())
        most = self._most(request)
        if _length(request) > most:
            return error_pages.refused(request, 413, most=most)
        return self.get_response(request)

    def _most(self, request: HttpRequest) -> int:
        if _length(request) <= settings.BODY_MAX_BYTES:
            return int(settings.BODY_MAX_BYTES)
        match = _match(request)
        if match is None or match.view_name not in settings.LARGE_BODY_ROUTES:
            return int(settings.BODY_MAX_BYTES)
        user: Any = request.user
        if _takes_stream(match):
            large = token_allows(request, _holder(match.func).scopes)
        else:
            large = user.is_authenticated and user.is_staff
        return int(settings.LARGE_BODY_ROUTES[match.view_name] if large else settings.BODY_MAX_BYTES)


def _match(request: HttpRequest) -> ResolverMatch | None:
    """The page an address stands for, before it is known to the request."""
    try:
        return resolve(request.path_info)
    except Resolver404:
        return None


def _holder(view: Callable[..., Any]) -> Any:
    """The class of a view, or the view itself."""
    return getattr(view, "view_class", getattr(view, "cls", view))


def _takes_stream(match: ResolverMatch | None) -> bool:
    return match is not None and bool(getattr(_holder(match.func), "takes_stream", False))


def _length(request: HttpRequest) -> int:
    """Length of the body as the client says it; said by nobody it is none, as in WSGI."""
    return int(request.META.get("CONTENT_LENGTH") or 0)


class RateLimitMiddleware:
    """Lets one client open a page only so often in a minute, and says when it may go on (429)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on; what is counted is known once the view is."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Let the view run, or ask for patience."""
        match = request.resolver_match
        names = [match.view_name, f"{match.app_name}:*"] if match else []
        name = next((name for name in names if name in settings.LIMITS_PER_MINUTE), None)
        seconds = limits.wait_for(request, name, settings.LIMITS_PER_MINUTE[name]) if name else 0
        if not seconds:
            return None
        response = error_pages.refused(request, 429, seconds=seconds)
        response["Retry-After"] = str(seconds)
        return unstored(response)


class AccessRuleMiddleware:
    """Refuses every view that declared no rule, and every visitor whom the declared rule does not name."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.third_party: dict[str, Rule] = {
            name: import_string(path) for name, path in settings.THIRD_PARTY_ACCESS_RULES.items()
        }

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on; the decision falls once the view is known."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Let the view run, send a visitor to sign in, or refuse."""
        allowed = self.rule_of(request, view)
        if allowed is None:
            raise PermissionDenied("This page has declared no access rule.")
        if allowed(request):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.path)
        raise PermissionDenied

    def rule_of(self, request: HttpRequest, view: Callable[..., Any]) -> Rule | None:
        """The rule on the view, on its class, or by name for pages of libraries."""
        own = getattr(view, "access_rule", None) or getattr(_holder(view), "access_rule", None)
        match = request.resolver_match
        names = [match.view_name, f"{match.app_name}:*"] if match else []
        return own or next((self.third_party[name] for name in names if name in self.third_party), None)


class AuditContextMiddleware:
    """A request that may change something runs in one transaction with who, door and page as its context.

    The body is read before: a client that sends slowly must not keep a transaction open. A view that takes a stream
    reads it itself and opens the context afterwards.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Open the context for unsafe methods; a server error, or a refusal of the interface, takes everything back."""
        if request.method in SAFE or _takes_stream(_match(request)):
            return self.get_response(request)
        try:
            _take_in(request)
        except UnreadablePostError:  # the client has gone away, nobody reads the answer
            return HttpResponseBadRequest()
        except OSError as error:
            if not wants_room(error):
                raise
            log.error("no_room_for_request", exc_info=error)
            return error_pages.refused(request, 507)
        actor = request.user if request.user.is_authenticated else None
        with audit.context(actor=actor, door=_door_of(request), reason="request"):
            response = self.get_response(request)
            if response.status_code >= 500 or getattr(request, TAKEN_BACK, False):
                transaction.set_rollback(True)
        return response


def _door_of(request: HttpRequest) -> Door:
    return next((door for path, door in DOORS.items() if request.path.startswith(path)), Door.WEB)


def _take_in(request: HttpRequest) -> None:
    """Read the whole body: forms with files into their files, everything else into memory."""
    if request.method == "POST" and request.content_type == "multipart/form-data":
        len(request.FILES)
    else:
        len(request.body)
