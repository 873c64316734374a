"""What happens around every request: closed by default, changes under a context, logs without personal values."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.module_loading import import_string

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.permissions import Rule

Handler = Callable[[HttpRequest], HttpResponseBase]
SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
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
        holder = getattr(view, "view_class", getattr(view, "cls", view))
        own = getattr(view, "access_rule", None) or getattr(holder, "access_rule", None)
        match = request.resolver_match
        names = [match.view_name, f"{match.app_name}:*"] if match else []
        return own or next((self.third_party[name] for name in names if name in self.third_party), None)


class AuditContextMiddleware:
    """A request that may change something runs in one transaction with who, door and page as its context."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Open the context for unsafe methods; a server error takes everything back."""
        if request.method in SAFE:
            return self.get_response(request)
        actor = request.user if request.user.is_authenticated else None
        door = Door.ADMIN if request.path.startswith("/admin/") else Door.WEB
        with audit.context(actor=actor, door=door, reason="request"):
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
        return response
