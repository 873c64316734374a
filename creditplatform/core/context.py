"""What every page template may ask for."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from creditplatform.core.models import Site

SIZE_COOKIE = "size"
SITE_COOKIE = "site"


def page(request: HttpRequest) -> dict[str, Any]:
    """The site of this page (where one is known), the text size, the demonstration mark."""
    return {
        "site": current_site(request),
        "demonstration": settings.DEMONSTRATION,
        "identity_platforms": settings.IDENTITY_PLATFORMS,
        "large_text": request.COOKIES.get(SIZE_COOKIE) == "large",
    }


def all_sites(request: HttpRequest) -> dict[str, Site]:
    """Every site by its code; one query per request."""
    if not hasattr(request, "credit_sites"):
        request.credit_sites = {site.code: site for site in Site.objects.order_by("root_region")}  # type: ignore[attr-defined]
    found: dict[str, Site] = request.credit_sites  # type: ignore[attr-defined]
    return found


def current_site(request: HttpRequest) -> Site | None:
    """The site the address names, else the one visited last, else that of the member of staff's unit.

    None for a visitor of whom nothing of this is known: such a page bears the look of neither site.
    """
    match = request.resolver_match
    named = (
        (match.kwargs.get("site") if match else None)
        or request.session.get("site")
        or request.COOKIES.get(SITE_COOKIE, "")
    )
    return all_sites(request).get(named) or _site_of_unit(request)


def _site_of_unit(request: HttpRequest) -> Site | None:
    """The site of the first unit a member of staff works for; the own file belongs to the person, not to the unit."""
    user, match = getattr(request, "user", None), request.resolver_match
    if user is None or not user.is_authenticated or (match and match.namespace == "me"):
        return None
    ids = {site.pk: site for site in all_sites(request).values()}
    return next((ids[membership.agency.site_id] for membership in user.memberships_in_force), None)
