"""The process that reads ahead: what it meets comes over, and whoever ends it leaves a batch that can be resumed."""

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.enums import BatchState
from records.feeds import ahead, copying, pipeline, store, subject_store
from records.feeds.prepare import Preparer
from records.feeds.store import Store
from records.models import CreditRecord, Feed, FeedBatch
from records.services.feeds import folder, receive_file, sweep_files, work_off
from tests.deliveries import FEED, penalty
from tests.records.feedfiles import counts, csv_bytes
from tests.records.scratch import Copy, ask, connected, copies

__all__ = ["copies"]
CONTENT = csv_bytes([penalty(number) for number in range(1, 11)])


@pytest.fixture
def waiting(context: None, settings: Any, tmp_path: Path) -> FeedBatch:
    """A delivery of ten rows that nobody has begun with."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return received()


def received() -> FeedBatch:
    feed = Feed.objects.select_related("agency", "entry").get(code=FEED)
    return receive_file(feed=feed, blocks=[CONTENT], file_name="x", door=Door.COMMAND)


def process(batch: FeedBatch) -> FeedBatch:
    return pipeline.process(batch, folder() / batch.stored_as, chunk_size=3)


def test_the_reader_is_another_process_and_is_gone_afterwards(
    waiting: FeedBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, seen = ahead._received, []

    def noting(stream: Any, reader: int) -> Iterator[Any]:
        seen.append(reader)
        return usual(stream, reader)

    monkeypatch.setattr(ahead, "_received", noting)
    assert counts(process(waiting)) == {"received": 10, "accepted": 10}
    (reader,) = seen
    assert reader != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(reader, 0)


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_reader_ended_from_outside_leaves_the_batch_open(
    waiting: FeedBatch, monkeypatch: pytest.MonkeyPatch, ended_by: signal.Signals
) -> None:
    usual = Preparer.prepare

    def ended(preparer: Preparer, chunk: Any) -> Any:
        if chunk.first_row > 3:
            os.kill(os.getpid(), ended_by)
        return usual(preparer, chunk)

    with monkeypatch.context() as patch, pytest.raises(ahead.Interrupted):
        patch.setattr(Preparer, "prepare", ended)
        process(waiting)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.received, waiting.attempts) == (BatchState.CHECKING, 3, 1)
    assert waiting.due_at > timezone.now()
    assert counts(process(waiting)) == {"received": 10, "accepted": 10}


def test_a_reader_killed_in_the_middle_of_a_message_leaves_the_batch_open(
    waiting: FeedBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(stream: Any, kind: bytes, message: bytes) -> None:
        stream.write(kind + len(message).to_bytes(8, "little") + message[: len(message) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patch, pytest.raises(ahead.Interrupted):
        patch.setattr(ahead, "_send", half)
        process(waiting)
    assert counts(process(waiting)) == {"received": 10, "accepted": 10}


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOSPC, "disk full")])
@pytest.mark.parametrize("where", [Preparer, Store])
def test_a_want_of_memory_or_disk_leaves_the_batch_and_its_file(
    waiting: FeedBatch, monkeypatch: pytest.MonkeyPatch, error: Exception, where: Any
) -> None:
    def wanting(*_arguments: Any) -> Any:
        raise error

    with monkeypatch.context() as patch, pytest.raises(ahead.Interrupted):
        patch.setattr(where, "prepare" if where is Preparer else "write", wanting)
        work_off(waiting)
    waiting.refresh_from_db()
    assert waiting.state == BatchState.CHECKING
    assert counts(work_off(waiting)) == {"received": 10, "accepted": 10}
    assert list(folder().iterdir()) == []


def test_what_is_interrupted_again_and_again_is_refused_and_its_file_kept(
    waiting: FeedBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wanting(*_arguments: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(Store, "write", wanting)
    for _attempt in range(pipeline.MOST_ATTEMPTS - 1):
        with pytest.raises(ahead.Interrupted):
            work_off(waiting)
    batch = work_off(waiting)
    assert (batch.state, batch.error_code) == (BatchState.REFUSED, "internal_error")
    assert (folder() / batch.stored_as).exists()


def test_a_reader_that_fails_refuses_the_batch_keeps_its_file_and_says_nothing_of_the_row(
    waiting: FeedBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_preparer: Preparer, _chunk: Any) -> Any:
        raise ValueError("示例一号公司")

    monkeypatch.setattr(Preparer, "prepare", failing)
    batch = work_off(waiting)
    assert (batch.state, batch.error_code) == (BatchState.REFUSED, "internal_error")
    assert "示例" not in batch.error_label
    sweep_files()
    assert (folder() / batch.stored_as).exists()


def test_a_session_that_ends_within_a_copy_leaves_the_batch_open(
    copies: Copy, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    """COPY raises errors of the driver, not of the framework; both mean that the database is away."""
    settings.MEDIA_ROOT = tmp_path / "media"
    database, usual, calls = copies(), copying.copy, []

    def interrupted(cursor: Any, target: str, lines: bytes) -> None:
        calls.append(target)
        if len(calls) == 3:
            ask("postgres", "SELECT pg_terminate_backend(%s)", cursor.connection.info.backend_pid)
        usual(cursor, target, lines)

    with connected(database, django_db_blocker), audit.context(actor=None, door=Door.COMMAND, reason="test"):
        batch = received()
    with connected(database, django_db_blocker):
        with monkeypatch.context() as patch, pytest.raises(OperationalError):
            for module in (copying, store, subject_store):
                patch.setattr(module, "copy", interrupted)
            process(batch)
        connection.close()
        batch.refresh_from_db()
        assert (batch.state, batch.received) == (BatchState.CHECKING, 3)
        assert counts(process(batch)) == {"received": 10, "accepted": 10}
        assert CreditRecord.objects.count() == 10


def test_keys_of_a_resumed_batch_are_learnt_up_to_its_row(waiting: FeedBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch left in the middle of what is now one chunk: the chunk is cut behind its last row."""
    remembered: list[int] = []
    usual = Store.remember
    FeedBatch.objects.filter(pk=waiting.pk).update(received=4, unchanged=4)
    monkeypatch.setattr(Store, "remember", lambda s, p: (remembered.append(p.last_row), usual(s, p)))
    batch = pipeline.process(waiting, folder() / waiting.stored_as)
    assert remembered == [4]
    assert batch.received == 10
