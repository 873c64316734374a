"""The application role owns nothing: it does the daily work and cannot rewrite what happened."""
# ruff: noqa: S608 (names of tables and columns come from our own models)

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from creditplatform.core import audit
from creditplatform.core.audit import seal
from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.management.commands.grant_application_role import append_only_tables
from creditplatform.core.models import Heartbeat, OutboxEvent, Receipt, StepEvent
from creditplatform.core.tasks import beat, prepare_log_partitions
from records.models import CreditRecord, Subject
from tests.cast import PERSON_NUMBER
from tests.deliveries import ingest, penalty, person_penalty

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        "DATABASE_APPLICATION_URL" not in os.environ, reason="needs the embedded services with their application role"
    ),
]
KEYS = dict.fromkeys(["core_accesslog", "core_receipt", "core_stepevent"], "id") | {"core_accessseal": "number"}
LEDGERS = ["core_accesslog", "core_accessseal", "core_receipt", "core_stepevent"]


def _key(table: str) -> str:
    return "id" if table.startswith("core_accesslog") else KEYS.get(table, "pgh_id")


def history_tables() -> list[str]:
    return sorted(m._meta.db_table for m in apps.get_models() if hasattr(m, "pgh_tracked_model"))


@pytest.fixture(scope="module")
def role(django_db_setup: None, django_db_blocker: Any) -> str:
    """The name of the application role, with exactly the rights the command gives it."""
    name = unquote(urlsplit(os.environ["DATABASE_APPLICATION_URL"]).username or "")
    with django_db_blocker.unblock():
        call_command("grant_application_role", name, verbosity=0)
    return name


def application_connection() -> Any:
    """A connection of the application's own, to the test database."""
    parts = urlsplit(os.environ["DATABASE_APPLICATION_URL"])
    return psycopg2.connect(
        dbname=connection.settings_dict["NAME"],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=parts.query.removeprefix("host="),
    )


@contextmanager
def as_application() -> Iterator[None]:
    """Django's own connection works as the application role, as in production."""
    parts = urlsplit(os.environ["DATABASE_APPLICATION_URL"])
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(USER=unquote(parts.username or ""), PASSWORD=unquote(parts.password or ""))
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)


def attempt(cursor: Any, statement: str) -> str:
    """The SQLSTATE with which a statement is refused; empty where it went through. Nothing of it stays."""
    cursor.execute("SAVEPOINT attempt")
    try:
        cursor.execute(statement)
    except psycopg2.Error as error:
        return error.pgcode or "unknown"
    finally:
        cursor.execute("ROLLBACK TO SAVEPOINT attempt")
    return ""


@pytest.fixture
def application(role: str, db: None) -> Iterator[Any]:
    """A cursor of the application, with every setting an attacker could give the own session."""
    link = application_connection()
    with link.cursor() as cursor:
        cursor.execute("SET credit.allow_truncate = 'on'")
        cursor.execute("SELECT set_config('pghistory.context_metadata', '{\"reason\": \"attack\"}', false)")
        yield cursor
    link.rollback()
    link.close()


def all_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]


def partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.inhrelid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE c.relkind = 'r'"
        )
        return [row[0] for row in cursor.fetchall()]


DENIED = "42501"


def test_it_owns_nothing_and_is_nobody_special(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relowner = %s::regrole", [role])
        assert cursor.fetchall() == []
        cursor.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication FROM pg_roles"
            " WHERE rolname = %s",
            [role],
        )
        assert set(cursor.fetchone()) == {False}
        cursor.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [role])
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole", [role])
        assert cursor.fetchone() == (0,)


def test_it_can_change_no_table_as_such(application: Any, subtests: pytest.Subtests) -> None:
    for table in all_tables():
        with subtests.test(table=table):
            assert attempt(application, f"TRUNCATE {table} CASCADE") == DENIED
            assert attempt(application, f"ALTER TABLE {table} ADD COLUMN x int") == DENIED
            assert attempt(application, f"ALTER TABLE {table} DISABLE TRIGGER ALL") == DENIED
            assert attempt(application, f"DROP TABLE {table} CASCADE") == DENIED


def test_it_can_drop_no_trigger(application: Any, subtests: pytest.Subtests) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal")
        triggers = cursor.fetchall()
    assert len(triggers) > 100
    for table, name in triggers:
        with subtests.test(table=table, name=name):
            assert attempt(application, f'DROP TRIGGER "{name}" ON {table}') == DENIED


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (x int)",
        "CREATE OR REPLACE FUNCTION public.credit_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "DROP FUNCTION credit_prepare_partitions(int)",
        "SET session_replication_role = 'replica'",
        "SET ROLE credit",
        "SELECT credit_add_partition('core_accesslog', 'at', '2099-01-01')",
        "SELECT credit_partition_by_month('core_stepevent', 'id', 'at')",
        "UPDATE django_migrations SET name = 'x'",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('core', 'x', now())",
    ],
)
def test_it_can_build_nothing(application: Any, statement: str) -> None:
    assert attempt(application, statement) == DENIED


def test_it_can_rewrite_neither_history_nor_ledgers(application: Any, subtests: pytest.Subtests) -> None:
    for table in [*history_tables(), *LEDGERS, *partitions()]:
        with subtests.test(table=table):
            assert attempt(application, f"UPDATE {table} SET {_key(table)} = {_key(table)}") == DENIED
            assert attempt(application, f"DELETE FROM {table}") == DENIED
    for table in partitions():
        with subtests.test(table=table):
            assert attempt(application, f"INSERT INTO {table} SELECT * FROM {table}") == DENIED


def test_partitions_made_later_are_closed_as_well(application: Any, subtests: pytest.Subtests) -> None:
    application.execute("SELECT credit_prepare_partitions(6)")
    application.execute("SELECT tablename FROM pg_tables WHERE tablename ~ '_[0-9]{6}$'")
    made = sorted({row[0] for row in application.fetchall()} - set(partitions()))
    assert {name[:-7] for name in made} == {"core_accesslog", "records_creditrecordevent", "records_subjectevent"}
    assert len(made) == 9
    for table in made:
        with subtests.test(table=table):
            assert attempt(application, f"UPDATE {table} SET id = id") == DENIED
            assert attempt(application, f"DELETE FROM {table}") == DENIED
            assert attempt(application, f"INSERT INTO {table} SELECT * FROM {table}") == DENIED
            assert attempt(application, f"TRUNCATE {table}") == DENIED


def test_it_cannot_read_sealed_keys_of_the_owner(application: Any) -> None:
    assert attempt(application, "SELECT passwd FROM pg_shadow") == DENIED
    assert attempt(application, "COPY core_user TO '/dev/null'") == DENIED


def test_the_list_of_append_only_tables_knows_every_ledger() -> None:
    ledgers = {
        model._meta.db_table
        for model in apps.get_models()
        if any(trigger.name == "append_only" for trigger in getattr(model._meta, "triggers", []))
    }
    assert ledgers <= set(append_only_tables())


@pytest.mark.django_db(transaction=True)
def test_it_does_the_daily_work(policy: None, role: str) -> None:
    with as_application():
        with audit.context(actor=None, door=Door.COMMAND, reason="test"):
            batch = ingest(penalty(1), person_penalty(2, "林示例", PERSON_NUMBER), penalty(3, CF_JDRQ="never"))
            again = ingest(penalty(1, CF_NR="罚款二万元"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == (role,)
        assert (batch.received, batch.accepted, batch.quarantined) == (3, 2, 1)
        assert (again.accepted, CreditRecord.objects.count()) == (1, 2)
        subject = Subject.objects.get(kind="person")
        record_disclosure(subject_ref=subject.pk, actor=None, purpose="test", authority=Authority.SELF, fields=["name"])
        assert seal.seal_access_log() == 1
        assert list(seal.verify_access_log()) == []
        event = OutboxEvent.objects.create(topic="t")
        Receipt.objects.create(event=event, consumer="c")
        assert StepEvent.objects.filter(workflow="feed_batch").exists()
        beat("test", 60)
        assert Heartbeat.objects.filter(name="test").exists()
        prepare_log_partitions.run()
        call_command("verify_audit", verbosity=0)


def test_its_own_writes_need_a_context_too(application: Any) -> None:
    application.execute("SELECT set_config('pghistory.context_metadata', '', false)")
    assert attempt(application, "DELETE FROM records_subject") == "CR001"
    assert attempt(application, "UPDATE core_user SET is_active = true") == "CR001"
