"""Reports that a unit gets with a consent: made from the page of the consent, handed out to members of the unit."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation

from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError, Invalid, NotFoundHere
from creditplatform.core.models import User
from creditplatform.core.permissions import rule
from creditplatform.core.unstored import unstored
from creditplatform.core.vault import pk_of_token
from records.desk.access import sending
from records.models import Authorisation, CreditReport
from records.models.authorisation import AUTHORISATION_KIND
from records.own_numbers import not_theirs
from records.queries.grants import NotAuthorised
from records.querysets import units_of
from records.querysets.queries import REPORT_KIND
from records.reports.content import file_name, grouped
from records.reports.store import JWS, PDF
from records.services import unit_reports as services
from records.services.reports import NoReportOfMinors, verify_address


@rule(sending)
def make(request: HttpRequest, number: str) -> HttpResponse:
    """Make a report with a consent of the own unit; takes one use of it. A refusal is registered and told."""
    user: Any = request.user
    pk = pk_of_token(AUTHORISATION_KIND, number)
    rows = Authorisation.objects.of_unit(user).select_related("agency__site")
    case = rows.filter(pk=pk).first() if pk is not None else None
    if case is None:
        raise not_theirs(AUTHORISATION_KIND, user)
    if request.method != "POST":
        return redirect("desk:authorisation", number)
    asking = services.Asking(
        case.agency, number, request.POST.get("case_number", ""), user, Door.DESK, translation.get_language()
    )
    try:
        report = services.issue_to_unit(asking, address=request.build_absolute_uri("/"))
    except Invalid as error:
        for problem in error.problems:
            messages.error(request, str(problem.message))
    except (NotAuthorised, NoReportOfMinors) as error:
        services.note_refused(asking)
        messages.error(request, str(error))
    except CreditError as error:
        messages.error(request, str(error))
    else:
        return redirect("desk:unit-report", report.code)
    return redirect("desk:authorisation", number)


@rule(sending)
def show(request: HttpRequest, report: str) -> HttpResponse:
    """One report of the own unit: its number and its files; nothing about the person stands here."""
    user: Any = request.user
    found = _ours(user, report)
    context = {
        "report": found,
        "number": grouped(found.code),
        "verify": verify_address(found.code, request.build_absolute_uri("/")),
        "opens": services.opens(found),
    }
    return unstored(render(request, "desk/unit_report.html", context))


@rule(sending)
def pdf(request: HttpRequest, report: str) -> HttpResponse:
    """The signed PDF."""
    return _file(request, report, signed=False)


@rule(sending)
def jws(request: HttpRequest, report: str) -> HttpResponse:
    """The same content as signed JSON."""
    return _file(request, report, signed=True)


def _file(request: HttpRequest, code: str, *, signed: bool) -> HttpResponse:
    user: Any = request.user
    found = _ours(user, code)
    try:
        data = services.download(found, user=user, door=Door.DESK, signed=signed)
    except NotAuthorised as error:
        messages.error(request, str(error))
        return redirect("desk:unit-report", code)
    except NotFoundHere:
        raise Http404 from None
    response = HttpResponse(data, content_type=JWS if signed else PDF)
    response["Content-Disposition"] = f'attachment; filename="{file_name(found, signed=signed)}"'
    return unstored(response)


def _ours(user: User, code: str) -> CreditReport:
    """A report that a unit of theirs got; any other number is answered alike."""
    try:
        return services.report_of(code, units_of(user))
    except NotFoundHere:
        raise not_theirs(REPORT_KIND, user) from None
