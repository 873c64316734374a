"""The stage for faults: servers that a test may kill, with the policy of the test database on file."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from creditplatform.embedded import ephemeral
from tests.faults.stage import QUIET, Stage
from tests.records.scratch import address


@pytest.fixture(scope="session")
def servers(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Servers of these tests' own, with everything that the test database holds."""
    with ephemeral(durable=True) as services:
        with django_db_blocker.unblock():
            connections.close_all()
            original = address(connection.settings_dict["NAME"])
        programs = services.postgres.programs
        dump = subprocess.run(
            [str(programs / "pg_dump"), "--no-owner", "--no-privileges", original], capture_output=True, check=True
        )
        words = [str(programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", services.owner_url]
        subprocess.run(words, input=dump.stdout, capture_output=True, check=True)
        for name, value in QUIET.items():
            services.postgres.run_sql(f"ALTER SYSTEM SET {name} = '{value}'")
        services.postgres.stop()
        services.postgres.start()
        stage = Stage(services, tmp_path_factory.mktemp("stage"))
        try:
            yield stage
        finally:
            stage.end()


@pytest.fixture
def stage(servers: Stage) -> Iterator[Stage]:
    """Everything runs; what a test has killed runs again afterwards."""
    servers.chunk = 100
    servers.services.postgres.start()
    servers.services.valkey.start()
    if servers.worker is None or servers.worker.poll() is not None:
        servers.start_worker()
    yield servers
    servers.services.postgres.start()
    servers.services.valkey.start()


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """A disk with so much room; skips where this account may mount none."""
    place.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only; a limit on the size of files is tried everywhere")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def grow(place: Path, size: str) -> None:
    """Give a small disk more room."""
    subprocess.run(["mount", "-o", f"remount,size={size}", str(place)], check=True)
