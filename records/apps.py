"""Configuration of the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordsConfig(AppConfig):
    """See the docstring of the package."""

    name = "records"
    verbose_name = _("Credit records")
