"""Requests for consent on the desk: a unit asks, sees whether it was answered, takes a request back.

Nothing here says whether the person is on file or has an account: a request to nobody waits as any other does.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError, FieldProblem, Invalid
from creditplatform.core.identity import PERSON_KINDS, IdentifierKind
from creditplatform.core.models import Agency, User
from creditplatform.core.permissions import rule
from creditplatform.core.unstored import unstored
from creditplatform.core.vault import pk_of_token
from records.desk.access import sending
from records.identifiers import checked_person
from records.models import Authorisation, Purpose
from records.models.authorisation import AUTHORISATION_KIND
from records.own_numbers import not_theirs
from records.preview_selectors import name_labels
from records.querysets import units_of
from records.reports.content import grouped
from records.services import authorisations
from records.services.unit_reports import covers_report
from records.workflows.authorisation import AUTHORISATION

PAGE = 50
RELATED = ("agency", "purpose")


class RequestForm(forms.Form):
    """Whom to ask for what; the number and the name are kept as keyed indexes alone.

    Nothing is ticked beforehand, since a unit asks for no more than its case needs. A purpose that shows no records
    has its yes or no only from all of them, so there is nothing to choose.
    """

    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    kind = forms.ChoiceField(
        label=_("Document"), initial=IdentifierKind.RESIDENT_ID.value,
        choices=[(kind.value, kind.label) for kind in IdentifierKind if kind in PERSON_KINDS],
    )  # fmt: skip
    number = forms.CharField(
        label=_("Number of the document"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    case_number = forms.CharField(label=_("Case number"), max_length=60, required=False)
    message = forms.CharField(
        label=_("Message to the person"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Say in plain words why you ask. Kept encrypted; only the person reads it."),
    )  # fmt: skip
    everything = forms.BooleanField(label=_("Everything that this purpose covers"), required=False)
    fields_asked = forms.MultipleChoiceField(
        label=_("Or only"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Ask for no more than the case needs."),
    )  # fmt: skip

    def __init__(self, *args: Any, purpose: Purpose, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if purpose.gives_records:
            self.fields["fields_asked"].choices = list(name_labels(purpose.fields).items())  # type: ignore[attr-defined]
            if purpose.gives_eligibility:
                self.fields["everything"].help_text = _(
                    "Only then you also learn yes or no whether the record is clean."
                )
        else:
            del self.fields["everything"], self.fields["fields_asked"]

    def clean(self) -> dict[str, Any]:
        """Something is asked for."""
        given = self.cleaned_data
        ticked = given.get("everything") or given.get("fields_asked") or "fields_asked" in self.errors
        if "everything" in self.fields and not ticked:
            self.add_error("fields_asked", _("Choose at least one kind of record."))
        return given

    def asked(self) -> list[str]:
        """The names that were ticked; none stands for everything that the purpose covers."""
        return [] if self.cleaned_data.get("everything") else self.cleaned_data.get("fields_asked", [])


PLACES = {"fields": "fields_asked"}


@rule(sending)
def requests_of_unit(request: HttpRequest) -> HttpResponse:
    """The requests of the own units, newest first, and the purposes for which one may ask."""
    user: Any = request.user
    rows = Authorisation.objects.of_unit(user).select_related(*RELATED).order_by("-pk")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    context = {
        "cases": found[:PAGE],
        "before": found[PAGE - 1].pk if len(found) > PAGE else None,
        "purposes": _purposes(user),
    }
    return unstored(render(request, "desk/authorisations.html", context))


@rule(sending)
def ask(request: HttpRequest, agency: str, purpose: str) -> HttpResponse:
    """Ask a person for consent, for one purpose of one's own unit."""
    user: Any = request.user
    unit, wanted = _permitted(user, agency, purpose)
    form = RequestForm(request.POST or None, purpose=wanted)
    if request.method == "POST" and form.is_valid() and (case := _asked(user, unit, wanted, form)):
        messages.success(request, _("The person is asked. The answer will stand here."))
        return redirect("desk:authorisation", case.number)
    if form.is_bound and form.has_error("fields_asked", "invalid_choice"):
        _note(user, unit, wanted, form, authorisations.outside_purpose())
    context = {"form": form, "purpose": wanted, "agency": unit}
    return unstored(render(request, "desk/authorisation_ask.html", context))


@rule(sending)
def request_of_unit(request: HttpRequest, number: str) -> HttpResponse:
    """One request: what was asked, what was allowed, and how to take it back while it waits."""
    user: Any = request.user
    pk = pk_of_token(AUTHORISATION_KIND, number)
    rows = Authorisation.objects.of_unit(user).select_related(*RELATED)
    case = rows.filter(pk=pk).first() if pk is not None else None
    if case is None:
        raise not_theirs(AUTHORISATION_KIND, user)
    if request.method == "POST" and request.POST.get("act") == "recall":
        try:
            authorisations.recall(authorisation=case, user=user)
            messages.success(request, _("The request is taken back."))
        except CreditError as error:
            messages.error(request, str(error))
        return redirect("desk:authorisation", case.number)
    context = {
        "case": case,
        "asked": name_labels(case.requested_fields).values(),
        "allowed": name_labels(case.granted_fields).values(),
        "covers_report": covers_report(case),
        "reports": [(report, grouped(report.code)) for report in case.reports.all()],
        "may_recall": any(step.name == "recall" for step in AUTHORISATION.available(case, user)),
    }
    return unstored(render(request, "desk/authorisation.html", context))


def _purposes(user: User) -> list[tuple[Agency, list[Purpose]]]:
    """For each unit of a person the purposes for which it may ask for consent."""
    units = Agency.objects.filter(pk__in=units_of(user)).order_by("code")
    found = [
        (one, list(Purpose.objects.open_to(one).filter(needs_consent=True).order_by("area", "code"))) for one in units
    ]
    return [(unit, purposes) for unit, purposes in found if purposes]


def _permitted(user: User, agency: str, purpose: str) -> tuple[Agency, Purpose]:
    unit = Agency.objects.select_related("site").filter(code=agency, pk__in=units_of(user)).first()
    if unit is None:
        raise PermissionDenied
    wanted = (
        Purpose.objects.open_to(unit).select_related("legal_basis").filter(code=purpose, needs_consent=True).first()
    )
    if wanted is None:
        raise Http404
    return unit, wanted


def _asked(user: User, unit: Agency, purpose: Purpose, form: RequestForm) -> Authorisation | None:
    given = form.cleaned_data
    try:
        person = checked_person(given["name"], given["kind"], given["number"])
    except Invalid as error:
        _tell(form, error)
        return None
    try:
        return authorisations.request_authorisation(
            agency=unit, purpose=purpose, person=person, name=given["name"], fields=form.asked(),
            case_number=given["case_number"], message=given["message"], user=user,
        )  # fmt: skip
    except CreditError as error:
        _note(user, unit, purpose, form, error)
        _tell(form, error)
    return None


def _note(user: User, unit: Agency, purpose: Purpose, form: RequestForm, error: CreditError) -> None:
    case = form.cleaned_data.get("case_number", "")
    authorisations.note_refused(
        agency=unit, purpose=purpose.code, error=error, door=Door.DESK, case_number=case, user=user
    )


def _tell(form: RequestForm, error: CreditError) -> None:
    """What is wrong, each beside its field."""
    for problem in error.problems if isinstance(error, Invalid) else [FieldProblem("", error.code, str(error))]:
        field = PLACES.get(problem.field, problem.field)
        form.add_error(field if field in form.fields else None, str(problem.message))
