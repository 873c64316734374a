"""Sealing anew, with the current data key, of everything sealed with an older one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from creditplatform.core import audit, vault
from creditplatform.core.enums import Door
from creditplatform.core.sealed import SealedTextField

AUTHORITY = "PIPL Art. 51 (3)"

_Row = tuple[Any, list[bytes | None]]


@dataclass(frozen=True)
class SealedTable:
    """One table and its columns that hold sealed values."""

    model: type[models.Model]
    fields: tuple[SealedTextField, ...]

    @property
    def table(self) -> str:
        """The table as it stands in SQL."""
        return connection.ops.quote_name(self.model._meta.db_table)

    @property
    def key(self) -> str:
        """The primary key as it stands in SQL."""
        return connection.ops.quote_name(str(self.model._meta.pk.column))

    @property
    def columns(self) -> list[str]:
        """The sealed columns as they stand in SQL."""
        return [connection.ops.quote_name(str(field.column)) for field in self.fields]

    def __str__(self) -> str:
        return self.model._meta.label


def sealed_tables() -> list[SealedTable]:
    """Every table with sealed values that may be written; history is append-only and keeps its older keys."""
    found = [
        SealedTable(model, tuple(f for f in model._meta.local_concrete_fields if isinstance(f, SealedTextField)))
        for model in apps.get_models()
        if not model._meta.proxy and model._meta.managed and not hasattr(model, "pgh_tracked_model")
    ]
    return [table for table in found if table.fields]


def reencrypt(table: SealedTable, batch_size: int) -> Iterator[int]:
    """Seal the table's older values anew, batch by batch; yields the number of rows of each finished batch.

    Every batch is one transaction. Interrupted, it may be started again and goes on with what is left. Rows
    are walked in the order of the primary key, again from the start until none is left, because another
    process may still have written with the older key. Raises VaultError for a value whose key is lost.
    """
    changed_in_walk = True
    while changed_in_walk:
        changed_in_walk, last = False, None
        while True:
            with audit.context(actor=None, door=Door.COMMAND, reason="key rotation", authority=AUTHORITY):
                rows = _next_rows(table, last, batch_size)
                _write(table, rows)
            if not rows:
                break
            changed_in_walk, last = True, rows[-1][0]
            yield len(rows)


def _next_rows(table: SealedTable, last: Any, batch_size: int) -> list[_Row]:
    older = " OR ".join(f"get_byte({column}, 1) <> %s" for column in table.columns)
    after = f"AND {table.key} > %s" if last is not None else ""
    # Only quoted names of tables and columns are put in; every value is a parameter.
    query = (
        f"SELECT {table.key}, {', '.join(table.columns)} FROM {table.table} "  # noqa: S608
        f"WHERE ({older}) {after} ORDER BY {table.key} LIMIT %s FOR NO KEY UPDATE"
    )
    current = [vault.ring().current] * len(table.columns)
    with connection.cursor() as cursor:
        cursor.execute(query, [*current, *([last] if last is not None else []), batch_size])
        found = cursor.fetchall()
    return [(pk, [None if blob is None else bytes(blob) for blob in blobs]) for pk, *blobs in found]


def _write(table: SealedTable, rows: Sequence[_Row]) -> None:
    if not rows:
        return
    fresh = [
        _sealed_anew([blobs[position] for _pk, blobs in rows], field.sealed_as)
        for position, field in enumerate(table.fields)
    ]
    names = [f"fresh_{position}" for position in range(len(fresh))]
    setting = ", ".join(f"{column} = fresh.{name}" for column, name in zip(table.columns, names, strict=True))
    arrays = ", ".join("%s::bytea[]" for _name in names)
    query = (
        f"UPDATE {table.table} AS t SET {setting} "  # noqa: S608
        f"FROM unnest(%s::{table.model._meta.pk.rel_db_type(connection)}[], {arrays}) "
        f"AS fresh(key, {', '.join(names)}) WHERE t.{table.key} = fresh.key"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [[pk for pk, _blobs in rows], *fresh])


def _sealed_anew(blobs: Sequence[bytes | None], name: str) -> list[memoryview | None]:
    present = [blob for blob in blobs if blob is not None]
    fresh = iter(vault.seal_many(vault.unseal_many(present, name), name))
    return [None if blob is None else memoryview(next(fresh)) for blob in blobs]
