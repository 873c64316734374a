"""What waits at the window for a second official: one page to compare it with the papers and decide."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.models import User
from creditplatform.core.permissions import rule
from creditplatform.core.unstored import unstored
from creditplatform.core.vault import pk_of_token
from records.desk.access import window
from records.models import WindowRequest
from records.models.window import WINDOW_KIND
from records.services import window_requests
from records.services.window import look
from records.window import window_of
from records.workflows.window_request import WINDOW_REQUEST

ASKED_BACK = {"seen", "refusal"}  # what is told beside its own field


@rule(window)
def request_at_window(request: HttpRequest, token: str) -> HttpResponse:
    """One request with name and number, and what may be done; the look is written into the person's access log.

    A recovery code is shown on the answer to the confirmation alone: to the second official, before whom the person
    stands with the papers. Nothing that could be read again is stored for it.
    """
    user: Any = request.user
    case = _case(user, token)
    wrong: dict[str, str] = {}
    if request.method == "POST":
        try:
            return _take(request, user, case)
        except Invalid as error:
            wrong = {problem.field: str(problem.message) for problem in error.problems}
    if case.person_id and case.asked_number:
        look(user, case.person_id, case_number=case.token)
    context = {
        "case": case,
        "wrong": wrong,
        "ended": case.expires_at <= timezone.now(),
        "steps": {step.name for step in WINDOW_REQUEST.available(case, user)},
    }
    return unstored(render(request, "desk/window_request.html", context))


def _take(request: HttpRequest, user: User, case: WindowRequest) -> HttpResponse:
    """Take the step. Raises Invalid for what is told beside a field; any other hindrance is said on the page."""
    act = request.POST.get("act", "")
    try:
        if act == "confirm":
            return _confirmed(request, user, case)
        if act == "refuse":
            window_requests.refuse(case=case, official=user, refusal=request.POST.get("refusal", ""))
            messages.success(request, _("Refused. The person has a notice where one is on file."))
        elif act == "withdraw":
            window_requests.withdraw(case=case, official=user)
            messages.success(request, _("Withdrawn; nothing was done."))
    except Invalid as error:
        if any(problem.field in ASKED_BACK for problem in error.problems):
            raise
        for problem in error.problems:
            messages.error(request, str(problem.message))
        return redirect("desk:window-request", case.token)
    except CreditError as error:
        messages.error(request, str(error))
    return redirect("desk:window")


def _confirmed(request: HttpRequest, user: User, case: WindowRequest) -> HttpResponse:
    given = window_requests.confirm(case=case, official=user, seen=request.POST.get("seen") == "on")
    if given is not None:
        issued, code = given
        return unstored(render(request, "desk/window_slip.html", {"issued": issued, "code": code}))
    messages.success(request, _("The account is bound to the person, and the person has a notice of it."))
    return redirect("desk:window")


def _case(user: User, token: str) -> WindowRequest:
    """A request of the own window. Raises Http404."""
    pk = pk_of_token(WINDOW_KIND, token)
    rows = WindowRequest.objects.at_window(window_of(user)).select_related("user", "requested_by", "decided_by")
    found = rows.filter(pk=pk).first() if pk is not None else None
    if found is None:
        raise Http404
    return found
