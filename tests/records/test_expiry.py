"""Gone on time without any worker; the run that closes the books costs what expires and tells once."""

import datetime
import io
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import DatabaseError

from creditplatform.core import audit, outbox
from creditplatform.core.enums import Door
from creditplatform.core.models import Notice, OutboxEvent, StepEvent
from records import tasks
from records.enums import RecordState
from records.models import CreditRecord
from records.services import expiry
from tests.cast import PERSON_NUMBER
from tests.deliveries import penalty, person_penalty
from tests.records.feedfiles import deliver, history

pytestmark = pytest.mark.usefixtures("db")
DECIDED = datetime.date(2026, 5, 10)
ENDS = datetime.date(2027, 5, 10)  # a general matter: one year


def at(day: datetime.date, hour: int = 0, minute: int = 0) -> time_machine.travel:
    """That moment in Shanghai."""
    shanghai = datetime.timezone(datetime.timedelta(hours=8))
    return time_machine.travel(datetime.datetime.combine(day, datetime.time(hour, minute), shanghai), tick=False)


def fines(count: int = 1) -> None:
    with at(DECIDED, 12):
        deliver(*(penalty(number, CF_JDRQ=DECIDED.isoformat()) for number in range(1, count + 1)))


def run(day: datetime.date) -> str:
    out = io.StringIO()
    call_command("run_deadlines", "--on", day.isoformat(), stdout=out)
    return out.getvalue().splitlines()[0]


def test_a_record_is_gone_on_the_day_its_publication_ends_without_any_worker() -> None:
    fines()
    record = CreditRecord.objects.get()
    assert record.publish_until == ENDS
    with at(ENDS - datetime.timedelta(days=1), 23, 59):
        assert CreditRecord.objects.publishable().count() == 1
    with at(ENDS):
        assert CreditRecord.objects.publishable().count() == 0
    record.refresh_from_db()
    assert record.state == RecordState.IN_FORCE


def test_the_day_is_that_of_shanghai() -> None:
    fines()
    with time_machine.travel(datetime.datetime(2027, 5, 9, 15, 59, tzinfo=datetime.UTC), tick=False):
        assert CreditRecord.objects.publishable().count() == 1
    with time_machine.travel(datetime.datetime(2027, 5, 9, 16, 0, tzinfo=datetime.UTC), tick=False):
        assert CreditRecord.objects.publishable().count() == 0


def test_a_decision_is_not_public_before_its_day() -> None:
    fines()
    assert not CreditRecord.objects.publishable(on=DECIDED - datetime.timedelta(days=1)).exists()
    assert CreditRecord.objects.publishable(on=DECIDED).exists()


@pytest.mark.parametrize(
    "change", [{"withheld": True}, {"state": RecordState.REVOKED}, {"state": RecordState.REPAIRED}, {"tier": "minor"}]
)
def test_what_is_withheld_withdrawn_repaired_or_minor_is_not_public(change: dict[str, Any], context: None) -> None:
    fines()
    CreditRecord.objects.update(**change)
    assert not CreditRecord.objects.publishable(on=DECIDED).exists()


def test_a_disputed_record_stays_public_as_the_law_has_it(context: None) -> None:
    fines()
    CreditRecord.objects.update(disputed=True)
    assert CreditRecord.objects.publishable(on=DECIDED).exists()


def test_the_run_closes_what_ended_and_nothing_else() -> None:
    fines(3)
    with at(DECIDED, 12):
        deliver(penalty(9, CF_CFLB="责令停产停业", CF_JDRQ=DECIDED.isoformat()))
    assert run(ENDS - datetime.timedelta(days=1)) == "expired: 0"
    assert run(ENDS) == "expired: 3"
    states = CreditRecord.objects.values_list("tier", "state").distinct()
    assert set(states) == {("general", RecordState.EXPIRED), ("serious", RecordState.IN_FORCE)}


def test_the_run_leaves_history_and_who_and_why() -> None:
    fines()
    run(ENDS)
    (old,) = history(CreditRecord.objects.get())
    assert old.state == RecordState.IN_FORCE
    assert old.pgh_context["reason"] == "publication ended"
    assert old.pgh_context["door"] == Door.COMMAND


def test_running_twice_is_running_once() -> None:
    fines(2)
    assert [run(ENDS) for _time in range(3)] == ["expired: 2", "expired: 0", "expired: 0"]
    assert OutboxEvent.objects.filter(topic="records.expired").count() == 1
    assert all(len(history(record)) == 1 for record in CreditRecord.objects.all())


def test_the_news_goes_out_once_per_batch_and_names_every_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "BATCH", 2)
    fines(5)
    assert run(ENDS) == "expired: 5"
    events = OutboxEvent.objects.filter(topic="records.expired").order_by("pk")
    assert [len(event.payload["records"]) for event in events] == [2, 2, 1]
    told = {pk for event in events for pk in event.payload["records"]}
    assert told == set(CreditRecord.objects.values_list("pk", flat=True))
    assert {event.payload["on"] for event in events} == {ENDS.isoformat()}


@pytest.mark.parametrize("expired", [0, 1, 40])
def test_the_cost_does_not_depend_on_what_exists(expired: int, django_assert_max_num_queries: Any) -> None:
    fines(60)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        later = CreditRecord.objects.order_by("pk").values_list("pk", flat=True)[expired:]
        CreditRecord.objects.filter(pk__in=list(later)).update(publish_until=ENDS + datetime.timedelta(days=400))
    with django_assert_max_num_queries(32):
        assert expiry.run_all(on=ENDS, door=Door.COMMAND)["expired"] == expired


def test_the_timer_does_the_same_as_the_command() -> None:
    fines(2)
    with at(ENDS, 3):
        assert tasks.expire_records.apply().get() == 2
        assert tasks.expire_records.apply().get() == 0
    (old,) = history(CreditRecord.objects.order_by("pk")[0])
    assert old.pgh_context["door"] == Door.TIMER


def test_nothing_is_closed_without_who_and_why() -> None:
    fines()
    with pytest.raises(DatabaseError, match="without who and why"):
        expiry.expire_due(on=ENDS)


def test_an_expired_record_whose_decision_is_corrected_to_a_later_day_is_public_again() -> None:
    fines()
    run(ENDS)
    with at(ENDS, 12):
        batch = deliver(penalty(1, CF_JDRQ="2027-03-01"))
        assert batch.accepted == 1
        record = CreditRecord.objects.get()
        assert record.publish_until is not None
        assert record.publish_until > ENDS
        assert CreditRecord.objects.publishable().count() == 1


def test_every_end_of_publication_is_a_step_of_the_procedure() -> None:
    fines(2)
    run(ENDS)
    steps = StepEvent.objects.filter(workflow="credit_record").values_list("step", "from_state", "to_state", "door")
    assert list(steps) == [("expire", "in_force", "expired", Door.COMMAND)] * 2
    steps = StepEvent.objects.filter(workflow="credit_record")
    assert set(steps.values_list("case_ref", flat=True)) == set(CreditRecord.objects.values_list("pk", flat=True))


def test_what_may_be_kept_no_longer_is_archived_and_gone_from_every_list() -> None:
    fines()
    record = CreditRecord.objects.get()
    assert record.retain_until is not None
    assert CreditRecord.objects.of_person(
        record.subject_id, on=record.retain_until - datetime.timedelta(days=1)
    ).exists()
    assert not CreditRecord.objects.of_person(record.subject_id, on=record.retain_until).exists()
    run(record.retain_until)
    record.refresh_from_db()
    assert record.state == RecordState.ARCHIVED
    steps = StepEvent.objects.filter(workflow="credit_record").order_by("pk")
    assert list(steps.values_list("step", flat=True)) == ["expire", "archive"]


def test_the_person_is_told_once_that_publication_has_ended() -> None:
    with at(DECIDED, 12):
        deliver(
            person_penalty(1, "林示例", PERSON_NUMBER, CF_JDRQ=DECIDED.isoformat()),
            penalty(2, CF_JDRQ=DECIDED.isoformat()),
        )
    run(ENDS)
    for _time in range(2):
        outbox.deliver_due()
    (notice,) = Notice.objects.exclude(code="received")
    person = CreditRecord.objects.get(subject_kind="person")
    assert bytes(notice.addressee) == bytes(person.subject.number_index)
    assert person.agency.name in notice.text and "2026-05-10" in notice.text_en
    assert "林示例" not in notice.text
