"""Correcting by hand: content changes with a reason, never past somebody else, never by leaving something out."""

import datetime
from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import Agency
from records.enums import RecordState, VersionState
from records.models import CatalogueEntry, CreditRecord, Entitlement, EntryField, EntryVersion, Feed, Subject
from records.services.correction import content_of, correct_record, mark_of
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import penalty, person_penalty
from tests.records.entry_forms import (
    ENTRY,
    change_page,
    clerk,
    entered,
    entitlement,
    errors_of,
    form_page,
    opened,
    people,
    typed,
)
from tests.records.feedfiles import deliver, history, whole_database

__all__ = ["clerk", "entitlement", "people"]


def test_a_correction_needs_a_reason(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement)
    for reason in ("", "   "):
        response = clerk.post(change_page(record), {**opened(clerk, record), "CF_NR": "改正", "act-reason": reason})
        assert set(errors_of(response)) == {"act-reason"}
    record.refresh_from_db()
    assert record.payload["CF_NR"] == penalty(1)["CF_NR"]


def test_a_correction_changes_content_and_keeps_whom_and_which(
    people: Cast, clerk: Client, entitlement: Entitlement
) -> None:
    record = entered(clerk, entitlement)
    tampered = typed(penalty(2, CF_NR="改正", CF_XDR_MC="别的公司", CF_WSH="别的号", CF_XDR_LB="自然人"))
    response = clerk.post(change_page(record), {**opened(clerk, record), **tampered})
    assert response.status_code == 302
    again = CreditRecord.objects.get()
    assert (again.pk, again.subject_id, again.document_number) == (record.pk, record.subject_id, record.document_number)
    assert (again.payload["CF_NR"], again.subject.name) == ("改正", record.subject.name)
    assert again.payload["CF_XDR_MC"] == record.payload["CF_XDR_MC"]
    (old,) = history(again)
    assert old.payload["CF_NR"] == record.payload["CF_NR"]
    assert old.pgh_context["actor"] == people.clerk.pk
    assert Subject.objects.filter(kind="organisation").count() == 1


def test_the_reason_of_a_correction_is_sealed_beside_the_history(
    people: Cast, clerk: Client, entitlement: Entitlement
) -> None:
    record = entered(clerk, entitlement)
    reason = f"林示例（{PERSON_NUMBER}）来电更正"
    clerk.post(change_page(record), {**opened(clerk, record), "CF_NR": "改正", "act-reason": reason})
    again = CreditRecord.objects.get()
    (old,) = history(record)
    assert old.pgh_context["reason"] == f"correction: batch {again.batch_id}"
    assert again.batch is not None
    assert (again.batch.reason, again.batch.submitted_by) == (reason, people.clerk)
    stored = whole_database("records_feedbatch", "records_creditrecordevent", "core_stepevent")
    assert "林示例" not in stored
    assert PERSON_NUMBER not in stored
    assert reason in clerk.get(change_page(record)).content.decode()


def test_a_correction_of_the_date_moves_the_periods(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement, CF_JDRQ="2026-05-10")
    clerk.post(change_page(record), {**opened(clerk, record), "CF_JDRQ": "2026-06-10"})
    again = CreditRecord.objects.get()
    assert (again.decided_on, again.publish_until) == (datetime.date(2026, 6, 10), datetime.date(2027, 6, 10))


def test_the_form_of_a_correction_holds_what_is_on_file(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement, CF_CFLB="警告;罚款", CF_FRDB="陈示例")
    form = clerk.get(change_page(record)).context["form"]
    assert form.initial["CF_FRDB"] == "陈示例"
    assert form.initial["CF_CFLB"] == ["fine", "warning"]
    assert form.initial["CF_JDRQ"] == record.decided_on.isoformat()
    assert form.fields["CF_XDR_SHXYM"].disabled
    assert form.fields["CF_WSH"].disabled


def test_saving_what_is_on_file_changes_nothing(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement, CF_CFLB="警告;罚款")
    response = clerk.post(change_page(record), opened(clerk, record))
    assert response.status_code == 302
    assert history(CreditRecord.objects.get()) == []


def test_a_correction_keeps_the_words_behind_other(clerk: Client, entitlement: Entitlement) -> None:
    """The box says only “other”; what kind of other stands in the text of the decision."""
    deliver(penalty(1, CF_CFLB="其他-责令改正"))
    record = CreditRecord.objects.get()
    clerk.post(change_page(record), {**opened(clerk, record), "CF_NR": "改正"})
    again = CreditRecord.objects.get()
    assert again.payload["CF_NR"] == "改正"
    assert again.payload["CF_CFLB"] == "其他-责令改正"


def test_saving_a_person_as_on_file_changes_nothing(clerk: Client, entitlement: Entitlement) -> None:
    clerk.post(form_page(entitlement), typed(person_penalty(1, "林示例", PERSON_NUMBER)))
    record = CreditRecord.objects.get()
    assert clerk.post(change_page(record), opened(clerk, record)).status_code == 302
    assert history(CreditRecord.objects.get()) == []


def test_a_wrong_correction_tells_every_problem_and_changes_nothing(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement)
    response = clerk.post(change_page(record), {**opened(clerk, record), "CF_JDRQ": "昨天", "CF_NR_FK": "viel"})
    assert set(errors_of(response)) == {"CF_JDRQ", "CF_NR_FK"}
    assert history(record) == []


def test_an_officer_who_was_not_given_the_entry_corrects_nothing(
    people: Cast, clerk: Client, entitlement: Entitlement
) -> None:
    record = entered(clerk, entitlement)
    clerk.force_login(people.officer)
    response = clerk.post(change_page(record), {**opened(clerk, record), "CF_NR": "改正"})
    assert response.status_code in {200, 403}
    assert CreditRecord.objects.get().payload["CF_NR"] == record.payload["CF_NR"]


def test_a_unit_that_is_no_longer_entitled_is_told_so(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        entry = CatalogueEntry.objects.create(code="another", name="别的", name_en="Another")
        Entitlement.objects.filter(pk=entitlement.pk).update(entry=entry)
    response = clerk.post(change_page(record), {**opened(clerk, record), "CF_NR": "改正"})
    assert response.status_code == 200
    assert errors_of(response)["__all__"] == [str(NotPermitted.default_message)]
    assert history(record) == []


# --- the feed a record came by ---------------------------------------------------------------------


def test_a_correction_leaves_a_record_in_its_key_field(clerk: Client, entitlement: Entitlement) -> None:
    deliver(penalty(1), feed="hz-food-penalty")
    record = CreditRecord.objects.get()
    before = (record.field, record.repairable_from, record.publish_until)
    assert clerk.post(change_page(record), {**opened(clerk, record), "CF_NR": "改正"}).status_code == 302
    again = CreditRecord.objects.get()
    assert again.payload["CF_NR"] == "改正"
    assert (again.field, again.repairable_from, again.publish_until) == before
    assert again.batch is not None
    assert again.batch.feed.code == "hz-food-penalty"


@pytest.mark.parametrize("change", [{"field": "finance"}, {"active": False}, {"agency": "gs-market"}])
def test_what_became_of_the_feed_does_not_move_a_record(
    change: dict[str, Any], clerk: Client, entitlement: Entitlement
) -> None:
    deliver(penalty(1), feed="hz-food-penalty")
    record = CreditRecord.objects.get()
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        if "agency" in change:
            change = {"agency": Agency.objects.get(code=change["agency"])}
        Feed.objects.filter(code="hz-food-penalty").update(**change)
    assert clerk.post(change_page(record), {**opened(clerk, record), "CF_NR": "改正"}).status_code == 302
    again = CreditRecord.objects.get()
    assert (again.payload["CF_NR"], again.field, again.agency_id) == ("改正", "food_drugs", record.agency_id)


def test_a_correction_keeps_the_day_of_a_record_of_a_feed_without_days(clerk: Client, entitlement: Entitlement) -> None:
    """Its effects change, so its tier and periods do, counted from the day it was first received."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Feed.objects.filter(code="hz-food-penalty").update(dated_by_receipt=True)
    deliver(penalty(1, CF_JDRQ="2026-05-10"), feed="hz-food-penalty")
    record = CreditRecord.objects.get()
    assert clerk.post(change_page(record), opened(clerk, record)).status_code == 302
    assert history(record) == []
    response = clerk.post(change_page(record), {**opened(clerk, record), "CF_CFLB": ["stop_production"]})
    assert response.status_code == 302, errors_of(response)
    again = CreditRecord.objects.get()
    assert (again.decided_on, again.tier) == (record.decided_on, "serious")
    assert again.publish_until is not None and record.publish_until is not None
    assert again.publish_until > record.publish_until
    clerk.post(change_page(record), {**opened(clerk, again), "CF_JDRQ": "2026-05-11"})
    assert CreditRecord.objects.get().decided_on == datetime.date(2026, 5, 11)


# --- two at once -----------------------------------------------------------------------------------


def test_the_second_of_two_officers_is_told_and_sees_what_is_on_file(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement)
    one, two = opened(clerk, record), opened(clerk, record)
    assert clerk.post(change_page(record), {**one, "CF_NR": "罚款两万元", "CF_CFLB": ["warning"]}).status_code == 302
    typed_by_two = {**two, "CF_NR": "罚款三万元", "CF_SY": "另一事由"}
    response = clerk.post(change_page(record), typed_by_two)
    assert response.status_code == 409
    assert CreditRecord.objects.get().payload["CF_NR"] == "罚款两万元"
    said, page = errors_of(response), response.content.decode()
    assert set(said) == {"__all__", "CF_NR", "CF_SY", "CF_CFLB"}
    assert "罚款两万元" in said["CF_NR"][0]
    assert "罚款三万元" in page and "另一事由" in page and "文书有误" in page
    assert clerk.post(change_page(record), typed_by_two).status_code == 409
    knowing = {**typed_by_two, "act-seen": response.context["form"].data["act-seen"]}
    assert clerk.post(change_page(record), knowing).status_code == 302
    assert CreditRecord.objects.get().payload["CF_NR"] == "罚款三万元"


@pytest.mark.parametrize("change", [{"state": RecordState.REVOKED}, {"changed_at": timezone.now()}])
def test_any_change_since_the_page_was_opened_is_noticed(
    change: dict[str, Any], clerk: Client, entitlement: Entitlement
) -> None:
    record = entered(clerk, entitlement)
    page = opened(clerk, record)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        CreditRecord.objects.update(**change)
    assert clerk.post(change_page(record), {**page, "CF_NR": "改正"}).status_code == 409
    assert clerk.post(change_page(record), {**page, "CF_NR": "改正", "act-seen": ""}).status_code == 409
    assert CreditRecord.objects.get().payload["CF_NR"] == record.payload["CF_NR"]


# --- a newer version of the entry --------------------------------------------------------------------


def newer_version(*, without: Sequence[str] = (), **changes: dict[str, Any]) -> EntryVersion:
    """Bring a newer version into force that lacks some fields, and has others otherwise."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        old = EntryVersion.objects.get(entry__code=ENTRY, state=VersionState.IN_FORCE)
        fields, today = list(old.fields.all()), timezone.localdate()
        EntryVersion.objects.filter(pk=old.pk).update(state=VersionState.RETIRED, valid_until=today)
        new = EntryVersion.objects.get(pk=old.pk)
        new.pk, new.number, new.state, new.valid_from, new.valid_until = None, 77, VersionState.DRAFT, today, None
        new.save()
        for item in fields:
            if item.code not in without:
                item.pk, item.version = None, new
                for name, value in changes.get(item.code, {}).items():
                    setattr(item, name, value)
                item.save(force_insert=True)
        EntryVersion.objects.filter(pk=new.pk).update(state=VersionState.IN_FORCE)
    return new


def test_content_of_a_field_that_is_gone_is_shown_and_asked_for(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement, BZ="备注一则", CF_FRDB="陈示例")
    newer_version(without=["BZ", "CF_FRDB"])
    page = opened(clerk, record)
    text = clerk.get(change_page(record)).content.decode()
    assert "备注一则" in text and "陈示例" in text
    response = clerk.post(change_page(record), {**page, "CF_NR": "改正"})
    assert set(errors_of(response)) == {"act-keep-BZ", "act-keep-CF_FRDB"}
    assert CreditRecord.objects.get().payload["BZ"] == "备注一则"


def test_content_of_a_field_that_is_gone_is_kept_or_given_up(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement, BZ="备注一则", CF_FRDB="陈示例")
    held = {code: content_of(record)[code] for code in ("BZ", "CF_FRDB")}
    new = newer_version(without=["BZ", "CF_FRDB"])
    keep = {"act-keep-BZ": "keep", "act-keep-CF_FRDB": "keep"}
    assert clerk.post(change_page(record), {**opened(clerk, record), "CF_NR": "改正", **keep}).status_code == 302
    again = CreditRecord.objects.get()
    assert (again.version, again.payload["CF_NR"]) == (new, "改正")
    assert {code: content_of(again)[code] for code in held} == held
    assert [set(r.payload) & set(held) for r in (record, again)] == [set(record.payload) & set(held)] * 2
    assert set(errors_of(clerk.post(change_page(record), opened(clerk, again)))) == set(keep)
    give_up = {**keep, "act-keep-BZ": "give_up"}
    assert clerk.post(change_page(record), {**opened(clerk, again), **give_up}).status_code == 302
    last = content_of(CreditRecord.objects.get())
    assert "BZ" not in last
    assert last["CF_FRDB"] == "陈示例"


def test_the_service_gives_nothing_up_by_itself(people: Cast, clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement, BZ="备注一则")
    newer_version(without=["BZ"])
    values = {**penalty(1), "CF_NR": "改正"}
    correct_record(user=people.clerk, record=record, values=values, reason="x", seen=mark_of(record))
    assert CreditRecord.objects.get().payload["BZ"] == "备注一则"


def test_a_word_that_is_no_longer_a_choice_is_shown_and_refused(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement, CF_CFLB="警告;罚款")
    kept = [code for code in EntryField.objects.filter(version=record.version, code="CF_CFLB").get().choices]
    kept.remove("warning")
    newer_version(CF_CFLB={"choices": kept})
    page = opened(clerk, record)
    assert page["CF_CFLB"] == ["fine", "warning"]
    response = clerk.post(change_page(record), {**page, "CF_NR": "改正"})
    assert "CF_CFLB" in errors_of(response)
    assert clerk.post(change_page(record), {**page, "CF_CFLB": ["fine"]}).status_code == 302
    assert CreditRecord.objects.get().effects == ["fine"]


def test_where_the_entry_is_no_longer_in_force_the_record_is_shown_and_not_corrected(
    clerk: Client, entitlement: Entitlement
) -> None:
    record = entered(clerk, entitlement)
    page = opened(clerk, record)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        yesterday = timezone.localdate() - datetime.timedelta(days=1)
        EntryVersion.objects.filter(pk=record.version_id).update(state=VersionState.RETIRED, valid_until=yesterday)
    assert clerk.get(change_page(record)).status_code == 200
    response = clerk.post(change_page(record), {**page, "CF_NR": "改正"})
    assert errors_of(response)["__all__"]
    assert history(record) == []


def test_no_field_of_the_catalogue_is_taken_for_the_reason_of_a_correction(
    clerk: Client, entitlement: Entitlement
) -> None:
    """One entry has a field of its own called reason."""
    form = clerk.get(change_page(entered(clerk, entitlement))).context["form"]
    codes = set(EntryField.objects.values_list("code", flat=True))
    assert "reason" in codes
    assert set(form.fields) & codes == {item.code for item in form.items}
