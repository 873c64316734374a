"""Makes the staff site the default admin site."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """The stock admin with our own site."""

    default_site = "creditplatform.staff_admin.StaffAdminSite"
