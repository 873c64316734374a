"""Looking at operating-system processes and ending our own ones, and only those."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from creditplatform.embedded.errors import ServiceError

LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

Check = Callable[[], None]


def nothing() -> None:
    """The check of a caller who cannot be interrupted."""


def wait_until(condition: Callable[[], object], *, seconds: float, check: Check = nothing, pause: float = 0.05) -> bool:
    """Whether `condition` became true within so many seconds; `check` may raise to leave early."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        check()
        time.sleep(pause)
    return True


def _status_fields(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; the name before them may hold spaces and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _ps(pid: int, column: str) -> str:
    """One column of `ps` for one process; empty where there is no such process."""
    answer = subprocess.run(
        ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and only waits to be collected does not."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    if LINUX:
        return _status_fields(pid)[:1] not in ([], ["Z"], ["X"])
    return _ps(pid, "state")[:1] not in ("", "Z")


def started_at(pid: int) -> str:
    """When a process started, in the system's own terms: with the number it names one process for ever."""
    if LINUX:
        fields = _status_fields(pid)
        return f"{_boot_id()}/{fields[19]}" if fields else ""
    return _ps(pid, "lstart")


def _boot_id() -> str:
    """Which start of the machine this is; start times of processes count from it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def runs_as(pid: int, program: str, path: Path) -> bool:
    """Whether this live process is our server: its program's name and our own path among its arguments."""
    if pid <= 0 or not alive(pid):
        return False
    if not LINUX:
        line = _ps(pid, "command")
        return program in line and str(path) in line
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return Path(os.fsdecode(words[0])).name == program and os.fsencode(path) in words[1:]


def processes_marked(marker: str) -> Iterator[int]:
    """Processes whose environment bears this `NAME=value`, ourselves excepted; none without /proc."""
    wanted = marker.encode()
    for entry in Path("/proc").glob("[0-9]*") if LINUX else ():
        try:
            found = wanted in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if found and int(entry.name) != os.getpid() and alive(int(entry.name)):
            yield int(entry.name)


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal; false where /proc does not say."""
    try:
        words = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return False
    mask = words.partition("SigCgt:")[2].split()[:1]
    return bool(mask and int(mask[0], 16) >> (number - 1) & 1)


def send(pid: int, number: signal.Signals, *, group: bool = False) -> None:
    """Signal one process (or its group); one that has gone meanwhile is no mistake."""
    with suppress(ProcessLookupError):
        (os.killpg if group else os.kill)(pid, number)


def end_all(pids: list[int], *, patience: float) -> None:
    """Ask processes to end, and end those that have not after so many seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in filter(alive, pids):
            send(pid, number)
        if wait_until(lambda: not any(map(alive, pids)), seconds=patience):
            return
    raise ServiceError(f"These processes of ours do not end: {', '.join(map(str, filter(alive, pids)))}.")


def spawn(words: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own; on Linux the kernel asks it to end when we are gone."""
    library = ctypes.CDLL(None)

    def follow_parent() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=follow_parent if LINUX else None,  # safe: the supervisor has one thread
        **options,
    )


def adopt_orphans() -> None:
    """Become the parent of our daemons and of orphans of our children, so that none stays uncollected."""
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def collect_orphans(known: set[int]) -> None:
    """Collect ended processes that we inherited and that nobody else will collect."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in known:
            return
        os.waitpid(ended.si_pid, os.WNOHANG)
