"""What deliveries take of the machine's memory while they run: pages that processes share count once."""

import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

BETWEEN = 0.5  # seconds; asking costs some milliseconds each, on the cores that are measured
SHARE = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)


def peaks_mb(processes: Sequence["subprocess.Popen[str]"]) -> list[float]:
    """Wait for processes and tell of each the most that it and those it started held at one time, in MiB.

    Counted as proportional shares (PSS); 0 where the system does not tell.
    """
    peaks = [0.0] * len(processes)
    while alive := [process for process in processes if process.poll() is None]:
        for place, process in enumerate(processes):
            peaks[place] = max(peaks[place], sum(_share_mb(pid) for pid in _family(process.pid)))
        with suppress(subprocess.TimeoutExpired):
            alive[0].wait(timeout=BETWEEN)
    return peaks


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for one in found:
        try:
            children = Path(f"/proc/{one}/task/{one}/children").read_bytes().split()
        except OSError:
            continue  # it has ended, or this is no Linux
        found.extend(map(int, children))
    return found


def _share_mb(pid: int) -> float:
    try:
        share = SHARE.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
    except OSError:
        return 0
    return int(share[1]) / 1024 if share else 0
