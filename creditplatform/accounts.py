"""How people come in: where each lands after signing in."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Members of a unit land at their work, everybody else at the own file."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """The work of a department, or the file of a citizen."""
        user: Any = request.user
        return reverse("admin:index" if user.is_staff else "me:home")
