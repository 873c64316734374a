"""Configuration of the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SanctionsConfig(AppConfig):
    """See the docstring of the package."""

    name = "sanctions"
    verbose_name = _("Lists and measures")
