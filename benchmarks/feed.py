"""The feed pipeline beside a raw COPY of its finished rows and beside django-import-export."""

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone
from tablib import Dataset

from benchmarks.contract import Result
from benchmarks.data import AGENCY_CODE, AGENCY_NAME, write_rows
from benchmarks.spreadsheet import BulkPenaltyResource, PenaltyResource
from creditplatform.core import audit
from creditplatform.core.enums import AgencyKind, Door
from creditplatform.core.models import Agency, Site
from records.enums import Rhythm
from records.models import CatalogueEntry, CreditRecord, Feed, Subject

ROWS, TURNS = 100_000, 3
FEED = "benchmark-penalty"
RESOURCES = {"import_export_default": PenaltyResource, "import_export_bulk": BulkPenaltyResource}
AIMS = {"copy": 0.5, "import_export_default": 30, "import_export_bulk": 3}
# The slow baselines work on the first rows only (at most so many, or such a part of all): their speed per row
# does not grow with their number.
FIRST_ROWS = {"import_export_default": (600, 10), "import_export_bulk": (10_000, 3)}
COLUMNS = ", ".join(field.column for field in CreditRecord._meta.concrete_fields)
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


def run(rows: int | None) -> Result:
    """Turns of all contenders on the same rows, each on an empty table; the best turn of each counts."""
    with tempfile.TemporaryDirectory(prefix="credit-benchmark-rows-") as directory:
        place, figures = Path(directory), Figures()
        write_rows(place / "penalties.csv", rows or ROWS, today=timezone.localdate())
        _make_feed()
        for _turn in range(TURNS):
            _run_pipeline(place, rows or ROWS, figures)
            _run_copy(place, rows or ROWS, figures)
            for name, resource in RESOURCES.items():
                most, part = FIRST_ROWS[name]
                _run_import_export(place, resource, name, min(most, (rows or ROWS) // part), figures)
    return _result(figures)


def _result(figures: Figures) -> Result:
    ours = figures.best("ours")
    baselines = {name: figures.best(name) for name in AIMS}
    return Result(
        name="feed",
        unit="rows/s",
        ours=ours,
        baselines=baselines,
        ratios={name: round(ours / figure, 3) for name, figure in baselines.items()},
        aims=dict(AIMS),
        peak_mb=round(figures.peak_mb, 1),
        seconds=0,
    )


def _make_feed() -> None:
    """A unit of our own with a credit code, so that the check of the sending unit has something to do."""
    with _context():
        site = Site.objects.get(code="huizhou")
        agency = Agency.objects.create(
            code="benchmark", name=AGENCY_NAME, name_en="Benchmark Market Regulator", credit_code=AGENCY_CODE,
            region=site.root_region, site=site, kind=AgencyKind.DEPARTMENT,
        )  # fmt: skip
        Feed.objects.create(
            code=FEED, name=AGENCY_NAME, name_en="Benchmark penalties", agency=agency, field="product_quality",
            entry=CatalogueEntry.objects.get(code="administrative-penalty"), rhythm=Rhythm.DAILY,
        )  # fmt: skip


def _context() -> Any:
    return audit.context(actor=None, door=Door.COMMAND, reason="benchmark")


def _run_pipeline(place: Path, rows: int, figures: Figures) -> None:
    """The whole way from the file to the record, in a process of its own."""
    _empty(CreditRecord, Subject)
    words = [sys.executable, "-m", "benchmarks.delivery", FEED, str(place / "penalties.csv")]
    answer = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    measured = json.loads(answer.stdout.splitlines()[-1])
    if measured["accepted"] != rows:
        raise RuntimeError(f"The pipeline accepted {measured['accepted']} of {rows} rows.")
    figures.peak_mb = max(figures.peak_mb, measured["peak_mb"])
    figures.note("ours", rows, measured["seconds"])


def _run_copy(place: Path, rows: int, figures: Figures) -> None:
    """The rows the pipeline has just finished, by COPY into the emptied table: same indexes, constraints, triggers."""
    finished = place / "finished.copy"
    with connection.cursor() as cursor, finished.open("wb") as file:
        query = f"COPY (SELECT {COLUMNS} FROM records_creditrecord ORDER BY id) TO STDOUT"
        cursor.copy_expert(query, file)
    _empty(CreditRecord)
    with finished.open("rb") as file, _timed(figures, "copy", rows), _context(), connection.cursor() as cursor:
        cursor.copy_expert(f"COPY records_creditrecord ({COLUMNS}) FROM STDIN", file, 1 << 20)
    finished.unlink()
    _expect(rows)


def _run_import_export(place: Path, resource: Callable[[], Any], name: str, count: int, figures: Figures) -> None:
    """The first rows of the same file through a resource, reading the file included."""
    _empty(CreditRecord, Subject)
    connection.close()
    with (place / "penalties.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = islice(csv.reader(file), count + 1)
    with _timed(figures, name, len(rows)), _context():
        resource().import_data(Dataset(*rows, headers=header), raise_errors=True)
    _expect(len(rows))


@contextmanager
def _timed(figures: Figures, name: str, rows: int) -> Iterator[None]:
    started = time.perf_counter()
    yield
    figures.note(name, rows, time.perf_counter() - started)


def _empty(*models: Any) -> None:
    tables = ", ".join(model._meta.db_table for model in models)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def _expect(rows: int) -> None:
    found = CreditRecord.objects.count()
    if found != rows:
        raise RuntimeError(f"The table holds {found} rows instead of {rows}.")
