"""Run what a date brings about, as the timers do."""

import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from creditplatform.core.enums import Door
from records.services import expiry, query_upkeep


class Command(BaseCommand):
    """Closes and archives records whose day has come, and does what falls due among queries of staff."""

    help = "Run everything that falls due on or before a day (default: today)."

    def add_arguments(self, parser: CommandParser) -> None:
        """The day."""
        parser.add_argument("--on", type=datetime.date.fromisoformat, default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        """The same work as the timer's, for any day."""
        on = options["on"] or timezone.localdate()
        done = expiry.run_all(on=on, door=Door.COMMAND) | query_upkeep.run_all(on=on, door=Door.COMMAND)
        for name, count in done.items():
            self.stdout.write(f"{name}: {count}")
