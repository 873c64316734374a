"""The same at the same time: one file from three doors, one decision in two files, worker after worker killed."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deliveries import FEED
from tests.faults.loads import Load
from tests.faults.stage import Stage, children, said
from tests.records.scratch import wait_for

pytestmark = pytest.mark.django_db  # so that there is a test database to copy
VICTIMS = ("reader", "pool", "reader", "pool", "worker") * 2
BATCHES, ROWS = 4, 1_500
CHANCE = random.Random(20261125)


@pytest.fixture(scope="module", autouse=True)
def two_processes(servers: Stage) -> Iterator[None]:
    """The pool of this module's worker."""
    servers.kill_worker()
    servers.processes = 2
    yield
    servers.kill_worker()
    servers.processes = 1


def test_one_file_from_three_doors_at_once_is_one_load(stage: Stage, tmp_path: Path) -> None:
    load = Load("同", 2_000)
    file = tmp_path / f"{load.name}.csv"
    file.write_bytes(load.content)
    commands = [stage.run("manage.py", "ingest_feed", FEED, str(file), "--json") for _time in range(2)]
    page = stage.run("-m", "tests.faults.upload", str(file))
    laid = stage.lay(load)
    stage.task("take_up_inbox")
    answers = [said(command) for command in commands]
    assert said(page) | {"seconds": 0} == {"status": 302, "receipt": 200, "seconds": 0}
    assert {answer.get("error", "") for answer in answers} <= {"", "batch_busy"}
    assert wait_for(lambda: not laid.exists())
    stage.ended(*stage.batches(load))
    batches = stage.batches(load)
    stage.check_records(load, *batches)
    found = stage.ask("SELECT received, accepted, unchanged + quarantined + rejected FROM records_feedbatch"
                      " WHERE id = ANY(%s)", batches)  # fmt: skip
    assert sorted(accepted for _received, accepted, _rest in found)[:-1] == [0] * (len(batches) - 1)
    assert max(accepted for _received, accepted, _rest in found) == load.counts["accepted"]
    assert all(received == accepted + rest == load.rows for received, accepted, rest in found)


def test_the_same_decisions_in_two_files_at_once_are_on_file_once(stage: Stage) -> None:
    one, two = (Load(name, 1_500, text=name, series="重") for name in ("前", "后"))
    stage.lay(one)
    both = [*stage.batches(one), stage.deliver(two), *stage.batches(one)]
    assert len(both) == 2
    stage.ended(*both)
    found = stage.ask(
        "SELECT document_number, payload->>'CF_NR' FROM records_creditrecord WHERE batch_id = ANY(%s)", both
    )
    assert len(found) == one.counts["accepted"]
    assert {document for document, _text in found} == one.documents
    assert {text[0] for _document, text in found} <= {one.text, two.text}
    (replaced,) = stage.ask("SELECT count(*) FROM records_creditrecordevent WHERE batch_id = ANY(%s)", both)
    (accepted,) = stage.ask("SELECT sum(accepted) FROM records_feedbatch WHERE id = ANY(%s)", both)
    assert accepted[0] == len(found) + replaced[0]
    sums = "SELECT received, accepted + unchanged + quarantined + rejected FROM records_feedbatch WHERE id = ANY(%s)"
    assert stage.ask(sums, both) == [(one.rows, one.rows)] * 2


def test_two_processes_and_many_batches_through_a_row_of_kills(stage: Stage) -> None:
    """Ten times something is killed: the reader of a file, a process of the pool, the whole worker."""
    loads = [Load(f"乱{number}", ROWS) for number in range(BATCHES)]
    stage.chunk = CHANCE.randint(20, 120)
    stage.kill_worker()
    stage.start_worker()
    batches = [stage.deliver(load) for load in loads]
    killed = []
    for victim in VICTIMS:
        killed.append(victim if victim == "worker" else kill_one(stage, victim))
        if victim == "worker":
            stage.kill_worker()
            stage.chunk = CHANCE.randint(20, 120)
            stage.start_worker()
        stage.later()
    stage.ended(*batches)
    for load, batch in zip(loads, batches, strict=True):
        stage.check(load, batch)
    assert {"worker", "reader", "pool"} <= set(killed), killed


def working(stage: Stage) -> list[int]:
    """The processes that read ahead for the pool."""
    return [reader for process in stage.pool() for reader in children(process)]


def kill_one(stage: Stage, kind: str) -> str:
    """Kill a reader or a process of the pool as soon as one reads; a reader is gone quickly, so it is hit at once."""
    if kind == "pool":
        time.sleep(CHANCE.uniform(0, 0.3))
    if not wait_for(lambda: working(stage), 5, 0.005):
        return "nothing"
    victims = stage.pool() if kind == "pool" else working(stage)
    try:
        os.kill(CHANCE.choice(victims), signal.SIGKILL)
    except (ProcessLookupError, IndexError):
        return "nothing"
    return kind
