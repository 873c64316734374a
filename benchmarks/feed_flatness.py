"""A load into a table that holds millions of records already, beside the same load into an empty one."""

import tempfile
from pathlib import Path

from django.db import connection
from django.utils import timezone

from benchmarks.contest import Figures, context, deliver, empty, expect, make_feed
from benchmarks.contract import Result
from benchmarks.data import SEED, write_rows
from records.models import CreditRecord, FeedMemory, Subject

EXISTING, ROWS, TURNS = 5_000_000, 50_000, 3
COPIED = ", ".join(
    field.column for field in Subject._meta.concrete_fields if field.column not in {"id", "number_index", "created_at"}
)
RECORDED = ", ".join(
    field.column
    for field in CreditRecord._meta.concrete_fields
    if field.column not in {"id", "subject_id", "document_number", "received_at", "changed_at"}
)
# The same rows about other subjects, numbered as by other units: keys spread as those of real rows do.
MORE_SUBJECTS = f"""
INSERT INTO records_subject (number_index, {COPIED})
SELECT substring(sha256(number_index || int4send(%(round)s)) FOR 16), {COPIED} FROM records_subject WHERE id <= %(last)s
"""
MORE_RECORDS = f"""
INSERT INTO records_creditrecord (subject_id, document_number, {RECORDED})
SELECT more.id, %(round)s || r.document_number, {RECORDED.replace("subject_kind", "r.subject_kind")}
FROM records_creditrecord r JOIN records_subject s ON s.id = r.subject_id
JOIN records_subject more ON more.number_index = substring(sha256(s.number_index || int4send(%(round)s)) FOR 16)
WHERE r.id <= %(last_record)s
"""


def run(rows: int | None) -> Result:
    """Turns on the empty table, then turns on the full one with files it has not seen; the best turn of each counts.

    `rows` is the number of records that exist already; where they are few, so are the rows of a turn.
    """
    existing, figures = rows or EXISTING, Figures()
    count = min(ROWS, max(1, existing // 4))
    make_feed()
    with tempfile.TemporaryDirectory(prefix="credit-benchmark-rows-") as directory:
        files = [Path(directory) / f"{number}.csv" for number in range(TURNS + 1)]
        for number, file in enumerate(files):
            write_rows(file, count, today=timezone.localdate(), seed=SEED + number, first_party=1 + number * count)
        for file in files[:TURNS]:
            empty(CreditRecord, Subject, FeedMemory)
            deliver(file, count, figures, name="empty_table")
            expect(count)
        fill(existing, times=count)
        before = CreditRecord.objects.count()
        for file in [*files[: TURNS - 1], files[TURNS]]:
            deliver(file, count, figures)
        expect(before + TURNS * count)
    return figures.result("feed_flatness", {"empty_table": 0.8})


def fill(existing: int, *, times: int = ROWS) -> None:
    """Copies of the records that are there, about subjects of their own, until there are so many; `times` at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT max(id) FROM records_subject), (SELECT max(id) FROM records_creditrecord)")
        last, last_record = cursor.fetchone()
        for number in range(1, existing // times):
            with context():
                cursor.execute(MORE_SUBJECTS, {"round": number, "last": last})
                cursor.execute(MORE_RECORDS, {"round": number, "last_record": last_record})
        cursor.execute("VACUUM ANALYZE records_creditrecord, records_subject")
    print(f"{'existing records':24} {CreditRecord.objects.count():>9,}", flush=True)
