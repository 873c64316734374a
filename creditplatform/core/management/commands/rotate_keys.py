"""Change the key that seals personal values."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from creditplatform.core import vault
from creditplatform.core.errors import CreditError
from creditplatform.core.keyfile import add_key_to_file
from creditplatform.core.reencryption import SealedTable, reencrypt, sealed_tables


class SealedElsewhere(Protocol):
    """What is sealed in files, or in columns of libraries."""

    def seal_anew(self, batch_size: int) -> Iterator[int]:
        """Seal anew what bears an older key, and say how much; may be interrupted and begun again."""


class Command(BaseCommand):
    """Adds a data key and seals everything anew with it; may be stopped and started again at any time."""

    help = (
        "Add a data key (algorithm: CREDIT_CIPHER) and seal all personal values and sealed files anew with it. "
        "After an interruption go on with --reencrypt-only. Old keys stay in the ring: history is "
        "append-only and opens with them. Public tokens and blind indexes do not change."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Options of the command."""
        parser.add_argument("--reencrypt-only", action="store_true", help="add no key, only finish")
        parser.add_argument("--batch-size", type=int, default=500, help="rows of one transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        """Add the key, then walk all tables with sealed values and what is sealed elsewhere."""
        if options["batch_size"] < 1:
            raise CommandError("--batch-size must be at least 1.")
        try:
            if not options["reencrypt_only"]:
                self._add_key()
            size = options["batch_size"]
            total = sum(self._walk(table, "rows", reencrypt(table, size)) for table in sealed_tables())
            elsewhere = [import_string(path) for path in settings.SEALED_ELSEWHERE]
            others = sum(self._walk(one, "items", one.seal_anew(size)) for one in elsewhere)
        except CreditError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Sealed anew: {total} rows in all, and {others} items beside them")

    def _add_key(self) -> None:
        path = Path(settings.CREDIT_KEYRING)
        key_id = add_key_to_file(path, settings.CREDIT_CIPHER)
        vault.reload_ring()
        self.stdout.write(f"Data key {key_id} ({settings.CREDIT_CIPHER}) added to {path}")
        time.sleep(2 * vault.RECHECK_SECONDS)  # until every running process seals with it

    def _walk(self, what: SealedTable | SealedElsewhere, unit: str, walk: Iterator[int]) -> int:
        done = 0
        for number in walk:
            done += number
            self.stdout.write(f"{what}: {done} {unit}", ending="\r" if self.stdout.isatty() else "\n")
        self.stdout.write(f"{what}: {done} {unit} sealed anew")
        return done
