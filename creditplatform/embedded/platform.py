"""All of one clone's platform: its two servers, its lock, and the addresses that its programs get."""

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from creditplatform.embedded.location import (
    Places,
    make_socket_directories,
    places_of_clone,
    private_text,
    remove_socket_directories,
    secret,
    var_directory,
)
from creditplatform.embedded.postgres import APPLICATION, OWNER, PostgresServer, Say, for_large_tables
from creditplatform.embedded.processes import Check, end_all, processes_marked, started_at
from creditplatform.embedded.programs import postgres_programs, valkey_program
from creditplatform.embedded.valkey import ValkeyServer

MARK = "CREDIT_INSTANCE"
MODE = "development"  # what embedded services are for; production has servers of its own
LOG_BYTES_MAX = 10_000_000


def given(name: str) -> bool:
    """Whether the environment names this address itself, directly or by a file."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


@dataclass
class Platform:
    """The lasting services of a copy of the repository; servers named in the environment replace ours."""

    root: Path
    var: Path
    say: Say
    check: Check

    @cached_property
    def places(self) -> Places:
        """Where everything lives; directories are made at the first question."""
        return places_of_clone(self.root, self.var)

    @cached_property
    def postgres(self) -> PostgresServer | None:
        """Our PostgreSQL, unless DATABASE_URL names another."""
        if given("DATABASE_URL"):
            return None
        return PostgresServer(
            data=self.places.postgres_data,
            sockets=self.places.postgres_sockets,
            programs=postgres_programs(self.places),
            account=self.places.account,
            log=self.places.log / "postgres.log",
            password=secret(self.places.secrets, "postgres"),
            settings=for_large_tables(),
            check=self.check,
            say=self.say,
        )

    @cached_property
    def valkey(self) -> ValkeyServer | None:
        """Our Valkey, unless REDIS_URL names another."""
        if given("REDIS_URL"):
            return None
        places = self.places
        log = places.log / "valkey.log"
        return ValkeyServer(places.valkey_data, places.valkey_socket, valkey_program(), log, check=self.check)

    @cached_property
    def mark(self) -> str:
        """`NAME=value` in the environment of each of this clone's processes, and of no other."""
        identity = secret(self.places.secrets, "identity")
        digest = hashlib.sha256(f"{self.places.var}\0{identity}".encode()).hexdigest()[:32]
        return f"{MARK}={digest}"

    def start_services(self) -> None:
        """Start what the environment does not name, and make the database and its two roles."""
        shorten_logs(self.places.log)
        make_socket_directories(self.places)
        if self.postgres:
            self.say("Starting PostgreSQL")
            self.postgres.start()
            self.postgres.prepare_roles({role: secret(self.places.secrets, role) for role in (OWNER, APPLICATION)})
        if self.valkey:
            self.say("Starting Valkey")
            self.valkey.start()

    def stop_services(self) -> None:
        """End both servers; what they hold is on disk."""
        if self.valkey:
            self.valkey.stop()
        if self.postgres:
            self.postgres.stop()
        remove_socket_directories(self.places)

    def variables(self, *, with_owner: bool = False) -> dict[str, str]:
        """Environment of the platform's programs, the mode among it; only set-up is given the owner's address."""
        kept = self.places.secrets
        defaults = {
            "CREDIT_MODE": MODE,
            "CREDIT_VAR": str(self.places.var),
            "CREDIT_KEYRING": str(kept / "keyring.json"),
        }
        if not given("SECRET_KEY"):
            secret(kept, "secret_key")
            defaults["SECRET_KEY_FILE"] = str(kept / "secret_key")
        if self.postgres:
            defaults["DATABASE_URL"] = self.postgres.url(APPLICATION, secret(kept, APPLICATION))
            if with_owner:
                defaults["DATABASE_OWNER_URL"] = self.postgres.url(OWNER, secret(kept, OWNER))
        if self.valkey:
            defaults["REDIS_URL"] = self.valkey.url
        return {name: value for name, value in defaults.items() if not given(name)}

    def environment(self, *, with_owner: bool = False) -> dict[str, str]:
        """Our own environment with the platform's variables and its mark."""
        name, value = self.mark.split("=")
        base = dict(os.environ)
        if not with_owner and given("DATABASE_OWNER_URL"):
            base.pop("DATABASE_OWNER_URL", None)
            base.pop("DATABASE_OWNER_URL_FILE", None)
        fixed = {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", name: value}
        return {**base, **self.variables(with_owner=with_owner), **fixed}

    def note_children(self, numbers: list[int]) -> None:
        """Write down our children, for a later start on systems where marks cannot be read."""
        known = {str(number): started_at(number) for number in numbers}
        _write(self.places.run / "children.json", known)

    def end_strays(self) -> None:
        """End programs of this clone that an earlier, killed supervisor has left behind, and only those."""
        noted = _read(self.places.run / "children.json")
        strays = {int(number) for number, since in noted.items() if since and started_at(int(number)) == since}
        strays |= set(processes_marked(self.mark))
        if strays:
            self.say(f"Ending leftovers of an interrupted run (processes: {len(strays)})")
            end_all(sorted(strays), patience=5)

    def publish_environment(self) -> None:
        """Let `manage.py` of the same person find the running services."""
        _write(self.places.run / "environment.json", self.variables(with_owner=True))

    def withdraw_environment(self) -> None:
        """The services are about to end."""
        (self.places.run / "environment.json").unlink(missing_ok=True)


class Lock:
    """Held by the one process that runs a clone; the system gives it back however that process ends."""

    def __init__(self, path: Path) -> None:
        """Open the lock's file; nothing is held yet."""
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Whether the lock is ours now."""
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        self.note()
        return True

    def note(self, **facts: str) -> None:
        """Tell others who holds the lock."""
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            json.dump({"process": os.getpid(), "since": started_at(os.getpid()), **facts}, self._file)
            self._file.flush()

    def holder(self) -> dict[str, Any]:
        """Number, start and address of the process that holds the lock; empty where it has ended."""
        facts = _read(self._path)
        process = facts.get("process", 0)
        return facts if process and started_at(process) == facts.get("since") else {}


def shorten_logs(directory: Path) -> None:
    """Put logs that have grown large aside; one older part is kept."""
    for log in directory.glob("*.log"):
        if log.stat().st_size > LOG_BYTES_MAX:
            log.replace(log.with_suffix(".log.1"))


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.unlink(missing_ok=True)
    private_text(path, lambda: json.dumps(content))


def _read(path: Path) -> dict[str, Any]:
    """Content of one of our small files; empty where it is missing, cut off by a crash, or not ours."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, PermissionError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def use_running_services() -> None:
    """Give a command of the same person this clone's running services, unless it has its own addresses."""
    if given("DATABASE_URL"):
        return
    for name, value in _read(var_directory() / "run" / "environment.json").items():
        if not given(name):
            os.environ[name] = value
