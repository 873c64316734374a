"""Probes for operators: alive, and ready to serve."""

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from creditplatform.core.models import Heartbeat
from creditplatform.core.permissions import anyone, rule, staff
from creditplatform.core.unstored import unstored

GRACE = 3
KEPT_SECONDS = 2.0


@dataclass(frozen=True)
class Readiness:
    """What was found at one moment; `stopped` is asked for only where database and broker are well."""

    database: bool
    broker: bool
    stopped: tuple[str, ...]
    found_at: float
    counted: dict[str, int] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Publication does not depend on a worker, so a page server without one still serves the truth."""
        return self.database and self.broker


_last: list[Readiness] = []
_watched: dict[str, Callable[[], int]] = {}


def watch(name: str, count: Callable[[], int]) -> None:
    """Let an app say how many of its things have fallen silent; told to staff alone. Called when the app is loaded."""
    _watched[name] = count


@rule(anyone)
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@rule(anyone)
def readyz(request: HttpRequest) -> JsonResponse:
    """200 once the database is migrated and the broker answers; stopped workers do not unready us.

    Everybody learns which of the three is not well, staff also the names of what has stopped and counts of what else is
    silent. The answer is up to KEPT_SECONDS old, so that asking often costs nothing.
    """
    found = readiness()
    body: dict[str, object] = {
        "status": "ready" if found.ready else "not ready",
        "database": found.database,
        "broker": found.broker,
        "worker": found.ready and not found.stopped,
    }
    if found.ready and staff(request):
        body["stopped"] = list(found.stopped)
        body.update(found.counted)
    return unstored(JsonResponse(body, status=200 if found.ready else 503))


def readiness() -> Readiness:
    """What was found within the last KEPT_SECONDS by this process, else what is found now."""
    for found in tuple(_last):
        if time.monotonic() - found.found_at < KEPT_SECONDS:
            return found
    database, broker = _database_migrated(), _broker_answers()
    stopped = tuple(stopped_timers()) if database and broker else ()
    counted = {name: count() for name, count in _watched.items()} if database and broker else {}
    found = Readiness(database, broker, stopped, time.monotonic(), counted)
    _last[:] = [found]
    return found


def forget() -> None:
    """Let the next question be answered anew."""
    _last.clear()


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
        cache.set("readyz", 1, 5)  # what is read back may have been cleared meanwhile, which is no failure
        return True
    except Exception:  # any failure of the broker means: not ready
        return False
