"""Differences between units on the desk: who is asked, what was answered, how it ended. No value of a person here."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError
from creditplatform.core.models import User
from creditplatform.core.permissions import rule, staff
from records.enums import Answer, Finding
from records.models import CrossCheck
from records.querysets import units_of
from records.services import cross_checks
from records.workflows.cross_check import CROSS_CHECK

PAGE = 50
RELATED = ("holder", "sender", "group", "feed__entry", "record__entry")


@rule(staff)
def cross_check_list(request: HttpRequest) -> HttpResponse:
    """Open differences first, then those that ended; page by page."""
    user: Any = request.user
    ended = request.GET.get("ended") == "1"
    seen = CrossCheck.objects.visible_to(user).select_related(*RELATED).order_by("-pk")
    rows = seen.exclude(ended_at=None) if ended else seen.open()
    if (before := request.GET.get("before", "")).isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    context = {
        "checks": found[:PAGE],
        "ended": ended,
        "before": found[PAGE - 1].pk if len(found) > PAGE else None,
        "overdue": set(
            CrossCheck.objects.overdue().filter(pk__in=[one.pk for one in found]).values_list("pk", flat=True)
        ),
    }
    return render(request, "desk/cross_checks.html", context)


@rule(staff)
def cross_check(request: HttpRequest, check_id: int) -> HttpResponse:
    """One difference: both units, what either may do now, and the way to what one's own unit said."""
    user: Any = request.user
    seen = CrossCheck.objects.visible_to(user).select_related(*RELATED)
    check = get_object_or_404(seen, pk=check_id)
    if request.method == "POST":
        return _take(request, user, check)
    steps = CROSS_CHECK.available(check, user)
    context = {
        "check": check,
        "steps": {step.name for step in steps},
        "may_answer": any(step.name in cross_checks.ANSWERING for step in steps),
        "own": _own_statement(check, user),
        "answers": Answer.choices,
        "findings": [choice for choice in Finding.choices if choice[0] != Finding.NO_DIFFERENCE],
        "late": CrossCheck.objects.overdue().filter(pk=check.pk).exists(),
    }
    return render(request, "desk/cross_check.html", context)


def _own_statement(check: CrossCheck, user: User) -> str:
    """Where the own unit finds what it said itself; that page writes the look into the access log."""
    own = units_of(user)
    if check.holder_id in own:
        return reverse("admin:records_creditrecord_change", args=[check.record_id])
    if check.sender_id in own and check.other_record_id:
        return reverse("admin:records_creditrecord_change", args=[check.other_record_id])
    if check.sender_id in own and check.row_id:
        return reverse("admin:records_quarantinedrow_change", args=[check.row_id])
    return ""


def _take(request: HttpRequest, user: User, check: CrossCheck) -> HttpResponse:
    act, given = request.POST.get("act", ""), request.POST
    try:
        if act == "answer":
            cross_checks.answer(check=check, user=user, answer=given.get("answer", ""))
        elif act == "resolve":
            cross_checks.resolve(check=check, user=user, finding=given.get("finding", ""))
        elif act == "close":
            cross_checks.close(check=check, user=user)
        else:
            raise Http404
        messages.success(request, _("Noted."))
    except CreditError as error:
        problems = getattr(error, "problems", [])
        messages.error(request, " ".join(str(one.message) for one in problems) or str(error))
    return redirect("desk:cross_check", check_id=check.pk)
