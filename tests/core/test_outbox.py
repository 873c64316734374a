"""News between apps: once per consumer, nobody waits for a failing neighbour, retries come later and later."""

import datetime
import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from creditplatform.core import audit, outbox
from creditplatform.core.models import Heartbeat, OutboxEvent, Receipt
from creditplatform.core.tasks import deliver_outbox
from records.models import KeyGroup


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No consumer but those of the test."""
    monkeypatch.setattr(outbox, "_handlers", {})


@pytest.fixture
def heard(db: None, handlers: None) -> dict[str, list[Any]]:
    """What two consumers of the topic `t` have heard."""
    box: dict[str, list[Any]] = {"a": [], "b": []}
    outbox.subscribe("t", "a", lambda payload: box["a"].append(payload["n"]))
    outbox.subscribe("t", "b", lambda payload: box["b"].append(payload["n"]))
    return box


def make_due(event: OutboxEvent) -> None:
    OutboxEvent.objects.filter(pk=event.pk).update(due_at=timezone.now())


def test_every_consumer_hears_an_event_once(heard: dict[str, list[Any]]) -> None:
    for n in range(3):
        outbox.publish("t", n=n)
    assert outbox.deliver_due() == 3
    assert outbox.deliver_due() == 0
    assert heard == {"a": [0, 1, 2], "b": [0, 1, 2]}
    assert Receipt.objects.count() == 6
    assert not OutboxEvent.objects.filter(done_at=None).exists()


def test_news_of_other_topics_waits_for_who_asks_for_it_later(heard: dict[str, list[Any]]) -> None:
    event = outbox.publish("other", n=1)
    assert outbox.deliver_due() == 0
    event.refresh_from_db()
    assert event.done_at is None and heard == {"a": [], "b": []}
    outbox.subscribe("other", "a", lambda payload: heard["a"].append(payload["n"]))
    assert outbox.deliver_due() == 1
    assert heard["a"] == [1]


def test_an_event_is_gone_with_the_transaction_that_made_it(heard: dict[str, list[Any]]) -> None:
    with transaction.atomic():
        outbox.publish("t", n=1)
        transaction.set_rollback(True)
    assert outbox.deliver_due() == 0


def test_a_failing_consumer_blocks_nobody_and_hears_it_later(heard: dict[str, list[Any]]) -> None:
    broken = {"now": True}

    def fragile(payload: dict[str, Any]) -> None:
        if broken["now"]:
            raise ZeroDivisionError("text that might hold a value")
        heard.setdefault("c", []).append(payload["n"])

    outbox.subscribe("t", "c", fragile)
    event = outbox.publish("t", n=1)
    outbox.deliver_due()
    event.refresh_from_db()
    assert (heard["a"], heard["b"], event.done_at, event.attempts) == ([1], [1], None, 1)
    assert event.last_error == "c: ZeroDivisionError"
    broken["now"] = False
    assert outbox.deliver_due() == 0, "before its time"
    make_due(event)
    assert outbox.deliver_due() == 1
    event.refresh_from_db()
    assert heard == {"a": [1], "b": [1], "c": [1]}
    assert event.done_at and event.last_error == ""


def test_a_failing_event_does_not_stop_the_ones_behind_it(heard: dict[str, list[Any]]) -> None:
    def fragile(payload: dict[str, Any]) -> None:
        if payload["n"] == 0:
            raise ZeroDivisionError

    outbox.subscribe("t", "c", fragile)
    for n in range(3):
        outbox.publish("t", n=n)
    outbox.deliver_due()
    assert heard["a"] == [0, 1, 2]
    assert OutboxEvent.objects.filter(done_at=None).count() == 1


def test_what_a_failing_consumer_had_written_is_taken_back(heard: dict[str, list[Any]]) -> None:
    def half(payload: dict[str, Any]) -> None:
        Heartbeat.objects.create(name="half")
        raise ZeroDivisionError

    outbox.subscribe("t", "c", half)
    outbox.publish("t", n=1)
    outbox.deliver_due()
    assert not Heartbeat.objects.filter(name="half").exists()
    assert not Receipt.objects.filter(consumer="c").exists()


def test_a_consumer_whose_statement_the_database_refuses_harms_nobody(heard: dict[str, list[Any]]) -> None:
    outbox.subscribe("t", "c", lambda payload: KeyGroup.objects.create(code="x"))
    outbox.publish("t", n=1)
    outbox.deliver_due()
    assert heard == {"a": [1], "b": [1]}


def test_a_consumer_that_came_later_hears_only_what_is_open(heard: dict[str, list[Any]]) -> None:
    outbox.publish("t", n=1)
    outbox.deliver_due()
    late: list[Any] = []
    outbox.subscribe("t", "late", lambda payload: late.append(payload["n"]))
    outbox.publish("t", n=2)
    outbox.deliver_due()
    assert late == [2]


def test_waiting_grows_and_has_an_end(heard: dict[str, list[Any]]) -> None:
    def broken(payload: dict[str, Any]) -> None:
        raise ZeroDivisionError

    outbox.subscribe("t", "c", broken)
    event, waits = outbox.publish("t", n=1), []
    for _ in range(14):
        make_due(event)
        outbox.deliver_due()
        event.refresh_from_db()
        waits.append(event.due_at - timezone.now())
    assert datetime.timedelta(0) < waits[0] <= datetime.timedelta(seconds=5)
    assert all(earlier <= later + datetime.timedelta(seconds=1) for earlier, later in itertools.pairwise(waits))
    assert waits[-1] <= outbox.LONGEST_WAIT
    assert event.attempts == 14


def test_the_limit_ends_a_run(heard: dict[str, list[Any]]) -> None:
    for n in range(5):
        outbox.publish("t", n=n)
    assert outbox.deliver_due(limit=2) == 2
    assert heard["a"] == [0, 1]


def test_the_database_refuses_a_second_receipt(db: None) -> None:
    event = OutboxEvent.objects.create(topic="t")
    Receipt.objects.create(event=event, consumer="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        Receipt.objects.create(event=event, consumer="a")


def test_consumers_run_under_a_context(heard: dict[str, list[Any]]) -> None:
    outbox.subscribe("t", "c", lambda payload: heard.setdefault("c", []).append(audit.current().get("door")))
    outbox.publish("t", n=1)
    deliver_outbox.run()
    assert heard["c"] == ["timer"]


# --- several workers at once -----------------------------------------------------------------------


@pytest.fixture
def real(transactional_db: None, handlers: None) -> Iterator[None]:
    yield


def test_workers_share_the_events_without_waiting_and_without_doubling(real: None) -> None:
    heard: list[int] = []
    outbox.subscribe("t", "a", lambda payload: heard.append(payload["n"]))
    OutboxEvent.objects.bulk_create([OutboxEvent(topic="t", payload={"n": n}) for n in range(40)])
    counts: list[int] = []

    def work() -> None:
        try:
            counts.append(outbox.deliver_due())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(counts) == 40
    assert sorted(heard) == list(range(40))
    assert Receipt.objects.count() == 40


def test_a_slow_consumer_does_not_hold_up_another_worker(real: None) -> None:
    began, release, heard = threading.Event(), threading.Event(), []

    def consume(payload: dict[str, Any]) -> None:
        if payload["n"] == 0:
            began.set()
            release.wait(20)
        heard.append(payload["n"])

    outbox.subscribe("t", "a", consume)
    for n in range(3):
        outbox.publish("t", n=n)

    def slow() -> None:
        try:
            outbox.deliver_due(limit=1)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert began.wait(10)
    assert outbox.deliver_due() == 2
    assert heard == [1, 2]
    release.set()
    thread.join(20)
    assert heard == [1, 2, 0]


def test_what_a_timed_run_has_delivered_stays_when_the_worker_dies_later_in_the_run(
    real: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event is a transaction of its own: a letter sent for the first is not sent again because the third died."""
    sent: list[int] = []

    def post(payload: dict[str, Any]) -> None:
        if payload["n"] == 2:
            raise KeyboardInterrupt  # the worker is told to leave in the middle of the run
        sent.append(payload["n"])

    outbox.subscribe("t", "post", post)
    for n in range(3):
        outbox.publish("t", n=n)
    with pytest.raises(KeyboardInterrupt):
        deliver_outbox.run()
    assert Receipt.objects.count() == 2
    monkeypatch.setattr(outbox, "_handlers", {})
    outbox.subscribe("t", "post", lambda payload: sent.append(payload["n"]))
    deliver_outbox.run()
    assert sent == [0, 1, 2]
