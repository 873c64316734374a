"""What the ordered feed of changes costs a load: COPY into the table of records with its notes, and without them."""

import io
import tempfile
from pathlib import Path

from django.db import connection
from django.utils import timezone

from benchmarks.contest import Figures, context, deliver, empty, make_feed, timed
from benchmarks.contract import Result
from benchmarks.data import write_rows
from records.feeds.copying import copy
from records.feeds.store import NAMES
from records.models import ChangeNote, CreditRecord

ROWS, TURNS, CHUNK = 100_000, 5, 4000
SWITCH = "ALTER TABLE records_creditrecord {word} TRIGGER {name}"
NOTING = "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_note_added_%'"


def run(rows: int | None) -> Result:
    """The same rows by COPY in chunks of the pipeline, in turns with and without notes; the best of each counts."""
    wanted, figures = rows or ROWS, Figures()
    make_feed()
    with tempfile.TemporaryDirectory(prefix="credit-benchmark-rows-") as directory:
        file = Path(directory) / "rows.csv"
        write_rows(file, wanted, today=timezone.localdate())
        deliver(file, wanted, figures, name="pipeline")
    lines = _lines()
    with connection.cursor() as cursor:
        cursor.execute(NOTING)
        (trigger,) = cursor.fetchone()
        for turn in range(TURNS * 2):
            word, name = ("ENABLE", "ours") if turn % 2 else ("DISABLE", "without_notes")
            empty(CreditRecord, ChangeNote)
            cursor.execute(SWITCH.format(word=word, name=trigger))
            with timed(figures, name, wanted):
                _copy(cursor, lines)
        cursor.execute("SELECT sum(cardinality(record_ids)), sum(pg_column_size(record_ids)) FROM records_changenote")
        noted, size = cursor.fetchone()
    print(f"{noted:,} changes noted in {size:,} bytes", flush=True)
    return figures.result("feed_noted", {"without_notes": 0.95})


def _lines() -> list[bytes]:
    buffer = io.BytesIO()
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY (SELECT {NAMES} FROM records_creditrecord) TO STDOUT", buffer)
    return buffer.getvalue().splitlines(keepends=True)


def _copy(cursor: object, lines: list[bytes]) -> None:
    for at in range(0, len(lines), CHUNK):
        with context():
            copy(cursor, f"records_creditrecord ({NAMES})", b"".join(lines[at : at + CHUNK]))
