"""Databases of a test's own, copied from the test database: what other processes commit there hurts nobody."""

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.db import connection, connections

ROOT = Path(__file__).resolve().parents[2]
Copy = Callable[..., str]


def _server(sql: str) -> None:
    with contextlib.closing(psycopg2.connect(address("postgres"))) as server:
        server.autocommit = True
        server.cursor().execute(sql)


def address(database: str) -> str:
    """The address of another database on the server of the tests."""
    return re.sub(r"(?<=/)[^/?]*(?=\?|$)", database, os.environ["DATABASE_URL"], count=1)


@pytest.fixture(scope="module")
def copies(django_db_setup: None, django_db_blocker: Any) -> Iterator[Copy]:
    """Makes copies of the test database, or of another copy, and drops them at the end."""
    made: list[str] = []

    def copy(template: str = "") -> str:
        with django_db_blocker.unblock():
            name = f"credit_scratch_{secrets.token_hex(4)}"
            connections.close_all()
            _server(f'CREATE DATABASE "{name}" TEMPLATE "{template or connection.settings_dict["NAME"]}"')
            made.append(name)
            return name

    yield copy
    for name in made:
        end_sessions(name)
        _server(f'DROP DATABASE IF EXISTS "{name}"')


def end_sessions(database: str) -> None:
    """End every session of a client in that database, as an administrator would."""
    ask(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'",
        database,
    )


@contextlib.contextmanager
def connected(database: str, django_db_blocker: Any) -> Iterator[None]:
    """This process works in another database; what it writes is committed."""
    usual = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connections.close_all()
        connection.settings_dict["NAME"] = database
        try:
            yield
        finally:
            connections.close_all()
            connection.settings_dict["NAME"] = usual


def ask(database: str, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Rows of a query on a connection of its own."""
    with contextlib.closing(psycopg2.connect(address(database))) as server:
        server.autocommit = True
        cursor = server.cursor()
        cursor.execute(query, parameters or None)
        return cursor.fetchall()


def environment(database: str) -> dict[str, str]:
    """What a process needs to work in that database."""
    return {**os.environ, "DATABASE_URL": address(database), "DATABASE_OWNER_URL": address(database)}


def run(database: str, *words: str, program: tuple[str, ...] = ("manage.py",)) -> "subprocess.Popen[str]":
    """Start a process of the platform in that database, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, *program, *words],
        cwd=ROOT,
        env=environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill(process: "subprocess.Popen[str]") -> None:
    """End a process and its children at once, without a chance to tidy up."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_for(condition: Callable[[], object], seconds: float = 30, step: float = 0.02) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(step)
    return False
