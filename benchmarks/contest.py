"""What the benchmarks of feeds share: a unit with its feed, deliveries in a process of their own, figures by turn."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

from benchmarks.contract import Result
from benchmarks.data import AGENCY_CODE, AGENCY_NAME
from benchmarks.memory import peaks_mb
from creditplatform.core import audit
from creditplatform.core.enums import AgencyKind, Door
from creditplatform.core.models import Agency, Site
from records.enums import Rhythm
from records.models import CatalogueEntry, CreditRecord, Entitlement, Feed

FEED = "benchmark-penalty"
ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Figures:
    """The rows per second of every turn, by contender, and the pipeline's peak memory."""

    speeds: dict[str, list[float]] = field(default_factory=dict)
    peak_mb: float = 0

    def note(self, name: str, rows: int, seconds: float) -> None:
        """Keep and show one turn."""
        self.speeds.setdefault(name, []).append(rows / seconds)
        print(f"{name:24} {rows:>9,} rows {seconds:>8.2f} s {rows / seconds:>10,.0f} rows/s", flush=True)

    def best(self, name: str) -> float:
        """The best turn: other work on the machine only ever makes a turn slower."""
        return round(max(self.speeds[name]), 1)

    def result(self, name: str, aims: dict[str, float]) -> Result:
        """Our best turn beside that of every baseline."""
        ours, baselines = self.best("ours"), {baseline: self.best(baseline) for baseline in aims}
        ratios = {baseline: round(ours / figure, 3) for baseline, figure in baselines.items()}
        return Result(name, "rows/s", ours, baselines, ratios, dict(aims), round(self.peak_mb, 1), 0)


def make_feed(code: str = FEED) -> None:
    """A feed of a unit of our own, with a credit code, so that the check of the sending unit has something to do."""
    with context():
        site = Site.objects.get(code="huizhou")
        unit = {
            "name": AGENCY_NAME, "name_en": "Benchmark Market Regulator", "credit_code": AGENCY_CODE,
            "region": site.root_region, "site": site, "kind": AgencyKind.DEPARTMENT,
        }  # fmt: skip
        agency, _made = Agency.objects.get_or_create(code="benchmark", defaults=unit)
        entry = CatalogueEntry.objects.get(code="administrative-penalty")
        Entitlement.objects.get_or_create(agency=agency, entry=entry)
        Feed.objects.create(
            code=code, name=AGENCY_NAME, name_en="Benchmark penalties", agency=agency, field="product_quality",
            entry=entry, rhythm=Rhythm.DAILY,
        )  # fmt: skip


def context() -> Any:
    """Who writes here and why."""
    return audit.context(actor=None, door=Door.COMMAND, reason="benchmark")


def begin(path: Path, feed: str = FEED) -> "subprocess.Popen[str]":
    """Start a delivery through the whole pipeline in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.delivery", feed, str(path)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603


def measured(processes: Sequence["subprocess.Popen[str]"]) -> list[dict[str, Any]]:
    """What deliveries measured, when all have come to their end, with the memory each took of the machine."""
    peaks = peaks_mb(processes)
    answers = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError("A delivery failed.")
    found = [json.loads(answer.splitlines()[-1]) for answer in answers]
    return [{**answer, "peak_mb": peak or answer["peak_mb"]} for answer, peak in zip(found, peaks, strict=True)]


def deliver(path: Path, rows: int, figures: Figures, *, name: str = "ours", counted: str = "accepted") -> None:
    """The whole way from the file to the record; raises RuntimeError unless every row ended as it should."""
    (found,) = measured([begin(path)])
    if found[counted] != rows:
        raise RuntimeError(f"Of {rows} rows {found[counted]} were {counted}.")
    figures.peak_mb = max(figures.peak_mb, found["peak_mb"])
    figures.note(name, rows, found["seconds"])


@contextmanager
def timed(figures: Figures, name: str, rows: int) -> Iterator[None]:
    """Note how long this took."""
    started = time.perf_counter()
    yield
    figures.note(name, rows, time.perf_counter() - started)


def empty(*models: Any) -> None:
    """Empty the tables of these models."""
    tables = ", ".join(model._meta.db_table for model in models)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def expect(rows: int) -> None:
    """Raises RuntimeError unless the table of records holds so many."""
    found = CreditRecord.objects.count()
    if found != rows:
        raise RuntimeError(f"The table holds {found} rows instead of {rows}.")
