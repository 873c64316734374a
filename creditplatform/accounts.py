"""How people come in: where each lands after signing in, and what is remembered of where they came from."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse

from creditplatform.core import limits
from records.desk.navigation import works_at_the_desk


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Members of a unit land at their work, everybody else at the own file; a page they asked for goes before."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The desk for whoever works there, the tables for other staff, the own file for citizens."""
        user: Any = request.user
        if user.is_staff and works_at_the_desk(user.roles):
            return reverse("desk:home")
        return reverse("admin:index" if user.is_staff else "me:home")

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address of the client as limits on guessing may keep it: hidden, and another one tomorrow."""
        return limits.hidden_address(super().get_client_ip(request))
