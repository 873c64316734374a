"""Damages good files by the thousand and looks at what the platform says of each.

    make fuzz N=10000
    python -m tests.campaigns.mutate --mutations 10000 --seed 1 --format xlsx

Each mutation goes through detection, reading and checking under a limit of time and memory, every fiftieth through
the database as well. Allowed is a clear refusal, or rows that add up; anything else is a crash. The last line is one
JSON object. A mutation is told by seed, format and number: `--only NUMBER --keep FILE` writes it down and tries it.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.ground import clean_ground

FORMATS = ("csv", "xlsx", "xml", "json", "xls")
SHARES = {
    "csv": 9,
    "xlsx": 7,
    "xml": 7,
    "json": 7,
    "xls": 1,
}  # a legacy workbook starts two processes, so it is tried less often


def main() -> int:
    """Run the campaign; the exit code tells whether anything was not as it should be."""
    options = _options()
    started = time.monotonic()
    with clean_ground():
        outcome = _campaign(options)
    outcome |= {"seed": options.seed, "seconds": round(time.monotonic() - started)}
    print(json.dumps(outcome, ensure_ascii=False))
    return 1 if outcome["crashes"] or outcome["told"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one mutation of --format")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where to write that mutation")
    return parser.parse_args()


def _campaign(options: argparse.Namespace) -> dict[str, Any]:
    from tests.campaigns.portions import Portion, run  # Django has been set up by now

    if options.only is not None:
        return run([Portion(options.seed, options.format or "csv", options.only, 1)], keep=options.keep)
    forms = [options.format] if options.format else list(FORMATS)
    whole = sum(SHARES[form] for form in forms)
    wanted = {form: max(1, options.mutations * SHARES[form] // whole) for form in forms}
    wanted[forms[0]] += options.mutations - sum(wanted.values())
    return run([portion for form in forms for portion in Portion.of(options.seed, form, wanted[form])])


if __name__ == "__main__":
    sys.exit(main())
