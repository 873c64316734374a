"""`make run`: services, set-up, programs, and a watch over all of them until somebody says stop."""

import http.client
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from types import FrameType

from creditplatform.embedded.errors import ServiceError, StopRequested
from creditplatform.embedded.platform import Lock, Platform
from creditplatform.embedded.postgres import PostgresServer
from creditplatform.embedded.processes import adopt_orphans, catches, collect_orphans, send, spawn, wait_until
from creditplatform.embedded.supervisor import Child, Pause, end_children, give_up_on_hopeless
from creditplatform.embedded.valkey import ValkeyServer

HOST = "127.0.0.1"
FIRST_PORT, PORTS = 8000, 200
READY_SECONDS = 180
HANDOVER_SECONDS = 1.5
QUEUES = "feeds,timers,mail,reports,celery"


class StopSignals:
    """Ctrl-C, SIGTERM and a closed terminal are noted, and acted on at the next convenient moment.

    With `follow_parent` the end of the process that started us (`make`) counts too, and a Ctrl-C that reached
    it alone: make then waits for us without a word, but no longer catches that signal.
    """

    def __init__(self, *, follow_parent: bool = False) -> None:
        """Start listening for them."""
        self.received = False
        self._parent = os.getppid() if follow_parent else None
        self._parent_caught = self._parent is not None and catches(self._parent, signal.SIGINT)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True

    def _parent_stopped(self) -> bool:
        if self._parent is None:
            return False
        return os.getppid() != self._parent or (self._parent_caught and not catches(self._parent, signal.SIGINT))

    def check(self) -> None:
        """Raise StopRequested once a signal has come."""
        if self.received or self._parent_stopped():
            raise StopRequested


def listen(port: int | None) -> socket.socket:
    """Take a port, the first free one from 8000 on unless one is named; held for as long as we live.

    Raises ServiceError where the named port is taken.
    """
    for number in [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, number))
            listener.listen(128)
        except (OSError, OverflowError) as error:
            listener.close()
            problem = error
            continue
        return listener
    raise ServiceError(f"Port {port or FIRST_PORT} cannot be used ({problem}). Name another: make run PORT=8123")


def programs(platform: Platform, listener: socket.socket) -> list[Child]:
    """Web server on the port that we hold, worker for all queues, and beat."""
    number = listener.fileno()
    celery = ["-m", "celery", "--app", "creditplatform.celery:app"]
    schedule = str(platform.places.run / "beat-schedule")
    web = ["-m", "gunicorn", "creditplatform.wsgi:application", "--bind", f"fd://{number}", "--workers", "2"]
    web += [
        "--worker-class",
        "gthread",
        "--threads",
        "4",
        "--graceful-timeout",
        "3",
        "--preload",
        "--no-control-socket",
    ]
    plans: list[tuple[str, list[str], tuple[int, ...]]] = [
        ("web", web, (number,)),
        ("worker", [*celery, "worker", "--queues", QUEUES, "--concurrency", "2", "--loglevel", "INFO"], ()),
        ("beat", [*celery, "beat", "--schedule", schedule, "--pidfile", "", "--loglevel", "INFO"], ()),
    ]
    environment = platform.environment()
    return [
        Child(
            name,
            [sys.executable, *words],
            platform.root,
            environment,
            platform.places.log / f"{name}.log",
            handles,
        )
        for name, words, handles in plans
    ]


@dataclass
class Run:
    """One run of the platform, from its first service to its last word."""

    platform: Platform
    signals: StopSignals
    lock: Lock
    listener: socket.socket
    children: list[Child] = field(default_factory=list)
    server_pause: Pause = field(default_factory=Pause)
    ready: bool = False

    @property
    def address(self) -> str:
        """Where the platform answers."""
        return f"http://{HOST}:{self.port}/"

    @property
    def port(self) -> int:
        """The port that is held."""
        return int(self.listener.getsockname()[1])

    def go(self) -> None:
        """Start everything and watch over it; returns only by StopRequested or ServiceError."""
        self.platform.start_services()
        self.platform.publish_environment()
        self._set_up()
        self.platform.say("Starting the web server")
        web, *rest = programs(self.platform, self.listener)
        self._start(web)
        self._watch(rest)

    def _start(self, *children: Child) -> None:
        for child in children:
            self.children.append(child)
            child.start()

    def end(self) -> None:
        """End everything in order: those who ask first, those who answer last."""
        self.platform.say("Stopping")
        self.lock.note(stopping="yes")
        self.platform.withdraw_environment()
        end_children(self.children)
        self.listener.close()
        self.platform.stop_services()
        collect_orphans(set())
        self.platform.say("Stopped")

    def _set_up(self) -> None:
        """Run `manage.py quickstart` with the owner's address and wait for its end."""
        words = [sys.executable, "manage.py", "quickstart", "--port", str(self.port)]
        process = spawn(words, cwd=self.platform.root, env=self.platform.environment(with_owner=True))
        try:
            wait_until(lambda: process.poll() is not None, seconds=24 * 3600, check=self.signals.check)
        except StopRequested:
            send(process.pid, signal.SIGTERM, group=True)
            if not wait_until(lambda: process.poll() is not None, seconds=3):
                send(process.pid, signal.SIGKILL, group=True)
            process.wait()
            raise
        if process.returncode:
            raise ServiceError("Set-up failed: see the lines above.")

    def _watch(self, later: list[Child]) -> None:
        """Start again what ends, and say when the platform is ready.

        The first page is worth more than the first task: `later` is started when the web server answers.
        """
        started, noted = time.monotonic(), [0]
        while True:
            self.signals.check()
            for child in self.children:
                child.watch(self.platform.say)
            self._watch_servers()
            numbers = [child.process.pid for child in self.children if child.process]
            collect_orphans(set(numbers))
            if numbers != noted:
                self.platform.note_children(numbers)
                noted = numbers
            if not self.ready:
                give_up_on_hopeless(self.children)
                self._announce(time.monotonic() - started, later)
            time.sleep(0.2)

    def _watch_servers(self) -> None:
        for name, server in (("PostgreSQL", self.platform.postgres), ("Valkey", self.platform.valkey)):
            if server is not None and server.process() is None and self.server_pause.over:
                self._restart_server(name, server)

    def _restart_server(self, name: str, server: PostgresServer | ValkeyServer) -> None:
        """Start a server that was killed; when that fails, try again later."""
        self.platform.say(f"{name} ended; starting it again")
        self.server_pause.started = time.monotonic()
        try:
            server.start()
        except ServiceError as error:
            self.platform.say(f"{error}\nNext attempt in {self.server_pause.failed():.0f} s")
        else:
            self.platform.say(f"{name} runs again; its data are intact")

    def _announce(self, waited: float, later: list[Child]) -> None:
        """Say `Ready: <address>` once /readyz says so; raises ServiceError after three minutes."""
        answer = self._readiness()
        if answer == "200":
            self.ready = True
            self.platform.say("Starting the worker and beat")
            self._start(*later)
            self.platform.say(f"Press Ctrl-C to stop. Logs are in {self.platform.places.log}.")
            self.platform.say(f"Ready: {self.address}")
        elif waited > READY_SECONDS:
            raise ServiceError(f"{self.address}readyz does not answer 200 but: {answer}")

    def _readiness(self) -> str:
        """Status of /readyz, with its words where it is not 200."""
        line = http.client.HTTPConnection(HOST, self.port, timeout=3)
        try:
            line.request("GET", "/readyz")
            answer = line.getresponse()
            text = answer.read(500).decode(errors="replace")
            return "200" if answer.status == 200 else f"{answer.status} {text}"
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        finally:
            line.close()


def run(platform: Platform, signals: StopSignals, port: int | None) -> None:
    """Run the platform until Ctrl-C or SIGTERM, and leave no process behind.

    Raises ServiceError where another start of the same clone still runs, or a step fails.
    """
    adopt_orphans()
    lock = _take_lock(platform)
    platform.end_strays()
    this = Run(platform, signals, lock, listen(port))
    lock.note(address=this.address)
    try:
        this.go()
    except StopRequested:
        pass
    finally:
        this.end()


def _take_lock(platform: Platform) -> Lock:
    """Become the one supervisor of this clone; one that is about to end is waited for."""
    lock = Lock(platform.places.run / "supervisor.lock")
    end = time.monotonic() + HANDOVER_SECONDS
    while not lock.take():
        facts = lock.holder()
        if facts.get("stopping"):
            end = max(end, time.monotonic() + HANDOVER_SECONDS)
        if time.monotonic() > end:
            where = f" (process {facts['process']}, {facts.get('address', 'starting')})" if facts else ""
            raise ServiceError(f"This copy of the platform is already running{where}. Stop it with: make stop")
        platform.check()
        time.sleep(0.1)
    return lock
