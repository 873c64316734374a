"""Take in a delivered file: keep it safely, open or find its batch, work it off, give a receipt."""

import datetime
import hashlib
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError, Invalid, NoRoom, wants_room
from creditplatform.core.models import ApiClient, User
from records.enums import BatchState
from records.feeds.pipeline import Unreadable, process
from records.models import Feed, FeedBatch
from records.models.feed import OPEN_STATES, UNFINISHED_STATES
from records.workflows.feed_batch import FEED_BATCH

BLOCK = 1 << 20
LOOKED_AFTER_AGAIN = datetime.timedelta(minutes=5)
UNREADABLE_KEPT = WAITS_FOR_COLUMNS = datetime.timedelta(days=14)


@dataclass(frozen=True)
class Receipt:
    """What became of a delivery; the same for every door."""

    batch: int
    state: str
    received: int
    accepted: int
    unchanged: int
    quarantined: int
    rejected: int
    seconds: float
    problems: dict[str, int]
    error: str = ""
    message: str = ""
    feed: str = ""
    columns: list[dict[str, Any]] = field(default_factory=list)
    agency_unchecked: bool = False


@dataclass(frozen=True)
class Kept:
    """A delivered file that lies safely on our disk and belongs to no batch yet."""

    place: Path
    digest: str
    size: int

    def remove(self) -> None:
        """Take it away again."""
        self.place.unlink(missing_ok=True)


class NeverConfirmed(CreditError):
    """Nobody has said which column is which field for so long that the file is not kept any longer."""

    default_code = "columns_not_confirmed"
    default_message = _(
        "Nobody confirmed the columns of this file within two weeks, so it was removed. Deliver it again."
    )


def receipt_of(batch: FeedBatch) -> Receipt:
    """The receipt of a batch, at any moment of its life."""
    return Receipt(
        batch=batch.pk,
        state=batch.state,
        received=batch.received,
        accepted=batch.accepted,
        unchanged=batch.unchanged,
        quarantined=batch.quarantined,
        rejected=batch.rejected,
        seconds=batch.seconds,
        problems=dict(sorted(batch.problems.items())),
        error=batch.error_code,
        message=batch.error_label,
        feed=batch.feed.code,
        columns=batch.columns,
        agency_unchecked=batch.notes.get("agency_unchecked", False),
    )


def receive_file(
    *,
    feed: Feed,
    blocks: Iterable[bytes],
    file_name: str,
    door: Door,
    user: User | None = None,
    dated_on: datetime.date | None = None,
    rerun: bool = False,
) -> FeedBatch:
    """Keep a delivered file and open its batch; a file that is just being processed gives its open batch.

    `rerun` marks rows set aside that the platform itself hands in once more, of which a feed has one batch at a time.

    Raises Invalid for a feed that is switched off or a file that is too large.
    """
    check_open(feed, dated_on)
    kept = keep_file(blocks)
    return open_batch(
        feed=feed, kept=kept, file_name=file_name, door=door, user=user, dated_on=dated_on, rerun=rerun
    )  # fmt: skip


def check_open(feed: Feed, dated_on: datetime.date | None = None) -> None:
    """Raise Invalid where a feed takes no file, or none of that date."""
    if not feed.active:
        raise Invalid.in_field("feed", "feed_inactive", _("This feed is switched off."))
    if dated_on and dated_on > timezone.localdate():
        raise Invalid.in_field("dated_on", "date_in_future", _("The date of the list lies in the future."))


def open_batch(
    *,
    feed: Feed,
    kept: Kept,
    file_name: str,
    door: Door,
    user: User | None = None,
    client: ApiClient | None = None,
    dated_on: datetime.date | None = None,
    rerun: bool = False,
) -> FeedBatch:
    """Open the batch of a kept file; a file whose batch has not ended gives that one, and its copy goes."""
    with transaction.atomic():
        batch, created = FeedBatch.objects.get_or_create(
            feed=feed,
            file_digest=kept.digest,
            state__in=UNFINISHED_STATES,
            defaults={
                "file_name": Path(file_name).name[:200],
                "stored_as": kept.place.name,
                "size": kept.size,
                "door": door,
                "submitted_by": user,
                "client": client,
                "dated_on": dated_on,
                "rerun": rerun,
                "state": OPEN_STATES[0],
            },
        )
    if not created and batch.stored_as != kept.place.name:
        kept.remove()
    return batch


def cancel_batch(*, batch: FeedBatch, user: User | None) -> FeedBatch:
    """End a batch that waits or is worked off: rows applied before stay and count, the file goes.

    Without a user it is the machine client of the unit; whoever calls has asked whose batch it is. Raises Conflict
    where it has ended, NotPermitted for a person of another unit.
    """
    cancelled: FeedBatch = FEED_BATCH.take("cancel", batch, user=user)
    _remove_file(cancelled)
    return cancelled


def give_up_waiting() -> int:
    """Refuse files whose columns nobody has confirmed for two weeks; returns how many. They hold personal values."""
    before = timezone.now() - WAITS_FOR_COLUMNS
    waiting = FeedBatch.objects.filter(state=BatchState.MAPPING, received_at__lt=before)
    for batch in waiting:
        with audit.context(actor=None, door=Door.TIMER, reason="columns never confirmed"):
            FEED_BATCH.take("refuse", batch, user=None, error=NeverConfirmed())
            _remove_file(batch)
    return len(waiting)


def _remove_file(batch: FeedBatch) -> None:
    if batch.stored_as:
        path = folder() / batch.stored_as
        transaction.on_commit(lambda: path.unlink(missing_ok=True), robust=True)


def work_off(batch: FeedBatch) -> FeedBatch:
    """Process a batch to its end and then remove the file: what it said stands in records and rows set aside.

    A file whose columns have to be confirmed is kept until then.

    A file that met an error of ours is kept for a while, so that the error can be found and the file tried again.
    """
    path = folder() / batch.stored_as
    batch = process(batch, path)
    if batch.error_code != Unreadable.default_code and batch.state != BatchState.MAPPING:
        path.unlink(missing_ok=True)
    return batch


def take_due(*, most: int) -> list[int]:
    """Open batches whose time has come; each is looked after again if it is still open in some minutes."""
    now = timezone.now()
    with transaction.atomic(), audit.context(actor=None, door=Door.TIMER, reason="resume batches"):
        due = FeedBatch.objects.filter(state__in=OPEN_STATES, due_at__lte=now).order_by("due_at")
        ids = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:most])
        FeedBatch.objects.filter(pk__in=ids).update(due_at=now + LOOKED_AFTER_AGAIN)
    return ids


def sweep_files() -> int:
    """Remove files that a crash left without an open batch; returns how many. They hold personal values."""
    now = timezone.now()
    kept = Q(state__in=UNFINISHED_STATES) | Q(error_code=Unreadable.default_code, finished_at__gt=now - UNREADABLE_KEPT)
    wanted = set(FeedBatch.objects.filter(kept).values_list("stored_as", flat=True))
    yesterday = time.time() - 24 * 3600
    left = [p for p in folder().iterdir() if p.name not in wanted and p.stat().st_mtime < yesterday]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def folder() -> Path:
    """Where delivered files wait; readable by the platform alone, since they hold personal values."""
    place = Path(settings.MEDIA_ROOT) / "feeds"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def file_blocks(path: Path) -> Iterable[bytes]:
    """The bytes of a file in blocks."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def keep_file(blocks: Iterable[bytes]) -> Kept:
    """Write a file under a random name; keeps nothing where it raises Invalid (too large) or NoRoom."""
    place, digest, size = folder() / secrets.token_hex(16), hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for block in blocks:
                size += len(block)
                if size > settings.FEED_FILE_MAX_BYTES:
                    raise Invalid.in_field("file", "file_too_large", _("The file is larger than this platform takes."))
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        _remember_name(place)
    except BaseException as error:
        place.unlink(missing_ok=True)  # half a file would take up the room that is wanting, and holds personal values
        if wants_room(error):
            raise NoRoom from error
        raise
    return Kept(place, digest.hexdigest(), size)


def _remember_name(place: Path) -> None:
    """Have the disk know the file's name too: a batch must not outlive a loss of power that its file does not."""
    folder_of_it = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder_of_it)
    finally:
        os.close(folder_of_it)
