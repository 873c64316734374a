"""Base of the platform's commands: one context, plain progress, clear errors."""

from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError


class ContextCommand(BaseCommand):
    """Runs `work` inside an audit context; a CreditError becomes a plain sentence and exit code 1."""

    reason: ClassVar[str]
    authority: ClassVar[str] = ""

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Open the context and do the work."""
        try:
            with audit.context(actor=None, door=Door.COMMAND, reason=self.reason, authority=self.authority):
                return self.work(**options)
        except CreditError as error:
            raise CommandError(str(error)) from error

    def work(self, **options: Any) -> str | None:
        """The command's own work, in one transaction."""
        raise NotImplementedError
