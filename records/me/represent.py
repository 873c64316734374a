"""Acting for others: what I asked for, whose file I may open, who acts for me."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError
from creditplatform.core.identity import PERSON_KINDS, IdentifierKind
from creditplatform.core.models import User
from creditplatform.core.permissions import rule, signed_in
from creditplatform.core.unstored import unstored
from creditplatform.core.vault import pk_of_token
from records.bound import subject_of
from records.enums import RepresentationKind, RepresentationPapers, RepresentationScope, RepresentationState
from records.me.acting import ACTING, acting, standing
from records.models import Representation, Subject
from records.models.representation import REPRESENTATION_KIND
from records.own_numbers import not_theirs
from records.services import representations
from records.workflows.representation import REPRESENTATION

SHOWN = 100


# What a representative finds pages for, each with its first one; cases have none yet.
OFFERED = {
    RepresentationScope.FILE: "me:home",
    RepresentationScope.REPORT: "me:reports",
    RepresentationScope.CONSENT: "me:authorisations",
}


class RepresentationForm(forms.Form):
    """For whom, by what right, in what, until when, and the papers that prove it."""

    kind = forms.ChoiceField(label=_("By what right do you act?"), choices=RepresentationKind, widget=forms.RadioSelect)
    name = forms.CharField(
        label=_("Name of the person"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    document = forms.ChoiceField(
        label=_("Document of the person"),
        choices=[(kind.value, kind.label) for kind in IdentifierKind if kind in PERSON_KINDS],
        initial=IdentifierKind.RESIDENT_ID.value,
    )
    number = forms.CharField(
        label=_("Number of the document"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    scope = forms.MultipleChoiceField(
        label=_("What may you do?"),
        choices=[(scope.value, scope.label) for scope in OFFERED],
        widget=forms.CheckboxSelectMultiple,
        initial=[RepresentationScope.FILE.value],
        help_text=_(
            "Near relatives of a deceased person see the file only. Guardians get no reports. Who answers requests sees"
            " what the answer would show; the person is told of every answer."
        ),
    )
    valid_until = forms.DateField(
        label=_("First day on which you may no longer"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_(
            "Needed for a power of attorney and for the guardian of an adult, a year at most. The guardian of a minor"
            " acts until full age at the latest."
        ),
    )
    papers_kind = forms.ChoiceField(label=_("What proves it?"), choices=RepresentationPapers)
    papers = forms.FileField(
        label=_("The papers"),
        help_text=_("One PDF, JPEG or PNG file of 10 MB at most. It is kept encrypted, and officials alone open it."),
    )

    def __init__(self, *args: Any, own: Subject, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = own

    def clean(self) -> dict[str, Any]:
        """Everything that is wrong is told at once, whatever else is missing."""
        given = super().clean() or {}
        upload = given.get("papers")
        words = {name: given.get(name) or "" for name in ("kind", "name", "document", "number", "papers_kind")}
        found = representations.problems(
            own=self.own, scope=given.get("scope") or [], valid_until=given.get("valid_until"),
            papers=upload.read() if upload else b"", **words,
        )  # fmt: skip
        for problem in found:
            if problem.field not in self.errors:
                self.add_error(problem.field if problem.field in self.fields else None, str(problem.message))
        return given


@rule(signed_in)
def represent(request: HttpRequest) -> HttpResponse:
    """Both lists. Of others only what the person wrote or may open by right is named."""
    own = _own(request)
    if own is None:
        return redirect("me:bind")
    acting(request, own)  # whose file is open stands above the page
    mine = Representation.objects.filter(representative=own).select_related("person")[:SHOWN]
    about_me = Representation.objects.filter(person=own).select_related("representative")[:SHOWN]
    context = {
        "mine": [_line(case, request.user) for case in mine],
        "about_me": [_line(case, request.user) for case in about_me],
        "open": request.session.get(ACTING, ""),
    }
    return unstored(render(request, "me/represent.html", context))


@rule(signed_in)
def ask(request: HttpRequest) -> HttpResponse:
    """Ask to act for somebody."""
    own = _own(request)
    if own is None:
        return redirect("me:bind")
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = RepresentationForm(*sent, own=own)
    if request.method == "POST" and form.is_valid() and _asked(request, form):
        messages.success(request, _("Your request is with the credit centre. You will find the answer here."))
        return redirect("me:represent")
    return unstored(render(request, "me/represent_ask.html", {"form": form}))


@rule(signed_in)
def act(request: HttpRequest, token: str) -> HttpResponse:
    """Open the file of the person represented in this browser, until it is closed again."""
    user: Any = request.user
    own = _own(request)
    if own is None:
        return redirect("me:bind")
    if request.method != "POST":
        return redirect("me:represent")
    case = standing(own, token)
    if case is None:
        raise not_theirs(REPRESENTATION_KIND, user)
    request.session[ACTING] = token
    pages = (page for scope, page in OFFERED.items() if scope in case.scope)
    return redirect(next(pages, "me:home"))


@rule(signed_in)
def back(request: HttpRequest) -> HttpResponse:
    """Back to the own file."""
    if request.method == "POST":
        request.session.pop(ACTING, None)
    return redirect("me:home")


@rule(signed_in)
def end(request: HttpRequest, token: str) -> HttpResponse:
    """End a representation, as the one who is represented or as the representative."""
    user: Any = request.user
    own = _own(request)
    if own is None:
        return redirect("me:bind")
    case = _concerning(own, token, user)
    if request.method == "POST":
        held = case.state == RepresentationState.CONFIRMED
        try:
            representations.end(case=case, user=user)
            messages.success(
                request, _("Ended. From now on nothing can be seen by it.") if held else _("The request is withdrawn.")
            )
        except CreditError as error:
            messages.error(request, str(error))
    return redirect("me:represent")


@rule(signed_in)
def contest(request: HttpRequest, token: str) -> HttpResponse:
    """Say, as the person who has a guardian, that it is not right; it rests at once."""
    user: Any = request.user
    own = _own(request)
    if own is None:
        return redirect("me:bind")
    case = _concerning(own, token, user)
    if request.method == "POST":
        try:
            representations.contest(case=case, user=user, objection=request.POST.get("objection", ""))
            messages.success(request, _("From now on nothing can be seen or done by it. An official decides."))
        except CreditError as error:
            messages.error(request, str(error))
    return redirect("me:represent")


def _concerning(own: Subject, token: str, user: User) -> Representation:
    """The representation of that number, where the person is one of the two. Raises Http404, with a line in the log."""
    pk = pk_of_token(REPRESENTATION_KIND, token)
    case = Representation.objects.filter(pk=pk).first() if pk is not None else None
    if case is None or own.pk not in (case.person_id, case.representative_id):
        raise not_theirs(REPRESENTATION_KIND, user)
    return case


def _asked(request: HttpRequest, form: RepresentationForm) -> bool:
    user: Any = request.user
    given = dict(form.cleaned_data)
    upload = given.pop("papers")
    upload.seek(0)
    try:
        representations.ask(user=user, papers=upload.read(), **given)
    except CreditError as error:
        form.add_error(None, str(error))
    else:
        return True
    return False


def _line(case: Representation, user: Any) -> dict[str, Any]:
    """One representation with what this person may do about it now."""
    steps = {step.name for step in REPRESENTATION.available(case, user)}
    return {
        "case": case,
        "name": case.person.name_sealed if case.person else case.asked_name,
        "scope": [str(RepresentationScope(code).label) for code in case.scope],
        "may_end": bool(steps & {"end", "withdraw"}),
        "may_contest": "contest" in steps,
        "refusal": case.refusal or "",
        "grounds": case.grounds or "",
    }


def _own(request: HttpRequest) -> Subject | None:
    user: User = request.user  # type: ignore[assignment]
    return subject_of(user)
