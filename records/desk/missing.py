"""Records that a complete list has lost: a worklist in which an officer withdraws or keeps each."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from creditplatform.core.errors import CreditError
from creditplatform.core.permissions import rule, staff
from records.enums import SubjectKind
from records.models import MissingRecord
from records.querysets import DECIDING, units_of
from records.services import missing

PAGE = 50
ACTS = {"withdraw": missing.withdraw, "keep": missing.keep}


@rule(staff)
def missing_records(request: HttpRequest) -> HttpResponse:
    """What waits for the own unit, oldest first; persons are named by nothing here but a link to their record."""
    user: Any = request.user
    waiting = MissingRecord.objects.visible_to(user).waiting().order_by("pk")
    if request.method == "POST":
        return _decide(request, waiting)
    rows = waiting.select_related("record__entry", "record__subject", "feed__agency", "batch")
    found = list(rows[: PAGE + 1])
    context = {
        "items": found[:PAGE],
        "more": len(found) > PAGE,
        "may_decide": bool(units_of(user, DECIDING)),
        "person": SubjectKind.PERSON,
    }
    return render(request, "desk/missing.html", context)


def _decide(request: HttpRequest, waiting: Any) -> HttpResponse:
    user: Any = request.user
    act = ACTS.get(request.POST.get("act", ""))
    chosen = [int(key) for key in request.POST.getlist("item") if key.isdecimal() and len(key) < 19]
    if act is None or not chosen:
        messages.error(request, _("Choose at least one record."))
        return redirect("desk:missing")
    done = 0
    for item in waiting.filter(pk__in=chosen[:PAGE]).select_related("feed", "record"):
        try:
            act(item=item, user=user)
            done += 1
        except CreditError as error:
            messages.error(request, str(error))
    if done:
        text = ngettext("%(count)s record decided.", "%(count)s records decided.", done)
        messages.success(request, text % {"count": done})
    return redirect("desk:missing")
