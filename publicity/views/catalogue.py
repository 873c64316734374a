"""What is collected about people, on which law, for how long: readable by everybody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control

from creditplatform.core.permissions import anyone, rule
from publicity.selectors.catalogue import collected_about_people
from publicity.views.sites import site_of


@rule(anyone)
@cache_control(private=True, no_cache=True)
def catalogue(request: HttpRequest, site: str) -> HttpResponse:
    """Every kind of information about natural persons that units of the site may record today."""
    here = site_of(request)
    return render(request, "publicity/catalogue.html", {"classes": collected_about_people(here)})
