"""Makes the staff site the default admin site, and keeps the list of sessions without signals."""

from allauth.usersessions.apps import UserSessionsConfig
from django.contrib.admin.apps import AdminConfig

from creditplatform.celery import app as celery_app  # noqa: F401 — every process sends tasks to our broker


class StaffAdminConfig(AdminConfig):
    """The stock admin with our own site."""

    default_site = "creditplatform.staff_admin.StaffAdminSite"


class SessionsConfig(UserSessionsConfig):  # type: ignore[misc]
    """The library's table of sessions; what is written into it is said in creditplatform.core.sessions."""

    default = False

    def ready(self) -> None:
        """Listen to nothing: the library would note addresses, and at sign-ins that are none."""
