"""News for upper apps: a row in the same transaction, handlers afterwards, each exactly once per receipt."""

import datetime
from collections.abc import Callable
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import OutboxEvent, Receipt

Handler = Callable[[dict[str, Any]], None]
_handlers: dict[str, dict[str, Handler]] = {}
log = structlog.get_logger(__name__)
LONGEST_WAIT = datetime.timedelta(hours=1)


def subscribe(topic: str, consumer: str, handler: Handler) -> None:
    """Let a consumer hear a topic; called from `apps.ready()` of upper apps."""
    _handlers.setdefault(topic, {})[consumer] = handler


def publish(topic: str, **payload: Any) -> OutboxEvent:
    """Write an event in the running transaction. The payload holds keys and codes, never personal values."""
    return OutboxEvent.objects.create(topic=topic, payload=payload)


def deliver_due(limit: int = 200) -> int:
    """Deliver what is due, oldest first; workers share the work without waiting for each other."""
    delivered = 0
    while delivered < limit and _deliver_one():
        delivered += 1
    return delivered


def _deliver_one() -> bool:
    """Lock one due event, hand it to who lacks it, and note success or the next attempt; a transaction of its own."""
    with audit.context(actor=None, door=Door.TIMER, reason="deliver news"):
        # News that nobody asks for yet waits: who will ask for it one day hears all of it.
        due = OutboxEvent.objects.filter(done_at=None, due_at__lte=timezone.now(), topic__in=list(_handlers))
        event = due.order_by("due_at").select_for_update(skip_locked=True).first()
        if event is None:
            return False
        taken = set(event.receipts.values_list("consumer", flat=True))
        waiting = {k: h for k, h in _handlers.get(event.topic, {}).items() if k not in taken}
        failures = [error for name, handler in waiting.items() if (error := _hand_over(event, name, handler))]
        _note_outcome(event, failures)
    return True


def _hand_over(event: OutboxEvent, consumer: str, handler: Handler) -> str:
    """Run one handler in a savepoint of its own; returns the kind of its failure, or nothing."""
    try:
        with transaction.atomic():
            handler(event.payload)
            Receipt.objects.create(event=event, consumer=consumer)
    except Exception as error:
        log.exception("outbox_handler_failed", topic=event.topic, consumer=consumer, event_id=event.pk)
        return f"{consumer}: {type(error).__name__}"
    return ""


def _note_outcome(event: OutboxEvent, failures: list[str]) -> None:
    now = timezone.now()
    if failures:
        wait = min(datetime.timedelta(seconds=5 * 2 ** min(event.attempts, 12)), LONGEST_WAIT)
        changes: dict[str, Any] = {
            "attempts": event.attempts + 1, "due_at": now + wait, "last_error": "; ".join(failures)[:200]
        }  # fmt: skip
    else:
        changes = {"done_at": now, "last_error": ""}
    OutboxEvent.objects.filter(pk=event.pk).update(**changes)
