"""The door between the two sites, the home of each, and the size of the text."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST

from creditplatform.core.context import SIZE_COOKIE, current_site
from creditplatform.core.models import Site, User
from creditplatform.core.permissions import anyone, rule
from publicity.selectors.registers import LEAVING_DAYS, overview

SITE_COOKIE = "site"
A_YEAR = 365 * 24 * 3600


def site_of(request: HttpRequest) -> Site:
    """The site the address names; 404 while the policy that sets it up has not been loaded."""
    site = current_site(request)
    if site is None:
        raise Http404
    return site


def known_user(request: HttpRequest) -> User | None:
    """Who is signed in, if anybody is."""
    return None if isinstance(request.user, AnonymousUser) else request.user


@rule(anyone)
@cache_control(private=True, no_cache=True)
def choose(request: HttpRequest) -> HttpResponse:
    """Which site; this page bears the look of neither."""
    return render(request, "publicity/choose.html", {"sites": Site.objects.order_by("root_region"), "site": None})


@rule(anyone)
@cache_control(private=True, no_cache=True)
def home(request: HttpRequest, site: str) -> HttpResponse:
    """Search first, then what people come for, then the registers."""
    here = site_of(request)
    context = {"overview": overview(here), "leaving_days": LEAVING_DAYS}
    response = render(request, "publicity/home.html", context)
    _remember(response, SITE_COOKIE, here.code)
    return response


@rule(anyone)
@require_POST
def text_size(request: HttpRequest) -> HttpResponse:
    """Remember large or ordinary text in this browser, and go back to the page."""
    back = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if safe else "/")
    if request.POST.get("size") == "large":
        _remember(response, SIZE_COOKIE, "large")
    else:
        response.delete_cookie(SIZE_COOKIE, samesite="Lax")
    return response


def _remember(response: HttpResponse, name: str, value: str) -> None:
    """A choice of the visitor's, kept in the browser for a year and read by no script."""
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(name, value, max_age=A_YEAR, httponly=True, samesite="Lax", secure=secure)
