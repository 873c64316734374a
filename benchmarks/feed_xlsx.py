"""The pipeline on a workbook, beside merely reading the workbook."""

import csv
import tempfile
from pathlib import Path

from django.utils import timezone
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from benchmarks.contest import Figures, deliver, empty, expect, make_feed, timed
from benchmarks.contract import Result
from benchmarks.data import write_rows
from records.models import CreditRecord, FeedMemory, Subject

ROWS, TURNS = 50_000, 3


def run(rows: int | None) -> Result:
    """Turns of both on the same workbook; the best turn of each counts."""
    count, figures = rows or ROWS, Figures()
    make_feed()
    with tempfile.TemporaryDirectory(prefix="credit-benchmark-rows-") as directory:
        file = Path(directory) / "penalties.xlsx"
        _write(file, Path(directory) / "penalties.csv", count)
        for _turn in range(TURNS):
            empty(CreditRecord, Subject, FeedMemory)
            deliver(file, count, figures)
            expect(count)
            with timed(figures, "calamine", count):
                _read(file, count)
    return figures.result("feed_xlsx", {"calamine": 0.5})


def _write(file: Path, source: Path, count: int) -> None:
    """The rows as a department's spreadsheet program would store them: text cells in a table of shared strings."""
    write_rows(source, count, today=timezone.localdate())
    book = Workbook(file, {"strings_to_numbers": False, "strings_to_formulas": False})
    sheet = book.add_worksheet()
    with source.open(encoding="utf-8", newline="") as rows:
        for number, row in enumerate(csv.reader(rows)):
            sheet.write_row(number, 0, row)
    book.close()


def _read(file: Path, count: int) -> None:
    """Every cell as an object of Python, as any program that goes on with them needs it."""
    read = sum(1 for row in CalamineWorkbook.from_path(file).get_sheet_by_index(0).iter_rows() if row)
    if read != count + 1:
        raise RuntimeError(f"{read} rows were read instead of {count + 1}.")
