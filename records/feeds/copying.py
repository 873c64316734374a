"""COPY into a table, with the errors the framework gives to everything else."""

import io
from typing import Any

from django.db import IntegrityError, connection, transaction
from psycopg2.errors import UniqueViolation

BLOCK = 1 << 20


def copied(cursor: Any, target: str, lines: bytes) -> bool:
    """COPY, unless another batch was first with one of the keys; says whether."""
    try:
        with transaction.atomic():
            copy(cursor, target, lines)
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            return False
        raise
    return True


def copy(cursor: Any, target: str, lines: bytes) -> None:
    """Send lines in the text form of COPY to a table."""
    with connection.wrap_database_errors:  # the framework's cursor does so for everything but COPY
        cursor.copy_expert(f"COPY {target} FROM STDIN", io.BytesIO(lines), BLOCK)
