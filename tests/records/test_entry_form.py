"""Entering and withdrawing by hand: the catalogue draws the form, the pipeline judges it."""

import datetime
import re

import pytest
from django.test import Client
from django.urls import reverse

from creditplatform.core import audit
from creditplatform.core.enums import Authority, Door
from creditplatform.core.models import AccessLog, OutboxEvent
from records.enums import BatchState, RecordState, Required, SubjectKind
from records.models import CreditRecord, Entitlement, EntryField, EntryVersion, Feed, FeedBatch, QuarantinedRow, Subject
from tests.cast import MINOR_NUMBER, PERSON_NUMBER, Cast
from tests.deliveries import FEED, penalty, person_penalty
from tests.records.entry_forms import (
    ENTRY,
    change_page,
    clerk,
    entered,
    entitlement,
    errors_of,
    form_page,
    grant,
    people,
    typed,
)
from tests.records.feedfiles import deliver, history, problems_of

__all__ = ["clerk", "entitlement", "people"]


def fields() -> list[EntryField]:
    version = EntryVersion.objects.get(entry__code=ENTRY, state="in_force")
    return list(version.fields.order_by("position"))


def test_the_form_has_an_input_for_every_field_of_the_catalogue(clerk: Client, entitlement: Entitlement) -> None:
    page = clerk.get(form_page(entitlement))
    text = page.content.decode()
    assert page.status_code == 200
    assert list(page.context["form"].fields) == ["act-feed", *(item.code for item in fields())]
    for item in fields():
        assert re.search(rf'name="{item.code}"', text), item.code
        assert item.label in page.context["form"].fields[item.code].label
    assert entitlement.agency.label in text


def test_every_problem_is_told_at_once_beside_its_field(clerk: Client, entitlement: Entitlement) -> None:
    response = clerk.post(form_page(entitlement), {"BZ": ""})
    always = {item.code for item in fields() if item.required == Required.ALWAYS}
    assert response.status_code == 200
    assert {"act-feed", *always} <= set(errors_of(response))
    assert (CreditRecord.objects.count(), FeedBatch.objects.count(), Subject.objects.count()) == (0, 0, 2)


@pytest.mark.parametrize(
    "cells",
    [
        {"CF_JDRQ": "昨天", "CF_NR_FK": "viel", "CF_WFXW": ""},
        {"CF_XDR_SHXYM": "00000000000000000X"},
        {"CF_NR_FK": ""},
        {"CF_FRDB": ""},
        {"CF_SY": "=1+1"},
        {"CF_JDRQ": "2999-01-01"},
    ],
)
def test_the_form_judges_as_a_file_does(cells: dict[str, str], clerk: Client, entitlement: Entitlement) -> None:
    row = penalty(1, **cells)
    said = set(errors_of(clerk.post(form_page(entitlement), typed(row))))
    batch = deliver(row)
    assert said == {field for field, _code in problems_of(batch)[0]}


def test_what_was_typed_is_still_there_after_a_mistake(clerk: Client, entitlement: Entitlement) -> None:
    text = clerk.post(form_page(entitlement), typed(penalty(1, CF_JDRQ="昨天"))).content.decode()
    assert penalty(1)["CF_WSH"] in text
    assert "昨天" in text


def test_a_record_that_was_entered_is_on_file(people: Cast, clerk: Client, entitlement: Entitlement) -> None:
    response = clerk.post(form_page(entitlement), typed(penalty(1, CF_CFLB="警告;罚款")))
    record = CreditRecord.objects.get()
    assert (response.status_code, response["Location"]) == (302, change_page(record))
    assert (record.document_number, record.effects) == (penalty(1)["CF_WSH"], ["fine", "warning"])
    assert (record.agency, record.entry.code) == (entitlement.agency, ENTRY)
    batch = FeedBatch.objects.get()
    assert (batch.state, batch.received, batch.accepted) == (BatchState.APPLIED, 1, 1)
    assert (batch.submitted_by, batch.door) == (people.clerk, Door.ADMIN)
    listing = clerk.get(reverse("admin:records_creditrecord_changelist")).content.decode()
    assert record.document_number in listing
    assert CreditRecord.objects.publishable().count() == 1


def test_the_same_decision_by_form_and_by_file_is_one_record(clerk: Client, entitlement: Entitlement) -> None:
    clerk.post(form_page(entitlement), typed(penalty(1)))
    again = deliver(penalty(1))
    assert (again.received, again.unchanged) == (1, 1)
    assert CreditRecord.objects.count() == 1


@pytest.mark.parametrize("cells", [{}, {"CF_NR": "改正"}])
def test_a_decision_on_file_is_not_entered_again_but_corrected(
    cells: dict[str, str], clerk: Client, entitlement: Entitlement
) -> None:
    record = entered(clerk, entitlement)
    response = clerk.post(form_page(entitlement), typed(penalty(1, **cells)))
    assert response.status_code == 409
    (said,) = errors_of(response)["__all__"]
    assert f'<a href="{change_page(record)}">' in said
    assert f'<a href="{change_page(record)}">' in response.content.decode()
    assert CreditRecord.objects.get().payload == record.payload
    assert (history(record), FeedBatch.objects.count()) == ([], 1)


def test_who_is_second_with_a_decision_at_the_same_moment_overwrites_nothing(
    people: Cast, clerk: Client, entitlement: Entitlement, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = entered(clerk, entitlement)
    monkeypatch.setattr("records.services.entry._on_file", lambda plan, row: None)
    for cells in ({}, {"CF_NR": "改正"}):
        response = clerk.post(form_page(entitlement), typed(penalty(1, **cells)))
        assert response.status_code == 409
        assert CreditRecord.objects.get().payload == record.payload
    assert (history(record), FeedBatch.objects.count()) == ([], 1)


def test_the_same_number_about_another_subject_is_another_record(clerk: Client, entitlement: Entitlement) -> None:
    first = entered(clerk, entitlement)
    other = penalty(2, CF_WSH=first.document_number)
    assert clerk.post(form_page(entitlement), typed(other)).status_code == 302
    assert CreditRecord.objects.count() == 2


# --- which feed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("feed", "field"), [(FEED, "product_quality"), ("hz-food-penalty", "food_drugs")])
def test_the_officer_says_which_key_field_a_decision_belongs_to(
    feed: str, field: str, clerk: Client, entitlement: Entitlement
) -> None:
    clerk.post(form_page(entitlement), typed(penalty(1), feed=feed))
    record = CreditRecord.objects.get()
    assert (record.field, record.batch and record.batch.feed.code) == (field, feed)


def test_without_a_key_field_nothing_is_recorded(clerk: Client, entitlement: Entitlement) -> None:
    response = clerk.post(form_page(entitlement), {**typed(penalty(1)), "act-feed": ""})
    assert set(errors_of(response)) == {"act-feed"}
    assert (CreditRecord.objects.count(), FeedBatch.objects.count()) == (0, 0)


def test_a_feed_of_another_unit_is_no_choice(clerk: Client, entitlement: Entitlement) -> None:
    response = clerk.post(form_page(entitlement), typed(penalty(1), feed="gs-market-penalty"))
    assert set(errors_of(response)) == {"act-feed"}
    assert not CreditRecord.objects.exists()


def test_where_there_is_one_feed_nobody_is_asked(clerk: Client, entitlement: Entitlement) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Feed.objects.filter(code="hz-food-penalty").update(active=False)
    assert "act-feed" not in clerk.get(form_page(entitlement)).context["form"].fields
    row = {code: text for code, text in typed(penalty(1)).items() if code != "act-feed"}
    assert clerk.post(form_page(entitlement), row).status_code == 302
    assert CreditRecord.objects.get().field == "product_quality"


def test_feeds_that_make_the_same_of_a_row_are_one_choice(clerk: Client, entitlement: Entitlement) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Feed.objects.filter(code="hz-food-penalty").update(field="product_quality")
    assert "act-feed" not in clerk.get(form_page(entitlement)).context["form"].fields


def test_a_person_is_entered_sealed_and_no_value_is_in_an_address(clerk: Client, entitlement: Entitlement) -> None:
    response = clerk.post(form_page(entitlement), typed(person_penalty(1, "林示例", PERSON_NUMBER)))
    record = CreditRecord.objects.get()
    assert response["Location"] == change_page(record)
    assert record.subject_kind == SubjectKind.PERSON
    assert record.subject.number_sealed == PERSON_NUMBER
    listing = clerk.get(reverse("admin:records_creditrecord_changelist")).content.decode()
    assert "林示例" not in listing
    assert PERSON_NUMBER not in listing


def test_nothing_of_a_minor_is_kept_by_the_form(clerk: Client, entitlement: Entitlement) -> None:
    response = clerk.post(form_page(entitlement), typed(person_penalty(1, "小示例", MINOR_NUMBER)))
    assert response.status_code == 200
    assert errors_of(response)
    assert (CreditRecord.objects.count(), QuarantinedRow.objects.count(), Subject.objects.count()) == (0, 0, 2)


@pytest.mark.parametrize(
    "who", ["clerk", "officer", "supervisor", "other_clerk", "centre", "auditor", "editor", "operator"]
)
def test_nobody_enters_without_having_been_given_the_entry(who: str, people: Cast, client: Client) -> None:
    entitlement = Entitlement.objects.get(agency__code="hz-market", entry__code=ENTRY)
    client.force_login(getattr(people, who))
    assert client.get(form_page(entitlement)).status_code == 403
    assert client.post(form_page(entitlement), typed(penalty(1))).status_code == 403
    assert client.get(reverse("admin:records_creditrecord_add")).status_code == 403
    assert not CreditRecord.objects.exists()


def test_a_grant_for_another_unit_opens_nothing(people: Cast, entitlement: Entitlement, client: Client) -> None:
    grant(people.other_clerk, entitlement)
    client.force_login(people.other_clerk)
    assert client.get(form_page(entitlement)).status_code == 403
    assert client.post(form_page(entitlement), typed(penalty(1))).status_code == 403


def test_a_grant_ends_with_the_membership(people: Cast, entitlement: Entitlement, client: Client) -> None:
    yesterday = datetime.date.today() - datetime.timedelta(days=1)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        people.clerk.memberships.update(valid_from=yesterday - datetime.timedelta(days=9), valid_until=yesterday)
    client.force_login(people.clerk)
    assert client.post(form_page(entitlement), typed(penalty(1))).status_code in {302, 403}
    assert not CreditRecord.objects.exists()


def test_only_what_was_given_is_offered(clerk: Client, entitlement: Entitlement) -> None:
    text = clerk.get(reverse("admin:records_creditrecord_add")).content.decode()
    assert form_page(entitlement) in text
    assert len(re.findall(r"/creditrecord/enter/\d+/", text)) == 1


# --- other units ---------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["other_clerk", "centre", "auditor", "editor", "operator", "security"])
def test_for_others_the_record_is_not_there(who: str, people: Cast, clerk: Client, entitlement: Entitlement) -> None:
    clerk.post(form_page(entitlement), typed(person_penalty(1, "林示例", PERSON_NUMBER)))
    record = CreditRecord.objects.get()
    clerk.force_login(getattr(people, who))
    assert clerk.get(change_page(record)).status_code == 404
    assert clerk.post(change_page(record), {"reason": "x"}).status_code == 404
    withdraw = reverse("admin:records_creditrecord_withdraw", args=[record.pk])
    assert clerk.post(withdraw, {"reason": "x"}).status_code == 404
    listing = clerk.get(reverse("admin:records_creditrecord_changelist"))
    assert record.document_number not in listing.content.decode()
    assert not AccessLog.objects.exists()
    assert CreditRecord.objects.get().state == RecordState.IN_FORCE


@pytest.mark.parametrize("who", ["person", "unbound", "anonymous"])
def test_citizens_have_no_business_here(who: str, people: Cast, entitlement: Entitlement, client: Client) -> None:
    if who != "anonymous":
        client.force_login(getattr(people, who))
    assert client.get(form_page(entitlement)).status_code in {302, 403}
    assert client.get(reverse("admin:records_creditrecord_changelist")).status_code in {302, 403}


@pytest.mark.parametrize("key", ["abc", "0", "999999999", "1e3", "-1", "9" * 25, "%00"])
def test_a_key_that_is_none_is_not_there(key: str, clerk: Client) -> None:
    assert clerk.get(f"/admin/records/creditrecord/{key}/change/").status_code in {302, 404}


# --- looking and withdrawing ---------------------------------------------------------------------


def test_opening_a_record_about_a_person_is_written_down_first(
    people: Cast, clerk: Client, entitlement: Entitlement
) -> None:
    clerk.post(form_page(entitlement), typed(person_penalty(1, "林示例", PERSON_NUMBER)))
    record = CreditRecord.objects.get()
    assert not AccessLog.objects.exists()
    assert PERSON_NUMBER in clerk.get(change_page(record)).content.decode()
    row = AccessLog.objects.get()
    assert (row.subject_ref, row.actor, row.agency) == (record.subject_id, people.clerk, entitlement.agency)
    assert (row.authority, row.door) == (Authority.DUTY, Door.ADMIN)
    assert {"name", "number"} <= set(row.fields)


def test_opening_a_record_about_an_organisation_discloses_nobody(clerk: Client, entitlement: Entitlement) -> None:
    clerk.get(change_page(entered(clerk, entitlement)))
    assert not AccessLog.objects.exists()


@pytest.mark.parametrize("who", ["officer", "supervisor"])
def test_who_decides_for_the_unit_may_withdraw(who: str, people: Cast, clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement)
    withdraw = reverse("admin:records_creditrecord_withdraw", args=[record.pk])
    clerk.force_login(getattr(people, who))
    assert withdraw in clerk.get(change_page(record)).content.decode()
    clerk.get(withdraw)
    clerk.post(withdraw, {"reason": " "})
    assert CreditRecord.objects.get().state == RecordState.IN_FORCE
    clerk.post(withdraw, {"reason": "决定被撤销"})
    assert CreditRecord.objects.get().state == RecordState.REVOKED
    assert not CreditRecord.objects.publishable().exists()
    (event,) = OutboxEvent.objects.filter(topic="records.withdrawn")
    assert event.payload["records"] == [record.pk]
    (old,) = history(record)
    assert old.pgh_context["actor"] == getattr(people, who).pk
    clerk.post(withdraw, {"reason": "noch einmal"})
    assert OutboxEvent.objects.filter(topic="records.withdrawn").count() == 1


def test_a_clerk_may_not_withdraw_and_is_not_offered_it(clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement)
    withdraw = reverse("admin:records_creditrecord_withdraw", args=[record.pk])
    assert withdraw not in clerk.get(change_page(record)).content.decode()
    clerk.post(withdraw, {"reason": "x"})
    assert CreditRecord.objects.get().state == RecordState.IN_FORCE
    assert not OutboxEvent.objects.filter(topic="records.withdrawn").exists()


@pytest.mark.parametrize("who", ["clerk", "officer", "supervisor", "centre"])
def test_nobody_deletes_a_record(who: str, people: Cast, clerk: Client, entitlement: Entitlement) -> None:
    record = entered(clerk, entitlement)
    clerk.force_login(getattr(people, who))
    response = clerk.post(reverse("admin:records_creditrecord_delete", args=[record.pk]), {"post": "yes"})
    assert response.status_code in {302, 403, 404}
    assert CreditRecord.objects.filter(pk=record.pk).exists()


def test_a_unit_without_a_feed_of_its_own_gets_a_form_all_the_same(people: Cast, client: Client) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        agency = people.clerk.memberships.get().agency
        entry = Entitlement.objects.get(entry__code="ecommerce-dishonesty").entry
        entitlement = Entitlement.objects.create(agency=agency, entry=entry)
    grant(people.clerk, entitlement)
    client.force_login(people.clerk)
    row = {
        "name": "示例公司", "registration_number": "", "organisation_code": "",
        "credit_code": penalty(1)["CF_XDR_SHXYM"], "effects": ["judgment_defaulter"],
    }  # fmt: skip
    response = client.post(form_page(entitlement), row)
    assert response.status_code == 200
    assert errors_of(response)


def test_the_way_to_the_form_leads_over_the_choice_of_what_to_record(clerk: Client, entitlement: Entitlement) -> None:
    html = clerk.get(form_page(entitlement)).content.decode()
    crumbs = html[html.index('class="breadcrumbs"') : html.index("</div></nav>")]
    for name in ("index", "records_creditrecord_changelist", "records_creditrecord_add"):
        assert crumbs.count(f'href="{reverse("admin:" + name)}"') == 1, name
    record = entered(clerk, entitlement)
    assert reverse("admin:records_creditrecord_add") not in clerk.get(change_page(record)).content.decode()
