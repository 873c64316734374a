"""Prove that the access log is whole."""

import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from creditplatform.core.audit.seal import verify_access_log
from creditplatform.core.models import AccessSeal


class Command(BaseCommand):
    """Recomputes every block of the chain and looks for rows that no block holds."""

    help = "Verify the hash chain of the access log; exit code 1 where anything was added, changed or removed."

    def add_arguments(self, parser: CommandParser) -> None:
        """How old a row must be before it has to be sealed."""
        parser.add_argument("--settled-minutes", type=int, default=10)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every finding."""
        settled = datetime.timedelta(minutes=options["settled_minutes"])
        findings = list(verify_access_log(settled))
        for finding in findings:
            self.stdout.write(f"{finding.code}: {finding.number}")
        if findings:
            raise CommandError(f"The access log does not hold: {len(findings)} findings.")
        self.stdout.write(f"The access log holds: {AccessSeal.objects.count()} blocks verified.")
