"""The context of a change: set once per transaction by the outermost layer, read by triggers.

Triggers on every audited table refuse a statement while no context is set, so a change without
a name and a reason cannot reach the data by any road, raw SQL and COPY included.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from django.db import connection, transaction

SETTING = "pghistory.context_metadata"
_state = threading.local()


class Actor(Protocol):
    """Whoever acts: a user with a primary key, or nobody signed in."""

    @property
    def pk(self) -> Any:
        """The key by which history names whoever acted."""


def current() -> dict[str, Any]:
    """The context in force in this thread, empty when there is none."""
    return dict(getattr(_state, "metadata", None) or {})


@contextmanager
def context(
    *, actor: Actor | None, door: str, reason: str, authority: str = "", agency_id: int | None = None
) -> Iterator[dict[str, Any]]:
    """Open a transaction in which audited tables may be written.

    `reason` and `authority` are words of the procedure, never personal values. Inside another
    context this one refines it: what is given here wins until it closes. The setting is taken
    back when the context closes, even where an outer transaction goes on.
    """
    outer = current()
    given = {
        "actor": getattr(actor, "pk", None),
        "door": door,
        "reason": reason,
        "authority": authority,
        "agency": agency_id,
    }
    metadata = {**outer, **{key: value for key, value in given.items() if value not in (None, "")}}
    if not metadata.get("reason", "").strip() or not metadata.get("door"):
        raise ValueError("A context names its door and its reason.")
    with transaction.atomic():
        _apply(metadata)
        try:
            yield metadata
        finally:
            _state.metadata = outer
        if not connection.needs_rollback:
            _apply(outer)


def _apply(metadata: dict[str, Any]) -> None:
    """Hand the metadata to the database for the rest of this transaction."""
    value = json.dumps(metadata, ensure_ascii=False) if metadata else ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, value])
    _state.metadata = metadata
