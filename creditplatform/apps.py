"""Makes the staff site the default admin site."""

from django.contrib.admin.apps import AdminConfig

from creditplatform.celery import app as celery_app  # noqa: F401 — every process sends tasks to our broker


class StaffAdminConfig(AdminConfig):
    """The stock admin with our own site."""

    default_site = "creditplatform.staff_admin.StaffAdminSite"
