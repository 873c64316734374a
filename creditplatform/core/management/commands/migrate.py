"""Migrations change data too, those of libraries included: they run under a context like everybody else."""

import json
from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections

from creditplatform.core.audit.context import SETTING
from creditplatform.core.enums import Door


class Command(DjangoMigrate):
    """Django's own command, with who and why set for the session."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Set the context, migrate, take it back."""
        metadata = json.dumps({"door": Door.COMMAND, "reason": "migration"})
        self._set(options["database"], metadata)
        try:
            super().handle(*args, **options)
        finally:
            self._set(options["database"], "")

    def _set(self, alias: str, value: str) -> None:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, false)", [SETTING, value])
