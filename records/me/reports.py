"""Pages of a citizen about the own reports: order, download, withdraw."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.forms.boundfield import BoundField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from creditplatform.core.context import all_sites, current_site
from creditplatform.core.errors import Conflict, CreditError, Invalid, NotFoundHere
from creditplatform.core.models import User
from records.enums import CreditReportKind, CreditReportState, RepresentationScope
from records.me.acting import represented
from records.models import CreditReport, Subject
from records.own_numbers import not_theirs
from records.querysets.queries import REPORT_KIND
from records.reports.content import file_name, grouped
from records.reports.order import Order
from records.reports.sections import SECTIONS, section_of
from records.reports.store import JWS, PDF
from records.services import own_limits
from records.services import reports as service
from records.services.unit_reports import opens

SHOWN = 100


def day_field(label: Any, **options: Any) -> forms.DateField:
    """A day, chosen from a calendar where the browser has one."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"], **options)


@dataclass(frozen=True)
class Part:
    """Some fields of a form, as the partial template of fields shows them."""

    visible_fields: list[BoundField]


class KindsField(forms.MultipleChoiceField):
    """Kinds of record: some have to be chosen for the special report and none for the full one, as the order says."""

    def validate(self, value: list[str]) -> None:
        """Only that they are on the list; that one is missing is said with everything else wrong about the order."""
        if value:
            super().validate(value)


class OrderForm(forms.Form):
    """What the report is to show."""

    kind = forms.ChoiceField(
        label=_("Which report"), choices=CreditReportKind, widget=forms.RadioSelect, initial=CreditReportKind.FULL,
        help_text=_("The special report shows chosen kinds of record only, and says of each whether there is one. It"
                    " stands in place of certificates that units used to ask for."),
    )  # fmt: skip
    entries = KindsField(
        label=_("Kinds of record"), widget=forms.CheckboxSelectMultiple,
        help_text=_("For the special report only: choose at least one."),
    )  # fmt: skip
    period_from = day_field(_("Decisions from"), help_text=_("Empty: from the beginning."))
    period_until = day_field(_("Decisions until"), help_text=_("Empty: until today."))
    as_of = day_field(
        _("State of an earlier day"),
        help_text=_("Empty: as things stand now. A report of a past day says so on its first page."),
    )
    language = forms.ChoiceField(label=_("Language of the report"), choices=settings.LANGUAGES)
    site = forms.ChoiceField(label=_("Issued by"))
    whole_number = forms.BooleanField(
        label=_("Print the number of my document in full"), required=False,
        help_text=_("Otherwise its last four characters are printed, which is enough for most uses."),
    )  # fmt: skip

    def __init__(self, *args: Any, sites: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._field("entries").choices = choices()
        self._field("site").choices = sites

    @property
    def which(self) -> Part:
        """Which report."""
        return Part([self["kind"]])

    @property
    def kinds(self) -> Part:
        """The kinds of record."""
        return Part([self["entries"]])

    @property
    def general(self) -> Part:
        """Everything else."""
        return Part([field for field in self.visible_fields() if field.name not in ("kind", "entries")])

    def _field(self, name: str) -> Any:
        return self.fields[name]

    def order(self) -> Order:
        """The order as the service takes it; what belongs to the special report counts for it alone."""
        said = self.cleaned_data
        special = said["kind"] == CreditReportKind.SPECIAL
        return Order(
            as_of=said["as_of"] or timezone.localdate(),
            kind=CreditReportKind(said["kind"]),
            entries=tuple(said["entries"]) if special else (),
            period_from=said["period_from"],
            period_until=said["period_until"],
            language=said["language"],
            whole_number=said["whole_number"],
        )


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Kinds of record about persons, grouped by the sections of the report."""
    places = {section.code: place for place, section in enumerate(SECTIONS)}
    versions = [version for _code, version in service.choosable(timezone.localdate())]
    versions.sort(key=lambda version: (places[section_of(version)], version.entry.code))
    return [
        (str(SECTIONS[place].title), [(one.entry.code, one.entry.label) for one in group])
        for place, group in groupby(versions, key=lambda version: places[section_of(version)])
    ]


@represented(RepresentationScope.REPORT)
def listed(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """My reports, newest first, and those of units; a representative sees those made for them."""
    reports = service.own_reports(user, subject).select_related("site")[:SHOWN]
    rows = [(report, grouped(report.code)) for report in reports]
    of_units = service.reports_of_units(user, subject).select_related("agency", "authorisation")[:SHOWN]
    context = {"rows": rows, "of_units": shown_of_units(of_units), "most": own_limits.most_reports()}
    return render(request, "me/reports.html", context)


def shown_of_units(reports: Iterable[CreditReport]) -> list[tuple[CreditReport, str, bool]]:
    """Each with its number, and whether the unit may fetch its files now."""
    return [(report, grouped(report.code), opens(report)) for report in reports]


@represented(RepresentationScope.REPORT)
def ordered(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """Order a report; it is made at once."""
    sites = all_sites(request)
    here = current_site(request)
    initial = {"language": translation.get_language(), "site": here.code if here else next(iter(sites))}
    named = [(code, site.label) for code, site in sites.items()]
    form = OrderForm(request.POST or None, sites=named, initial=initial)
    if request.method == "POST" and form.is_valid():
        report = _issued(request, user, subject, form)
        if report:
            return redirect("me:report", report.code)
    return render(request, "me/report_order.html", {"form": form})


def _issued(request: HttpRequest, user: User, subject: Subject, form: OrderForm) -> CreditReport | None:
    try:
        return service.issue_report(
            user=user,
            subject=subject,
            site=all_sites(request)[form.cleaned_data["site"]],
            order=form.order(),
            address=request.build_absolute_uri("/"),
        )
    except Invalid as error:
        for problem in error.problems:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
    except CreditError as error:
        form.add_error(None, str(error))
    return None


@represented(RepresentationScope.REPORT)
def result(request: HttpRequest, user: User, subject: Subject, report: str) -> HttpResponse:
    """One report: download it, hand on its number, or withdraw it by pressing the button."""
    found = _mine(user, subject, report)
    if request.method == "POST":
        return _revoked(request, user, found)
    context = {
        "report": found,
        "number": grouped(found.code),
        "verify": service.verify_address(found.code, request.build_absolute_uri("/")),
        "historic": found.as_of < timezone.localdate(found.issued_at),
        "revoked": found.state == CreditReportState.REVOKED,
        "opens": opens(found),
    }
    return render(request, "me/report.html", context)


@represented(RepresentationScope.REPORT)
def pdf(request: HttpRequest, user: User, subject: Subject, report: str) -> HttpResponse:
    """The signed PDF."""
    return _file(user, subject, report, signed=False)


@represented(RepresentationScope.REPORT)
def jws(request: HttpRequest, user: User, subject: Subject, report: str) -> HttpResponse:
    """The same content as signed JSON."""
    return _file(user, subject, report, signed=True)


def _revoked(request: HttpRequest, user: User, found: CreditReport) -> HttpResponse:
    """Withdraw it; pressing twice changes nothing more."""
    try:
        service.revoke_report(report=found, user=user)
    except Conflict as error:
        messages.info(request, str(error))
    return redirect("me:report", found.code)


def _mine(user: User, subject: Subject, code: str) -> CreditReport:
    """A report about the person whose file is open."""
    try:
        found = service.own_report(user, code)
    except NotFoundHere:
        raise not_theirs(REPORT_KIND, user) from None
    if found.subject_id != subject.pk:
        raise not_theirs(REPORT_KIND, user)
    return found


def _file(user: User, subject: Subject, code: str, *, signed: bool) -> HttpResponse:
    found = _mine(user, subject, code)
    try:
        data = service.download(report=found, user=user, signed=signed)
    except NotFoundHere:
        raise Http404 from None
    response = HttpResponse(data, content_type=JWS if signed else PDF)
    response["Content-Disposition"] = f'attachment; filename="{file_name(found, signed=signed)}"'
    return response
