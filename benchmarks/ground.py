"""Clean ground for a run: a database and a directory of its own, with migrations, keys and policy in place."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import StringIO
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg2
from django.core.management import call_command
from django.db import connection

from creditplatform.embedded import ephemeral


@contextmanager
def clean_ground() -> Iterator[None]:
    """Set Django up on a fresh platform and remove all of it afterwards.

    Uses the server behind DATABASE_OWNER_URL or DATABASE_URL, whose role must be allowed to create
    databases; where none is given, temporary servers that wait for the disk. A database of that server which has
    migrations and policy already may be named in CREDIT_BENCHMARK_TEMPLATE, and is copied then.
    """
    with ExitStack() as stack:
        if "DATABASE_URL" not in os.environ:
            os.environ.update(stack.enter_context(ephemeral(durable=True)).environment)
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="credit-benchmark-"))
        url = stack.enter_context(_own_database(os.environ.get("DATABASE_OWNER_URL", os.environ["DATABASE_URL"])))
        os.environ |= {"DATABASE_URL": url, "DATABASE_OWNER_URL": url, "CREDIT_VAR": directory}
        os.environ.pop("CREDIT_KEYRING", None)
        os.environ.setdefault("CREDIT_LOG_LEVEL", "WARNING")
        os.environ.setdefault("CREDIT_MODE", "development")
        os.environ["DJANGO_SETTINGS_MODULE"] = "creditplatform.settings"
        django.setup()
        for command in ("init_keyring", "migrate", "load_policy"):
            call_command(command, verbosity=0, stdout=StringIO())
        stack.callback(connection.close)
        yield


@contextmanager
def _own_database(server_url: str) -> Iterator[str]:
    """A new database on that server, dropped in the end; gives its address."""
    name, template = f"benchmark_{secrets.token_hex(6)}", os.environ.get("CREDIT_BENCHMARK_TEMPLATE", "template1")
    _execute(server_url, f'CREATE DATABASE {name} TEMPLATE "{template}"')
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}")).replace(":/?", ":///?")
    finally:
        try:
            _execute(server_url, f"DROP DATABASE {name}")  # sends a vacuum away that FORCE may not end
        except psycopg2.errors.ObjectInUse:
            _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(url: str, statement: str) -> None:
    session = psycopg2.connect(url)
    session.autocommit = True
    try:
        with session.cursor() as cursor:
            cursor.execute(statement)
    finally:
        session.close()
