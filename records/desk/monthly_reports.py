"""Monthly reports on the desk: the list of a month, the page of one report with its form, and workbooks."""

import datetime
from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import Conflict, CreditError, Invalid
from creditplatform.core.models import Agency, User
from creditplatform.core.permissions import rule
from records.desk.figures import month_asked, months_offered, site_asked, unit_seen
from records.figures import charts, workbook
from records.figures.access import leads, of_the_centre, sees_figures
from records.figures.declared import Line, View, mark_of, reports_of, standings, view_of
from records.figures.rules import parse_month
from records.models import MonthlyReport
from records.querysets import units_of
from records.services.monthly_report import OPEN, Declared, save_report, take_step
from records.workflows.monthly_report import MONTHLY_REPORT

STEPS = ("submit", "return", "accept")
MOST = 2_000_000_000


class LineForm(forms.Form):
    """What a unit declares about one kind of act."""

    produced = forms.IntegerField(label=_("Decisions produced"), min_value=0, max_value=MOST, required=False)
    published = forms.IntegerField(label=_("Published on own site"), min_value=0, max_value=MOST, required=False)
    address = forms.URLField(
        label=_("Address where they are published"), max_length=500, required=False, assume_scheme="https"
    )
    reason = forms.CharField(label=_("Why decisions are not reported"), max_length=500, required=False)

    def __init__(self, *args: Any, title: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = title


@rule(sees_figures)
def listing(request: HttpRequest) -> HttpResponse:
    """Reports on a month: of the own units, or of a whole site for the centre; who has not handed in stands first."""
    user: Any = request.user
    month = month_asked(request)
    site = site_asked(request)
    units = Agency.objects.filter(site=site) if of_the_centre(user) else Agency.objects.filter(pk__in=units_of(user))
    found = standings(units, month)
    page = {
        "month": month,
        "months": months_offered(),
        "chosen": site,
        "owing": [one for one in found if not one.handed_in],
        "reports": [one for one in found if one.handed_in],
        "centre": of_the_centre(user),
    }
    return render(request, "desk/figures/reports.html", page)


@rule(leads)
def month_book(request: HttpRequest) -> HttpResponse:
    """All reports on a month of a site as one workbook."""
    site, month = site_asked(request), month_asked(request)
    content = workbook.month_workbook(f"{month:%Y-%m}", reports_of(Agency.objects.filter(site=site), month))
    return _download(content, f"{site.code}-{month:%Y-%m}.xlsx")


@rule(sees_figures)
def report(request: HttpRequest, agency: str, month: str) -> HttpResponse:
    """One report: declared and counted side by side, a chart, the form of the unit and the answer of the centre."""
    unit, day = unit_seen(request, agency), _month(month)
    if request.method != "POST":
        return _page(request, unit, day, _forms(view_of(unit, day)))
    step = request.POST.get("step", "")
    if step in ("return", "accept"):
        return _answer(request, unit, day, step)
    return _save(request, unit, day, submit=step == "submit")


@rule(sees_figures)
def report_book(request: HttpRequest, agency: str, month: str) -> HttpResponse:
    """One report as a workbook."""
    unit, day = unit_seen(request, agency), _month(month)
    return _download(workbook.report_workbook(view_of(unit, day)), f"{unit.code}-{day:%Y-%m}.xlsx")


def _month(text: str) -> datetime.date:
    found = parse_month(text)
    if found is None:
        raise Http404
    return found


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=workbook.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _forms(view: View, data: Mapping[str, Any] | None = None) -> dict[str, LineForm]:
    """A form per kind of act, under the codes of the procedure's problems."""
    names = ("produced", "published", "address", "reason")
    return {
        line.act: LineForm(
            data, prefix=line.act, title=line.label, initial={name: getattr(line.declared, name) for name in names}
        )
        for line in view.lines
    }


def _save(request: HttpRequest, unit: Agency, month: datetime.date, *, submit: bool) -> HttpResponse:
    user = cast(User, request.user)
    if unit.pk not in units_of(user):
        raise PermissionDenied
    filled, seen = _forms(view_of(unit, month), request.POST), request.POST.get("seen", "")
    if not all([form.is_valid() for form in filled.values()]):
        return _page(request, unit, month, filled, seen=seen, status=400)
    lines = {act: Declared(**form.cleaned_data) for act, form in filled.items()}
    try:
        saved = save_report(user=user, agency=unit, month=month, lines=lines, seen=seen)
        seen = mark_of(saved.lines.all())
        if submit:
            take_step(user=user, report=saved, step="submit")
    except Invalid as error:
        _note(filled, error, request)
        return _page(request, unit, month, filled, seen=seen, status=400)
    except Conflict as error:
        messages.error(request, str(error))
        return _page(request, unit, month, filled, seen=seen, status=error.http_status)
    except CreditError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, str(_("The report is submitted.") if submit else _("The draft is kept.")))
    return HttpResponseRedirect(request.path)


def _note(filled: dict[str, LineForm], error: Invalid, request: HttpRequest) -> None:
    """Every problem beside its field; what belongs to no field, above the page."""
    for problem in error.problems:
        act, _sign, name = problem.field.rpartition("-")
        if act in filled:
            filled[act].add_error(name, str(problem.message))
        else:
            messages.error(request, str(problem.message))


def _answer(request: HttpRequest, unit: Agency, month: datetime.date, step: str) -> HttpResponse:
    found = MonthlyReport.objects.filter(agency=unit, month=month).first()
    if found is None:
        raise Http404
    reason = request.POST.get("reason", "").replace("\x00", "")[:2000]
    try:
        take_step(user=cast(User, request.user), report=found, step=step, reason=reason)
        messages.success(request, str(_("Your answer is kept; the unit finds it on this page.")))
    except Invalid as error:
        messages.error(request, " ".join(str(problem.message) for problem in error.problems))
    except CreditError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(request.path)


def _drawn(line: Line) -> tuple[str, tuple[int, ...]]:
    said = line.declared
    return line.label, (said.produced or 0, said.published or 0, line.reported, line.stored, line.shown)


def _page(
    request: HttpRequest, unit: Agency, month: datetime.date, filled: dict[str, LineForm], *, seen: str | None = None,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    view = view_of(unit, month)
    series = [_("Produced"), _("Published on own site"), _("Reported"), _("Stored"), _("Shown on the site")]
    user = cast(User, request.user)
    steps = {step.name for step in MONTHLY_REPORT.available(view.report, user)} if view.report else set()
    page = {
        "view": view,
        "unit": unit,
        "month": month,
        "months": months_offered(),
        "chart": charts.bar_chart([_drawn(line) for line in view.lines], [str(name) for name in series]),
        "forms": filled if unit.pk in units_of(cast(User, request.user)) and view.state in OPEN else {},
        "seen": view.mark if seen is None else seen,
        "answers": steps & {"return", "accept"},
        "signs": MONTHLY_REPORT.step("submit").by(view.report or MonthlyReport(agency=unit), user),
        "book": reverse("desk:figures_report_book", args=[unit.code, f"{month:%Y-%m}"]),
    }
    return render(request, "desk/figures/report.html", page, status=status)
