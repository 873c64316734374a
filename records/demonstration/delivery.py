"""The world's files delivered through the same pipeline as any unit's."""

import datetime
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.db.models import QuerySet

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import Agency
from records.demonstration.data import Source, sources
from records.demonstration.files import file_of, suffix_of
from records.demonstration.people import sender_of
from records.demonstration.rows import KIND_TEXTS, Column, Row, Sender, rows_of
from records.demonstration.world import World
from records.enums import FieldRole, Rhythm, SubjectKind, VersionState
from records.models import CatalogueEntry, Entitlement, EntryField, Feed, FeedBatch
from records.models.feed import OPEN_STATES
from records.services.feeds import file_blocks, receive_file, work_off

ONE_KIND = {"o": SubjectKind.ORGANISATION, "b": SubjectKind.BUSINESS}
LIST_NUMBER = "电子商务领域失信名单（演示）"
LIST_AGE_DAYS = 120


def make_feeds() -> int:
    """The feeds that the policy does not bring, with the entitlements of their units; returns how many were made."""
    agencies = dict(Agency.objects.values_list("code", "pk"))
    entries = dict(CatalogueEntry.objects.values_list("code", "pk"))
    made = 0
    for source in sources():
        if not source.name:
            continue
        pair = {"agency_id": agencies[source.agency], "entry_id": entries[source.entry]}
        Entitlement.objects.get_or_create(agency_id=pair["agency_id"], entry_id=pair["entry_id"])
        _feed, created = Feed.objects.get_or_create(
            code=source.feed,
            defaults={
                **pair,
                "name": f"{source.name}（演示）",
                "name_en": f"{source.name_en} (demonstration)",
                "field": source.field,
                "rhythm": Rhythm.MONTHLY,
                "expected_max": 20_000,
                "constants": _constants(source),
                "dated_by_receipt": source.entry == "ecommerce-dishonesty",
            },
        )
        made += created
    return made


def _constants(source: Source) -> dict[str, str]:
    """What the files of a feed do not state: the kind of subject where only one is meant, the list's number."""
    constants = {}
    if source.subjects in ONE_KIND and not _has_role(source, FieldRole.SUBJECT_KIND):
        constants[FieldRole.SUBJECT_KIND.value] = KIND_TEXTS[ONE_KIND[source.subjects]]
    if not _has_role(source, FieldRole.DOCUMENT_NUMBER):
        constants[FieldRole.DOCUMENT_NUMBER.value] = LIST_NUMBER
    return constants


def _has_role(source: Source, role: FieldRole) -> bool:
    return _fields(source).filter(role=role).exists()


def _fields(source: Source) -> QuerySet[EntryField]:
    in_force = {"version__entry__code": source.entry, "version__state": VersionState.IN_FORCE}
    return EntryField.objects.filter(**in_force).order_by("position")


class Part(NamedTuple):
    """One file to deliver: its name and what goes into it."""

    name: str
    form: str
    columns: list[Column]
    rows: list[Row]


def parts_of(world: World, source: Source, agency: Agency) -> list[Part]:
    """The files of one feed, its rows shared out among them in order."""
    constants = _constants(source)
    columns = [Column(f.code, f.name, f.role) for f in _fields(source) if f.role not in constants]
    rows = rows_of(world, source, Sender(agency.name, agency.credit_code))
    share = -(-len(rows) // len(source.files))
    return [
        Part(f"{source.feed}_{world.name}_{at}.{suffix_of(form)}", form, columns, rows[(at - 1) * share : at * share])
        for at, form in enumerate(source.files, 1)
    ]


def deliver(world: World) -> Iterator[FeedBatch]:
    """Deliver every file that was not worked off yet; yields its batch. A file once delivered is left alone."""
    with tempfile.TemporaryDirectory(prefix="credit-demonstration-") as folder:
        for source in sources():
            feed = Feed.objects.select_related("agency", "entry").get(code=source.feed)
            done = set(feed.batches.exclude(state__in=OPEN_STATES).values_list("file_name", flat=True))
            for part in parts_of(world, source, feed.agency):
                if part.name not in done:
                    path = Path(folder) / part.name
                    path.write_bytes(file_of(part.form, part.columns, part.rows))
                    yield _deliver(feed, path, world.anchor)


def _deliver(feed: Feed, path: Path, anchor: datetime.date) -> FeedBatch:
    with audit.context(actor=None, door=Door.COMMAND, reason="demonstration", agency_id=feed.agency_id):
        batch = receive_file(
            feed=feed,
            blocks=file_blocks(path),
            file_name=path.name,
            door=Door.FILE,
            user=sender_of(feed.agency, anchor),
            dated_on=anchor - datetime.timedelta(days=LIST_AGE_DAYS) if feed.dated_by_receipt else None,
        )
    return work_off(batch)
