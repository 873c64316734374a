"""Figures on the desk: the ranked board of the centre, a unit's own page, one entry with its batches, silent feeds."""

import datetime
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
from records.enums import ReportState
from records.figures import charts, rates, silence
from records.figures.access import leads, of_the_centre, sees_figures, units_seen_by
from records.figures.declared import owing, reports_of
from records.figures.rules import first_day, parse_month
from records.models import CatalogueEntry
from records.querysets import sites_led, units_of

MONTHS_OFFERED = 13
HANDED_IN = (ReportState.SUBMITTED, ReportState.ACCEPTED)


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
    units = Agency.objects.filter(site=site)
    page = {
        "month": month,
        "months": months_offered(),
        "chosen": site,
        "sites": sites_of(request),
        "rows": [(row, charts.spark(row.scores)) for row in rows[: rates.SHOWN]],
        "more": len(rows) > rates.SHOWN,
        "measures": rates.measures(month, site.code),
        "owing": owing(units, month) if month < first_day(timezone.localdate()) else [],
        "late": [report for report in reports_of(units, month) if report.state in HANDED_IN and report.late],
    }
    return render(request, "desk/figures/board.html", page)


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
        "measures": rules,
        "silences": [one for one in silence.silences(request.user) if one.feed.agency_id == seen.pk],
        "centre": of_the_centre(request.user),
    }
    return render(request, "desk/figures/unit.html", page)


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
    found = silence.silences(request.user)
    page = {
        "stopped": [one for one in found if one.last_on],
        "never": [one for one in found if not one.last_on],
        "odd": silence.odd_batches(request.user),
        "here": _("Feeds expected"),
    }
    return render(request, "desk/figures/feeds.html", page)
