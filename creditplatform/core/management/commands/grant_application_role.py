"""Give the application role what it needs and no more: it owns no table and cannot rewrite history."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from psycopg2 import sql

# Tables in which rows are only ever added, besides the history tables.
APPEND_ONLY = (
    "core_accesslog", "core_accessseal", "core_receipt", "core_stepevent", "records_changeevent",
    "records_peerdelivery", "records_receivedblock",
)  # fmt: skip


def append_only_tables() -> list[str]:
    """History tables and ledgers: the application may add and read, nothing else."""
    history = [model._meta.db_table for model in apps.get_models() if hasattr(model, "pgh_tracked_model")]
    return sorted({*history, *APPEND_ONLY})


class Command(BaseCommand):
    """Run as the owner after each migration."""

    help = "Grant the application role its rights: read and write data, only add to history and ledgers."

    def add_arguments(self, parser: CommandParser) -> None:
        """The role by name."""
        parser.add_argument("role")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Take everything away first, so that what is given is exactly what stands here."""
        role = sql.Identifier(options["role"])
        with connection.cursor() as cursor:
            for statement in self._statements(role):
                cursor.execute(statement)
        self.stdout.write(f"{options['role']}: {len(append_only_tables())} tables may only be added to.")

    def _statements(self, role: sql.Identifier) -> list[sql.Composable]:
        names = sql.SQL(", ").join(map(sql.Identifier, append_only_tables()))
        texts = [
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
            "REVOKE ALL ON SCHEMA public FROM {role}",
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            "REVOKE UPDATE, DELETE ON {names} FROM {role}",
            "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
            "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role}",
        ]
        return [sql.SQL(text).format(role=role, names=names) for text in texts] + self._partitions(role)

    def _partitions(self, role: sql.Identifier) -> list[sql.Composable]:
        """Partitions are reached through their parent; on their own the application may only read them."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r'"
            )
            found = [row[0] for row in cursor.fetchall()]
        revoke = sql.SQL("REVOKE INSERT, UPDATE, DELETE ON {name} FROM {role}")
        return [revoke.format(name=sql.Identifier(name), role=role) for name in found]
