"""Probes for operators: alive, and ready to serve."""

import datetime

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from creditplatform.core.models import Heartbeat
from creditplatform.core.permissions import anyone, rule

GRACE = 3


@rule(anyone)
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@rule(anyone)
def readyz(request: HttpRequest) -> JsonResponse:
    """200 once the database is migrated and the broker answers; stopped workers are named, and do not unready us.

    Publication does not depend on a worker, so a page server without one still serves the truth.
    """
    checks = {"database": _database_migrated(), "broker": _broker_answers()}
    ready = all(checks.values())
    body = {"status": "ready" if ready else "not ready", **checks, "stopped": stopped_timers() if ready else []}
    return JsonResponse(body, status=200 if ready else 503)


def stopped_timers() -> list[str]:
    """Names of workers and timers that have been silent for too long."""
    now = timezone.now()
    return [
        heart.name
        for heart in Heartbeat.objects.order_by("name")
        if now - heart.at > datetime.timedelta(seconds=heart.expected_seconds * GRACE)
    ]


def _database_migrated() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Exception:  # any failure of the database means: not ready
        return False


def _broker_answers() -> bool:
    try:
        cache.set("readyz", 1, 5)
        return bool(cache.get("readyz") == 1)
    except Exception:  # any failure of the broker means: not ready
        return False
