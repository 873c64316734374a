"""The account of a person: whom it is bound to, how it is protected, where it is signed in."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from creditplatform.core import sessions
from creditplatform.core.permissions import rule, signed_in
from creditplatform.core.unstored import unstored
from creditplatform.core.wording import chinese
from records.bound import subject_of
from records.me.views import LONGEST_KEY
from records.models import RealNameBinding, Representation
from records.models.subject import WINDOW

OIDC = "oidc:"


@rule(signed_in)
def account(request: HttpRequest) -> HttpResponse:
    """Everything about the account on one page; it shows no personal value, so nothing is logged."""
    user: Any = request.user
    binding = RealNameBinding.objects.filter(user=user).select_related("subject").first()
    kinds = set(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))
    own = subject_of(user)
    context = {
        "binding": binding,
        "how": how_bound(binding) if binding else "",
        "second_factor": Authenticator.Type.TOTP in kinds,
        "recovery_codes": Authenticator.Type.RECOVERY_CODES in kinds,
        "sessions": sessions.sessions_of(request, user),
        "connected": [platform_label(code) for code in _platforms_of(user)],
        "acts_for": Representation.objects.holding().filter(representative=own).count() if own else 0,
        "represented_by": Representation.objects.holding().filter(person=own).count() if own else 0,
    }
    return unstored(render(request, "me/account.html", context))


@rule(signed_in)
def sign_out_others(request: HttpRequest) -> HttpResponse:
    """End every session but this one."""
    user: Any = request.user
    if request.method == "POST":
        ended = sessions.end_sessions(user, but=request.session.session_key)
        if ended:
            text = ngettext("%(count)s other session was ended.", "%(count)s other sessions were ended.", ended)
            messages.success(request, text % {"count": ended})
        else:
            messages.info(request, _("You are signed in nowhere else."))
    return redirect("me:account")


@rule(signed_in)
def sign_out_one(request: HttpRequest) -> HttpResponse:
    """End one session; ending the own one is signing out."""
    user: Any = request.user
    number = request.POST.get("session", "")
    known = number.isascii() and number.isdecimal() and len(number) < LONGEST_KEY
    if request.method == "POST" and known and sessions.end_session(user, int(number)):
        messages.success(request, _("That sign-in was ended."))
    elif request.method == "POST":
        messages.info(request, _("That sign-in has ended already."))
    return redirect("me:account")


def how_bound(binding: RealNameBinding) -> str:
    """By whom the person was verified, in words."""
    if binding.adapter == WINDOW:
        return str(_("an official at the window, who saw the papers: %(papers)s")) % {
            "papers": binding.get_papers_display()
        }
    if binding.adapter.startswith(OIDC):
        return platform_label(binding.adapter.removeprefix(OIDC))
    return str(_("the real-name register, by name and number"))


def platform_label(code: str) -> str:
    """An identity platform in the language of the page; its code where it is no longer connected."""
    known = settings.IDENTITY_PLATFORMS.get(code)
    if known is None:
        return code
    return str(known.name if chinese() else known.name_en)


def _platforms_of(user: Any) -> list[str]:
    return list(SocialAccount.objects.filter(user_id=user.pk).order_by("provider").values_list("provider", flat=True))
