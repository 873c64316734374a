"""Numbers never appear late: whoever has read up to a number has read all below it, however many write at once."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.exchange.numbering import Change, changes_after, number_changes
from records.models import ChangeEvent, CreditRecord
from tests.deliveries import ingest, penalty

pytestmark = pytest.mark.usefixtures("policy")
WRITERS, ROUNDS = 4, 25


def in_thread(act: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def records(count: int) -> list[int]:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        ingest(*(penalty(number) for number in range(1, count + 1)))
    number_changes()
    return list(CreditRecord.objects.order_by("pk").values_list("pk", flat=True))


def mark(pk: int, disputed: bool) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        CreditRecord.objects.filter(pk=pk).update(disputed=disputed)


def test_what_commits_late_is_numbered_late() -> None:
    slow, quick = records(2)
    begun, go_on = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            mark(slow, disputed=True)
            begun.set()
            go_on.wait(20)

    writing = in_thread(write_slowly)
    assert begun.wait(20)
    mark(quick, disputed=True)
    number_changes()
    assert [(change.number, change.record_id) for change in changes_after(2, 10)] == [(3, quick)]
    go_on.set()
    writing.join(20)
    number_changes()
    assert [(change.number, change.record_id) for change in changes_after(3, 10)] == [(4, slow)]


def test_a_reader_misses_nothing_while_many_write_and_two_number() -> None:
    keys = records(WRITERS)
    seen: list[Change] = []
    done = threading.Event()

    def write(pk: int) -> None:
        for turn in range(ROUNDS):
            mark(pk, disputed=turn % 2 == 0)

    def number() -> None:
        while not done.is_set():
            number_changes()

    writers = [in_thread(lambda pk=pk: write(pk)) for pk in keys]  # type: ignore[misc]
    sequencers = [in_thread(number) for _ in range(2)]
    position = WRITERS
    while any(writer.is_alive() for writer in writers):
        found = changes_after(position, 7)
        seen += found
        position = found[-1].number if found else position
    done.set()
    for thread in [*writers, *sequencers]:
        thread.join(20)
    number_changes()
    seen += changes_after(position, 1000)
    assert [change.number for change in seen] == list(range(WRITERS + 1, WRITERS + WRITERS * ROUNDS + 1))
    for pk in keys:  # each record's own changes keep their order
        causes = [change.cause for change in seen if change.record_id == pk]
        assert causes == [("disputed", "undisputed")[turn % 2] for turn in range(ROUNDS)]
    assert ChangeEvent.objects.latest("last").last == seen[-1].number
