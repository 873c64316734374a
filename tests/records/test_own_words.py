"""Pages on which a person speaks, sees how they were told, and reads the file as a timeline."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.enums import RecordState
from records.models import ChangeNote, CreditRecord
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast
from tests.records.test_me import fines, me, people  # noqa: F401

WORDS = "罚款已于当月缴清。"


def said(record: CreditRecord) -> str:
    return CreditRecord.objects.get(pk=record.pk).statement or ""


def page_of(record: CreditRecord) -> str:
    return reverse("me:statement", args=[record.token])


def test_words_are_written_shown_changed_and_taken_back(me: Client) -> None:  # noqa: F811
    (record,) = fines(1)
    ChangeNote.objects.all().delete()
    answer = me.post(page_of(record), {"text": WORDS})
    assert answer.status_code == 302 and answer["Location"] == reverse("me:record", args=[record.token])
    assert said(record) == WORDS and ChangeNote.objects.count() == 1, "systems that have the record are told"
    for address in (answer["Location"], reverse("me:records"), page_of(record)):
        assert WORDS in me.get(address).content.decode()
    me.post(page_of(record), {"text": "没有异议。"})
    assert said(record) == "没有异议。"
    me.post(page_of(record), {"text": "没有异议。", "take_back": "1"})
    assert said(record) == ""
    nothing = me.post(page_of(record), {"text": " "})
    assert nothing.status_code == 200 and "errors" in nothing.content.decode()


@pytest.mark.parametrize("text", ["长" * 501, f"号码{PERSON_NUMBER}", "电话13800138000"])
def test_words_that_may_not_stand_are_refused_on_the_page_and_kept_in_the_form(me: Client, text: str) -> None:  # noqa: F811
    (record,) = fines(1)
    answer = me.post(page_of(record), {"text": text})
    assert answer.status_code == 200 and "errors" in answer.content.decode() and text in answer.content.decode()
    assert said(record) == ""


def test_nobody_else_writes_and_nothing_is_told_of_the_record(me: Client, people: Cast) -> None:  # noqa: F811
    (theirs,) = fines(1, number=STRANGER_NUMBER, name="马示例", start=5)
    assert me.get(page_of(theirs)).status_code == 404
    assert me.post(page_of(theirs), {"text": WORDS}).status_code == 404
    assert said(theirs) == ""


@pytest.mark.parametrize("state", [RecordState.REPAIRED, RecordState.EXPIRED, RecordState.REVOKED])
def test_a_record_that_is_no_longer_used_offers_no_page(me: Client, state: RecordState) -> None:  # noqa: F811
    (record,) = fines(1)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        CreditRecord.objects.filter(pk=record.pk).update(state=state)
    assert page_of(record) not in me.get(reverse("me:record", args=[record.token])).content.decode()
    assert me.post(page_of(record), {"text": WORDS}).status_code == 404


def test_the_page_of_a_record_proves_how_the_person_was_told(me: Client) -> None:  # noqa: F811
    (record,) = fines(1)
    address = reverse("me:record", args=[record.token])
    before = me.get(address).context["notices"]
    assert [(one.code, one.delivered_at) for one in before] == [("received", None)], "a list delivers nothing"
    me.get(reverse("me:notices"))
    (shown,) = me.get(address).context["notices"]
    assert shown.delivered_at and shown.delivery_proof and not shown.read_at
    me.post(reverse("me:notices"), {"notice": shown.pk})
    (read,) = me.get(address).context["notices"]
    assert read.read_at


def test_the_timeline_tells_what_comes_and_what_was(me: Client) -> None:  # noqa: F811
    records = fines(3)
    found = me.get(reverse("me:timeline")).context
    today = timezone.localdate()
    coming, past = found["coming"], [event for _year, events in found["years"] for event in events]
    assert {event.line.record.pk for event in past} == {record.pk for record in records}
    assert all(event.day > today for event in coming) and all(event.day <= today for event in past)
    assert [event.day for event in coming] == sorted(event.day for event in coming)
    assert [event.day for event in past] == sorted((event.day for event in past), reverse=True)
    ends = {(event.line.record.pk, event.day) for event in coming}
    assert ends >= {(record.pk, record.publish_until) for record in records if record.publish_until}


def test_the_timeline_of_nobody_is_empty_and_says_so(me: Client) -> None:  # noqa: F811
    answer = me.get(reverse("me:timeline"))
    assert answer.status_code == 200 and not answer.context["years"]


def test_the_timeline_goes_on_as_the_list_does(me: Client, monkeypatch: Any) -> None:  # noqa: F811
    fines(5)
    monkeypatch.setattr("records.selectors.PAGE", 2)
    seen, address = set[datetime.date](), reverse("me:timeline")
    for _page in range(3):
        context = me.get(address).context
        seen |= {event.line.record.decided_on for _year, events in context["years"] for event in events}
        address = f"{reverse('me:timeline')}?after={context['after']}"
    assert len(seen) == 5 and not context["after"]


def test_the_unit_reads_the_words_beside_the_record_and_no_other_unit_does(
    me: Client,  # noqa: F811
    people: Cast,  # noqa: F811
) -> None:
    (record,) = fines(1)
    page, listing = (
        reverse("admin:records_creditrecord_change", args=[record.pk]),
        reverse("admin:records_creditrecord_changelist"),
    )
    clerk, other = Client(), Client()
    clerk.force_login(people.clerk)
    other.force_login(people.other_clerk)
    assert 'id="said"' not in clerk.get(page).content.decode(), "nothing is said, nothing stands there"
    me.post(page_of(record), {"text": f"<script>alert(1)</script>{WORDS}"})
    shown = clerk.get(page).content.decode()
    assert WORDS in shown and "本人对此的说明" in shown
    assert "<script>alert(1)" not in shown and "&lt;script&gt;alert(1)" in shown
    assert WORDS not in clerk.get(listing).content.decode(), "a list is not about one person"
    assert other.get(page).status_code == 404
    me.post(page_of(record), {"take_back": "1"})
    assert 'id="said"' not in clerk.get(page).content.decode()
