"""Worker, broker and database server killed in the middle of a load: it ends by itself as if nothing had happened."""

import os
import signal
from pathlib import Path

import pytest

from tests.deliveries import FEED
from tests.faults.loads import Load
from tests.faults.stage import PATIENCE, Stage, children, named, said, stopped
from tests.records.scratch import wait_for

ROWS = 6_000  # so many that a load still runs when the kill comes late on a busy machine
pytestmark = pytest.mark.django_db  # so that there is a test database to copy


def test_a_killed_worker_is_followed_by_another_that_finishes(stage: Stage) -> None:
    load = Load("甲", ROWS)
    batch = stage.deliver(load)
    stage.reached(batch, 300)
    stage.kill_worker()
    seen = stage.progress(batch)
    assert 300 <= seen < ROWS
    stage.start_worker()
    stage.ended(batch)
    stage.check(load, batch)


def test_a_process_of_the_pool_killed_as_for_want_of_memory_costs_nothing(stage: Stage) -> None:
    load = Load("乙", ROWS)
    batch = stage.deliver(load)
    stage.reached(batch, 300)
    for process in stage.pool():
        os.kill(process, signal.SIGKILL)
    assert stage.progress(batch) < ROWS
    stage.ended(batch)
    stage.check(load, batch)


@pytest.mark.parametrize("data", ["kept", "lost"])
def test_a_killed_broker_stops_no_load_and_loses_no_file(data: str, stage: Stage) -> None:
    load, waiting = Load(f"丙{data}", ROWS), Load(f"丁{data}", 500)
    batch = stage.deliver(load)
    stage.lay(waiting)
    stage.task("take_up_inbox")  # behind the load, since there is one process
    stage.reached(batch, 300)
    stage.kill_broker()
    assert stage.progress(batch) < ROWS
    stage.ended(batch, again=False)
    stage.check(load, batch)
    if data == "lost":
        stage.forget_queues()
    stage.services.valkey.start()
    if data == "lost":
        stage.task("take_up_inbox")  # the timer goes on
    assert wait_for(lambda: stage.batches(waiting), 60, 0.1), stage.log()
    (second,) = stage.batches(waiting)
    stage.ended(second, again=data == "lost")
    stage.check(waiting, second)


def test_a_database_shut_down_at_once_is_taken_up_where_it_was(stage: Stage) -> None:
    load = Load("戊", ROWS)
    batch = stage.deliver(load)
    stage.reached(batch, 300)
    stage.shut_database_down_at_once()
    stage.services.postgres.start()
    assert stage.progress(batch) < ROWS
    stage.ended(batch)
    stage.check(load, batch)
    assert stage.worker is not None and stage.worker.poll() is None


def test_chunks_that_a_killed_database_had_not_yet_written_down_are_worked_off_again(stage: Stage) -> None:
    """A chunk does not wait for the disk, so its count must be lost with its rows.

    Now and then another transaction writes the chunk down in passing; then nothing was tried, and it is tried again.
    """
    assert any(lost_to_a_kill(stage, Load(f"己{number}", ROWS)) for number in range(5))


def lost_to_a_kill(stage: Stage, load: Load) -> int:
    """Rows that were counted before the server was killed and are not on file after; all of them in the end."""
    server = stage.services.postgres.process()
    assert server is not None
    (writer,) = filter(named(server, "walwriter"), children(server))
    with stopped(writer):
        batch = stage.deliver(load)
        seen = stage.reached(batch, 1_000)
        assert seen < ROWS
        stage.kill_database()
    stage.services.postgres.start()
    kept = stage.progress(batch)  # more than seen, where a chunk was written down between the look and the kill
    on_file = "SELECT count(*) FROM records_creditrecord WHERE batch_id = %s"
    accepted = "SELECT accepted FROM records_feedbatch WHERE id = %s"
    assert stage.ask(on_file, batch) == stage.ask(accepted, batch)
    stage.ended(batch)
    stage.check(load, batch)
    return max(0, seen - kept)


def test_a_command_whose_database_is_killed_says_so_and_finishes_when_it_is_given_again(
    stage: Stage, tmp_path: Path
) -> None:
    load = Load("庚", ROWS)
    file = tmp_path / f"{load.name}.csv"
    file.write_bytes(load.content)
    words = ("manage.py", "ingest_feed", FEED, str(file), "--json")
    command = stage.run(*words)
    assert wait_for(lambda: stage.batches(load), PATIENCE)
    (batch,) = stage.batches(load)
    stage.reached(batch, 300)
    stage.kill_database()
    assert said(command)["error"] == "interrupted"
    assert command.returncode == 1
    stage.services.postgres.start()
    assert stage.progress(batch) < ROWS
    answer = said(stage.run(*words))
    assert (answer["batch"], answer["received"], answer.get("error")) == (batch, ROWS, "")
    stage.check(load, batch)


def test_a_file_can_be_uploaded_while_the_broker_is_away(stage: Stage, tmp_path: Path) -> None:
    """The page answers within seconds, and the timer finds the batch when the broker is back."""
    load = Load("辛", 500)
    file = tmp_path / f"{load.name}.csv"
    file.write_bytes(load.content)
    stage.kill_broker()
    answer = said(stage.run("-m", "tests.faults.upload", str(file)))
    assert (answer["status"], answer["receipt"]) == (302, 200)
    assert answer["seconds"] < 15
    stage.services.valkey.start()
    (batch,) = stage.batches(load)
    stage.ended(batch)
    stage.check(load, batch)
