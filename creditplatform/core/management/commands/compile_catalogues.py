"""Compile the message catalogues without a system gettext."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation.reloader import translation_file_changed


class Command(BaseCommand):
    """Writes `django.mo` beside every `django.po`."""

    help = "Compile message catalogues (.po to .mo) with Babel."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Compile each catalogue."""
        for folder in settings.LOCALE_PATHS:
            for source in sorted(Path(folder).glob("*/LC_MESSAGES/*.po")):
                with source.open("rb") as file:
                    catalogue = read_po(file, locale=source.parent.parent.name)
                compiled = source.with_suffix(".mo")
                with compiled.open("wb") as target:
                    write_mo(target, catalogue)
                translation_file_changed(None, compiled)  # this process may have looked before there was one
                self.stdout.write(f"{source.parent.parent.name}: {len(catalogue)} messages")
