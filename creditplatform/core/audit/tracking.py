"""Triggers that guard tables: no write without context, history of what a change replaced, append-only."""

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

NEVER_IN_HISTORY = ("password",)

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
    pgtrigger.register(_needs_context())(model)
    secrets = [name for name in NEVER_IN_HISTORY if hasattr(model, name)]
    track: Any = pghistory.track(
        pghistory.UpdateEvent(row=pghistory.Old),
        pghistory.DeleteEvent(),
        level=pghistory.Statement,
        append_only=True,
        exclude=secrets,
    )
    tracked: Model = track(model)
    return tracked


def append_only(model: Model) -> Model:
    """Refuse to change, delete or truncate what was once written."""
    protect = pgtrigger.Trigger(
        name="append_only",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func=APPEND_ONLY,
    )
    registered: Model = pgtrigger.register(protect, _no_truncate())(model)
    return registered
