"""Configuration of the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RepairConfig(AppConfig):
    """See the docstring of the package."""

    name = "repair"
    verbose_name = _("Cases")
