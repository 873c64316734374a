"""Load the delivered policy: regions, units, rule values, calendar, catalogue, feeds."""

from typing import Any

from creditplatform.core.commands import ContextCommand
from creditplatform.core.services.policy import load_core_policy
from records.services.policy import load_records_policy


class Command(ContextCommand):
    """Idempotent: what is there already and unchanged is left alone."""

    help = "Load the delivered policy data; what is certain comes into force, the rest stays a draft to confirm."
    reason = "load delivered policy"

    def work(self, **options: Any) -> None:
        """Load core and records, and say what was written."""
        written = {**load_core_policy(), **load_records_policy()}
        for kind, count in written.items():
            self.stdout.write(f"{kind}: {count}")
