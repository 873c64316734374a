"""Messages to persons: once, delivered with proof, read only after delivery."""

import datetime
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from creditplatform.core import notices
from creditplatform.core.models import Notice
from creditplatform.core.vault import blind_index
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401

ADDRESSEE = blind_index("one", "test")
OTHER = blind_index("other", "test")


def write(about: str = "record 1", **values: Any) -> Notice:
    words = {"addressee": ADDRESSEE, "code": "record_new", "text": "有一条新记录", "text_en": "A new record", **values}
    return notices.write_notice(about=about, **words)


def test_a_notice_is_written_once_per_person_kind_and_thing(db: None) -> None:
    first = write()
    assert write(text="other words").pk == first.pk
    assert Notice.objects.get().text == "有一条新记录"
    write(code="record_end")
    write(about="record 2")
    write(addressee=OTHER)
    assert Notice.objects.count() == 4


def test_the_database_refuses_a_second_one(db: None) -> None:
    write()
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.bulk_create([Notice(addressee=ADDRESSEE, code="record_new", subject_key="record 1", text="x")])


def test_the_words_are_sealed(db: None) -> None:
    write()
    with connection.cursor() as cursor:
        cursor.execute("SELECT text, text_en FROM core_notice")
        raw = b"".join(bytes(value) for value in cursor.fetchone())
    assert "有一条新记录".encode() not in raw
    assert b"A new record" not in raw


def test_showing_is_delivery_with_proof(cast: Cast) -> None:
    write()
    (shown,) = notices.show_notices(addressee=ADDRESSEE, user=cast.person).letters
    assert shown.delivered_at and shown.user == cast.person
    assert str(cast.person.pk) in shown.delivery_proof
    before = shown.delivered_at
    (again,) = notices.show_notices(addressee=ADDRESSEE, user=cast.person).letters
    assert again.delivered_at == before


def test_nobody_is_shown_the_letters_of_another(cast: Cast) -> None:
    write(addressee=OTHER)
    assert notices.show_notices(addressee=ADDRESSEE, user=cast.person) == ([], False)
    assert Notice.objects.get().delivered_at is None


def test_what_is_on_another_page_is_not_delivered_and_every_page_is_reached(cast: Cast) -> None:
    written = [write(about=f"record {number}").pk for number in range(2 * notices.PAGE + 1)]
    seen, before = list[int](), None
    for count, more in ((notices.PAGE, True), (notices.PAGE, True), (1, False)):
        page = notices.show_notices(addressee=ADDRESSEE, user=cast.person, before=before)
        seen += [letter.pk for letter in page.letters]
        assert (len(page.letters), page.more) == (count, more)
        assert set(Notice.objects.exclude(delivered_at=None).values_list("pk", flat=True)) == set(seen)
        before = (page.letters[-1].created_at, page.letters[-1].pk)
    assert seen == written[::-1]


def test_those_not_read_are_reached_past_any_number_of_read_ones(cast: Cast) -> None:
    old = write(about="old")
    Notice.objects.filter(pk=old.pk).update(created_at=timezone.now() - datetime.timedelta(days=90))
    for number in range(notices.PAGE + 1):
        write(about=f"record {number}")
    Notice.objects.exclude(pk=old.pk).update(delivered_at=timezone.now(), delivery_proof="p", read_at=timezone.now())
    page = notices.show_notices(addressee=ADDRESSEE, user=cast.person, unread=True)
    assert [letter.pk for letter in page.letters] == [old.pk] and page.letters[0].delivered_at and not page.more


def test_a_letter_delivered_otherwise_keeps_its_proof(cast: Cast) -> None:
    posted = write()
    Notice.objects.filter(pk=posted.pk).update(delivered_at=timezone.now(), delivery_proof="post 7", channel="post")
    notices.show_notices(addressee=ADDRESSEE, user=cast.person)
    posted.refresh_from_db()
    assert (posted.delivery_proof, posted.channel) == ("post 7", "post")


def test_reading_comes_after_delivery(cast: Cast) -> None:
    letter = write()
    assert notices.mark_read(addressee=ADDRESSEE, notice_id=letter.pk) is False
    notices.show_notices(addressee=ADDRESSEE, user=cast.person)
    assert notices.mark_read(addressee=OTHER, notice_id=letter.pk) is False
    assert notices.mark_read(addressee=ADDRESSEE, notice_id=letter.pk) is True
    assert notices.mark_read(addressee=ADDRESSEE, notice_id=letter.pk) is False
    letter.refresh_from_db()
    assert letter.read_at and letter.delivered_at and letter.read_at >= letter.delivered_at


@pytest.mark.parametrize(
    "wrong",
    [
        {"read_at": timezone.now()},
        {"delivered_at": timezone.now()},
        {"read_at": timezone.now(), "delivery_proof": "p"},
    ],
)
def test_the_database_refuses_reading_before_delivery_and_delivery_without_proof(
    db: None, wrong: dict[str, Any]
) -> None:
    letter = write()
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.filter(pk=letter.pk).update(**wrong)


@pytest.fixture
def real(transactional_db: None) -> Iterator[None]:
    yield


def test_workers_that_write_the_same_notice_at_once_write_one(real: None) -> None:
    barrier, keys = threading.Barrier(6), []

    def work() -> None:
        try:
            barrier.wait(10)
            keys.append(write().pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(keys) == 6
    assert set(keys) == {Notice.objects.get().pk}
