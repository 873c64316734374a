"""No room left: for delivered files, for uploads on their way, for the database. Told clearly, and mended by itself."""

import gc
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from creditplatform.core.enums import Door
from creditplatform.core.errors import NoRoom
from records.feeds.pipeline import MOST_ATTEMPTS
from records.models import Feed, FeedBatch
from records.services import inbox
from records.services.feeds import folder, receive_file, work_off
from tests.cast import Cast
from tests.deliveries import FEED
from tests.faults.conftest import grow, small_disk
from tests.faults.loads import Load
from tests.faults.stage import PATIENCE, Stage, said
from tests.records.feedfiles import people_of_the_cast
from tests.records.scratch import wait_for

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
    return client.post("/desk/deliveries/new/", {"feed": Feed.objects.get(code=FEED).pk, "file": file})


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
        status, page = answer.status_code, answer.content.decode()
        grow(place, "10m")
        del answer
        gc.collect()  # the half of the file goes before its disk does
    assert status == 507
    assert words in page
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


@pytest.fixture
def narrow(stage: Stage) -> Iterator[Path]:
    """The records of the stage lie on a disk with hardly more room than they take up."""
    server = stage.services.postgres
    (used,) = stage.ask("SELECT pg_table_size('records_creditrecord') / 1024")
    with small_disk(server.data.parent / "narrow", f"{used[0] + 1500}k") as disk:
        place = disk / "space"
        place.mkdir()
        os.chown(place, server.account.uid, server.account.gid)
        server.run_sql(f"CREATE TABLESPACE narrow LOCATION '{place}'")
        server.run_sql("ALTER TABLE records_creditrecord SET TABLESPACE narrow", "credit")
        try:
            yield disk
        finally:
            server.run_sql("ALTER TABLE records_creditrecord SET TABLESPACE pg_default", "credit")
            server.run_sql("DROP TABLESPACE narrow")


def test_a_database_without_room_leaves_the_batch_open_and_goes_on_when_there_is_some(
    stage: Stage, narrow: Path
) -> None:
    load = Load("涨", 3_000)
    batch = stage.deliver(load)
    stalled = (
        "SELECT received FROM records_feedbatch WHERE id = %s AND attempts > 0 AND received > 0 AND due_at > now()"
    )
    assert wait_for(lambda: stage.ask(stalled, batch), PATIENCE, 0.05), stage.log()
    seen = stage.progress(batch)
    assert 0 < seen < load.rows
    stage.change("UPDATE records_feedbatch SET attempts = %s WHERE id = %s", MOST_ATTEMPTS - 1, batch)
    stage.later()
    assert wait_for(lambda: stage.ask(stalled, batch), PATIENCE, 0.05), stage.log()
    assert stage.open() == [batch]  # a full disk is not the fault of the file, however often it is met
    grow(narrow, "100m")
    stage.ended(batch)
    stage.check(load, batch)
    assert "示例" not in (stage.place / "worker.log").read_text()
