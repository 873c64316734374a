"""Configuration of the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PublicityConfig(AppConfig):
    """See the docstring of the package."""

    name = "publicity"
    verbose_name = _("Public sites")
