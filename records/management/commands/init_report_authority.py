"""Create the demonstration authority that signs reports where there is none."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from creditplatform.core.errors import VaultError
from records.reports.authority import authority, make_demonstration_authority


class Command(BaseCommand):
    """Makes root, certificate and key beside the key ring; an operator's own key is only looked at, never touched."""

    help = "Create the demonstration authority that signs credit reports, unless it or an operator's key is there."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Create it, and say which certificate signs."""
        if not settings.REPORT_KEY:
            if not settings.DEMONSTRATION:
                raise CommandError("Outside a demonstration name your own: CREDIT_REPORT_KEY, CREDIT_REPORT_CERT.")
            self._make(Path(settings.REPORT_AUTHORITY), said=bool(options["verbosity"]))
        if options["verbosity"]:
            self.stdout.write(f"Reports are signed by the certificate with SHA-256 {authority().fingerprint}")

    def _make(self, folder: Path, *, said: bool) -> None:
        try:
            made = make_demonstration_authority(folder)
        except (OSError, VaultError) as error:
            raise CommandError(f"The report authority {folder} cannot be created: {error}") from error
        if said:
            self.stdout.write(f"Demonstration report authority {'created' if made else 'exists'}: {folder}")
