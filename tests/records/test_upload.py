"""The upload page: only one's own feeds, a receipt in sentences, a worker that does the work."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from creditplatform.core.enums import Door
from creditplatform.core.models import User
from records import tasks
from records.enums import BatchState
from records.models import CreditRecord, Feed, FeedBatch, QuarantinedRow
from records.services.feeds import folder, sweep_files
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import FEED, penalty, person_penalty
from tests.records.feedfiles import counts, csv_bytes, deliver, people_of_the_cast
from tests.records.scratch import ROOT, Copy, connected, copies, kill, run, wait_for

__all__ = ["copies"]
UPLOAD = "/desk/deliveries/new/"
OTHER_FEED = "gs-market-penalty"
WORKER = ("-m", "celery")


@pytest.fixture
def people(db: None, settings: Any, tmp_path: Path) -> Cast:
    """The cast; what the pages themselves write needs a context of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return people_of_the_cast(settings)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Batches handed to a worker that is not there."""
    found: list[int] = []
    monkeypatch.setattr(tasks.process_batch, "delay", found.append)
    return found


@pytest.fixture
def clerk(people: Cast, client: Client) -> Client:
    client.force_login(people.clerk)
    return client


def send(client: Client, content: bytes, *, feed: str = FEED, name: str = "penalties.csv", **more: str) -> Any:
    """Fill in and send the upload form."""
    key = Feed.objects.get(code=feed).pk
    return client.post(UPLOAD, {"feed": key, "file": SimpleUploadedFile(name, content), **more})


def batch_page(batch: FeedBatch) -> str:
    return reverse("desk:delivery", args=[batch.pk])


def test_only_ones_own_feeds_are_offered(clerk: Client) -> None:
    offered = {feed.agency.code for feed in clerk.get(UPLOAD).context["form"].fields["feed"].queryset}
    assert offered == {"hz-market"}


def test_a_feed_that_is_switched_off_is_not_offered(people: Cast, clerk: Client, context: None) -> None:
    Feed.objects.filter(code=FEED).update(active=False)
    assert FEED not in {feed.code for feed in clerk.get(UPLOAD).context["form"].fields["feed"].queryset}
    assert send(clerk, csv_bytes([penalty(1)])).status_code == 200
    assert not FeedBatch.objects.exists()


def test_a_file_for_another_units_feed_is_not_taken(clerk: Client, queued: list[int]) -> None:
    response = send(clerk, csv_bytes([penalty(1)]), feed=OTHER_FEED)
    assert response.status_code == 200
    assert "feed" in response.context["form"].errors
    assert (FeedBatch.objects.count(), queued) == (0, [])
    assert list(folder().iterdir()) == []


@pytest.mark.parametrize("who", ["centre", "auditor", "editor", "security", "operator", "person", "unbound"])
def test_who_sends_nothing_has_no_upload(who: str, people: Cast, client: Client) -> None:
    client.force_login(getattr(people, who))
    assert client.get(UPLOAD).status_code in {302, 403}
    assert send(client, csv_bytes([penalty(1)])).status_code in {302, 403}
    assert not FeedBatch.objects.exists()


def test_visitors_are_led_to_sign_in(db: None, client: Client) -> None:
    response = client.get(UPLOAD)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


def test_a_file_is_kept_queued_and_its_receipt_shown(
    people: Cast, clerk: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = send(clerk, csv_bytes([penalty(1)]))
    batch = FeedBatch.objects.get()
    assert (response.status_code, response["Location"]) == (302, batch_page(batch))
    assert queued == [batch.pk]
    assert (batch.state, batch.door, batch.submitted_by) == (BatchState.RECEIVED, Door.DESK, people.clerk)
    text = clerk.get(batch_page(batch)).content.decode()
    assert "state-received" in text
    assert "data-open" in text
    stored = folder() / batch.stored_as
    assert stored.stat().st_mode & 0o077 == 0
    assert batch.stored_as not in text


def test_nothing_is_queued_before_the_batch_is_safe(
    clerk: Client, queued: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=False):
        send(clerk, csv_bytes([penalty(1)]))
        assert queued == []


def test_the_same_file_twice_waits_once(clerk: Client, queued: list[int]) -> None:
    for _time in range(2):
        send(clerk, csv_bytes([penalty(1)]))
    assert FeedBatch.objects.count() == 1
    assert len(list(folder().iterdir())) == 1


def test_an_empty_file_is_said_at_once(clerk: Client, queued: list[int]) -> None:
    response = send(clerk, b"")
    assert "file" in response.context["form"].errors
    assert not FeedBatch.objects.exists()


def test_a_file_that_is_too_large_is_said_plainly_and_not_kept(clerk: Client, settings: Any, queued: list[int]) -> None:
    settings.FEED_FILE_MAX_BYTES = 50
    response = clerk.get(send(clerk, csv_bytes([penalty(1)]))["Location"])
    assert "larger" in response.content.decode() or "大" in response.content.decode()
    assert not FeedBatch.objects.exists()
    assert list(folder().iterdir()) == []


def test_the_receipt_has_sentences_and_no_cells(clerk: Client, queued: list[int]) -> None:
    secret = "不可外传"
    rows = [
        penalty(1), penalty(2, CF_JDRQ=secret), person_penalty(3, secret, PERSON_NUMBER[:-1] + "0"),
        penalty(4, CF_NR_FK=secret), penalty(5, CF_XDR_SHXYM=""),
    ]  # fmt: skip
    send(clerk, csv_bytes([{**row, "别的列": secret} for row in rows]))
    batch = FeedBatch.objects.get()
    assert tasks.process_batch.apply(args=[batch.pk]).get() == BatchState.PARTLY_QUARANTINED
    batch.refresh_from_db()
    assert counts(batch) == {"received": 5, "accepted": 1, "quarantined": 4}
    text = clerk.get(batch_page(batch)).content.decode()
    for row in QuarantinedRow.objects.all():
        assert f'/desk/set-aside/{row.pk}/">' in text
    for code in batch.problems:
        assert f'<span title="{code}">' in text
    assert "别的列" in text
    for value in (secret, PERSON_NUMBER[:-1], penalty(1)["CF_WSH"], penalty(4)["CF_XDR_SHXYM"]):
        assert value not in text


def test_a_refused_file_says_why_on_its_receipt(clerk: Client, queued: list[int]) -> None:
    send(clerk, b"%PDF-1.7 secret")
    batch = FeedBatch.objects.get()
    tasks.process_batch.apply(args=[batch.pk])
    batch.refresh_from_db()
    text = clerk.get(batch_page(batch)).content.decode()
    assert batch.error_message
    assert batch.error_message in text
    assert "secret" not in text


def test_names_of_files_and_columns_are_shown_as_text(clerk: Client, queued: list[int]) -> None:
    evil = "<script>alert(1)</script>"
    send(clerk, csv_bytes([{**penalty(1), evil: ""}]), name=f"{evil}.csv")
    batch = FeedBatch.objects.get()
    tasks.process_batch.apply(args=[batch.pk])
    assert evil not in clerk.get(batch_page(batch)).content.decode()
    assert "/" not in batch.file_name


def test_another_units_receipt_is_not_there(people: Cast, clerk: Client) -> None:
    batch = deliver(penalty(1, CF_JDRQ="昨天"))
    row = QuarantinedRow.objects.get()
    row_page = reverse("admin:records_quarantinedrow_change", args=[row.pk])
    assert clerk.get(batch_page(batch)).status_code == 200
    assert clerk.get(row_page).status_code == 200
    for who in ("other_clerk", "auditor", "editor", "operator"):
        clerk.force_login(getattr(people, who))
        assert clerk.get(batch_page(batch)).status_code in {403, 404}
        assert clerk.get(row_page).status_code in {302, 403, 404}
        assert str(batch.pk) not in listed(clerk)
    clerk.force_login(people.centre)
    assert clerk.get(batch_page(batch)).status_code == 200
    assert clerk.get(row_page).status_code in {302, 403, 404}


def listed(client: Client) -> set[str]:
    response = client.get(reverse("admin:records_feedbatch_changelist"))
    return {str(batch.pk) for batch in response.context["cl"].result_list} if response.status_code == 200 else set()


@pytest.mark.parametrize("key", ["abc", "0", "999999999", "9" * 25])
def test_a_receipt_that_does_not_exist_is_not_there(key: str, clerk: Client) -> None:
    assert clerk.get(f"/desk/deliveries/{key}/").status_code in {302, 404}


def test_the_receipt_costs_the_same_for_one_faulty_row_and_for_many(
    clerk: Client, django_assert_max_num_queries: Any
) -> None:
    for count in (1, 150):
        batch = deliver(*(penalty(n, CF_JDRQ="昨天", CF_NR=f"{count}") for n in range(count)))
        with django_assert_max_num_queries(16):
            assert clerk.get(batch_page(batch)).status_code == 200


# --- real processes ------------------------------------------------------------------------------


@pytest.fixture
def real(copies: Copy, django_db_blocker: Any, settings: Any) -> Any:
    """A database whose writes other processes see, with the clerk in it."""
    name = copies()
    with connected(name, django_db_blocker):
        yield name, people_of_the_cast(settings).clerk


def test_a_web_server_sends_tasks_to_our_broker() -> None:
    """The upload page runs where nobody has started Celery."""
    program = "import creditplatform.wsgi; from records.tasks import process_batch as t; print(t.app.conf.broker_url)"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip().splitlines()[-1] == os.environ["REDIS_URL"]


def test_a_broker_that_is_down_does_not_lose_the_file(
    real: tuple[str, User], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_batch: int) -> None:
        raise OperationalError("broker down")

    monkeypatch.setattr(tasks.process_batch, "delay", down)
    client.force_login(real[1])
    response = send(client, csv_bytes([penalty(1)]))
    batch = FeedBatch.objects.get()
    assert (response.status_code, response["Location"]) == (302, batch_page(batch))
    monkeypatch.undo()
    assert tasks.process_batch.apply(args=[batch.pk]).get() == BatchState.APPLIED


def test_a_real_worker_takes_the_file_in(real: tuple[str, User], client: Client) -> None:
    database, clerk = real
    client.force_login(clerk)
    worker = run(
        database, "-A", "creditplatform", "worker", "--concurrency", "1", "--queues", "feeds", "--without-gossip",
        "--without-mingle", "--loglevel", "WARNING", program=WORKER,  # the pool of processes that production has
    )  # fmt: skip
    try:
        rows = [*(penalty(number) for number in range(1, 50)), penalty(50, CF_JDRQ="昨天")]
        response = send(client, csv_bytes(rows))
        page = response["Location"]
        assert wait_for(lambda: "state-partly_quarantined" in client.get(page).content.decode(), 30, 0.25)
        assert worker.poll() is None
    finally:
        worker.send_signal(signal.SIGTERM)
        try:
            _out, log = worker.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            kill(worker)
            log = ""
    batch = FeedBatch.objects.get()
    assert counts(batch) == {"received": 50, "accepted": 49, "quarantined": 1}
    assert CreditRecord.objects.count() == 49
    assert "示例" not in log
    assert not (folder() / batch.stored_as).exists()


def test_copies_that_no_batch_waits_for_are_swept_after_a_day(db: None) -> None:
    left, young = folder() / "left-behind", folder() / "just-arrived"
    for path in (left, young):
        path.write_bytes(b"x")
    two_days_ago = time.time() - 48 * 3600
    os.utime(left, (two_days_ago, two_days_ago))
    assert sweep_files() >= 1
    assert not left.exists() and young.exists()
    young.unlink()
