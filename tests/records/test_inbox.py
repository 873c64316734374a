"""Files of exchange machines: taken up when complete, archived under their batch, answered; nothing lost or twice."""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from records import tasks
from records.models import CreditRecord, FeedBatch
from records.services import inbox
from records.services.feeds import work_off
from tests.deliveries import FEED, as_csv, penalty

CONTENT = as_csv([penalty(1), penalty(2)])
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder(context: None, settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT, settings.FEED_INBOX = tmp_path / "media", str(tmp_path / "inbox")
    (tmp_path / "inbox" / FEED).mkdir(parents=True)
    return tmp_path / "inbox" / FEED


def lay(folder: Path, name: str = "list.csv", content: bytes = CONTENT, marker: str | None = "") -> Path:
    (folder / name).write_bytes(content)
    if marker is not None:
        (folder / f"{name}.ok").write_text(marker)
    return folder / name


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_file_without_its_marker_waits(folder: Path) -> None:
    lay(folder, marker=None)
    assert inbox.take_up() == []
    assert names(folder) == {"list.csv"}
    assert not FeedBatch.objects.exists()


@pytest.mark.parametrize(
    "marker", ["", hashlib.sha256(CONTENT).hexdigest(), hashlib.sha256(CONTENT).hexdigest().upper()]
)
def test_a_complete_file_is_worked_off_archived_and_answered(folder: Path, marker: str) -> None:
    lay(folder, marker=marker)
    (number,) = inbox.take_up()
    assert names(folder) == {f"archive/{number}-list.csv"}
    assert inbox.write_receipts() == 0
    work_off(FeedBatch.objects.get(pk=number))
    assert [inbox.write_receipts(), inbox.write_receipts()] == [1, 0]
    receipt = json.loads((folder / "archive" / f"{number}-list.csv.receipt.json").read_text())
    assert (receipt["batch"], receipt["received"], receipt["accepted"]) == (number, 2, 2)
    assert CreditRecord.objects.count() == 2
    assert FeedBatch.objects.get().door == "file"


def test_a_file_that_is_not_what_its_marker_says_stays_with_the_reason_until_it_is_laid_down_anew(folder: Path) -> None:
    lay(folder, marker="0" * 64)
    assert inbox.take_up() == []
    assert (folder / "list.csv.error").read_text().startswith("inbox_digest_differs: ")
    stamp = (folder / "list.csv.error").stat().st_mtime_ns
    assert inbox.take_up() == []
    assert (folder / "list.csv.error").stat().st_mtime_ns == stamp
    lay(folder)
    later = time.time() + 5
    os.utime(folder / "list.csv.ok", (later, later))
    assert len(inbox.take_up()) == 1
    assert not (folder / "list.csv.error").exists()


def test_a_marker_without_a_file_is_told(folder: Path) -> None:
    (folder / "gone.csv.ok").touch()
    assert inbox.take_up() == []
    assert (folder / "gone.csv.error").read_text().startswith("inbox_file_missing: ")


def test_a_link_to_another_file_is_not_followed(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(CONTENT)
    (folder / "list.csv").symlink_to(secret)
    (folder / "list.csv.ok").touch()
    (folder.parent / "hz-food-penalty").symlink_to(tmp_path)
    (tmp_path / "secret.csv.ok").touch()
    assert inbox.take_up() == []
    assert secret.exists()
    assert not FeedBatch.objects.exists()


def test_a_folder_of_no_feed_disturbs_nobody(folder: Path) -> None:
    stranger = folder.parent / "no-such-feed"
    stranger.mkdir()
    lay(stranger)
    lay(folder)
    assert len(inbox.take_up()) == 1
    assert names(stranger) == {"list.csv", "list.csv.ok"}


def test_a_crash_between_taking_up_and_archiving_takes_the_file_up_once_more_and_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(folder)

    def crash(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", crash)
        inbox.take_up()
    assert FeedBatch.objects.count() == 1
    (number,) = inbox.take_up()
    assert FeedBatch.objects.get().pk == number
    assert work_off(FeedBatch.objects.get()).accepted == 2


def test_two_files_of_one_content_are_one_batch_and_both_are_archived(folder: Path) -> None:
    lay(folder, "a.csv")
    lay(folder, "b.csv")
    one, two = inbox.take_up()
    assert one == two
    assert names(folder) == {f"archive/{one}-a.csv", f"archive/{one}-b.csv"}


def test_what_is_old_is_cleared_away(folder: Path) -> None:
    lay(folder)
    (number,) = inbox.take_up()
    archived = folder / "archive" / f"{number}-list.csv"
    assert inbox.sweep() == 0
    long_ago = time.time() - inbox.KEPT_SECONDS - 60
    os.utime(archived, (long_ago, long_ago))
    assert inbox.sweep() == 1
    assert not archived.exists()


def test_the_timer_does_all_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queued: list[int] = []
    monkeypatch.setattr(tasks.process_batch, "delay", queued.append)
    lay(folder)
    assert tasks.take_up_inbox.apply().get() == 1
    work_off(FeedBatch.objects.get(pk=queued[0]))
    assert tasks.take_up_inbox.apply().get() == 0
    assert f"archive/{queued[0]}-list.csv.receipt.json" in names(folder)


def test_without_an_inbox_nothing_happens(context: None, settings: Any) -> None:
    settings.FEED_INBOX = ""
    assert tasks.take_up_inbox.apply().get() == 0


def test_of_two_workers_one_takes_a_file_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(folder)
    usual = inbox.receive_file

    def other_was_quicker(**options: Any) -> FeedBatch:
        batch = usual(**options)
        (folder / "list.csv").unlink()
        (folder / "list.csv.ok").unlink()
        return batch

    monkeypatch.setattr(inbox, "receive_file", other_was_quicker)
    assert inbox.take_up() == []
    assert names(folder) == set()
