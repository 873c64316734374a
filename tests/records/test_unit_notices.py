"""Once a working day every unit is told what waits for it: once, whatever happens, and by letter where it can be."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit, outbox
from creditplatform.core.enums import Door
from creditplatform.core.models import OutboxEvent
from records.models import QuarantinedRow, UnitNotice
from records.services import unit_notices
from records.services.mending import discard_rows
from records.services.unit_notices import TOPIC, tell_units
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import penalty, person_penalty
from tests.records.feedfiles import deliver, people_of_the_cast

# 2026-05-08 is a Friday, 05-09 a Saturday that is worked in return for the holiday of May, 05-10 a Sunday.
FRIDAY, WORKED_SATURDAY, SUNDAY, UNKNOWN_YEAR = (
    datetime.date(2026, 5, 8), datetime.date(2026, 5, 9), datetime.date(2026, 5, 10), datetime.date(2099, 5, 5),
)  # fmt: skip


def at(day: datetime.date, hour: int, minute: int = 0) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour, minute), timezone.get_default_timezone())


@pytest.fixture
def people(db: None, settings: Any, tmp_path: Path) -> Cast:
    """A clerk with an address, and two rows that have waited since the first of May."""
    settings.MEDIA_ROOT, settings.EMAIL_CONFIGURED = tmp_path / "media", True
    settings.PUBLIC_URL = "https://credit.example"
    people = people_of_the_cast(settings)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        people.clerk.email = "clerk@unit.example"
        people.clerk.save()
        people.auditor.email = "auditor@unit.example"
        people.auditor.save()
    deliver(penalty(1), person_penalty(2, "林示例", PERSON_NUMBER, CF_JDRQ="昨天"), penalty(3, CF_JDRQ="昨天"))
    since(datetime.date(2026, 5, 1))
    return people


def since(day: datetime.date) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        QuarantinedRow.objects.update(created_at=at(day, 12))


def test_a_unit_is_told_how_many_since_when_and_why(people: Cast) -> None:
    assert tell_units(now=at(FRIDAY, 9)) == 1
    notice = UnitNotice.objects.get()
    assert (notice.agency.code, notice.day, notice.read_at) == ("hz-market", FRIDAY, None)
    assert "2 rows" in notice.text_en and "2026-05-01" in notice.text_en and "2018-05-03 (2)." in notice.text_en
    assert "2026-05-01" in notice.text and "2" in notice.text
    assert "林示例" not in notice.text + notice.text_en and PERSON_NUMBER not in notice.text + notice.text_en


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (at(FRIDAY, 8, 59), 0), (at(FRIDAY, 9), 1), (at(FRIDAY, 17), 1), (at(WORKED_SATURDAY, 9), 1),
        (at(SUNDAY, 9), 0), (at(UNKNOWN_YEAR, 9), 1),
    ],
)  # fmt: skip
def test_it_is_told_on_working_days_from_nine(people: Cast, now: datetime.datetime, told: int) -> None:
    assert tell_units(now=now) == told


def test_rows_that_came_after_nine_are_told_the_next_day(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        QuarantinedRow.objects.update(created_at=at(FRIDAY, 9, 1))
    assert tell_units(now=at(FRIDAY, 15)) == 0
    assert tell_units(now=at(WORKED_SATURDAY, 9)) == 1


def test_nobody_is_told_of_nothing(people: Cast) -> None:
    discard_rows(user=people.clerk, rows=QuarantinedRow.objects.all(), reason="twice")
    assert tell_units(now=at(FRIDAY, 9)) == 0 and not OutboxEvent.objects.filter(topic=TOPIC).exists()


def test_a_timer_that_fires_twice_tells_once(people: Cast) -> None:
    assert [tell_units(now=at(FRIDAY, 9, minute)) for minute in (0, 0, 10, 20)] == [1, 0, 0, 0]
    assert OutboxEvent.objects.filter(topic=TOPIC).count() == 1
    outbox.deliver_due()
    outbox.deliver_due()
    assert len(mail.outbox) == 1


def test_a_worker_that_dies_between_notice_and_letter_leaves_neither(
    people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_arguments: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(outbox, "publish", dies)
        with pytest.raises(KeyboardInterrupt):
            tell_units(now=at(FRIDAY, 9))
    assert not UnitNotice.objects.exists()
    assert tell_units(now=at(FRIDAY, 9, 10)) == 1
    outbox.deliver_due()
    assert len(mail.outbox) == 1


def test_the_letter_goes_to_members_who_mend_and_always_bears_the_same_number(people: Cast) -> None:
    tell_units(now=at(FRIDAY, 9))
    outbox.deliver_due()
    (letter,) = mail.outbox
    notice = UnitNotice.objects.get()
    assert letter.to == ["clerk@unit.example"]
    assert letter.extra_headers["Message-ID"].startswith(f"<unit-notice-{notice.pk}-{people.clerk.pk}@")
    assert notice.text in letter.body and "https://credit.example/desk/set-aside/" in letter.body
    assert "林示例" not in letter.body


def test_a_letter_that_cannot_be_sent_is_tried_again(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_named: Any) -> None:
        raise OSError("server away")

    tell_units(now=at(FRIDAY, 9))
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        outbox.deliver_due()
    assert OutboxEvent.objects.get(topic=TOPIC).attempts == 1 and not mail.outbox
    OutboxEvent.objects.filter(topic=TOPIC).update(due_at=timezone.now())
    outbox.deliver_due()
    assert len(mail.outbox) == 1


def test_without_a_mail_server_nobody_is_written_to(people: Cast, settings: Any) -> None:
    settings.EMAIL_CONFIGURED = False
    assert tell_units(now=at(FRIDAY, 9)) == 1
    assert not OutboxEvent.objects.filter(topic=TOPIC).exists()


def test_whoever_left_the_unit_gets_no_letter(people: Cast) -> None:
    tell_units(now=at(FRIDAY, 9))
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        people.clerk.memberships.update(valid_from=FRIDAY, valid_until=WORKED_SATURDAY)
    unit_notices.send_letter({"notice": UnitNotice.objects.get().pk, "user": people.clerk.pk})
    assert not mail.outbox


@pytest.mark.parametrize("place", ["desk:home", "admin:index"])
def test_the_notice_is_shown_until_somebody_of_the_unit_took_note(people: Cast, client: Client, place: str) -> None:
    tell_units(now=at(FRIDAY, 9))
    tell_units(now=at(WORKED_SATURDAY, 9))
    newest = UnitNotice.objects.order_by("-day")[0]
    client.cookies["django_language"] = "en"
    words = newest.text_en
    for who, sees in (("clerk", True), ("supervisor", True), ("other_clerk", False), ("centre", False)):
        client.force_login(getattr(people, who))
        page = client.get(reverse(place)).content.decode()
        assert (words in page) == sees and page.count("2026-05-0") == (2 * sees if sees else 0), who
    client.force_login(people.other_clerk)
    assert client.post(reverse("desk:notice_read", args=[newest.pk])).status_code == 404
    client.force_login(people.clerk)
    assert client.post(reverse("desk:notice_read", args=[newest.pk])).status_code == 302
    assert words not in client.get(reverse(place)).content.decode()
    assert {notice.read_by for notice in UnitNotice.objects.all()} == {people.clerk}
