"""Run what a date brings about, as the timers do."""

import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.services.expiry import expire_due


class Command(BaseCommand):
    """Closes records whose publication has ended by the given day."""

    help = "Run everything that falls due on or before a day (default: today)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The day."""
        parser.add_argument("--on", type=datetime.date.fromisoformat, default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        """Close batch by batch, each in its own transaction."""
        on, closed = options["on"] or timezone.localdate(), 0
        while True:
            with audit.context(actor=None, door=Door.COMMAND, reason="publication ended"):
                done = expire_due(on=on)
            closed += done
            if not done:
                break
        self.stdout.write(f"expired: {closed}")
