"""How people come in: where each lands after signing in, and what is remembered of where they came from."""

from typing import Any
from unicodedata import normalize

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

from creditplatform.core import limits, sessions
from creditplatform.core.masking import holds_number
from creditplatform.core.models import User
from records.desk.navigation import works_at_the_desk

NUMBER_AS_NAME = _(
    "Please choose a name that is no number of a document, telephone or bank card: it is shown on pages."
)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Members of a unit land at their work, everybody else at the own file; a page they asked for goes before."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The desk for whoever works there, the tables for other staff, the own file for citizens."""
        user: Any = request.user
        if user.is_staff and works_at_the_desk(user.roles):
            return reverse("desk:home")
        return reverse("admin:index" if user.is_staff else "me:home")

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """A name that is none of the numbers of a person: it stands on every page. Raises ValidationError."""
        if holds_number(normalize("NFKC", username)):
            raise ValidationError(NUMBER_AS_NAME)
        cleaned: str = super().clean_username(username, shallow=shallow)
        return cleaned

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address of the client as limits on guessing may keep it: hidden, and another one tomorrow."""
        return limits.hidden_address(super().get_client_ip(request))

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in, and note it in the person's list of sessions."""
        super().login(request, user)
        sessions.remember(request, user)


class ChangePassword(PasswordChangeView):  # type: ignore[misc]
    """A new password ends every other session; this one goes on under a new key."""

    success_url = reverse_lazy("me:account")

    def form_valid(self, form: Any) -> HttpResponse:
        """Change it, and put the session's new key on the list."""
        old = self.request.session.session_key
        response: HttpResponse = super().form_valid(form)
        user: Any = self.request.user
        sessions.remember(self.request, user)
        sessions.end_sessions(user, but=self.request.session.session_key if old else None)
        return response


change_password = ChangePassword.as_view()
