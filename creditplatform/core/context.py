"""What every page template may ask for."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from creditplatform.core.models import Site

SIZE_COOKIE = "size"
SITE_COOKIE = "site"


def page(request: HttpRequest) -> dict[str, Any]:
    """The site of this page (from its address, else the one last visited), the text size, the demonstration mark."""
    return {
        "site": current_site(request),
        "demonstration": settings.DEMONSTRATION,
        "large_text": request.COOKIES.get(SIZE_COOKIE) == "large",
    }


def current_site(request: HttpRequest) -> Site | None:
    """The site the address names, else the one visited last, else the first; one query per request."""
    if not hasattr(request, "credit_site"):
        sites = {site.code: site for site in Site.objects.all()}
        match = request.resolver_match
        named = (
            (match.kwargs.get("site") if match else None)
            or request.session.get("site")
            or request.COOKIES.get(SITE_COOKIE, "")
        )
        request.credit_site = sites.get(named) or next(iter(sites.values()), None)  # type: ignore[attr-defined]
    found: Site | None = request.credit_site  # type: ignore[attr-defined]
    return found
