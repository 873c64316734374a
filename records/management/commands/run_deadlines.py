"""Run what a date brings about, as the timers do."""

import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from creditplatform.core.enums import Door
from records.services.expiry import run_all


class Command(BaseCommand):
    """Closes records whose publication has ended by the given day, archives those that may not be kept longer."""

    help = "Run everything that falls due on or before a day (default: today)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The day."""
        parser.add_argument("--on", type=datetime.date.fromisoformat, default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        """The same work as the timer's, for any day."""
        done = run_all(on=options["on"] or timezone.localdate(), door=Door.COMMAND)
        for name, count in done.items():
            self.stdout.write(f"{name}: {count}")
