"""One PostgreSQL server of our own: made by initdb, driven by pg_ctl, reachable over one Unix socket only."""

import locale
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from creditplatform.embedded.errors import ServiceError
from creditplatform.embedded.location import POSTGRES_SOCKET, Account, own_directory
from creditplatform.embedded.processes import Check, alive, nothing, runs_as, send, wait_until

OWNER, APPLICATION, DATABASE = "credit", "credit_app", "credit"
RECOVERY_SECONDS = 1800
NO_SUCH_PROCESS = 2**31 - 1  # beyond every system's largest process number
# The server's own log is to hold no row: neither statements nor their values nor what an error says of a row.
SILENT_ABOUT_ROWS = {
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
}
SPEED_OVER_SAFETY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
LARGEST_CACHE_MB = 1024
CHARACTER_LOCALES = ("C.UTF-8", "C.utf8", "en_US.UTF-8")

Say = Callable[[str], None]


def for_large_tables() -> dict[str, str]:
    """Settings under which loads stay fast when tables outgrow the default cache of 128 MB: a quarter of the memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {"shared_buffers": f"{max(128, min(LARGEST_CACHE_MB, memory // 4))}MB", "max_wal_size": "2GB"}


def silent(_: str) -> None:
    """For callers who tell nobody."""


@dataclass
class PostgresServer:
    """A cluster in `data`, run by `account` with `programs`; `password` is its superuser's."""

    data: Path
    sockets: Path
    programs: Path
    account: Account
    log: Path
    password: str
    settings: Mapping[str, str] = field(default_factory=dict)
    check: Check = nothing
    say: Say = silent

    def start(self) -> None:
        """Make the cluster if there is none, start it, and wait for the end of a recovery.

        A server that already runs on this data is kept. Raises ServiceError with the server's last words.
        """
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._compare_versions()
        if self.process() is None:
            self._disown_stale_lock()
            self._write_settings()
            self._start_patiently()
        self._wait_for_recovery()

    def stop(self) -> None:
        """End the server: sessions are closed, nothing committed is lost. Without effect on a stopped one."""
        process = self.process()
        if process is None:
            return
        send(process, signal.SIGINT)
        if not wait_until(lambda: not alive(process), seconds=6):
            send(process, signal.SIGQUIT)
            if not wait_until(lambda: not alive(process), seconds=6):
                raise ServiceError(f"PostgreSQL (process {process}) does not end.")

    def process(self) -> int | None:
        """Number of the running server of this data directory, if any; never that of a foreign process."""
        lines = self._lock_lines()
        number = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        return number if runs_as(number, "postgres", self.data) else None

    def url(self, role: str, password: str, database: str = DATABASE) -> str:
        """Address of a database for one role, as Django, libpq and psql read it."""
        host = quote(str(self.sockets), safe="/")
        return f"postgresql://{quote(role)}:{quote(password)}@/{quote(database)}?host={host}"

    def run_sql(self, script: str, database: str = "postgres") -> str:
        """Run statements as superuser, stopping at the first mistake; the answer is unaligned text."""
        words = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.sockets), "-U", "postgres"]
        answer = subprocess.run(
            [str(self.programs / "psql"), *words, "-d", database],
            input=script,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={**self._environment(), "PGPASSWORD": self.password},
        )
        if answer.returncode:
            raise ServiceError(f"PostgreSQL refused a statement: {answer.stderr.strip()}")
        return answer.stdout.strip()

    def prepare_roles(self, passwords: Mapping[str, str], *, may_create: bool = False) -> None:
        """Make the owner, the application role and the database, or renew their passwords.

        The owner may act as the application role, which owns nothing; `may_create` lets it make databases.
        """
        create = "CREATEDB" if may_create else "NOCREATEDB"
        script = [
            _role(OWNER, passwords[OWNER], create),
            _role(APPLICATION, passwords[APPLICATION], "NOCREATEDB"),
            f"GRANT {APPLICATION} TO {OWNER};",
            f"SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'",
            f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec",
            f"REVOKE CONNECT, TEMPORARY ON DATABASE {DATABASE} FROM PUBLIC;",
            f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {APPLICATION};",
        ]
        self.run_sql("\n".join(script))

    def _program(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs under its account, with an environment of our own."""
        return subprocess.run(
            [str(self.programs / name), *words],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=self._environment(),
            start_new_session=True,
            **self.account.options(),
        )

    def _write(self, path: Path, text: str, *, append: bool = False) -> None:
        """Write a file with the account's own rights: root follows no link that others have laid there."""
        command = 'umask 077; cat >> "$1"' if append else 'umask 077; rm -f "$1"; cat > "$1"'
        words = ["/bin/sh", "-c", command, "sh", str(path)]
        subprocess.run(words, input=text.encode(), check=True, cwd="/", **self.account.options())

    def _environment(self) -> dict[str, str]:
        return {"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)}

    def _major_version(self) -> int:
        words = self._program("postgres", "--version").stdout
        found = re.search(r"(\d+)", words)
        if found is None:
            raise ServiceError(f"{self.programs / 'postgres'} cannot be started on this machine.")
        return int(found[1])

    def _compare_versions(self) -> None:
        stored, ours = int((self.data / "PG_VERSION").read_text()), self._major_version()
        if stored != ours:
            raise ServiceError(
                f"The data in {self.data} were written by PostgreSQL {stored}, the programs are {ours}. "
                "Dump them with the old version, or remove them (make clean-data)."
            )

    def _initialise(self) -> None:
        """Make a cluster beside its final place and move it there when complete."""
        self.say("Creating the PostgreSQL cluster (first start only)")
        unfinished = self.data.with_name(f"{self.data.name}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        own_directory(unfinished, self.account)
        password = self._password_file()
        words = ["-A", "scram-sha-256", "--pwfile", str(password), "-E", "UTF8", "-U", "postgres"]
        answer = self._program("initdb", "-D", str(unfinished), *words, *self._locale())
        password.unlink()
        if answer.returncode:
            raise ServiceError(f"PostgreSQL's initdb failed: {answer.stderr.strip()}")
        self._write(unfinished / "postgresql.conf", "\ninclude = 'platform.conf'\n", append=True)
        unfinished.rename(self.data)

    def _locale(self) -> list[str]:
        """Sorting by code point; but Chinese counts as letters, or trigram search would see nothing."""
        letters = f"--lc-ctype={_character_locale()}"
        if self._major_version() < 17:
            return ["--no-locale", letters]
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale", letters]

    def _password_file(self) -> Path:
        """The superuser's password where the server's account, and nobody else, can read it."""
        path = self.sockets / "password"
        self._write(path, self.password)
        return path

    def _lock_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _disown_stale_lock(self) -> None:
        """Make lock files of a server that is gone harmless: their number may be another process's by now.

        The file itself stays: from it the new server learns which shared memory to look for survivors in.
        """
        for name in (POSTGRES_SOCKET, f"{POSTGRES_SOCKET}.lock"):
            (self.sockets / name).unlink(missing_ok=True)
        file = self.data / "postmaster.pid"
        lines = self._lock_lines()
        if lines:
            self._write(file, "\n".join([str(NO_SUCH_PROCESS), *lines[1:], ""]))
        else:
            file.unlink(missing_ok=True)

    def _write_settings(self) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.sockets}"',
            "unix_socket_permissions": "0700",
            "port": "5432",
            "client_connection_check_interval": "2s",  # survivors of a killed server notice that nobody waits
            **SILENT_ABOUT_ROWS,
            **self.settings,
        }
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
        self._write(self.data / "platform.conf", "".join(lines))

    def _start_patiently(self) -> None:
        """Start the server; while processes of a killed predecessor still hold its memory, try again."""
        for _ in range(60):
            offset = self.log.stat().st_size if self.log.exists() else 0
            if self._start_once() == 0:
                return
            words = self.log.read_bytes()[offset:].decode(errors="replace")
            if "shared memory block" not in words:
                break
            wait_until(lambda: False, seconds=1, check=self.check)
        raise ServiceError(f"PostgreSQL did not start. Its last words ({self.log}):\n{words.strip()[-1500:]}")

    def _start_once(self) -> int:
        """Run `pg_ctl start` until it has an answer, or until we are told to leave."""
        words = ["pg_ctl", "-D", str(self.data), "-w", "-t", str(RECOVERY_SECONDS), "-s", "start"]
        with self.log.open("ab") as log:
            starter = subprocess.Popen(
                [str(self.programs / words[0]), *words[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
                start_new_session=True,
                **self.account.options(),
            )
        try:
            while not self._ended(starter):
                self.say("PostgreSQL is still starting: after an interruption it first recovers its data")
        except BaseException:
            starter.send_signal(signal.SIGINT)  # pg_ctl passes it on to the server it has started
            starter.wait()
            raise
        return starter.returncode

    def _ended(self, starter: subprocess.Popen[bytes]) -> bool:
        return wait_until(lambda: starter.poll() is not None, seconds=10, check=self.check)

    def _wait_for_recovery(self) -> None:
        """Wait until the running server takes connections."""
        if not wait_until(self._ready, seconds=RECOVERY_SECONDS, check=self.check):
            raise ServiceError("PostgreSQL has been recovering for half an hour; see its log.")

    def _ready(self) -> bool:
        if self.process() is None:
            raise ServiceError(f"PostgreSQL ended while it was recovering; see {self.log}.")
        return [line.strip() for line in self._lock_lines()[7:8]] == ["ready"]


def _role(name: str, password: str, create: str) -> str:
    """Statements that make a role or renew its password; passwords are our own random words."""
    missing = f"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}')"
    return (
        f"SELECT 'CREATE ROLE {name}' {missing} \\gexec\n"
        f"ALTER ROLE {name} LOGIN NOSUPERUSER NOCREATEROLE {create} PASSWORD '{password}';\n"
        # Even the first line of an error may quote a cell; programs log their own errors, by SQLSTATE.
        f"ALTER ROLE {name} SET log_min_messages = 'log';"
    )


def _character_locale() -> str:
    """A locale of this system under which Chinese characters are letters."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in CHARACTER_LOCALES:
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C"
