"""Small deliveries for hostile tests: files of every kind, worked off in chunks of any size."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db import connection, models

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.identity import make_credit_code, make_resident_id
from records.feeds.pipeline import CHUNK, process
from records.models import CreditRecord, Feed, FeedBatch, QuarantinedRow
from records.services.feeds import folder, receive_file
from tests import deliveries
from tests.cast import Cast

Row = Mapping[str, str]
COUNTS = ("received", "accepted", "unchanged", "quarantined", "rejected")


def organisation_code(number: int) -> str:
    """A valid organisation code of nine characters of a fictitious organisation."""
    return credit_code(number)[8:17]


def credit_code(number: int) -> str:
    """A valid credit code whose inner organisation code is valid too."""
    return make_credit_code("91620100", f"MA{number:06d}")


def registration_number(number: int, length: int = 15) -> str:
    """A registration number of a fictitious organisation; one of 18 characters that cannot be a credit code."""
    return f"{'062' if length == 18 else '620'}{number:0{length - 3}d}"


def resident(number: int, born: Any) -> str:
    """A valid resident number of a fictitious person born on that day."""
    return make_resident_id("620102", born, number)


def csv_bytes(rows: Sequence[Row], *, encoding: str = "utf-8", separator: str = ",") -> bytes:
    """The rows as text with a header of all cells that occur."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    return table_bytes(header, [[row.get(name, "") for name in header] for row in rows], encoding, separator)


def table_bytes(
    header: Sequence[str], rows: Iterable[Sequence[str]], encoding: str = "utf-8", separator: str = ","
) -> bytes:
    """A header and rows as text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator)
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode(encoding)


def cells_of(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """The same rows as header and lists of cells."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    return header, [[row.get(name, "") for name in header] for row in rows]


def take_in(
    content: bytes, *, feed: str = deliveries.FEED, chunk_size: int = CHUNK, name: str = "delivery", **options: Any
) -> FeedBatch:
    """Deliver a file and work it off in chunks of this size; the file itself is removed."""
    wanted = Feed.objects.select_related("agency", "entry").get(code=feed)
    with audit.context(actor=None, door=Door.COMMAND, reason="test", agency_id=wanted.agency_id):
        batch = receive_file(feed=wanted, blocks=[content], file_name=name, door=Door.COMMAND, **options)
    path = folder() / batch.stored_as
    try:
        done = process(batch, path, chunk_size=chunk_size)
    finally:
        path.unlink(missing_ok=True)
    assert_adds_up(done)
    return done


def deliver(*rows: Row, **options: Any) -> FeedBatch:
    """Deliver rows as a CSV file."""
    return take_in(csv_bytes(rows), **options)


def counts(batch: FeedBatch) -> dict[str, int]:
    """What a receipt counts, without zeros."""
    return {name: number for name in COUNTS if (number := getattr(batch, name))}


def assert_adds_up(batch: FeedBatch) -> None:
    """The counts of the batch, in memory and in the database, add up."""
    batch.refresh_from_db()
    assert batch.received == batch.accepted + batch.unchanged + batch.quarantined + batch.rejected


def problems_of(batch: FeedBatch) -> list[list[tuple[str, str]]]:
    """Problems of the rows a batch set aside, in the order of the file."""
    return [
        [(problem["field"], problem["code"]) for problem in row.problems]
        for row in QuarantinedRow.objects.filter(batch=batch).order_by("row_number")
    ]


def history(record: CreditRecord) -> list[Any]:
    """What a record said before, oldest first."""
    return list(history_model(CreditRecord).objects.filter(pgh_obj_id=record.pk).order_by("pgh_id"))


def history_model(model: type[models.Model]) -> Any:
    """The table that keeps what changes of a table replaced."""
    return apps.get_model(model._meta.app_label, f"{model._meta.object_name}Event")


def snapshot() -> list[tuple[Any, ...]]:
    """Everything the records say, in an order that does not depend on their keys."""
    rows = CreditRecord.objects.select_related("subject", "entry", "agency").order_by(
        "subject__number_index", "entry", "agency", "document_number"
    )
    return [
        (
            bytes(r.subject.number_index), bytes(r.subject.name_index), r.subject.name, r.entry.code, r.agency.code,
            r.document_number, r.decided_on, tuple(r.effects), r.tier, r.repairable_from, r.publish_until,
            r.retain_until, r.state, r.minor_at_decision, tuple(sorted(r.payload.items())), r.sealed_payload,
        )
        for r in rows
    ]  # fmt: skip


def raw(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What really stands in the database, past the model fields."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def whole_database(*tables: str) -> str:
    """Every row of these tables as the text PostgreSQL prints; bytes come as hexadecimal digits."""
    return "\n".join(row[0] for table in tables for row in raw(f"SELECT t::text FROM {table} t"))  # noqa: S608


def people_of_the_cast(settings: Any) -> Cast:
    """The cast, outside any context, so that what a page writes needs one of its own; passwords cost nothing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        return Cast.assemble()
