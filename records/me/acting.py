"""Acting for another person on the pages of a citizen: whose file is open, and whether the page may be seen."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from creditplatform.core.permissions import rule, signed_in
from creditplatform.core.unstored import unstored
from creditplatform.core.vault import pk_of_token
from records.bound import subject_of
from records.enums import RepresentationScope
from records.models import Representation, Subject
from records.models.representation import REPRESENTATION_KIND

View = Callable[..., HttpResponse]
ACTING = "acting_for"  # in the session: the number of the representation


def acting(request: HttpRequest, own: Subject) -> Representation | None:
    """The representation whose file is open in this browser, if it still holds today; asked anew for every page."""
    token = request.session.get(ACTING)
    if not token:
        return None
    found = standing(own, token)
    if found is None:
        del request.session[ACTING]
        messages.warning(request, _("This representation has ended. You are looking at your own file again."))
    request.representation = found  # type: ignore[attr-defined]
    return found


def standing(own: Subject, token: str) -> Representation | None:
    """A representation of this number by which a person may act today; one query."""
    pk = pk_of_token(REPRESENTATION_KIND, token)
    rows = Representation.objects.holding().filter(representative=own).select_related("person")
    return rows.filter(pk=pk).first() if pk is not None else None


def opened_for(view: View, scope: RepresentationScope | None) -> View:
    """A page about a person: the own one, or the one represented where `scope` is part of the representation."""

    @rule(signed_in)
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user: Any = request.user
        own = subject_of(user)
        if own is None:
            return redirect("me:bind")
        by = acting(request, own)
        if by is not None and (scope is None or scope not in by.scope):
            response = render(request, "me/not_in_scope.html", {"scope": scope and scope.label}, status=403)
        else:
            response = view(request, user, by.person if by else own, *args, **kwargs)
        return unstored(response)

    return wrapper


def represented(scope: RepresentationScope) -> Callable[[View], View]:
    """Only for accounts bound to a person; a representative with this scope sees the page of the one represented."""
    return lambda view: opened_for(view, scope)
