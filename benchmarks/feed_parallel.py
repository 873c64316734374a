"""Two workers on two files, beside one worker on one after the other."""

import tempfile
import time
from pathlib import Path

from django.utils import timezone

from benchmarks.contest import FEED, Figures, begin, empty, expect, make_feed, measured
from benchmarks.contract import Result
from benchmarks.data import write_rows
from records.models import CreditRecord, FeedMemory, Subject

ROWS, TURNS = 50_000, 3
OTHER = "benchmark-other"


def run(rows: int | None) -> Result:
    """Turns of both ways with the same two files; rows per second of the wall clock, start of Python included."""
    count, figures = rows or ROWS, Figures()
    make_feed()
    make_feed(OTHER)
    with tempfile.TemporaryDirectory(prefix="credit-benchmark-rows-") as directory:
        files = {FEED: Path(directory) / "one.csv", OTHER: Path(directory) / "other.csv"}
        _write(list(files.values()), count)
        for _turn in range(TURNS):
            for name, at_once in (("one_after_the_other", False), ("ours", True)):
                empty(CreditRecord, Subject, FeedMemory)
                figures.note(name, 2 * count, _seconds(files, at_once=at_once, figures=figures))
                expect(2 * count)
    return figures.result("feed_parallel", {"one_after_the_other": 1})


def _write(files: list[Path], count: int) -> None:
    """Rows about the same parties, half of them in each file, as two departments would send them."""
    write_rows(files[0], len(files) * count, today=timezone.localdate())
    with files[0].open(encoding="utf-8") as source:
        header, *rows = source
    for number, file in enumerate(files):
        file.write_text("".join([header, *rows[number :: len(files)]]), encoding="utf-8")


def _seconds(files: dict[str, Path], *, at_once: bool, figures: Figures) -> float:
    started = time.perf_counter()
    if at_once:
        found = measured([begin(file, feed) for feed, file in files.items()])
    else:
        found = [answer for feed, file in files.items() for answer in measured([begin(file, feed)])]
    seconds = time.perf_counter() - started
    if any(answer["accepted"] != answer["received"] for answer in found):
        raise RuntimeError("Not every row was accepted.")
    figures.peak_mb = max(figures.peak_mb, *(answer["peak_mb"] for answer in found))
    return seconds
