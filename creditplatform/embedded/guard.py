"""The guard of temporary services: sleeps until its starter is gone, then ends and removes what is left."""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

from creditplatform.embedded.processes import runs_as, send


def left_behind(directory: Path) -> list[tuple[int, signal.Signals]]:
    """Servers still running in a directory, each with the signal that ends it."""
    found = []
    for file, program, argument, number in (
        ("data/postmaster.pid", "postgres", directory / "data", signal.SIGQUIT),
        ("valkey/valkey.pid", "valkey-server", directory / "run" / "valkey.sock", signal.SIGKILL),
    ):
        try:
            process = int((directory / file).read_text().split("\n")[0])
        except (OSError, ValueError):
            continue
        if runs_as(process, program, argument):
            found.append((process, number))
    return found


def clear(directory: Path) -> None:
    """End the servers of a directory and remove it."""
    for _ in range(50):
        running = left_behind(directory)
        for process, number in running:
            send(process, number)
        if not running:
            break
        time.sleep(0.1)
    shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Wait for the end of standard input, which comes with the end of the process that holds it open."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(sys.stdin.fileno(), 1):
        pass
    clear(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
