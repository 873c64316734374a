"""Back into an account with a code from the window: for whoever is not signed in."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from creditplatform.core import limits
from creditplatform.core.errors import Invalid
from creditplatform.core.permissions import anyone, rule
from creditplatform.core.unstored import unstored
from records.services import window


class RecoveryForm(forms.Form):
    """The code on the slip, and a new password twice."""

    username = forms.CharField(
        label=_("User name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    code = forms.CharField(
        label=_("Recovery code from the window"), max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
    )  # fmt: skip
    password = forms.CharField(
        label=_("New password"), max_length=200, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    again = forms.CharField(
        label=_("New password, once more"), max_length=200, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Both passwords are the same."""
        given = super().clean() or {}
        if given.get("password") and given.get("again") and given["password"] != given["again"]:
            self.add_error("again", _("The two passwords differ."))
        return given


@sensitive_post_parameters()
def _recover(request: HttpRequest) -> HttpResponse:
    form = RecoveryForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _recovered(request, form):
        messages.success(request, _("The new password is set. Please sign in with it."))
        return redirect("account_login")
    return unstored(render(request, "account/recover.html", {"form": form}))


def _recovered(request: HttpRequest, form: RecoveryForm) -> bool:
    words = {name: form.cleaned_data[name] for name in ("username", "code", "password")}
    try:
        window.recover(client=limits.client_of(request), **words)
    except Invalid as error:
        for problem in error.problems:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return False
    return True


recover = rule(anyone)(_recover)
