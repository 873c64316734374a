"""The work of one batch from first to last row: resumable at any chunk, reading ahead while the database works."""

import gc
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, CreditError, wants_room
from records.enums import BatchState, FeedFormat
from records.feeds.again import SecondPass
from records.feeds.ahead import Interrupted, prepared_ahead
from records.feeds.mapping import ColumnMap, ColumnsToConfirm, map_columns
from records.feeds.memory import Memory
from records.feeds.mended import settle
from records.feeds.mending import NOTED, MendingColumns
from records.feeds.plan import Plan, plan_for
from records.feeds.prepared import Prepared
from records.feeds.readers import FeedFileError, Table, open_table
from records.feeds.reading import Reading
from records.feeds.store import Outcome, Store
from records.models import FeedBatch
from records.models.feed import OPEN_STATES
from records.workflows.feed_batch import FEED_BATCH

CHUNK = settings.FEED_CHUNK_ROWS
LOOKED_AT = 200  # rows, for whether a column is filled at all
LOCK_SPACE = 0x42415443
# Name search merges its index in larger steps: a chunk brings thousands of new names at once. The checks of a statement
# look at all its rows, which stay in memory instead of going to a file.
FOR_A_CHUNK = """
SET LOCAL synchronous_commit TO off; SET LOCAL gin_pending_list_limit TO '32MB'; SET LOCAL work_mem TO '32MB'
"""
MOST_ATTEMPTS, FIRST_PAUSE, LONGEST_PAUSE = 10, timedelta(seconds=15), timedelta(hours=1)
GC_THRESHOLDS, OBJECTS_PER_COLLECTION = gc.get_threshold(), 200_000
log = structlog.get_logger(__name__)


class Unreadable(CreditError):
    """Something in the file met an error of ours; the operators find it in the log and the file where it was."""

    default_code = "internal_error"
    default_message = _("This file met an error of the platform. It is noted; please ask the credit centre.")


class Cancelled(CreditError):
    """The unit has cancelled the batch while it was worked off; the chunk at hand is taken back."""

    http_status = 409
    default_code = "batch_cancelled"
    default_message = _("This delivery was cancelled.")


def process(batch: FeedBatch, path: Path, *, chunk_size: int = CHUNK) -> FeedBatch:
    """Work off a batch, or go on where it was left; returns it in its final state.

    One worker per batch: a second one raises Conflict, or finds it finished. An error of the file refuses the batch
    with its code; rows applied before the error stay and count, so a mended file finds them unchanged.
    Raises Interrupted, or the error of the database, where something was wanting or away: the batch stays open and is
    tried again later, until it has come no further too often. A want of room is waited out however long it lasts.
    A batch whose columns have to be confirmed waits for the unit; one the unit cancels ends with the chunk at hand.
    """
    with _only_worker(batch.pk):
        batch = FeedBatch.objects.select_related("feed__agency", "feed__entry").get(pk=batch.pk)
        if batch.state not in OPEN_STATES:
            return batch  # another worker finished it between our look and our lock, or it was cancelled
        if batch.attempts >= MOST_ATTEMPTS:  # each time its worker was killed, before it could note anything
            log.error("batch_given_up", batch=batch.pk, attempts=batch.attempts)
            return _refuse(batch, Unreadable())
        try:
            return _process(batch, path, chunk_size)
        except (Cancelled, Conflict):
            batch.refresh_from_db()
            if batch.state != BatchState.CANCELLED:
                raise
            log.info("batch_cancelled", batch=batch.pk, rows=batch.received)
            return batch


def _process(batch: FeedBatch, path: Path, chunk_size: int) -> FeedBatch:
    started = time.monotonic()
    try:
        _note_attempt(batch)
        with open_table(path, kind=_kind(batch), name=batch.file_name) as table, _rare_collection():
            store = _work_off(batch, path, table, chunk_size)
    except Cancelled:
        raise
    except (Interrupted, MemoryError, OSError, OperationalError, InterfaceError) as error:
        return _try_later(batch, error)
    except ColumnsToConfirm:
        log.info("batch_waits_for_columns", batch=batch.pk)
        return batch
    except CreditError as error:
        log.warning("batch_refused", batch=batch.pk, code=error.code)
        return _refuse(batch, error)
    except Exception:
        log.exception("batch_failed", batch=batch.pk)
        return _refuse(batch, Unreadable())
    return _finish(batch, store, time.monotonic() - started)


def _note_attempt(batch: FeedBatch) -> None:
    """Count attempts that come no further, before anything is read: a killed worker can note nothing any more."""
    batch.attempts += 1
    with _context(batch):
        FeedBatch.objects.filter(pk=batch.pk).update(attempts=batch.attempts)


def _kind(batch: FeedBatch) -> str | None:
    """The form a feed promised; what the desk hands back comes in its own."""
    return None if batch.feed.format == FeedFormat.ANY or batch.door == Door.DESK else batch.feed.format


def _try_later(batch: FeedBatch, error: Exception) -> FeedBatch:
    """Say when and raise on; the last attempt refuses the batch, whose file is kept for those who look into it."""
    log.warning("batch_interrupted", batch=batch.pk, attempts=batch.attempts, exc_info=True)
    if isinstance(error, OperationalError | InterfaceError) and not connection.is_usable():
        raise error
    batch.attempts = max(batch.attempts, 1)
    if wants_room(error):
        batch.attempts = min(batch.attempts, MOST_ATTEMPTS - 1)
    if batch.attempts >= MOST_ATTEMPTS:
        return _refuse(batch, Unreadable())
    due_at = timezone.now() + min(FIRST_PAUSE * 2**batch.attempts, LONGEST_PAUSE)
    with _context(batch):
        FeedBatch.objects.filter(pk=batch.pk, state__in=OPEN_STATES).update(attempts=batch.attempts, due_at=due_at)
    if isinstance(error, OperationalError | InterfaceError | Interrupted):
        raise error
    raise Interrupted from error


@contextmanager
def _only_worker(batch_id: int) -> Iterator[None]:
    """Hold the batch for this session; the lock dies with the process, so a killed worker frees it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, batch_id])
        if not cursor.fetchone()[0]:
            raise Conflict("batch_busy", _("This file is being processed already; look at its receipt in a moment."))
        try:
            yield
        finally:
            if not cursor.closed and connection.is_usable():
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, batch_id])


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Look for reference cycles rarely: rows make none, and looking for some costs a sixth of the time."""
    gc.set_threshold(OBJECTS_PER_COLLECTION, *GC_THRESHOLDS[1:])
    try:
        yield
    finally:
        gc.set_threshold(*GC_THRESHOLDS)


def _work_off(batch: FeedBatch, path: Path, table: Table, chunk_size: int) -> Store:
    plan = plan_for(batch.feed, dated_on=batch.dated_on)
    mending = MendingColumns.of(table.header)
    header = mending.without(table.header)
    mends = {NOTED: True} if mending else {}
    columns = _columns(batch, plan, header, table, mends)
    with _context(batch):
        FEED_BATCH.take(
            "check", batch, user=None, format=table.format, encoding=table.encoding,
            notes={
                "unknown_columns": columns.unknown, "example_line": table.example_line, **mends,
                **({"agency_unchecked": True} if plan.agency_unchecked(columns.positions) else {}),
            },
            columns=[column.as_data() for column in columns.columns], dated_on=plan.dated_on,
        )  # fmt: skip
    batch.refresh_from_db()
    reading, done = Reading(plan, columns, header, Memory.of(batch.feed), mending), batch.received
    again = SecondPass(path, table.format, mending)
    store = Store(plan, batch, reading, again)
    with closing(again), prepared_ahead(table, reading, done=done, chunk_size=chunk_size) as coming:
        reading.forget()
        for prepared in coming:
            if prepared.last_row <= done:
                store.remember(prepared)  # on resuming: which decisions the rows before have named
            else:
                _apply(batch, store, prepared)
            del prepared  # before the next one comes in
    if not batch.received:
        _refuse_without_rows(batch)
    return store


def _refuse_without_rows(batch: FeedBatch) -> None:
    """A file without rows says nothing, least of all that everything has ended; ours may have nothing left to check."""
    if not batch.rerun:
        raise FeedFileError("no_rows")


def _columns(batch: FeedBatch, plan: Plan, header: list[str], table: Table, notes: dict[str, bool]) -> ColumnMap:
    """Which column is which field; where the unit has to say so, the batch keeps what is asked and waits."""
    try:
        return map_columns(
            header,
            plan.fields,
            remembered=batch.feed.mapping,
            constants=plan.constants,
            dated_elsewhere=plan.dated_on is not None,
        )
    except ColumnsToConfirm as asked:
        if (filled := _filled(table)) is None:
            raise FeedFileError("no_rows") from None
        columns = [column.as_data(filled=column.position in filled) for column in asked.columns]
        with _context(batch):
            waiting = FEED_BATCH.take(
                "ask_columns", batch, user=None, format=table.format, encoding=table.encoding,
                columns=columns, dated_on=plan.dated_on, notes=notes,
            )  # fmt: skip
        batch.state, batch.columns = waiting.state, waiting.columns
        raise


def _filled(table: Table) -> set[int] | None:
    """Places of the columns that hold anything in the first rows; None where there are no rows."""
    chunk = next(table.chunks(LOOKED_AT), None)
    return {at for at, column in enumerate(chunk.columns) if any(map(str.strip, column))} if chunk else None


def _apply(batch: FeedBatch, store: Store, prepared: Prepared) -> None:
    """One chunk and its counts in one transaction: either both are there after a crash, or neither.

    The disk is not waited for: a chunk lost in a crash of the database is worked off again, since its count is
    lost with it, and the step that finishes the batch waits for everything before it.
    """
    with _context(batch):
        with connection.cursor() as cursor:
            cursor.execute(FOR_A_CHUNK)
        _count(batch, store.write(prepared))
    log.debug("chunk_applied", batch=batch.pk, rows=batch.received)


def _count(batch: FeedBatch, outcome: Outcome) -> None:
    batch.received += outcome.received
    batch.accepted += outcome.accepted
    batch.unchanged += outcome.unchanged
    batch.quarantined += outcome.quarantined
    batch.rejected += outcome.rejected
    batch.problems = dict(Counter(batch.problems) + outcome.problems)
    batch.attempts = 0
    counts: dict[str, Any] = {
        name: getattr(batch, name)
        for name in ("received", "accepted", "unchanged", "quarantined", "rejected", "problems", "attempts")
    }
    if not FeedBatch.objects.filter(pk=batch.pk, state=BatchState.CHECKING).update(**counts):
        raise Cancelled


def _finish(batch: FeedBatch, store: Store, seconds: float) -> FeedBatch:
    step = "apply_partly" if batch.quarantined or batch.rejected else "apply"
    with _context(batch):
        store.finish()
        FeedBatch.objects.filter(pk=batch.pk).update(seconds=batch.seconds + round(seconds, 3))
        finished: FeedBatch = FEED_BATCH.take(step, batch, user=None)
        if finished.quarantined or finished.corrected_rows.exists():
            settle(batch.feed_id)
            finished.refresh_from_db(fields=["state"])
    return finished


def _refuse(batch: FeedBatch, error: CreditError) -> FeedBatch:
    with _context(batch):
        refused: FeedBatch = FEED_BATCH.take("refuse", batch, user=None, error=error)
    return refused


def _context(batch: FeedBatch) -> AbstractContextManager[dict[str, Any]]:
    """Who delivered it, through which door, for which unit."""
    return audit.context(
        actor=batch.submitted_by, door=batch.door, reason=f"feed batch {batch.pk}", agency_id=batch.feed.agency_id
    )
