"""A platform of a test's own, of real processes: database server, broker, worker; each may be killed."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
from celery import Celery
from django.conf import settings

from creditplatform.embedded.temporary import Services
from tests.deliveries import FEED
from tests.faults.loads import Load
from tests.records.scratch import ROOT, wait_for

CONTEXT = json.dumps({"reason": "test", "door": "command"})
COUNTS = ("received", "accepted", "unchanged", "quarantined", "rejected")
# What a server must not do by itself where a test decides when the log of changes reaches the disk.
QUIET = {"autovacuum": "off", "bgwriter_lru_maxpages": "0", "wal_buffers": "64MB", "wal_writer_delay": "10s"}
PATIENCE = 90.0  # seconds; machines of tests are busy


@dataclass
class Stage:
    """Servers of its own and a folder for files; `worker` is the process that works off batches, if one runs."""

    services: Services
    place: Path
    worker: "subprocess.Popen[bytes] | None" = None
    chunk: int = 100
    processes: int = 1
    started: list["subprocess.Popen[Any]"] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to belong to this platform."""
        return {
            **os.environ,
            **self.services.environment,
            "CREDIT_MODE": "test",
            "CREDIT_KEYRING": str(settings.CREDIT_KEYRING),
            "CREDIT_VAR": str(self.place),
            "CREDIT_FEED_INBOX": str(self.place / "inbox"),
            "CREDIT_FEED_CHUNK_ROWS": str(self.chunk),
            "CREDIT_LOG_LEVEL": "WARNING",
        }

    # --- processes ---------------------------------------------------------------------------------

    def run(self, *words: str, **options: Any) -> "subprocess.Popen[str]":
        """Start a Python program of the platform in a process group of its own."""
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True, **options,
        )  # fmt: skip
        self.started.append(process)
        return process

    def start_worker(self) -> None:
        """A worker of the task queue, as in production: a pool of processes."""
        words = ["-m", "celery", "-A", "creditplatform", "worker", "--queues", "feeds,timers", "--loglevel", "WARNING"]
        words += ["--concurrency", str(self.processes), "--without-gossip", "--without-mingle", "--hostname", "stage"]
        with (self.place / "worker.log").open("ab") as log:
            self.worker = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.started.append(self.worker)

    def kill_worker(self) -> None:
        """The worker with its whole pool, at once."""
        if self.worker is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.worker.pid, signal.SIGKILL)
            self.worker.wait()
            self.worker = None

    def pool(self) -> list[int]:
        """The processes of the worker's pool."""
        return children(self.worker.pid) if self.worker else []

    def kill_database(self) -> None:
        """Every process of the database server, at once."""
        server = self.services.postgres.process()
        assert server is not None
        everyone = [server, *children(server)]
        for number in everyone:
            with contextlib.suppress(ProcessLookupError):  # one may have ended by itself since it was counted
                os.kill(number, signal.SIGKILL)
        assert wait_for(lambda: not any(Path(f"/proc/{number}/stat").exists() and alive(number) for number in everyone))

    def shut_database_down_at_once(self) -> None:
        """As `pg_ctl stop -m immediate` does."""
        server = self.services.postgres.process()
        assert server is not None
        os.kill(server, signal.SIGQUIT)
        assert wait_for(lambda: self.services.postgres.process() is None)

    def kill_broker(self) -> None:
        """The broker, at once."""
        broker = self.services.valkey.process()
        assert broker is not None
        os.kill(broker, signal.SIGKILL)
        assert wait_for(lambda: self.services.valkey.process() is None)

    def forget_queues(self) -> None:
        """What a broker had written down is lost with its disk."""
        shutil.rmtree(self.services.valkey.data)
        self.services.valkey.data.mkdir(mode=0o700)

    def end(self) -> None:
        """End what this stage has started."""
        self.kill_worker()
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    # --- doors -------------------------------------------------------------------------------------

    def task(self, name: str) -> None:
        """Have a timer's task done, as beat would at its next turn."""
        with Celery(broker=self.services.valkey.url) as beat:
            beat.send_task(f"records.tasks.{name}", queue="timers", ignore_result=True)

    def lay(self, load: Load) -> Path:
        """A machine lays a file and its marker into the watched folder."""
        folder = self.place / "inbox" / FEED
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{load.name}.csv").write_bytes(load.content)
        (folder / f"{load.name}.csv.ok").touch()
        return folder / f"{load.name}.csv"

    def deliver(self, load: Load) -> int:
        """Lay a file down and have it taken up; the number of its batch, which waits or is being worked off."""
        self.lay(load)
        self.task("take_up_inbox")
        assert wait_for(lambda: self.batches(load), PATIENCE, 0.05), self.log()
        return self.batches(load)[0]

    def later(self) -> None:
        """The minutes pass after which open batches are looked after, and the timer does so."""
        self.change("UPDATE records_feedbatch SET due_at = now() WHERE finished_at IS NULL")
        self.task("resume_batches")

    def change(self, statement: str, *parameters: object) -> None:
        """Change what is on file, as only a test may."""
        with contextlib.closing(psycopg2.connect(self.services.owner_url)) as session, session.cursor() as cursor:
            cursor.execute("SELECT set_config('pghistory.context_metadata', %s, true)", [CONTEXT])
            cursor.execute(statement, parameters or None)
            session.commit()

    # --- what is on file ---------------------------------------------------------------------------

    def ask(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of a query on a connection of its own."""
        with contextlib.closing(psycopg2.connect(self.services.owner_url)) as session, session.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return cursor.fetchall()

    def batches(self, load: Load) -> list[int]:
        """The batches of a file that was laid down, oldest first."""
        query = "SELECT id FROM records_feedbatch WHERE file_name = %s ORDER BY id"
        return [row[0] for row in self.ask(query, f"{load.name}.csv")]

    def progress(self, batch: int) -> int:
        """Rows of a batch that are worked off."""
        return int(self.ask("SELECT received FROM records_feedbatch WHERE id = %s", batch)[0][0])

    def reached(self, batch: int, rows: int) -> int:
        """Wait until a batch has come so far; how far it is by then."""
        assert wait_for(lambda: self.progress(batch) >= rows, PATIENCE, 0.01), self.log()
        return self.progress(batch)

    def open(self) -> list[int]:
        """Batches that have not ended."""
        return [row[0] for row in self.ask("SELECT id FROM records_feedbatch WHERE finished_at IS NULL ORDER BY id")]

    def ended(self, *batches: int, again: bool = True) -> None:
        """Wait for the end of batches; minutes pass meanwhile, unless nothing of what passes is to help."""
        end = time.monotonic() + PATIENCE
        while set(batches) & set(self.open()):
            assert time.monotonic() < end, self.log()
            if again:
                self.later()
            wait_for(lambda: not set(batches) & set(self.open()), 2, 0.05)

    def log(self) -> str:
        """The last words of the worker."""
        return (self.place / "worker.log").read_text(errors="replace")[-3000:]

    def check(self, load: Load, batch: int) -> None:
        """Nothing lost, nothing twice, counts add up, and the end came once."""
        query = (
            "SELECT received, accepted, unchanged, quarantined, rejected, state FROM records_feedbatch WHERE id = %s"
        )
        (found,) = self.ask(query, batch)
        assert dict(zip(COUNTS, found, strict=False)) == load.counts, self.log()
        assert found[-1] == "partly_quarantined"
        self.check_records(load, batch)
        aside = self.ask("SELECT count(*) FROM records_quarantinedrow WHERE batch_id = %s", batch)[0][0]
        assert aside == load.counts["quarantined"] + load.counts["rejected"]
        steps = "SELECT step FROM core_stepevent WHERE workflow = 'feed_batch' AND case_ref = %s"
        assert [step for (step,) in self.ask(steps, batch) if step != "check"] == ["apply_partly"]
        stored = self.ask("SELECT stored_as FROM records_feedbatch WHERE id = %s", batch)[0][0]
        assert wait_for(lambda: not (self.place / "files" / "feeds" / stored).exists(), 10)

    def check_records(self, load: Load, *batches: int) -> None:
        """Every decision of the file is on file once and says what the file says, and nothing was kept of before."""
        query = "SELECT document_number, payload->>'CF_NR' FROM records_creditrecord WHERE batch_id = ANY(%s)"
        found = self.ask(query, list(batches))
        assert len(found) == load.counts["accepted"]
        assert {document for document, _text in found} == load.documents
        assert {text for _document, text in found} == {
            load.text + document.partition("〕")[2].removesuffix("号") for document in load.documents
        }
        events = "SELECT count(*) FROM records_creditrecordevent WHERE batch_id = ANY(%s)"
        assert self.ask(events, list(batches)) == [(0,)]


def children(process: int) -> list[int]:
    """The processes a process has started and not yet waited for."""
    try:
        return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))
    except FileNotFoundError:
        return []


def alive(process: int) -> bool:
    """Whether a process does anything still; one that is only not waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def stopped(process: int) -> Iterator[None]:
    """A process holds still."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def named(process: int, word: str) -> Callable[[int], bool]:
    """Whether a process of a database server bears a word in its title."""
    return lambda number: word in Path(f"/proc/{number}/cmdline").read_text(errors="replace")


def said(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """What a command printed as its last line; where it failed, an error of ours and never a traceback."""
    out, error = process.communicate(timeout=120)
    assert "Traceback" not in error, error[-3000:]
    answer: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return answer
