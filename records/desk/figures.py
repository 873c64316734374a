"""Figures on the desk: the ranked board of the centre, a unit's own page, one entry with its batches, silent feeds."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from creditplatform.core.context import all_sites
from creditplatform.core.deadlines import add_months
from creditplatform.core.models import Agency, Site
from creditplatform.core.permissions import rule
from records.feeds.plan import codes_below
from records.figures import charts, rates, silence
from records.figures.access import leads, of_the_centre, sees_figures, units_seen_by
from records.figures.declared import Standing, standings
from records.figures.rules import Punctuality, first_day, parse_month
from records.figures.silence import Silence
from records.models import CatalogueEntry
from records.querysets import sites_led, units_of

MONTHS_OFFERED = 13


@dataclass
class Marks:
    """What is wrong with a unit beside its figures: feeds that have stopped, a report that is late or missing."""

    agency: Agency
    stopped: list[Silence] = field(default_factory=list)
    report: Standing | None = None


def months_offered() -> list[datetime.date]:
    """The months one may choose, the running one first."""
    current = first_day(timezone.localdate())
    return [add_months(current, -back) for back in range(MONTHS_OFFERED)]


def month_asked(request: HttpRequest) -> datetime.date:
    """The month behind the question mark; the last whole one where none or nonsense was given."""
    return parse_month(request.GET.get("month", "")) or months_offered()[1]


def unit_seen(request: HttpRequest, code: str) -> Agency:
    """A unit whose figures this person may see; not found for anybody else."""
    return get_object_or_404(units_seen_by(request.user), code=code)


def site_asked(request: HttpRequest) -> Site:
    """The site behind the question mark where the person's units belong to several, else the only one."""
    sites = sites_of(request)
    if not sites:
        raise Http404
    return next((site for site in sites if site.code == request.GET.get("site")), sites[0])


def sites_of(request: HttpRequest) -> list[Site]:
    """For the credit centre the places it looks after, else those to which the person's units belong."""
    user: Any = request.user
    own = sites_led(user) or {membership.agency.site_id for membership in user.memberships_in_force}
    return [site for site in all_sites(request).values() if site.pk in own]


@rule(sees_figures)
def start(request: HttpRequest) -> HttpResponse:
    """The board for the centre, the own page for everybody else."""
    user: Any = request.user
    if of_the_centre(user):
        return HttpResponseRedirect(reverse("desk:figures_board"))
    unit = Agency.objects.filter(pk__in=units_of(user)).order_by("code")[0]
    return HttpResponseRedirect(reverse("desk:figures_unit", args=[unit.code]))


@rule(leads)
def board(request: HttpRequest) -> HttpResponse:
    """Units ranked by their score in a month, with what is wanting of each."""
    site, month = site_asked(request), month_asked(request)
    rows = rates.board(site, month)
    reports = _reports_wanted(site, month)
    marks = _marks([one for one in silence.silences(request.user) if one.feed.agency.site_id == site.pk], reports)
    ranked = {row.agency.pk for row in rows}
    page = {
        "month": month,
        "months": months_offered(),
        "chosen": site,
        "sites": sites_of(request),
        "rows": [(row, charts.spark(row.scores), marks.get(row.agency.pk)) for row in rows[: rates.SHOWN]],
        "unranked": [one for pk, one in marks.items() if pk not in ranked],
        "more": len(rows) > rates.SHOWN,
        "measures": rates.measures(month, site.code),
        "missing": [one for one in reports if one.punctuality == Punctuality.MISSING],
        "owing": [one for one in reports if not one.handed_in],
        "late": [one for one in reports if one.handed_in and one.punctuality == Punctuality.LATE],
    }
    return render(request, "desk/figures/board.html", page)


def _reports_wanted(site: Site, month: datetime.date) -> list[Standing]:
    """How the units of a site stand with their reports; none is wanted on a month that still runs."""
    return standings(Agency.objects.filter(site=site), month) if month < first_day(timezone.localdate()) else []


def _marks(silent: Iterable[Silence], reports: Iterable[Standing]) -> dict[int, Marks]:
    """What is wrong with which unit, by its key, in the order of the units."""
    found: dict[int, Marks] = {}
    for one in silent:
        if one.owed:
            found.setdefault(one.feed.agency_id, Marks(one.feed.agency)).stopped.append(one)
    for standing in reports:
        if standing.punctuality >= Punctuality.LATE:
            found.setdefault(standing.agency.pk, Marks(standing.agency)).report = standing
    return dict(sorted(found.items(), key=lambda item: item[1].agency.code))


@rule(sees_figures)
def unit(request: HttpRequest, agency: str) -> HttpResponse:
    """A unit's own page: its place, its rates by entry, its trend, and what to mend first."""
    seen, month = unit_seen(request, agency), month_asked(request)
    ranked = rates.board(seen.site, month)
    own = next((row for row in ranked if row.agency.pk == seen.pk), None)
    rules = rates.measures(month, seen.site.code)
    entries, problems = rates.unit_entries(seen, month, rules)
    page = {
        "unit": seen,
        "month": month,
        "months": months_offered(),
        "row": own,
        "spark": charts.spark(own.scores) if own else None,
        "trend": list(zip(own.months, own.scores, strict=True)) if own else [],
        "ranked": sum(row.place is not None for row in ranked),
        "entries": entries,
        "problems": problems,
        "shortfalls": rates.shortfalls(own, entries),
        "standing": next(iter(_reports_of_unit(seen, month)), None),
        "measures": rules,
        "without_code": not codes_below(seen),
        "silences": [one for one in silence.silences(request.user) if one.feed.agency_id == seen.pk],
        "centre": of_the_centre(request.user),
    }
    return render(request, "desk/figures/unit.html", page)


def _reports_of_unit(unit: Agency, month: datetime.date) -> list[Standing]:
    """The unit's own report where one is wanted."""
    if month >= first_day(timezone.localdate()):
        return []
    return standings(Agency.objects.filter(pk=unit.pk).select_related("site"), month)


@rule(sees_figures)
def entry(request: HttpRequest, agency: str, entry: str) -> HttpResponse:
    """One entry of a unit in a month: what went wrong, and the batches themselves."""
    seen, month = unit_seen(request, agency), month_asked(request)
    found = get_object_or_404(CatalogueEntry, code=entry)
    page = rates.entry_page(seen, found, month, rates.measures(month, seen.site.code))
    context = {"unit": seen, "month": month, "months": months_offered(), "entry": found, "page": page}
    return render(request, "desk/figures/entry.html", context)


@rule(sees_figures)
def feeds(request: HttpRequest) -> HttpResponse:
    """Feeds that owe a delivery, deliveries of an unexpected size: of the own unit, for the centre of its place."""
    user: Any = request.user
    chosen = units_seen_by(user).filter(code=request.GET.get("unit", "").replace("\x00", "")).first()
    found = [one for one in silence.silences(user) if chosen is None or one.feed.agency_id == chosen.pk]
    odd = [one for one in silence.odd_batches(user) if chosen is None or one.feed.agency_id == chosen.pk]
    page = {
        "stopped": [one for one in found if one.owed],
        "never": [one for one in found if not one.owed],
        "odd": odd,
        "unit": chosen,
        "own": units_of(user),
        "centre": of_the_centre(user),
        "here": _("Feeds expected"),
    }
    return render(request, "desk/figures/feeds.html", page)
