"""Background work of the records: batches of the upload page, batches a crash left behind, expiry."""

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict
from creditplatform.core.tasks import timed
from records.exchange.pushing import push_all
from records.feeds.ahead import Interrupted
from records.models import BatchCheck, FeedBatch
from records.models.feed import OPEN_STATES
from records.services import batch_checks, check_files, expiry, feeds, figures, inbox, query_upkeep, unit_notices


@shared_task
def process_batch(batch_id: int) -> str:
    """Work off one batch; delivered twice or taken up by two workers, it is still worked off once."""
    batch = FeedBatch.objects.get(pk=batch_id)
    if batch.state not in OPEN_STATES:
        return batch.state
    try:
        return feeds.work_off(batch).state
    except Conflict:
        return "busy"
    except Interrupted:
        return "interrupted"


def queue_batch(batch_id: int) -> None:
    """Hand a batch to a worker once it is committed; the resuming timer finds it if the broker is down."""

    def queue() -> None:
        process_batch.delay(batch_id)

    transaction.on_commit(queue, robust=True)


@timed("batch-resumer", expected_seconds=120)
def resume_batches() -> int:
    """Queue batches that wait or were left behind; one that a worker holds refuses the second by itself."""
    feeds.give_up_waiting()
    feeds.sweep_files()
    ids = feeds.take_due(most=50)
    for pk in ids:
        process_batch.delay(pk)
    return len(ids)


@timed("inbox", expected_seconds=120)
def take_up_inbox() -> int:
    """Take up the files of exchange machines, answer those whose batch has ended, clear old ones away."""
    taken = inbox.take_up()
    for pk in taken:
        process_batch.delay(pk)
    inbox.write_receipts()
    inbox.sweep()
    return len(taken)


@shared_task
def process_check(batch_id: int) -> str:
    """Work off one check of many persons; delivered twice or taken up by two workers, each row is answered once."""
    try:
        return batch_checks.work_off(BatchCheck.objects.get(pk=batch_id)).state
    except Conflict:
        return "busy"


def queue_check(batch_id: int) -> None:
    """Hand a check to a worker once it is committed; the resuming timer finds it if the broker is down."""

    def queue() -> None:
        process_check.delay(batch_id)

    transaction.on_commit(queue, robust=True)


@timed("check-resumer", expected_seconds=300)
def resume_checks() -> int:
    """Queue checks that wait or were left behind, and clear away what a crash has left."""
    check_files.sweep()
    ids = batch_checks.unfinished()
    for pk in ids:
        process_check.delay(pk)
    return len(ids)


@timed("queries", expected_seconds=2 * 3600)
def keep_queries() -> int:
    """Close queries whose days have passed, remove results kept long enough, open the reviews of accesses."""
    return sum(query_upkeep.run_all(on=timezone.localdate(), door=Door.TIMER).values())


@timed("expiry", expected_seconds=900)
def expire_records() -> int:
    """Close what has run out and archive what may not be kept longer."""
    return sum(expiry.run_all(on=timezone.localdate(), door=Door.TIMER).values())


@timed("monthly-figures", expected_seconds=900)
def refresh_figures() -> int:
    """Count the months whose figures have changed."""
    return len(figures.refresh_figures())


@timed("exchange", expected_seconds=120)
def push_changes() -> int:
    """Number what changed and push it to the peers whose time has come."""
    return push_all()


@timed("unit-notices", expected_seconds=1800)
def tell_units() -> int:
    """Tell the units what waits for them, once a working day from nine in the morning; asked for more often."""
    return unit_notices.tell_units(now=timezone.now())
