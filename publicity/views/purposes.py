"""For what information about people may be used, by whom, on what basis: readable by everybody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control

from creditplatform.core.permissions import anyone, rule
from publicity.selectors.purposes import uses_of
from publicity.views.sites import site_of
from records.enums import OwnPurpose


@rule(anyone)
@cache_control(private=True, no_cache=True)
def purposes(request: HttpRequest, site: str) -> HttpResponse:
    """Every purpose in force at the site, and the words for what the platform itself does."""
    context = {"areas": uses_of(site_of(request)), "own": OwnPurpose.labels}
    return render(request, "publicity/purposes.html", context)
