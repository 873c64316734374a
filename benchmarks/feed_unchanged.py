"""A file that comes again as it was, beside its first load."""

import tempfile
from pathlib import Path

from django.utils import timezone

from benchmarks.contest import Figures, deliver, empty, expect, make_feed
from benchmarks.contract import Result
from benchmarks.data import write_rows
from records.models import CreditRecord, FeedMemory, Subject

ROWS, TURNS = 100_000, 3


def run(rows: int | None) -> Result:
    """Turns of a first load and a second delivery of the same file; the best turn of each counts."""
    count, figures = rows or ROWS, Figures()
    make_feed()
    with tempfile.TemporaryDirectory(prefix="credit-benchmark-rows-") as directory:
        file = Path(directory) / "penalties.csv"
        write_rows(file, count, today=timezone.localdate())
        for _turn in range(TURNS):
            empty(CreditRecord, Subject, FeedMemory)
            deliver(file, count, figures, name="first_load")
            deliver(file, count, figures, counted="unchanged")
            expect(count)
    return figures.result("feed_unchanged", {"first_load": 2})
