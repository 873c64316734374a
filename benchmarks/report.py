"""Credit reports from the order to the signed files: latency of one process, and how many two processes make together.

Aims: 150 milliseconds for one, signature included, and 8 a second on two cores.
"""

import json
import statistics
import subprocess
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command

from benchmarks.contract import Result
from benchmarks.report_maker import WARM, prepare

REPORTS, PROCESSES = 200, 2
LONGEST_MS, LEAST_PER_SECOND = 150.0, 8.0


def run(rows: int | None) -> Result:
    """Reports of persons with fifteen records each, by one process, then by two at once."""
    wanted = max(rows or REPORTS, PROCESSES * WARM)
    call_command("init_report_authority", verbosity=0)
    prepare(wanted)
    alone = _made([(0, wanted)])
    started = time.perf_counter()
    share = wanted // PROCESSES
    together = _made([(n * share, share) for n in range(PROCESSES)])
    print(f"two processes, start of Python included: {time.perf_counter() - started:.1f} s", flush=True)
    latency = [ms for one in alone for ms in one["milliseconds"]]
    median, slow = statistics.median(latency), statistics.quantiles(latency, n=20)[-1]
    print(
        f"one report: median {median:.1f} ms, 95 of 100 within {slow:.1f} ms; {alone[0]['bytes']:,} bytes", flush=True
    )
    speed = sum(len(one["milliseconds"]) * 1000 / sum(one["milliseconds"]) for one in together)
    ratios = {"milliseconds": round(LONGEST_MS / slow, 3), "per_second": round(speed / LEAST_PER_SECOND, 3)}
    baselines = {"milliseconds": round(slow, 1), "per_second": LEAST_PER_SECOND}
    peak = max(one["peak_mb"] for one in [*alone, *together])
    return Result("report", "reports/s", round(speed, 1), baselines, ratios, dict.fromkeys(ratios, 1.0), peak, 0)


def _made(shares: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """Let processes make their shares at the same time; what each measured."""
    words = [sys.executable, "-m", "benchmarks.report_maker"]
    processes = [
        subprocess.Popen([*words, str(start), str(count)], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)  # noqa: S603
        for start, count in shares
    ]
    answers = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError("A process that makes reports failed.")
    return [json.loads(answer.splitlines()[-1]) for answer in answers]
