"""The registers of a site."""

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control

from creditplatform.core.permissions import anyone, rule
from publicity.forms import RegisterFilter
from publicity.selectors.keyset import Page
from publicity.selectors.registers import deciding_units, overview, register_page, register_version
from publicity.views.sites import site_of


@rule(anyone)
@cache_control(private=True, no_cache=True)
def index(request: HttpRequest, site: str) -> HttpResponse:
    """All registers with their counts."""
    return render(request, "publicity/registers.html", {"overview": overview(site_of(request))})


@rule(anyone)
@cache_control(no_store=True)
def register(request: HttpRequest, site: str, entry: str) -> HttpResponse:
    """One register, newest decision first, with filters."""
    here, version = site_of(request), register_version(entry)
    if version is None:
        raise Http404
    form = RegisterFilter(request.GET, version=version, units=deciding_units(here, version.entry))
    chosen, page = form.chosen, Page([], "", True)
    if form.is_valid():
        page = register_page(here, version.entry, chosen, request.GET.get("after", ""))
    kept = urlencode({name: request.GET[name] for name in chosen})
    context = {"version": version, "entry": version.entry, "form": form, "page": page, "kept": kept}
    return render(request, "publicity/register.html", context)
