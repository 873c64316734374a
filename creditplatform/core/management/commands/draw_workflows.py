"""Draw the procedures from the tables that run."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import translation

from creditplatform.core.workflow import registered

TARGET = Path(settings.BASE_DIR) / "docs" / "procedures.md"


def document() -> str:
    """The whole page; a test compares it with the file."""
    note = "Drawn by `manage.py draw_workflows` from the tables that run; never edited by hand."
    parts = ["# Procedures", "", note, ""]
    with translation.override("en"):
        for workflow in registered().values():
            parts += [f"## {workflow.title}", "", "```mermaid", workflow.as_mermaid(), "```", ""]
    return "\n".join(parts)


class Command(BaseCommand):
    """Writes docs/procedures.md."""

    help = "Draw every procedure as a state diagram into docs/procedures.md."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the page."""
        TARGET.write_text(document(), encoding="utf-8")
        self.stdout.write(str(TARGET.relative_to(settings.BASE_DIR)))
