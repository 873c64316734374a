"""Run one benchmark: `python -m benchmarks NAME [--rows N]`."""

import argparse
import time
from dataclasses import replace
from importlib import import_module

from benchmarks.ground import clean_ground

NAMES = (
    "feed",
    "feed_xlsx",
    "feed_unchanged",
    "feed_parallel",
    "feed_flatness",
    "feed_noted",
    "report",
    "eligibility",
    "eligibility_consent",
    "batch_check",
    "query_flatness",
)


def main() -> None:
    """Prepare clean ground, run the benchmark, print its figures and, as the last line, the result as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--rows", type=int, help="size of the work; every benchmark has its own default")
    options = parser.parse_args()
    started = time.monotonic()
    with clean_ground():
        # Models can be imported only after Django was set up on the fresh platform.
        result = import_module(f"benchmarks.{options.name}").run(options.rows)
    result = replace(result, seconds=round(time.monotonic() - started, 1))
    print(result.table())
    print(result.as_json(), flush=True)


if __name__ == "__main__":
    main()
