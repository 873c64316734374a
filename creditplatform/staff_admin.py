"""The admin for department staff: opened by membership of a unit, not by a superuser flag."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from creditplatform.core.staff import work_of


class StaffAdminSite(AdminSite):
    """Stock admin in our look; signing in happens on the common sign-in page with its limits on guessing."""

    site_title = site_header = _("Credit platform: work of the departments")
    index_title = _("What would you like to do?")
    enable_nav_sidebar = False

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Work first, tables below."""
        return super().index(request, {"works": work_of(request.user), **(extra_context or {})})

    def has_permission(self, request: HttpRequest) -> bool:
        """Members of a unit whose membership holds today."""
        return request.user.is_authenticated and request.user.is_active and request.user.is_staff

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Send visitors to the common sign-in page."""
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
