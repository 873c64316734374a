"""Timed work of the core, each run under a context and with a sign of life."""

from collections.abc import Callable
from typing import Any

from celery import shared_task
from django.db import connection
from django.utils import timezone

from creditplatform.core import outbox
from creditplatform.core.audit import seal
from creditplatform.core.models import Heartbeat


def beat(name: str, expected_seconds: int) -> None:
    """Leave a sign of life that the banner and `/readyz` look for."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now(), "expected_seconds": expected_seconds})


def timed(name: str, *, expected_seconds: int) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Make a function a timed task: sign of life after each success."""

    def wrap(function: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            result = function()
            beat(name, expected_seconds)
            return result

        run.__name__, run.__doc__, run.__module__ = function.__name__, function.__doc__, function.__module__
        task: Callable[[], Any] = shared_task(run)
        return task

    return wrap


@timed("access-log-sealer", expected_seconds=60)
def seal_access_log() -> int:
    """Chain new rows of the access log."""
    return seal.seal_access_log()


@timed("outbox", expected_seconds=60)
def deliver_outbox() -> int:
    """Hand news to the apps that asked for it."""
    return outbox.deliver_due()


@timed("worker", expected_seconds=60)
def beat_heart() -> None:
    """Show that timer, broker and worker all live."""


@timed("log-partitions", expected_seconds=8 * 3600)
def prepare_log_partitions() -> None:
    """Make the monthly partitions of the coming months."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT credit_prepare_partitions(3)")
