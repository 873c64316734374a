"""Files that exchange machines lay down: taken up when their marker is there, archived, answered with a receipt.

For a feed with the code `x` a machine writes `x/list.csv` and, when that is complete, `x/list.csv.ok`. The marker
is empty or holds the SHA-256 of the file. What was taken up lies in `x/archive/` under the number of its batch, its
receipt beside it; while its columns have to be confirmed, what is asked lies there as `.mapping.json`. What cannot be
taken up stays where it is, with the reason in `x/list.csv.error`. A crash at any point takes a file up once more, which
changes nothing.
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError, NoRoom
from records.enums import BatchState
from records.models import Feed, FeedBatch
from records.models.feed import OPEN_STATES
from records.services.feeds import file_blocks, receipt_of, receive_file

DONE, FAILED, RECEIPT, ASKED, ARCHIVE = ".ok", ".error", ".receipt.json", ".mapping.json", "archive"
KEPT_SECONDS = 30 * 24 * 3600  # the archive holds personal values; the records are what is kept
log = structlog.get_logger(__name__)


class Unfit(CreditError):
    """The marker does not fit the file, or the file is none."""

    http_status = 400


@dataclass(frozen=True)
class Laid:
    """A complete file in the folder of a feed."""

    feed: Feed
    file: Path

    @property
    def marker(self) -> Path:
        """The file that says that this one is complete."""
        return self.file.with_name(self.file.name + DONE)

    @property
    def error(self) -> Path:
        """Where the reason stands if it cannot be taken up."""
        return self.file.with_name(self.file.name + FAILED)


def take_up() -> list[int]:
    """Take up every complete file; returns the batches to work off."""
    batches = []
    for laid in _complete():
        try:
            batches.append(_receive(laid))
        except FileNotFoundError:
            log.info("inbox_file_taken_by_another", feed=laid.feed.code)
        except (NoRoom, OSError) as error:  # nothing is wrong with the file: the next run takes it up
            log.error("inbox_file_waits", feed=laid.feed.code, exc_info=error)
        except CreditError as error:
            log.warning("inbox_file_refused", feed=laid.feed.code, code=error.code)
            _note_refusal(laid, error)
    return batches


def _note_refusal(laid: Laid, error: CreditError) -> None:
    """Write the reason down beside the file; where there is no room even for that, the next run does."""
    with translation.override("zh-hans"):
        reason = f"{error.code}: {error.message}\n"
    try:
        laid.error.write_text(reason, encoding="utf-8")
    except OSError:
        log.exception("inbox_reason_not_written", feed=laid.feed.code)


def write_receipts() -> int:
    """Lay a receipt beside every archived file whose batch has ended or waits for its columns; returns how many."""
    written = 0
    for file in _archived():
        receipt = file.with_name(file.name + RECEIPT)
        number = file.name.partition("-")[0]
        if receipt.exists() or not number.isdecimal():
            continue
        ended = FeedBatch.objects.exclude(state__in=OPEN_STATES).select_related("feed")
        batch = ended.filter(pk=number).first()
        if batch:
            written += _answer(batch, receipt, file.with_name(file.name + ASKED))
    return written


def _answer(batch: FeedBatch, receipt: Path, asked: Path) -> bool:
    """Write what became of a file, or once what is asked about its columns."""
    waits = batch.state == BatchState.MAPPING
    if waits and asked.exists():
        return False
    content = json.dumps(dataclasses.asdict(receipt_of(batch)), ensure_ascii=False, indent=1)
    _write_whole(asked if waits else receipt, content)
    if not waits:
        asked.unlink(missing_ok=True)
    return True


def sweep() -> int:
    """Remove archived files and receipts that are old enough; returns how many."""
    before, removed = time.time() - KEPT_SECONDS, 0
    for folder in _folders():
        for path in (folder / ARCHIVE).glob("*"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                removed += 1
    return removed


def _complete() -> Iterator[Laid]:
    feeds = {feed.code: feed for feed in Feed.objects.of_units().filter(active=True).select_related("agency", "entry")}
    for folder in _folders():
        feed = feeds.get(folder.name)
        if feed is None:
            log.warning("inbox_folder_of_no_feed", folder=folder.name)
            continue
        for marker in sorted(folder.glob(f"*{DONE}")):
            laid = Laid(feed, marker.with_name(marker.name.removesuffix(DONE)))
            # Looked at again once the sender has written a new marker.
            if not laid.error.exists() or laid.error.stat().st_mtime < marker.stat().st_mtime:
                yield laid


def _folders() -> Iterator[Path]:
    """The folders of feeds; none where no inbox is set up. A link leads elsewhere and is none."""
    if settings.FEED_INBOX:
        root = Path(settings.FEED_INBOX)
        yield from (path for path in sorted(root.glob("*")) if path.is_dir() and not path.is_symlink())


def _archived() -> Iterator[Path]:
    for folder in _folders():
        yield from (path for path in (folder / ARCHIVE).glob("*") if not path.name.endswith((RECEIPT, ASKED)))


def _receive(laid: Laid) -> int:
    if laid.file.is_symlink() or not laid.file.is_file():
        raise Unfit("inbox_file_missing", _("There is a marker but no file of that name. Lay down the file first."))
    _check_marker(laid)
    with audit.context(actor=None, door=Door.FILE, reason="file laid down", agency_id=laid.feed.agency_id):
        batch = receive_file(feed=laid.feed, blocks=file_blocks(laid.file), file_name=laid.file.name, door=Door.FILE)
    archive = laid.file.parent / ARCHIVE
    archive.mkdir(mode=0o700, exist_ok=True)
    laid.file.rename(archive / f"{batch.pk}-{laid.file.name}")
    laid.marker.unlink()
    laid.error.unlink(missing_ok=True)
    return batch.pk


def _check_marker(laid: Laid) -> None:
    wanted = laid.marker.read_text(encoding="ascii", errors="replace").split()[:1]
    if not wanted:
        return
    with laid.file.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wanted[0].lower():
        raise Unfit("inbox_digest_differs", _("The digest in the marker is not that of the file. Lay down both again."))


def _write_whole(path: Path, text: str) -> None:
    """So that nobody ever reads half of it."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.rename(path)
