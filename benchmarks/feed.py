"""The feed pipeline beside a raw COPY of its finished rows and beside django-import-export."""

import csv
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone
from tablib import Dataset

from benchmarks.contest import Figures, context, deliver, empty, expect, make_feed, timed
from benchmarks.contract import Result
from benchmarks.data import write_rows
from benchmarks.spreadsheet import BulkPenaltyResource, PenaltyResource
from records.models import CreditRecord, FeedMemory, Subject

ROWS, TURNS = 100_000, 3
RESOURCES = {"import_export_default": PenaltyResource, "import_export_bulk": BulkPenaltyResource}
AIMS = {"copy": 0.5, "import_export_default": 30, "import_export_bulk": 3}
# The slow baselines work on the first rows only (at most so many, or such a part of all): their speed per row
# does not grow with their number.
FIRST_ROWS = {"import_export_default": (600, 10), "import_export_bulk": (10_000, 3)}
COLUMNS = ", ".join(field.column for field in CreditRecord._meta.concrete_fields)


def run(rows: int | None) -> Result:
    """Turns of all contenders on the same rows, each on an empty table; the best turn of each counts."""
    with tempfile.TemporaryDirectory(prefix="credit-benchmark-rows-") as directory:
        place, figures = Path(directory), Figures()
        write_rows(place / "penalties.csv", rows or ROWS, today=timezone.localdate())
        make_feed()
        for _turn in range(TURNS):
            empty(CreditRecord, Subject, FeedMemory)
            deliver(place / "penalties.csv", rows or ROWS, figures)
            _run_copy(place, rows or ROWS, figures)
            for name, resource in RESOURCES.items():
                most, part = FIRST_ROWS[name]
                _run_import_export(place, resource, name, min(most, (rows or ROWS) // part), figures)
    return figures.result("feed", AIMS)


def _run_copy(place: Path, rows: int, figures: Figures) -> None:
    """The rows the pipeline has just finished, by COPY into the emptied table: same indexes, constraints, triggers."""
    finished = place / "finished.copy"
    with connection.cursor() as cursor, finished.open("wb") as file:
        query = f"COPY (SELECT {COLUMNS} FROM records_creditrecord ORDER BY id) TO STDOUT"
        cursor.copy_expert(query, file)
    empty(CreditRecord)
    with finished.open("rb") as file, timed(figures, "copy", rows), context(), connection.cursor() as cursor:
        cursor.copy_expert(f"COPY records_creditrecord ({COLUMNS}) FROM STDIN", file, 1 << 20)
    finished.unlink()
    expect(rows)


def _run_import_export(place: Path, resource: Callable[[], Any], name: str, count: int, figures: Figures) -> None:
    """The first rows of the same file through a resource, reading the file included."""
    empty(CreditRecord, Subject)
    connection.close()
    with (place / "penalties.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = islice(csv.reader(file), count + 1)
    with timed(figures, name, len(rows)), context():
        resource().import_data(Dataset(*rows, headers=header), raise_errors=True)
    expect(len(rows))
