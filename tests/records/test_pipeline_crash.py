"""Killed at any moment and started again, a delivery ends as if nothing had happened."""

import datetime
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from creditplatform.celery import app
from creditplatform.core import audit
from creditplatform.core.enums import Door
from records import tasks
from records.enums import BatchState
from records.feeds import pipeline
from records.feeds.store import Store
from records.models import CreditRecord, Feed, FeedBatch
from records.services.feeds import folder, receive_file
from tests.deliveries import FEED, penalty
from tests.records import ecommerce
from tests.records.feedfiles import counts, credit_code, csv_bytes, resident, take_in
from tests.records.scratch import Copy, ask, connected, copies, end_sessions, kill, run, wait_for

__all__ = ["copies"]
ROWS, CHANGED = 30_000, 3_000
CHANCE = random.Random(20260401)
PERSONS_BORN = datetime.date(1980, 5, 5)
CODES = [credit_code(number) for number in range(ROWS // 3 + 1)]
FLAWS = {7: {"CF_JDRQ": "昨天"}, 27: {"CF_NR_FK": ""}, 47: {"CF_JDRQ": "2010-01-01"}, 67: {"CF_XDR_SHXYM": ""}}
RECORDS = """
SELECT count(*), md5(string_agg(t, '|' ORDER BY t)) FROM (
    SELECT concat_ws('~', encode(s.number_index, 'hex'), encode(s.name_index, 'hex'), s.name, s.codes::text,
        r.document_number, r.decided_on, r.effects::text, r.tier, r.repairable_from, r.publish_until, r.retain_until,
        r.state, r.payload::text, encode(r.digest, 'hex'), r.row_number) AS t
    FROM records_creditrecord r JOIN records_subject s ON s.id = r.subject_id) x
"""
HISTORY = """
SELECT count(*), md5(string_agg(t, '|' ORDER BY t)) FROM (
    SELECT concat_ws('~', document_number, decided_on, payload::text, encode(digest, 'hex'), row_number) AS t
    FROM records_creditrecordevent) x
"""
SET_ASIDE = """
SELECT count(*), md5(string_agg(concat_ws('~', row_number, line_number, problems::text, state), '|'
    ORDER BY row_number)) FROM records_quarantinedrow
"""
SUBJECTS = "SELECT count(*) FROM records_subject"
LAST = (
    "SELECT received, accepted, unchanged, quarantined, rejected, state FROM records_feedbatch ORDER BY id DESC LIMIT 1"
)


def rows(count: int, **cells: str) -> list[dict[str, str]]:
    """Many penalties, three per subject; a few persons, faults, repetitions, contradictions, old ones."""
    common = penalty(1)
    made = []
    for number in range(count):
        row = {**common, "CF_XDR_MC": f"示例{number // 3}号公司", "CF_WSH": f"号{number}", **cells}
        row["CF_XDR_SHXYM"] = CODES[number // 3]
        made.append({**row, **FLAWS.get(number % 100, {})})
        if number % 100 == 50:
            made[-1] |= {
                "CF_XDR_LB": "自然人", "CF_XDR_SHXYM": "", "CF_XDR_ZJLX": "身份证", "CF_XDR_MC": f"示例{number}",
                "CF_XDR_ZJHM": resident(number // 100, PERSONS_BORN),
            }  # fmt: skip
        if number % 1000 == 999:
            made[-1] = {**made[-500], "CF_NR": "与前一行矛盾" if number % 2000 == 999 else made[-500]["CF_NR"]}
    return made


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The large delivery."""
    path = tmp_path_factory.mktemp("deliveries") / "large.csv"
    path.write_bytes(csv_bytes(rows(ROWS)))
    return path


@pytest.fixture(scope="module")
def base(copies: Copy, django_db_blocker: Any) -> str:
    """A database in which part of the decisions is on file with other content, so that history is written."""
    name = copies()
    with connected(name, django_db_blocker):
        batch = take_in(csv_bytes(rows(CHANGED, CF_NR="旧内容")))
        assert batch.accepted > CHANGED * 0.9
    return name


@pytest.fixture(scope="module")
def undisturbed(copies: Copy, base: str, file: Path) -> dict[str, Any]:
    """What the delivery comes to when nothing happens."""
    name = copies(base)
    receipt = finish(name, file)
    assert receipt["received"] == ROWS
    assert receipt["accepted"] > ROWS * 0.9
    assert min(receipt["unchanged"], receipt["quarantined"], receipt["rejected"]) > 0
    return result(name)


def ingest(database: str, path: Path, feed: str = FEED) -> "subprocess.Popen[str]":
    return run(database, "ingest_feed", feed, str(path), "--json")


def finish(database: str, path: Path) -> dict[str, Any]:
    """Run the command until it is through; a server process of a killed one may hold the batch for a moment."""
    for _attempt in range(20):
        process = ingest(database, path)
        out, error = process.communicate(timeout=120)
        if process.returncode == 0:
            receipt: dict[str, Any] = json.loads(out)
            return receipt
        assert "Traceback" not in error, error[-2000:]
        time.sleep(0.5)
    raise AssertionError("the batch stayed busy")


def result(database: str) -> dict[str, Any]:
    """Counts, records, history, rows set aside."""
    queries = {"counts": LAST, "records": RECORDS, "history": HISTORY, "set aside": SET_ASIDE, "subjects": SUBJECTS}
    return {name: ask(database, query)[0] for name, query in queries.items()}


def begun(database: str) -> bool:
    """Whether the large file is being worked off."""
    return bool(ask(database, "SELECT 1 FROM records_feedbatch WHERE state = 'checking'"))


def worked_on(database: str) -> bool:
    """Whether a process holds a batch."""
    held = (
        "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE locktype = 'advisory' AND datname = %s"
    )
    return bool(ask("postgres", held, database))


def waiting_files() -> set[str]:
    """Delivered files that wait or were left."""
    return {path.name for path in folder().iterdir()}


def left_of(file: Path, names: set[str]) -> list[str]:
    """Copies of a file among these; tests beside this one deliver others into the same folder."""
    found = [path for name in names if (path := folder() / name).exists()]
    return [path.name for path in found if path.stat().st_size == file.stat().st_size]


def progress(database: str) -> int:
    found = ask(database, "SELECT received FROM records_feedbatch WHERE state IN ('received', 'checking')")
    return int(found[0][0]) if found else 0


def test_whatever_ends_it_again_and_again_it_finishes_as_if_nothing_had_happened(
    copies: Copy, base: str, file: Path, undisturbed: dict[str, Any]
) -> None:
    """Killed at a random moment, its database session ended by an administrator, killed again."""
    database, seen, before = copies(base), [], waiting_files()
    for way in ("kill", "end the session", "kill"):
        assert wait_for(lambda: not worked_on(database))
        process = ingest(database, file)
        assert wait_for(lambda: process.poll() is not None or worked_on(database))  # noqa: B023
        time.sleep(CHANCE.uniform(0, 0.4))
        if way == "kill":
            kill(process)
        else:
            session_ended(process, database)
        received, *parts, state = ask(database, LAST)[0]
        assert received == sum(parts)
        seen.append(received)
        if state not in {"received", "checking"}:  # it was quicker than we, perhaps with its last breath
            break
    assert seen == sorted(seen)
    finish(database, file)
    assert result(database) == undisturbed, seen
    # A process that dies before its batch is on file leaves its copy behind; no batch waits for it and it is swept.
    waiting = {row[0] for row in ask(database, "SELECT stored_as FROM records_feedbatch WHERE finished_at IS NULL")}
    assert waiting == set()
    assert len(waiting_files() - before) <= len(seen)


def session_ended(process: "subprocess.Popen[str]", database: str) -> None:
    """The process loses its database and ends with an error that tells nothing."""
    end_sessions(database)
    _out, error = process.communicate(timeout=60)
    assert "示例" not in error


def test_two_at_once_on_one_file_one_works_and_the_other_says_busy(
    copies: Copy, base: str, file: Path, undisturbed: dict[str, Any]
) -> None:
    database, before = copies(base), waiting_files()
    first = ingest(database, file)
    try:
        assert wait_for(lambda: first.poll() is not None or progress(database) > 0)
        os.kill(first.pid, signal.SIGSTOP)
        assert first.poll() is None
        second = ingest(database, file)
        out, error = second.communicate(timeout=60)
        assert second.returncode == 1
        assert "Traceback" not in error
        assert json.loads(out)["error"] == "batch_busy"
    finally:
        os.kill(first.pid, signal.SIGCONT)
    out, _error = first.communicate(timeout=60)
    assert first.returncode == 0
    assert json.loads(out)["received"] == ROWS
    assert result(database) == undisturbed
    assert ask(database, "SELECT count(*) FROM records_feedbatch")[0][0] == 2
    assert not left_of(file, waiting_files() - before)


@pytest.mark.parametrize("known", [False, True])
def test_two_files_about_the_same_decisions_at_once_never_lock_each_other_out(
    copies: Copy, known: bool, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two feeds of one unit for one entry name the same decisions in opposite order, with other content."""
    database, made = copies(), [row for row in rows(3_000) if row["CF_NR"] == penalty(1)["CF_NR"]]
    turned = [row for start in range(0, len(made), 300) for row in reversed(made[start : start + 300])]
    contents = {
        FEED: csv_bytes([{**row, "CF_NR": "甲"} for row in made]),
        "hz-food-penalty": csv_bytes([{**row, "CF_NR": "乙"} for row in turned]),
    }
    received: dict[str, FeedBatch] = {}
    failures: list[BaseException] = []
    barrier, usual = threading.Barrier(2), Store.write

    def together(store: Store, prepared: Any) -> Any:
        barrier.wait(timeout=30)
        return usual(store, prepared)

    def work(feed: str) -> None:
        try:
            received[feed] = take_in(contents[feed], feed=feed, chunk_size=300)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    with connected(database, django_db_blocker):
        if known:
            take_in(csv_bytes(made), chunk_size=300)
        monkeypatch.setattr(Store, "write", together)
        threads = [threading.Thread(target=work, args=(feed,)) for feed in contents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert failures == []
        assert all(batch.received == len(made) for batch in received.values())
        assert len({batch.quarantined + batch.rejected for batch in received.values()}) == 1
        documents = CreditRecord.objects.values_list("subject", "document_number")
        assert len(set(documents)) == len(documents)


class Stopped(BaseException):
    """As if the process had ended here."""


@pytest.fixture
def eager(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Tasks run where they are called."""
    settings.MEDIA_ROOT = tmp_path / "media"
    before, app.conf.task_always_eager = app.conf.task_always_eager, True
    yield
    app.conf.task_always_eager = before


def left_behind(monkeypatch: pytest.MonkeyPatch, *, after: int) -> FeedBatch:
    """A batch whose worker ended after some chunks of three rows."""
    feed = Feed.objects.select_related("agency", "entry").get(code=FEED)
    content = csv_bytes([penalty(number) for number in range(1, 11)])
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        batch = receive_file(feed=feed, blocks=[content], file_name="x", door=Door.COMMAND)
    usual, calls = Store.write, []

    def stop(store: Store, prepared: Any) -> Any:
        calls.append(1)
        if len(calls) > after:
            raise Stopped
        return usual(store, prepared)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Store, "write", stop)
        pipeline.process(batch, folder() / batch.stored_as, chunk_size=3)
    FeedBatch.objects.filter(pk=batch.pk).update(due_at=timezone.now())
    batch.refresh_from_db()
    return batch


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_batch_left_behind_is_taken_up(
    after: int, eager: None, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = left_behind(monkeypatch, after=after)
    assert (batch.state, batch.received) == (BatchState.CHECKING, after * 3)
    assert tasks.resume_batches.apply().get() == 1
    batch.refresh_from_db()
    assert (batch.state, counts(batch)) == (BatchState.APPLIED, {"received": 10, "accepted": 10})
    assert CreditRecord.objects.count() == 10
    assert list(folder().iterdir()) == []
    assert tasks.resume_batches.apply().get() == 0


def test_a_batch_delivered_twice_to_workers_is_worked_off_once(eager: None, context: None) -> None:
    feed = Feed.objects.select_related("agency", "entry").get(code=FEED)
    batch = receive_file(feed=feed, blocks=[csv_bytes([penalty(1)])], file_name="x", door=Door.COMMAND)
    assert [tasks.process_batch.apply(args=[batch.pk]).get() for _time in range(2)] == ["applied", "applied"]
    assert FeedBatch.objects.get().received == 1


def test_a_file_that_arrives_while_it_is_worked_on_joins_the_open_batch(
    eager: None, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = left_behind(monkeypatch, after=2)
    feed = Feed.objects.select_related("agency", "entry").get(code=FEED)
    content = csv_bytes([penalty(number) for number in range(1, 11)])
    again = receive_file(feed=feed, blocks=[content], file_name="y", door=Door.COMMAND)
    assert again.pk == batch.pk
    assert len(list(folder().iterdir())) == 1


def test_a_list_without_dates_keeps_its_day_when_it_is_finished_on_the_next(
    eager: None, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed.objects.select_related("agency", "entry").get(code=ecommerce.FEED)
    content = ecommerce.file([ecommerce.plain(number) for number in range(1, 8)])
    usual = Store.write
    calls: list[int] = []

    def stop(store: Store, prepared: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            raise Stopped
        return usual(store, prepared)

    with time_machine.travel(datetime.datetime(2026, 5, 10, 4, tzinfo=datetime.UTC)):
        batch = receive_file(feed=feed, blocks=[content], file_name="x", door=Door.COMMAND)
        with monkeypatch.context() as patch, pytest.raises(Stopped):
            patch.setattr(Store, "write", stop)
            pipeline.process(batch, folder() / batch.stored_as, chunk_size=3)
    with time_machine.travel(datetime.datetime(2026, 5, 11, 4, tzinfo=datetime.UTC)):
        tasks.resume_batches.apply()
    assert set(CreditRecord.objects.values_list("decided_on", flat=True)) == {datetime.date(2026, 5, 10)}
    assert CreditRecord.objects.count() == 7
