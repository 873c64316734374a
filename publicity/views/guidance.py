"""Which unit to turn to for what, and the pages every site owes its visitors."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control

from creditplatform.core.permissions import anyone, rule
from creditplatform.core.rules import load_rulebook
from publicity.selectors.records import record_page
from publicity.selectors.registers import deciding_units
from publicity.services import note_disclosure
from publicity.views.sites import known_user, site_of
from records.exchange.overview import figures

SERVICES = frozenset({"report", "objection", "repair", "reconsideration"})
ABOUT = frozenset({"privacy", "accessibility", "corrections"})
CLOCKS = {
    "objection_days": "clock.objection.total.working_days",
    "repair_decide_days": "clock.repair.decide.working_days",
    "repair_days": "clock.repair.total.working_days",
}


@rule(anyone)
@cache_control(private=True, no_cache=True)
def services(request: HttpRequest, site: str) -> HttpResponse:
    """What people come for, and every unit that sends records, with whom to ring."""
    return render(request, "publicity/services.html", {"units": deciding_units(site_of(request))})


@rule(anyone)
@cache_control(no_store=True)
def service(request: HttpRequest, site: str, topic: str) -> HttpResponse:
    """One service: what it is, what to bring, whom to turn to; `record` names a public record it is about."""
    if topic not in SERVICES:
        raise Http404
    here = site_of(request)
    shown = record_page(here, request.GET.get("record", ""))
    if shown:
        note_disclosure(page=shown, user=known_user(request))
    return render(request, f"publicity/services/{topic}.html", {"page": shown, **_clocks(here.code)})


@rule(anyone)
@cache_control(private=True, no_cache=True)
def about(request: HttpRequest, site: str, topic: str) -> HttpResponse:
    """Privacy, accessibility, corrections."""
    if topic not in ABOUT:
        raise Http404
    site_of(request)
    return render(request, f"publicity/about/{topic}.html")


@rule(anyone)
@cache_control(private=True, no_cache=True)
def confirmations(request: HttpRequest, site: str) -> HttpResponse:
    """How quickly other systems confirm that they have followed a withdrawal; figures only."""
    return render(request, "publicity/about/confirmations.html", {"figures": figures(site_of(request))})


def _clocks(site: str) -> dict[str, int | None]:
    """Periods in working days as the rules of today have them; None for one that is not on file."""
    today, rulebook = timezone.localdate(), load_rulebook()
    clocks: dict[str, int | None] = {}
    for name, key in CLOCKS.items():
        values = rulebook.versions(key, since=today, until=today, site=site)
        clocks[name] = values[0].value if values else None
    return clocks
