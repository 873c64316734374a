"""A campaign in portions, each in a process of its own: what kills one is seen from outside and costs one portion."""

import json
import os
import random
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from django.db import connections

from creditplatform.core.faults import in_words
from records.feeds.plan import plan_for
from records.models import Feed
from tests.campaigns import trial
from tests.campaigns.goodfiles import CANARIES, GOOD
from tests.campaigns.mutations import mutated, mutated_package, mutated_text
from tests.deliveries import FEED

SIZE, SAMPLE, PATIENCE = 250, 50, 300
MUTATE = {"xlsx": mutated_package, "xls": mutated}


@dataclass(frozen=True)
class Portion:
    """Some mutations in a row of one format."""

    seed: int
    form: str
    first: int
    count: int

    @classmethod
    def of(cls, seed: int, form: str, count: int) -> Iterator["Portion"]:
        """So many mutations in portions."""
        return (cls(seed, form, first, min(SIZE, count - first)) for first in range(0, count, SIZE))

    def content(self, number: int) -> bytes:
        """The file of one mutation; the same for the same seed, format and number."""
        chance = random.Random(f"{self.seed}-{self.form}-{number}")
        good = chance.choice(good_files(self.form))
        return MUTATE.get(self.form, mutated_text)(chance, good)


@cache
def good_files(form: str) -> list[bytes]:
    """The undamaged files of a format."""
    return [make() for make in GOOD[form]]


def run(portions: list[Portion], keep: Path | None = None) -> dict[str, Any]:
    """Work off the portions one after another; what they came to in sum."""
    tally, told, peak = trial.Tally(), Counter[str](), 0
    with tempfile.TemporaryDirectory(prefix="credit-fuzz-") as place:
        if keep:
            keep.write_bytes(portions[0].content(portions[0].first))
        for portion in portions:
            counted, log = _in_a_process(portion, Path(place))
            for crash in counted["crashes"]:
                crash |= {"seed": portion.seed, "format": portion.form}
                print(json.dumps(crash, ensure_ascii=False), flush=True)
            tally.add(counted)
            told.update(canary for canary in CANARIES if canary in log)
            peak = max(peak, counted["peak_mb"])
    return _outcome(tally, told, peak)


def _outcome(tally: trial.Tally, told: Counter[str], peak: int) -> dict[str, Any]:
    return {
        "mutations": tally.mutations,
        "refused": dict(sorted(tally.refused.items(), key=lambda item: -item[1])),
        "accepted": tally.accepted,
        "through_database": tally.through_database,
        "crashes": len(tally.crashes),
        "told": sum(told.values()),
        "open": trial.open_batches(),
        "slowest_ms": tally.slowest_ms,
        "peak_mb": peak,
    }


def _in_a_process(portion: Portion, place: Path) -> tuple[dict[str, Any], str]:
    """What a portion came to and what it printed; a process that dies or hangs counts as a crash."""
    answer, log = place / "answer", place / "log"
    answer.unlink(missing_ok=True)
    log.write_bytes(b"")
    connections.close_all()
    good_files(portion.form)
    child = os.fork()
    if not child:
        _live(portion, place, answer, log)
    status = _wait(child)
    printed = log.read_text(encoding="utf-8", errors="replace")
    if status == 0 and answer.exists():
        return json.loads(answer.read_text()), printed
    reached = int((place / "number").read_text() or portion.first)
    crash = {"number": reached, "crash": f"the process ended with status {status}\n{printed[-2000:]}"}
    return {**asdict(trial.Tally(mutations=reached - portion.first + 1, crashes=[crash])), "peak_mb": 0}, printed


def _wait(child: int) -> int:
    """The exit status of a process, which is killed when it takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _live(portion: Portion, place: Path, answer: Path, log: Path) -> NoReturn:
    status = 1
    try:
        trial.silence(log)
        trial.bounded()
        tally = _tried(portion, place)
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        answer.write_text(json.dumps(asdict(tally) | {"peak_mb": max(trial.peak_mb(), children)}))
        status = 0
    except BaseException as error:
        print(in_words(error), flush=True)
    finally:
        os._exit(status)


def _tried(portion: Portion, place: Path) -> trial.Tally:
    tally, file, reached = trial.Tally(), place / "file", place / "number"
    plan = plan_for(Feed.objects.select_related("agency", "entry").get(code=FEED))
    for number in range(portion.first, portion.first + portion.count):
        content = portion.content(number)
        file.write_bytes(content)
        reached.write_text(str(number))
        result = trial.read(file, plan)
        if number % SAMPLE == 0 and not result.crash and content:
            tally.through_database += 1
            result.crash = trial.take_in(content)
        tally.note(number, result)
    return tally
