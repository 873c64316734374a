"""How people come in: where each lands after signing in, and what is remembered of where they came from."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from creditplatform.core import limits


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Members of a unit land at their work, everybody else at the own file."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The work of a department, or the file of a citizen."""
        user: Any = request.user
        return reverse("admin:index" if user.is_staff else "me:home")

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address of the client as limits on guessing may keep it: hidden, and another one tomorrow."""
        return limits.hidden_address(super().get_client_ip(request))
