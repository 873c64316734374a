"""What every app stands on."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    """People, agencies, rules, audit, messages."""

    name = "creditplatform.core"
    label = "core"
    verbose_name = _("People, agencies and rules")
