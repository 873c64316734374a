"""One Valkey server of our own: append-only file on disk, one Unix socket, no port."""

import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from creditplatform.embedded.errors import ServiceError
from creditplatform.embedded.processes import Check, alive, nothing, runs_as, send, wait_until

LOADING_SECONDS = 300


@dataclass
class ValkeyServer:
    """A server over the append-only file in `data`, listening on the socket `socket`."""

    data: Path
    socket: Path
    program: Path
    log: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    check: Check = nothing

    @property
    def url(self) -> str:
        """Address of the server, as Celery reads it; the path is plain and needs no quoting."""
        return f"redis+socket://{self.socket}"

    def start(self) -> None:
        """Start the server as a daemon and wait until its data are loaded; a running one is kept."""
        if self.process() is None:
            self._launch()
        if not wait_until(self._answers, seconds=LOADING_SECONDS, check=self.check):
            raise ServiceError(f"Valkey does not answer; see {self.log}.")

    def stop(self) -> None:
        """End the server; it writes what it holds first. Without effect on a stopped one."""
        process = self.process()
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            send(process, number)
            if wait_until(lambda: not alive(process), seconds=4):
                return
        raise ServiceError(f"Valkey (process {process}) does not end.")

    def process(self) -> int | None:
        """Number of the running server of this directory, if any; never that of a foreign process."""
        try:
            number = int(self._number_file.read_text().strip() or 0)
        except (FileNotFoundError, ValueError):
            return None
        return number if runs_as(number, "valkey-server", self.socket) else None

    @property
    def _number_file(self) -> Path:
        return self.data / "valkey.pid"

    def _launch(self) -> None:
        """Start the daemon; its own parent ends at once, after the number of the daemon is known."""
        self._number_file.unlink(missing_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "daemonize": "yes",
            "pidfile": str(self._number_file),
            "set-proc-title": "no",  # the socket stays visible among the arguments: that is how we know it
            "logfile": str(self.log),
            "loglevel": "notice",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            **self.settings,
        }
        words = [word for name, value in settings.items() for word in (f"--{name}", value)]
        answer = subprocess.run(
            [str(self.program), *words],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            start_new_session=True,
        )
        if answer.returncode or not wait_until(lambda: self.process() is not None, seconds=20, check=self.check):
            raise ServiceError(f"Valkey did not start; see {self.log}. {answer.stdout.strip()[-500:]}")

    def _answers(self) -> bool:
        """Whether the server takes commands; false while it loads its data."""
        if self.process() is None:
            raise ServiceError(f"Valkey ended while it was starting; see {self.log}.")
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(5)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False
