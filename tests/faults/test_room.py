"""No room left: for delivered files, for uploads on their way, for the database. Told clearly, and mended by itself."""

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from creditplatform.core.enums import Door
from creditplatform.core.errors import NoRoom
from records.models import CreditRecord, Feed, FeedBatch
from records.services import inbox
from records.services.feeds import folder, receive_file, work_off
from tests.cast import Cast
from tests.deliveries import FEED
from tests.faults.conftest import grow, small_disk
from tests.faults.loads import Load
from tests.faults.stage import Stage, said
from tests.records.feedfiles import people_of_the_cast

pytestmark = pytest.mark.django_db
LOAD = Load("满", 300)
LARGE_FILE = 64 << 10


@pytest.fixture
def disk(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """Delivered files wait on a disk smaller than the file."""
    with small_disk(tmp_path / "media", "64k") as place:
        settings.MEDIA_ROOT = place
        yield place


def receive() -> FeedBatch:
    feed = Feed.objects.select_related("agency", "entry").get(code=FEED)
    return receive_file(feed=feed, blocks=[LOAD.content], file_name="x.csv", door=Door.COMMAND)


def test_a_file_that_finds_no_room_is_told_and_leaves_nothing(context: None, disk: Path) -> None:
    with pytest.raises(NoRoom) as told:
        receive()
    assert "room" in told.value.message or "空间" in told.value.message
    assert (list(folder().iterdir()), FeedBatch.objects.count()) == ([], 0)
    grow(disk, "10m")
    batch = work_off(receive())
    assert (batch.received, batch.accepted) == (300, LOAD.counts["accepted"])


def test_a_laid_file_waits_for_room_without_a_word_of_blame(context: None, disk: Path, settings: Any) -> None:
    settings.FEED_INBOX = str(disk.parent / "inbox")
    place = disk.parent / "inbox" / FEED
    place.mkdir(parents=True)
    (place / "list.csv").write_bytes(LOAD.content)
    (place / "list.csv.ok").touch()
    assert inbox.take_up() == []
    assert {path.name for path in place.iterdir()} == {"list.csv", "list.csv.ok"}
    grow(disk, "10m")
    (number,) = inbox.take_up()
    assert work_off(FeedBatch.objects.get(pk=number)).accepted == LOAD.counts["accepted"]


@pytest.fixture
def clerk(db: None, client: Client, settings: Any) -> Client:
    people: Cast = people_of_the_cast(settings)
    client.force_login(people.clerk)
    return client


def upload(client: Client) -> Any:
    file = SimpleUploadedFile("list.csv", LOAD.content)
    return client.post("/admin/records/feedbatch/upload/", {"feed": Feed.objects.get(code=FEED).pk, "file": file})


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "没有空间"), ("en", "no room left")])
def test_the_upload_page_says_that_there_is_no_room(clerk: Client, disk: Path, language: str, words: str) -> None:
    clerk.cookies["django_language"] = language
    page = clerk.get(upload(clerk)["Location"]).content.decode()
    assert words in page
    assert not FeedBatch.objects.exists()


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "没有空间"), ("en", "no room left")])
def test_an_upload_for_which_there_is_not_even_room_on_its_way_is_told_too(
    clerk: Client, settings: Any, tmp_path: Path, language: str, words: str
) -> None:
    clerk.cookies["django_language"] = language
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    with small_disk(tmp_path / "passing", "64k") as place:
        settings.FILE_UPLOAD_TEMP_DIR = str(place)
        answer = upload(clerk)
    assert answer.status_code == 507
    assert words in answer.content.decode()
    assert not FeedBatch.objects.exists()


def test_a_command_that_may_write_no_large_file_says_so_and_goes_on_when_it_may(stage: Stage, tmp_path: Path) -> None:
    """The same as a full disk, by a limit that every account may set itself."""
    load = Load("额", 300)
    file = tmp_path / f"{load.name}.csv"
    file.write_bytes(load.content)
    words = ("manage.py", "ingest_feed", FEED, str(file), "--json")

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGE_FILE, LARGE_FILE))

    command = stage.run(*words, preexec_fn=little)
    assert said(command)["error"] == "no_room"
    assert command.returncode == 1
    assert stage.batches(load) == []
    assert list((stage.place / "files" / "feeds").iterdir()) == []
    answer = said(stage.run(*words))
    stage.check(load, answer["batch"])


def test_a_database_without_room_keeps_the_batch_open_and_goes_on_when_there_is_some(stage: Stage) -> None:
    load, server = Load("涨", 3_000), stage.services.postgres
    with small_disk(stage.place.parent / "tiny-disk", "3m") as disk:
        inside = disk / "space"
        inside.mkdir()
        subprocess.run(["chown", f"{server.account.uid}:{server.account.gid}", str(inside)], check=True)
        move = "ALTER TABLE records_creditrecord SET TABLESPACE {}"
        server.run_sql(f"CREATE TABLESPACE tiny LOCATION '{inside}'")
        server.run_sql("VACUUM FULL records_creditrecord", "credit")
        try:
            stage.ask_to("DELETE")
            server.run_sql(move.format("tiny"), "credit")
            batch = stage.deliver(load)
        finally:
            server.run_sql(move.format("pg_default"), "credit")
            server.run_sql("DROP TABLESPACE tiny")
    stage.ended(batch)
    assert CreditRecord
