"""Create the key ring where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from creditplatform.core.errors import VaultError
from creditplatform.core.keyfile import create_ring


class Command(BaseCommand):
    """Writes a fresh ring to `CREDIT_KEYRING`; a ring that exists is never touched."""

    help = "Create the key ring of this installation unless it exists."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the file and say where it is and what depends on it."""
        path = Path(settings.CREDIT_KEYRING)
        try:
            created = create_ring(path, settings.CREDIT_CIPHER)
        except (OSError, VaultError) as error:
            raise CommandError(f"The key ring {path} cannot be created: {error}") from error
        if options["verbosity"] == 0:
            return
        if not created:
            self.stdout.write(f"Key ring exists: {path}")
            return
        self.stdout.write(f"Key ring created: {path}")
        self.stdout.write("Keep a copy in a safe place: without it no personal value can ever be read again.")
