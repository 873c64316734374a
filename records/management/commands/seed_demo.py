"""Make the fictitious world of the demonstration."""

import datetime
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from creditplatform.core.demonstration import how_to_bind
from creditplatform.core.errors import CreditError
from records.demonstration.seeding import Seeded, seed_world


class Command(BaseCommand):
    """The same world for the same seed and anchor; a second run writes nothing, an interrupted one is finished."""

    help = (
        "Make the fictitious world of the demonstration. Relative dates count back from the anchor, by default the"
        " first day of the current month; apart from it nothing depends on the day the command runs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What the world is drawn from."""
        parser.add_argument("--seed", type=int, help="default: 2026")
        parser.add_argument("--anchor", type=datetime.date.fromisoformat, help="default: first day of this month")
        parser.add_argument("--scale", type=float, help="share of the full size, for tests; default: 1")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the world and say what was written."""
        started = time.monotonic()
        tell = self.stdout.write if options["verbosity"] > 1 else lambda sentence: None
        try:
            result = seed_world(seed=options["seed"], anchor=options["anchor"], scale=options["scale"], tell=tell)
        except CreditError as error:
            raise CommandError(_sentence(error)) from error
        self._report(result, time.monotonic() - started)

    def _report(self, result: Seeded, seconds: float) -> None:
        world = result.world
        self.stdout.write(f"seed {world.seed}, anchor {world.anchor.isoformat()}, scale {world.scale:g}")
        if not result.anything:
            self.stdout.write("Everything is there already; nothing was written.")
        for name, count in {**result.written, **result.rows}.items():
            self.stdout.write(f"  {name:14} {count:>7,}")
        self.stdout.write(f"  {'seconds':14} {seconds:>7.1f}")
        self.stdout.write(how_to_bind())


def _sentence(error: CreditError) -> str:
    problems = getattr(error, "problems", [])
    return "; ".join(str(problem.message) for problem in problems) or error.message
