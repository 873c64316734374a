"""Everything between an empty database and a platform that answers; repeated where something has changed."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import translation

from creditplatform.core.demonstration import accounts, how_to_bind

CODE = ("creditplatform", "records", "sanctions", "repair", "publicity")
DOORS = (
    ("huizhou/", "Credit Huizhou"),
    ("gansu/", "Credit Gansu"),
    ("me/", "citizens: what is stored about me"),
    ("desk/", "officials: deliveries, rows set aside, figures, reports"),
    ("admin/", "department staff: enter, correct and look things up"),
)


@dataclass(frozen=True)
class Step:
    """One command, the sentence shown while it runs, and what it depends on: run again when that has changed.

    What it makes is a `product` among the files, or else rows of the database.
    """

    command: str
    saying: str
    sources: tuple[str, ...]
    words: tuple[str, ...] = ()
    as_owner: bool = False
    product: Path | None = None


class Command(BaseCommand):
    """Prepares database, policy, demonstration, message catalogues and static files."""

    help = "Prepare the platform: database, policy data, demonstration, message catalogues, static files."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """`--port` only serves to print addresses."""
        parser.add_argument("--port", type=int, default=8000, help="port shown in the addresses")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        """Do what is needed, step by step, and say where to go; later steps write texts in both languages."""
        if _catalogues_behind():
            self._say("Compiling message catalogues", lambda: _call("compile_catalogues"))
        if not Path(settings.CREDIT_KEYRING).exists():
            self._say("Creating the key ring", lambda: _call("init_keyring"))
        if settings.DEMONSTRATION and not settings.REPORT_KEY and not Path(settings.REPORT_AUTHORITY).exists():
            self._say("Making the demonstration authority for reports", lambda: _call("init_report_authority"))
        self._migrate()
        for step in _steps():
            self._do(step)
        self._show_addresses(port)
        if settings.DEMONSTRATION:
            self._show_accounts()

    def _migrate(self) -> None:
        if _behind():
            self._say("Migrating the database", lambda: _run_as_owner("migrate", "--no-input"))

    def _do(self, step: Step) -> None:
        """Run a step unless its sources, and the database it wrote to, are the same as last time."""
        stamp = Path(settings.VAR_DIR) / "stamps" / step.command
        there = step.product is None or step.product.exists()
        if there and stamp.exists() and stamp.read_text() == _state_of(step):
            return
        self._say(step.saying, lambda: _run(step))
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(_state_of(step))

    def _say(self, sentence: str, act: Callable[[], None]) -> None:
        """Show the sentence before the act and its duration after it."""
        self.stdout.write(f"{sentence} … ", ending="")
        self.stdout.flush()
        started = time.monotonic()
        try:
            act()
        except subprocess.CalledProcessError as error:
            raise CommandError(f"{sentence} failed:\n{error.stdout}") from error
        self.stdout.write(f"done in {time.monotonic() - started:.1f} s")

    def _show_addresses(self, port: int) -> None:
        self.stdout.write("\nAddresses")
        for path, meaning in DOORS:
            self.stdout.write(f"  http://127.0.0.1:{port}/{path:<9} {meaning}")

    def _show_accounts(self) -> None:
        """One line for each role of the demonstration; its passwords are public by design."""
        self.stdout.write("\nDemonstration accounts (fictitious)")
        with translation.override("en"):
            for account in accounts():
                self.stdout.write(f"  {account.username:<16} {account.password:<24} {account.role_label}")
        self.stdout.write(f"\n{how_to_bind()}\n")


def _steps() -> Iterator[Step]:
    """The steps after migration, in order; the demonstration only where settings ask for it."""
    role = urlsplit(_database_url()).username or ""
    if role != (urlsplit(_owner_url()).username or ""):
        yield Step("grant_application_role", "Granting rights to the application role", CODE, (role,), as_owner=True)
    yield Step("load_policy", "Loading policy data", CODE)
    if settings.DEMONSTRATION:
        yield Step("seed_demo", "Making the demonstration world (a minute at the first start)", CODE)
    static = ("static", "requirements.lock", *(f"{app}/**/static" for app in CODE))
    yield Step(
        "collectstatic",
        "Collecting static files",
        static,
        ("--no-input",),
        product=Path(settings.STATIC_ROOT),
    )


def _run(step: Step) -> None:
    (_run_as_owner if step.as_owner else _call)(step.command, *step.words)


def _call(command: str, *words: str) -> None:
    """Run a command in this process, with the application's own rights."""
    with Path(os.devnull).open("w", encoding="utf-8") as quiet:
        call_command(command, *words, stdout=quiet)


def _run_as_owner(command: str, *words: str) -> None:
    """Run a command in a process that knows the owner's address; its output is shown only when it fails."""
    connection.close()
    variables = {**os.environ, "DATABASE_URL": _owner_url()}
    variables.pop("DATABASE_URL_FILE", None)
    subprocess.run(  # noqa: S603 - one of our own commands
        [sys.executable, "manage.py", command, *words],
        cwd=settings.BASE_DIR,
        env=variables,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _database_url() -> str:
    return str(environ.FileAwareEnv()("DATABASE_URL"))


def _owner_url() -> str:
    return str(environ.FileAwareEnv()("DATABASE_OWNER_URL", default=_database_url()))


def _behind() -> bool:
    """Whether migrations are missing, or the application role cannot even see which are applied."""
    try:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return True


def _catalogues_behind() -> bool:
    """Whether a message catalogue has changed since it was compiled; in an image it never has."""
    for source in Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            return True
    return False


def _state_of(step: Step) -> str:
    """Digest of a step's sources and, where it writes there, of the database's identity."""
    digest = hashlib.sha256(repr(step).encode())
    if step.product is None:
        digest.update(_database_identity().encode())
    for file in sorted(_files(step.sources)):
        digest.update(str(file.relative_to(settings.BASE_DIR)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _database_identity() -> str:
    """The instant of the first migration, which no two databases share; empty while rights are missing."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT min(applied)::text FROM django_migrations")
            return str(cursor.fetchone()[0])
    except DatabaseError:
        return ""


def _files(patterns: tuple[str, ...]) -> Iterator[Path]:
    """All files that patterns name, below directories too; compiled ones and notes left out."""
    for pattern in patterns:
        for found in Path(settings.BASE_DIR).glob(pattern):
            inside = found.rglob("*") if found.is_dir() else [found]
            yield from (file for file in inside if file.is_file() and "__pycache__" not in file.parts)
