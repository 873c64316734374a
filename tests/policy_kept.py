"""The delivered policy, kept beside the tables: a test that emptied them is followed by rows, not by a loading anew."""
# ruff: noqa: S608 (names of tables and columns come from the database itself)

from django.db import connection, transaction

SCHEMA = "policy_kept"
# These come back by themselves, under other keys, with the tables they describe.
BY_DJANGO = ("django_content_type", "auth_permission", "django_migrations")
TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> ALL(%s)
"""
COLUMNS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


def copied_database() -> str:
    """The name of a database with migrations and policy in it that nobody writes to."""
    return f"{connection.settings_dict['NAME']}_kept"


def copy_database() -> None:
    """Make it, from the test database while nothing else is in there."""
    source, copy = connection.settings_dict["NAME"], copied_database()
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{copy}"')
        cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{source}"')


def keep() -> None:
    """Copy every table that has rows, as it is now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}")
        cursor.execute(TABLES, [list(BY_DJANGO)])
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT EXISTS (SELECT FROM public."{table}")')
            if cursor.fetchone()[0]:
                cursor.execute(f'CREATE TABLE {SCHEMA}."{table}" AS TABLE public."{table}"')


def give_back() -> None:
    """Put the copies back into the emptied tables, without what triggers would do a second time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [SCHEMA])
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(COLUMNS, [f'public."{table}"'])
            (columns,) = cursor.fetchone()
            cursor.execute(f'ALTER TABLE public."{table}" DISABLE TRIGGER USER')
            cursor.execute(f'INSERT INTO public."{table}" ({columns}) SELECT {columns} FROM {SCHEMA}."{table}"')
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f'ALTER TABLE public."{table}" ENABLE TRIGGER USER')
