"""What is said when no view answers: a page for people, the one form of every refusal for machines."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views import defaults

from creditplatform.core.errors import NoRoom, NotFoundHere, NotPermitted

MACHINES = "/api/"
SAID = {
    400: ("bad_request", _("This request cannot be read.")),
    403: (NotPermitted.default_code, NotPermitted.default_message),
    404: (NotFoundHere.default_code, NotFoundHere.default_message),
    413: ("body_too_large", _("The body is larger than this address takes from you.")),
    429: ("throttled", _("Too many calls in a short time; please wait as long as the header Retry-After says.")),
    500: ("internal", _("Something went wrong on our side; please try again later.")),
    507: (NoRoom.default_code, NoRoom.default_message),
}
PAGES = {
    400: defaults.bad_request, 403: defaults.permission_denied, 404: defaults.page_not_found,
    500: defaults.server_error,
}  # fmt: skip


def _answer(request: HttpRequest, *causes: Exception, status: int) -> HttpResponseBase:
    if request.path.startswith(MACHINES):
        return _told(request, status)
    page: Any = PAGES[status]
    found: HttpResponseBase = page(request, *causes)
    return found


def _told(request: HttpRequest, status: int) -> JsonResponse:
    code, message = SAID[status]
    with translation.override(translation.get_language_from_request(request)):
        return JsonResponse({"code": code, "message": str(message), "problems": []}, status=status)


def refused(request: HttpRequest, status: int, **shown: object) -> HttpResponseBase:
    """413, 429, 507: what is refused before a view is asked; people get a page on which `shown` can be said."""
    if request.path.startswith(MACHINES):
        return _told(request, status)
    return render(request, f"{status}.html", shown, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """400: what Django refuses to read."""
    return _answer(request, exception, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """403: what nobody but others may see."""
    return _answer(request, exception, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """404: an address that stands for nothing."""
    return _answer(request, exception, status=404)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500: a fault of ours; the transaction of the request is rolled back."""
    return _answer(request, status=500)
