"""One damaged file through detection, reading and checking; a sample through the whole pipeline."""

import os
import resource
import secrets
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils import translation

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError
from creditplatform.core.faults import in_words
from records.enums import BatchState
from records.feeds.mapping import map_columns
from records.feeds.memory import Memory
from records.feeds.plan import Plan
from records.feeds.prepared import Prepared, pack, unpack
from records.feeds.readers import open_table
from records.feeds.reading import Reading
from records.models import CreditRecord, Feed, FeedBatch, QuarantinedRow
from records.services.feeds import receive_file, work_off
from tests.campaigns.goodfiles import CANARIES
from tests.deliveries import FEED

SECONDS, MEMORY = 10, 768 << 20
CHUNK = 5


class Hang(BaseException):
    """The file took longer than it may."""


@dataclass
class Result:
    """What a file came to; `crash` tells an error that is none of ours, without the words of the exception."""

    code: str = ""
    rows: int = 0
    crash: str = ""
    milliseconds: float = 0


@dataclass
class Tally:
    """What many files came to."""

    mutations: int = 0
    accepted: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    crashes: list[dict[str, Any]] = field(default_factory=list)
    slowest_ms: float = 0
    through_database: int = 0

    def note(self, number: int, result: Result) -> None:
        """Count one."""
        self.mutations += 1
        self.slowest_ms = max(self.slowest_ms, round(result.milliseconds, 1))
        if result.crash:
            self.crashes.append({"number": number, "crash": result.crash})
        elif result.code:
            self.refused[result.code] = self.refused.get(result.code, 0) + 1
        else:
            self.accepted += 1

    def add(self, other: dict[str, Any]) -> None:
        """Count what another process has counted."""
        self.mutations += other["mutations"]
        self.accepted += other["accepted"]
        for code, count in other["refused"].items():
            self.refused[code] = self.refused.get(code, 0) + count
        self.crashes += other["crashes"]
        self.slowest_ms = max(self.slowest_ms, other["slowest_ms"])
        self.through_database += other["through_database"]


class WrongAnswer(Exception):
    """The platform answered, but not as it promises."""


def bounded() -> None:
    """From now on this process may take so much memory, and each file so much processor time."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    signal.signal(signal.SIGPROF, _hang)


def _hang(_number: int, _frame: object) -> None:
    raise Hang


def read(path: Path, plan: Plan) -> Result:
    """Detect, read and check a file; nothing but an error of the platform with a sentence for people is allowed."""
    result, started = Result(), worked()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        result.rows = _read(path, plan)
    except CreditError as error:
        result.code, result.crash = error.code, _unclear(error)
    except (Exception, Hang) as error:
        result.crash = in_words(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    result.milliseconds = (worked() - started) * 1000
    return result


def worked() -> float:
    """Seconds of processor time of this process and of those it has waited for, whatever else the machine does."""
    return sum(os.times()[:4])


def _read(path: Path, plan: Plan) -> int:
    received = 0
    with open_table(path) as table:
        columns = map_columns(table.header, plan.fields, remembered={}, constants=plan.constants, dated_elsewhere=False)
        reading = Reading(plan, columns, table.header, Memory())
        for chunk in table.chunks(CHUNK):
            prepared = unpack(pack(reading.prepare(chunk)))
            _check(prepared, received)
            received += prepared.received
    return received


def _check(prepared: Prepared, before: int) -> None:
    """Every row of a chunk is either laid out or set aside, once, under its own number."""
    numbers = [*(row.number for row in prepared.rows), *(row.row_number for row in prepared.setaside)]
    if sorted(numbers) != list(range(before + 1, before + prepared.received + 1)):
        raise WrongAnswer("rows do not add up")
    if any(not row.problems for row in prepared.setaside):
        raise WrongAnswer("set aside without a reason")


def _unclear(error: CreditError) -> str:
    """What is wrong with the sentence of an error, in either language."""
    for language in ("zh-hans", "en"):
        with translation.override(language):
            said = error.message
        if not said.strip() or "%(" in said or any(canary in said for canary in CANARIES):
            return f"unclear message of {error.code} in {language}"
    return ""


def take_in(content: bytes) -> str:
    """The file through the whole pipeline; what is wrong with the outcome, or nothing."""
    feed = Feed.objects.select_related("agency", "entry").get(code=FEED)
    with audit.context(actor=None, door=Door.COMMAND, reason="campaign", agency_id=feed.agency_id):
        batch = receive_file(feed=feed, blocks=[content], file_name=secrets.token_hex(4), door=Door.COMMAND)
    batch = work_off(batch)
    parts = batch.accepted + batch.unchanged + batch.quarantined + batch.rejected
    if batch.received != parts:
        return f"batch {batch.pk}: counts do not add up"
    if batch.error_code == "internal_error":
        return f"batch {batch.pk}: internal error"
    records = CreditRecord.objects.filter(batch_id=batch.pk).count()
    if records > batch.accepted or QuarantinedRow.objects.filter(batch=batch).count() > parts - batch.accepted:
        return f"batch {batch.pk}: more on file than counted"
    return ""


def open_batches() -> int:
    """Batches that never came to an end, but for those that wait until somebody says which column is which field."""
    return FeedBatch.objects.filter(finished_at=None).exclude(state=BatchState.MAPPING).count()


def peak_mb() -> int:
    """The most memory this process has held, in mebibytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def silence(log: Path) -> None:
    """What this process prints goes into a file, which is looked through afterwards."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(handle, stream)
