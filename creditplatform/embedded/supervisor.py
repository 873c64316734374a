"""Web server, worker and beat as children: started again when they die, ended with us."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from creditplatform.embedded.errors import ServiceError
from creditplatform.embedded.postgres import Say
from creditplatform.embedded.processes import send, spawn, wait_until

STABLE_SECONDS = 60
LONGEST_PAUSE = 30
GRACE_SECONDS = 4.5
LAST_WORDS = 1500


@dataclass
class Pause:
    """How long to wait before the next attempt: 1, 2, 4 … 30 s, and 1 s again after a good minute."""

    failures: int = 0
    started: float = 0.0
    until: float = 0.0

    def failed(self) -> float:
        """Note a failure; seconds until the next attempt."""
        now = time.monotonic()
        self.failures = 1 if now - self.started > STABLE_SECONDS else self.failures + 1
        seconds = min(2.0 ** (self.failures - 1), LONGEST_PAUSE)
        self.until = now + seconds
        return seconds

    @property
    def over(self) -> bool:
        """Whether the next attempt is due."""
        return time.monotonic() >= self.until


@dataclass
class Child:
    """One program that has to run for as long as the platform does, in a session of its own."""

    name: str
    words: list[str]
    directory: Path
    environment: Mapping[str, str]
    log: Path
    handles: tuple[int, ...] = ()
    pause: Pause = field(default_factory=Pause)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program; the kernel ends it should we be killed."""
        self.pause.started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = spawn(
                self.words,
                cwd=self.directory,
                env=self.environment,
                stdout=log,
                stderr=log,
                pass_fds=self.handles,
            )

    def watch(self, say: Say) -> None:
        """Start the program again when it has ended and its pause is over."""
        if self.process is None:
            if self.pause.over:
                self.start()
        elif self.ended():
            code = self.collect()
            say(f"{self.name} ended ({_reason(code)}); starting again in {self.pause.failed():.0f} s")

    def ended(self) -> bool:
        """Whether the program has ended; it is not collected yet, so its number still belongs to it."""
        if self.process is None:
            return True
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, options) is not None

    def ask_to_end(self) -> None:
        """Ask the program to finish what it does and leave."""
        if self.process is not None and not self.ended():
            send(self.process.pid, signal.SIGTERM)

    def collect(self) -> int:
        """End whatever is left of the program's session; its exit code."""
        if self.process is None:
            return 0
        send(self.process.pid, signal.SIGKILL, group=True)
        code = self.process.wait()
        self.process = None
        return code

    def last_words(self) -> str:
        """End of the program's log."""
        return self.log.read_bytes()[-LAST_WORDS:].decode(errors="replace").strip()


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def end_children(children: Iterable[Child]) -> None:
    """Ask all to end, wait a few seconds for the slowest, and end what is left."""
    running = list(children)
    for child in running:
        child.ask_to_end()
    wait_until(lambda: all(child.ended() for child in running), seconds=GRACE_SECONDS)
    for child in running:
        child.collect()


def give_up_on_hopeless(children: Iterable[Child], most: int = 5) -> None:
    """Raise ServiceError where a program has never come up, with its last words."""
    for child in children:
        if child.pause.failures >= most:
            raise ServiceError(f"{child.name} does not start. Its last words ({child.log}):\n{child.last_words()}")
