"""A delivery cancelled by its unit: what was applied stays and counts, the rest never comes, nothing comes twice."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from creditplatform.core.errors import Conflict, NotPermitted
from records.enums import BatchState
from records.feeds import pipeline
from records.models import CreditRecord, FeedBatch, QuarantinedRow
from records.services.feeds import cancel_batch, folder, work_off
from records.tasks import process_batch
from tests.cast import Cast
from tests.deliveries import FEED, delivered, penalty
from tests.records.feedfiles import counts, credit_code, csv_bytes, people_of_the_cast, take_in
from tests.records.scratch import Copy, ask, connected, copies, kill, run, wait_for

__all__ = ["copies"]
ROWS = 40_000


def test_a_waiting_delivery_is_cancelled_and_its_file_goes(cast: Cast, django_capture_on_commit_callbacks: Any) -> None:
    batch = delivered([penalty(1)])
    with django_capture_on_commit_callbacks(execute=True):
        cancelled = cancel_batch(batch=batch, user=cast.clerk)
    assert (cancelled.state, cancelled.finished_at is not None) == (BatchState.CANCELLED, True)
    assert not (folder() / batch.stored_as).exists()
    assert process_batch.apply(args=[batch.pk]).get() == BatchState.CANCELLED
    assert not CreditRecord.objects.exists()
    assert take_in(csv_bytes([penalty(1)])).accepted == 1


def test_strangers_do_not_cancel_and_what_has_ended_stays_ended(cast: Cast) -> None:
    batch = delivered([penalty(1)])
    for who in (cast.other_clerk, cast.centre, cast.auditor):
        with pytest.raises(NotPermitted):
            cancel_batch(batch=batch, user=who)
    work_off(batch)
    with pytest.raises(Conflict):
        cancel_batch(batch=batch, user=cast.clerk)
    assert FeedBatch.objects.get().state == BatchState.APPLIED


@pytest.mark.parametrize("moment", ["before the first chunk", "between two chunks", "after the last one"])
def test_whenever_it_comes_the_counts_add_up(cast: Cast, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step is taken inside the work itself, at its narrowest places."""
    rows = [penalty(number) for number in range(1, 10)]
    batch, calls = delivered(rows), []
    name = "_finish" if moment == "after the last one" else "_apply"
    real, at = getattr(pipeline, name), {"before the first chunk": 0, "between two chunks": 1}.get(moment, 0)

    def cancelling(*arguments: Any) -> Any:
        if len(calls) == at:
            cancel_batch(batch=batch, user=cast.clerk)
        calls.append(1)
        return real(*arguments)

    monkeypatch.setattr(pipeline, name, cancelling)
    done = pipeline.process(batch, folder() / batch.stored_as, chunk_size=3)
    applied = {"before the first chunk": 0, "between two chunks": 3}.get(moment, 9)
    assert (done.state, done.received, done.accepted) == (BatchState.CANCELLED, applied, applied)
    assert CreditRecord.objects.count() == applied
    monkeypatch.undo()
    again = take_in(csv_bytes(rows))
    assert (again.unchanged, again.accepted) == (applied, 9 - applied)
    assert CreditRecord.objects.count() == 9


def test_the_receipt_offers_it_while_the_delivery_is_open(
    db: None, settings: Any, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    people = people_of_the_cast(settings)
    client.force_login(people.clerk)
    client.cookies["django_language"] = "en"
    batch = open_delivery()
    page, button = reverse("desk:delivery", args=[batch.pk]), reverse("desk:delivery-cancel", args=[batch.pk])
    assert button in client.get(page).content.decode()
    for who in ("other_clerk", "centre", "auditor"):
        stranger = Client()
        stranger.force_login(getattr(people, who))
        assert stranger.post(button).status_code in (403, 404)
    assert client.get(button).status_code == 405
    with django_capture_on_commit_callbacks(execute=True):
        text = client.post(button, follow=True).content.decode()
    assert "state-cancelled" in text and "What was applied before stays" in text and button not in text
    assert not (folder() / batch.stored_as).exists()
    assert "no longer possible" in client.post(button, follow=True).content.decode()


def open_delivery() -> FeedBatch:
    with pipeline.audit.context(actor=None, door="command", reason="test"):
        return delivered([penalty(1)])


# --- real processes ------------------------------------------------------------------------------


def test_a_worker_of_another_process_stops_at_its_next_chunk(
    copies: Copy, django_db_blocker: Any, settings: Any, client: Client, tmp_path: Any
) -> None:
    database, common = copies(), penalty(1)
    codes = [credit_code(number) for number in range(ROWS // 4 + 1)]
    rows = [{**common, "CF_XDR_SHXYM": codes[n // 4], "CF_WSH": f"号{n}"} for n in range(ROWS)]
    file = tmp_path / "large.csv"
    file.write_bytes(csv_bytes(rows))
    with connected(database, django_db_blocker):
        clerk = people_of_the_cast(settings).clerk
        client.force_login(clerk)
        worker = run(database, "ingest_feed", FEED, str(file), "--json")
        try:
            assert wait_for(
                lambda: ask(database, "SELECT 1 FROM records_feedbatch WHERE state = 'checking' AND received > 0")
            ), worker.communicate(timeout=5)
            number = FeedBatch.objects.get().pk
            client.post(reverse("desk:delivery-cancel", args=[number]))
            worker.communicate(timeout=60)
            assert worker.returncode == 0
        finally:
            kill(worker)
        batch = FeedBatch.objects.get()
        assert batch.state == BatchState.CANCELLED and 0 < batch.received < ROWS
        assert sum(count for name, count in counts(batch).items() if name != "received") == batch.received
        assert CreditRecord.objects.count() + QuarantinedRow.objects.count() == batch.received
        assert not (folder() / batch.stored_as).exists()
        again = take_in(file.read_bytes())
        assert counts(again) == {
            "received": ROWS, "unchanged": batch.accepted, "accepted": ROWS - batch.accepted,
        }  # fmt: skip
        assert CreditRecord.objects.count() == ROWS
