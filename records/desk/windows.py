"""The window: accounts of persons whose papers an official has before them, and representations with their papers."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit.access import record_disclosures
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.identity import PERSON_KINDS, IdentifierKind
from creditplatform.core.models import AccessLog, User
from creditplatform.core.permissions import rule
from creditplatform.core.unstored import unstored
from creditplatform.core.vault import pk_of_token
from records.desk.access import window
from records.enums import OwnPurpose, RepresentationScope, SeenPapers, WindowAct
from records.models import Representation, WindowRequest
from records.models.representation import REPRESENTATION_KIND
from records.services import representations, window_requests
from records.services import window as services
from records.window import window_of
from records.workflows.representation import REPRESENTATION

PAGE = 50
REASONED = {"refuse", "uphold", "overturn"}
TOLD = _("Done, and both persons have a notice where there is one to get.")
CHECKED = _("Written down. Nothing holds yet: a second official compares the same papers and confirms.")
EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


class WindowForm(forms.Form):
    """Whose papers were seen, which account, and what is to be done."""

    act = forms.ChoiceField(
        label=_("What is to be done?"), choices=WindowAct, initial=WindowAct.BIND.value, widget=forms.RadioSelect
    )
    account = forms.CharField(
        label=_("User name of the account"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("The person signs up at a device of the window or at home, and says the user name."),
    )  # fmt: skip
    name = forms.CharField(
        label=_("Name as on the papers"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    kind = forms.ChoiceField(
        label=_("Document"),
        choices=[(kind.value, kind.label) for kind in IdentifierKind if kind in PERSON_KINDS],
        initial=IdentifierKind.RESIDENT_ID.value,
    )
    number = forms.CharField(
        label=_("Number of the document"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    papers = forms.ChoiceField(label=_("Papers seen"), choices=SeenPapers)
    seen = forms.BooleanField(
        label=_("I have seen the original, and the person is here (a minor together with a guardian).")
    )

    def clean_account(self) -> User:
        """An account of this name; user names tell nothing about persons."""
        found = User.objects.filter(username__iexact=self.cleaned_data["account"], is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("There is no account of this name."))
        return found


@rule(window)
def accounts(request: HttpRequest) -> HttpResponse:
    """Bind an account; enter a move or a recovery code, for which a second official is needed; what waits for one."""
    form = WindowForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        done = _done(request, form)
        if done is not None:
            return done
    user: Any = request.user
    waiting = WindowRequest.objects.waiting().at_window(window_of(user)).order_by("pk")
    context = {"form": form, "waiting": waiting.select_related("user", "requested_by")[:PAGE]}
    return unstored(render(request, "desk/window.html", context))


def _done(request: HttpRequest, form: WindowForm) -> HttpResponse | None:
    """What the official gets to see; None where it was refused, with the reasons in the form."""
    given = form.cleaned_data
    words: dict[str, Any] = {name: given[name] for name in ("name", "kind", "number", "papers")}
    words |= {"official": request.user, "user": given["account"]}
    try:
        if given["act"] == WindowAct.BIND:
            services.bind_at_window(**words)
        else:
            window_requests.ask(**words, act=WindowAct(given["act"]))
            messages.info(request, _("Nothing is done yet: a second official of this window has to confirm it."))
            return redirect("desk:window")
    except Invalid as error:
        for problem in error.problems:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return None
    except CreditError as error:
        form.add_error(None, str(error))
        return None
    messages.success(request, _("The account is bound to the person, and the person has a notice of it."))
    return redirect("desk:window")


@rule(window)
def representation_list(request: HttpRequest) -> HttpResponse:
    """What waits for an official, oldest first; what is decided on demand, newest first."""
    decided = request.GET.get("decided") == "1"
    waiting = Representation.objects.waiting()
    others = Representation.objects.exclude(pk__in=waiting.values("pk")).order_by("-pk")
    found = list((others if decided else waiting.order_by("pk"))[: PAGE + 1])
    context = {"cases": found[:PAGE], "more": len(found) > PAGE, "decided": decided}
    return unstored(render(request, "desk/representations.html", context))


@rule(window)
def representation(request: HttpRequest, token: str) -> HttpResponse:
    """One request with both names, and what may be done; the look is written into both persons' access logs."""
    user: Any = request.user
    case = _case(token)
    missing: dict[str, str] = {}
    if request.method == "POST":
        try:
            return _take(request, user, case)
        except Invalid as error:
            missing = {problem.field: str(problem.message) for problem in error.problems}
    _log(user, case)
    context = {
        "missing": missing,
        "case": case,
        "name": case.person.name_sealed if case.person else case.asked_name,
        "number": case.person.number_sealed if case.person else case.asked_number,
        "scope": [str(RepresentationScope(code).label) for code in case.scope],
        "steps": {step.name for step in REPRESENTATION.available(case, user)},
    }
    return unstored(render(request, "desk/representation.html", context))


@rule(window)
def papers(request: HttpRequest, token: str) -> HttpResponse:
    """The papers as they were handed in, to be looked at or saved; never run by the browser."""
    user: Any = request.user
    try:
        content, kind = representations.open_papers(case=_case(token), user=user)
    except Invalid as error:
        raise Http404 from error
    response = HttpResponse(content, content_type=kind)
    name = f"papers.{EXTENSIONS.get(kind, 'bin')}"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return unstored(response)


def _take(request: HttpRequest, user: User, case: Representation) -> HttpResponse:
    """Take the step. Raises Invalid where a reason is missing; any other hindrance is said on the page."""
    act = request.POST.get("act", "")
    taken = ACTS.get(act)
    if taken is None:
        return redirect("desk:representation", case.token)
    try:
        taken(case, user, request.POST)
        messages.success(request, TOLD if act != "check" else CHECKED)
    except Invalid as error:
        if act in REASONED:
            raise
        for problem in error.problems:
            messages.error(request, str(problem.message))
    except CreditError as error:
        messages.error(request, str(error))
    return redirect("desk:representation", case.token)


def _settled(case: Representation, user: User, words: QueryDict) -> Representation:
    stands = words.get("act") == "uphold"
    return representations.settle(case=case, user=user, stands=stands, grounds=words.get("grounds", ""))


ACTS: dict[str, Callable[[Representation, User, QueryDict], Representation]] = {
    "check": lambda case, user, words: representations.check(case=case, user=user),
    "confirm": lambda case, user, words: representations.confirm(case=case, user=user),
    "refuse": lambda case, user, words: representations.refuse(case=case, user=user, refusal=words.get("refusal", "")),
    "end": lambda case, user, words: representations.end(case=case, user=user),
    "uphold": _settled,
    "overturn": _settled,
}


def _case(token: str) -> Representation:
    pk = pk_of_token(REPRESENTATION_KIND, token)
    rows = Representation.objects.select_related("person", "representative")
    found = rows.filter(pk=pk).first() if pk is not None else None
    if found is None:
        raise Http404
    return found


def _log(user: User, case: Representation) -> None:
    """Both are seen by name and number; somebody who is not confirmed yet is on no file of ours."""
    agency = window_of(user)
    record_disclosures(
        [
            AccessLog(
                subject_ref=pk, actor=user, agency=agency, purpose=OwnPurpose.WINDOW, authority=Authority.DUTY,
                fields=["name", "number"], case_number=case.token, door=Door.DESK, result=AccessResult.SHOWN,
            )
            for pk in (case.person_id, case.representative_id) if pk
        ]
    )  # fmt: skip
