"""Triggers that guard tables: no write without context, history of what a change replaced, append-only."""

from collections.abc import Callable
from typing import Any, TypeVar

import pghistory
import pgtrigger
from django.db import models

Model = TypeVar("Model", bound=type[models.Model])

NEEDS_CONTEXT = """
IF coalesce(current_setting('pghistory.context_metadata', true), '') = '' THEN
    RAISE EXCEPTION 'write to % without who and why', TG_TABLE_NAME
        USING ERRCODE = 'CR001', HINT = 'Open creditplatform.core.audit.context first.';
END IF;
RETURN NULL;
"""

NO_TRUNCATE = """
IF current_setting('credit.allow_truncate', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'CR002';
END IF;
RETURN NULL;
"""

KEY_CHANGED = "RAISE EXCEPTION 'the key of a row in % never changes', TG_TABLE_NAME USING ERRCODE = 'CR007';"
NEVER_IN_HISTORY = ("password", "client_secret")

APPEND_ONLY = """
RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'CR002';
"""


def _needs_context() -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="needs_context",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=NEEDS_CONTEXT,
    )


def _key_stays(model: type[models.Model]) -> pgtrigger.Trigger:
    """History joins old and new rows by their key, so a key never changes."""
    pk = model._meta.pk.column
    return pgtrigger.Trigger(
        name="key_stays",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf(pk),  # type: ignore[no-untyped-call]
        func=f'IF NEW."{pk}" IS DISTINCT FROM OLD."{pk}" THEN {KEY_CHANGED} END IF; RETURN NEW;',
    )


def _only_added() -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="append_only",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func=APPEND_ONLY,
    )


def _no_truncate() -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="no_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func=NO_TRUNCATE,
    )


def guarded(model: Model) -> Model:
    """Refuse writes without context, where the row itself is the account of what happened (counts, progress)."""
    registered: Model = pgtrigger.register(_needs_context())(model)
    return registered


def audited(model: Model) -> Model:
    """Refuse writes without context and keep every row that a change or deletion replaced.

    Inserts leave no history row: who brought a row in stands in the row or its batch.
    """
    return _tracked(model, [name for name in NEVER_IN_HISTORY if hasattr(model, name)])


def audited_without(*fields: str) -> Callable[[Model], Model]:
    """As `audited`, but these columns never go into the history: what is removed from them is gone."""

    def decorate(model: Model) -> Model:
        columns = [field.column for field in model._meta.concrete_fields if field.name not in fields]
        old, new = (", ".join(f'{row}."{column}"' for column in columns) for row in ("OLD", "NEW"))
        # In words of SQL, since sealed columns and blind indexes know no comparison of the library's.
        return _tracked(model, list(fields), pgtrigger.Condition(f"({old}) IS DISTINCT FROM ({new})"))

    return decorate


def _tracked(model: Model, left_out: list[str], changed: pgtrigger.Condition | None = None) -> Model:
    pgtrigger.register(_needs_context(), _key_stays(model))(model)
    track: Any = pghistory.track(
        pghistory.UpdateEvent(row=pghistory.Old, condition=changed or pgtrigger.AnyChange()),
        pghistory.DeleteEvent(),
        level=pghistory.Statement,
        append_only=False,  # ours below refuse TRUNCATE too
        attrs={"pgh_id": models.BigAutoField(primary_key=True)},
        meta={"triggers": [_only_added(), _no_truncate()]},
        exclude=left_out,
    )
    tracked: Model = track(model)
    return tracked


def append_only(model: Model) -> Model:
    """Refuse to change, delete or truncate what was once written."""
    registered: Model = pgtrigger.register(_only_added(), _no_truncate())(model)
    return registered
