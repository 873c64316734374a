"""Services that live only as long as a test run or a benchmark."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from creditplatform.embedded.location import clone_root, places_for_a_while, secret
from creditplatform.embedded.platform import MODE
from creditplatform.embedded.postgres import APPLICATION, OWNER, SPEED_OVER_SAFETY, PostgresServer, for_large_tables
from creditplatform.embedded.programs import postgres_programs, valkey_program
from creditplatform.embedded.valkey import ValkeyServer


@dataclass(frozen=True)
class Services:
    """Two running servers and the addresses under which they are reached."""

    postgres: PostgresServer
    valkey: ValkeyServer
    owner_url: str
    application_url: str

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a process that may create databases, as a test runner has to."""
        return {
            "CREDIT_MODE": MODE,
            "DATABASE_URL": self.owner_url,
            "DATABASE_OWNER_URL": self.owner_url,
            "DATABASE_APPLICATION_URL": self.application_url,
            "REDIS_URL": self.valkey.url,
        }


@contextmanager
def ephemeral(bin_dir: Path | str | None = None, *, durable: bool = False) -> Iterator[Services]:
    """Start PostgreSQL and Valkey in a fresh directory; stop and remove both at the end.

    `bin_dir` names other PostgreSQL programs than the wheel's. Unless `durable`, the disk is not waited for.
    A guard process cleans up even after this process has been killed.
    """
    places = places_for_a_while()
    guard = _guard(places.var)
    try:
        postgres = PostgresServer(
            data=places.postgres_data,
            sockets=places.postgres_sockets,
            programs=Path(bin_dir) if bin_dir else postgres_programs(places),
            account=places.account,
            log=places.log / "postgres.log",
            password=secret(places.secrets, "postgres"),
            settings=for_large_tables() if durable else SPEED_OVER_SAFETY,
        )
        valkey = ValkeyServer(places.valkey_data, places.valkey_socket, valkey_program(), places.log / "valkey.log")
        try:
            yield _started(postgres, valkey, places.secrets)
        finally:
            valkey.stop()
            postgres.stop()
    finally:
        shutil.rmtree(places.var, ignore_errors=True)
        guard.communicate()


def _started(postgres: PostgresServer, valkey: ValkeyServer, directory: Path) -> Services:
    postgres.start()
    passwords = {role: secret(directory, role) for role in (OWNER, APPLICATION)}
    postgres.prepare_roles(passwords, may_create=True)
    valkey.start()
    return Services(
        postgres,
        valkey,
        owner_url=postgres.url(OWNER, passwords[OWNER]),
        application_url=postgres.url(APPLICATION, passwords[APPLICATION]),
    )


def _guard(directory: Path) -> subprocess.Popen[bytes]:
    """A process that waits for our end, however it comes, and then stops and removes what we left."""
    return subprocess.Popen(
        [sys.executable, "-m", "creditplatform.embedded.guard", str(directory)],
        stdin=subprocess.PIPE,
        cwd=clone_root(),
        env={**os.environ, "PYTHONPATH": str(clone_root())},
        start_new_session=True,
    )
