"""Deferred display on the desk: a supervisor asks for it by statute and to a day, a second person approves it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Authority, Role
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.labels import Kind, label
from creditplatform.core.models import AccessLog, Agency, User
from creditplatform.core.permissions import has_role, rule
from records.models import AccessDeferral, LegalBasis
from records.queries.disclosure import NOBODY
from records.querysets import SUPERVISING, sites_led, units_of
from records.services import deferrals

SHOWN, LONGEST_KEY = 100, 19


def deferring(request: HttpRequest) -> bool:
    """Supervisors of a unit, and staff of the centre."""
    user: Any = request.user
    return user.is_authenticated and has_role(Role.SUPERVISOR, Role.CENTRE)(user)


class DeferralForm(forms.Form):
    """By which statute, and until when."""

    legal_basis = forms.ModelChoiceField(
        LegalBasis.objects.none(), label=_("Statute"), empty_label=_("Choose a statute"),
        error_messages={"required": _("Without a statute nothing is put off.")},
    )  # fmt: skip
    until = forms.DateField(
        label=_("Shown from"), widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": _("Without an end nothing is put off.")},
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["legal_basis"].queryset = LegalBasis.objects.filter(confirmed=True).order_by("title", "article")  # type: ignore[attr-defined]


@rule(deferring)
def deferral_list(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, what holds, and the own looks by statute; no person is named."""
    user: Any = request.user
    seen = _seen(user)
    context = {
        "waiting": [(one, one.entered_by_id != user.pk) for one in seen.filter(approved_by=None)],
        "holding": seen.holding(),
        "looks": _looks(user),
        "longest": deferrals.longest_days(),
    }
    return render(request, "desk/deferrals.html", context)


@rule(deferring)
def defer(request: HttpRequest, access_id: int) -> HttpResponse:
    """Ask that one look of the own unit is shown later."""
    user: Any = request.user
    access = _own_looks(user).filter(pk=access_id).select_related("agency").first() if _fits(access_id) else None
    if access is None:
        raise Http404
    form = DeferralForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            deferrals.defer(access=access, user=user, **form.cleaned_data)
            messages.success(
                request, _("Asked for. Without the approval of a second person the look is shown as any other.")
            )
            return redirect("desk:deferrals")
        except Invalid as error:
            for problem in error.problems:
                form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        except CreditError as error:
            form.add_error(None, str(error))
    context = {"form": form, "look": access, "purpose": label(Kind.PURPOSE, access.purpose)}
    return render(request, "desk/deferral.html", context)


@rule(deferring)
def approve(request: HttpRequest, deferral_id: int) -> HttpResponse:
    """Approve a deferral that somebody else asked for."""
    user: Any = request.user
    wanted = _seen(user).filter(pk=deferral_id).first() if _fits(deferral_id) else None
    if wanted is None:
        raise Http404
    if request.method == "POST":
        try:
            deferrals.approve(deferral=wanted, user=user)
            messages.success(request, _("Approved. The look is shown from its day on, with the statute beside it."))
        except CreditError as error:
            messages.error(
                request, "\n".join([*(str(p.message) for p in getattr(error, "problems", ()))]) or str(error)
            )
    return redirect("desk:deferrals")


def _fits(key: int) -> bool:
    return len(str(key)) < LONGEST_KEY


def _seen(user: User) -> Any:
    """Deferrals whose day has not come, of looks by units for which this person answers."""
    units = Agency.objects.filter(site__in=sites_led(user)).values("pk")
    looks = AccessLog.objects.filter(authority=Authority.STATUTE)
    ours = looks.filter(agency__in=units_of(user, SUPERVISING)) | looks.filter(agency__in=units)
    today = timezone.localdate()
    return AccessDeferral.objects.filter(until__gt=today, access_id__in=ours.values("pk")).select_related("legal_basis")


def _own_looks(user: User) -> Any:
    looks = AccessLog.objects.filter(agency__in=units_of(user, SUPERVISING), authority=Authority.STATUTE)
    return looks.exclude(subject_ref=NOBODY).exclude(pk__in=AccessDeferral.objects.values("access_id"))


def _looks(user: User) -> list[tuple[AccessLog, str]]:
    found = _own_looks(user).select_related("agency", "actor").order_by("-at", "-pk")[:SHOWN]
    return [(one, label(Kind.PURPOSE, one.purpose)) for one in found]
