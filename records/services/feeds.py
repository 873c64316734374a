"""Take in a delivered file: keep it safely, open or find its batch, work it off, give a receipt."""

import datetime
import hashlib
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Invalid
from creditplatform.core.models import User
from records.feeds.pipeline import Unreadable, process
from records.models import Feed, FeedBatch
from records.models.feed import OPEN_STATES

BLOCK = 1 << 20
LOOKED_AFTER_AGAIN = datetime.timedelta(minutes=5)
UNREADABLE_KEPT = datetime.timedelta(days=14)


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
    if not feed.active:
        raise Invalid.in_field("feed", "feed_inactive", _("This feed is switched off."))
    if dated_on and dated_on > timezone.localdate():
        raise Invalid.in_field("dated_on", "date_in_future", _("The date of the list lies in the future."))
    stored, digest, size = _keep(blocks)
    with transaction.atomic():
        batch, created = FeedBatch.objects.get_or_create(
            feed=feed,
            file_digest=digest,
            state__in=OPEN_STATES,
            defaults={
                "file_name": Path(file_name).name[:200],
                "stored_as": stored.name,
                "size": size,
                "door": door,
                "submitted_by": user,
                "dated_on": dated_on,
                "rerun": rerun,
                "state": OPEN_STATES[0],
            },
        )
    if not created and batch.stored_as != stored.name:
        stored.unlink()
    return batch


def work_off(batch: FeedBatch) -> FeedBatch:
    """Process a batch to its end and then remove the file: what it said stands in records and rows set aside.

    A file that met an error of ours is kept for a while, so that the error can be found and the file tried again.
    """
    path = folder() / batch.stored_as
    batch = process(batch, path)
    if batch.error_code != Unreadable.default_code:
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
    kept = Q(state__in=OPEN_STATES) | Q(error_code=Unreadable.default_code, finished_at__gt=now - UNREADABLE_KEPT)
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


def _keep(blocks: Iterable[bytes]) -> tuple[Path, str, int]:
    """Write the file under a random name; returns place, SHA-256 and size."""
    place, digest, size = folder() / secrets.token_hex(16), hashlib.sha256(), 0
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for block in blocks:
            size += len(block)
            if size > settings.FEED_FILE_MAX_BYTES:
                place.unlink()
                raise Invalid.in_field("file", "file_too_large", _("The file is larger than this platform takes."))
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return place, digest.hexdigest(), size
