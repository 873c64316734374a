"""A second running platform: another database, another key ring, another web server, reached over HTTP alone."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.conf import settings
from django.db import connection

ROOT = Path(settings.BASE_DIR)


class SecondPlatform:
    """Begins as a copy of the test database; what is written to it afterwards comes through its interface."""

    def __init__(self, place: Path) -> None:
        self.place, self.name = place, f"second_{os.getpid()}"
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/"

    def copy_database(self) -> None:
        source = connection.settings_dict["NAME"]
        connection.close()
        self._administer(f'CREATE DATABASE "{self.name}" TEMPLATE "{source}"')
        subprocess.run([sys.executable, "manage.py", "init_keyring"], cwd=ROOT, env=self._environment, check=True)

    def start(self) -> None:
        words = ["-m", "gunicorn", "creditplatform.wsgi:application", "--bind", f"127.0.0.1:{self.port}"]
        words += ["--workers", "1", "--worker-class", "gthread", "--threads", "2", "--no-control-socket"]
        with (self.place / "web.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env=self._environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                line.request("GET", "/healthz")
                if line.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.place / "web.log").read_text()[-2000:])

    def kill(self) -> None:
        """As the power cut does: all at once, in the middle of whatever it did."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        self.kill()
        self._administer(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in its database."""
        line = psycopg2.connect(self._url)
        try:
            with line.cursor() as cursor:
                cursor.execute(query)
                return list(cursor.fetchall())
        finally:
            line.close()

    def _administer(self, statement: str) -> None:
        line = psycopg2.connect(self._url_of("postgres"))
        try:
            line.autocommit = True
            with line.cursor() as cursor:
                cursor.execute(statement)
        finally:
            line.close()

    def _url_of(self, name: str) -> str:
        parts = urlsplit(os.environ["DATABASE_URL"])
        return urlunsplit(parts._replace(path=f"/{name}"))

    @property
    def _url(self) -> str:
        return self._url_of(self.name)

    @property
    def _environment(self) -> dict[str, str]:
        own = {"DATABASE_URL": self._url, "CREDIT_VAR": str(self.place), "CREDIT_MODE": "test"}
        return {**os.environ, **own, "CREDIT_KEYRING": str(self.place / "keyring.json")}
