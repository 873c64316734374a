"""Tables of the staff admin: units and their site, exports, names of files, the calendar, who may enter."""

import datetime
from typing import Any

import pytest
import tablib
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import translation

from creditplatform.core import audit
from creditplatform.core.enums import Door, Role
from creditplatform.core.models import Agency, CalendarDay, Site
from records.enums import RecordState
from records.models import CreditRecord, Entitlement, FeedBatch
from records.services.expiry import expire_due
from tests.cast import Cast, member
from tests.deliveries import penalty
from tests.records.feedfiles import deliver, people_of_the_cast
from tests.records.provocations import broken

FORMULAE = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1")


@pytest.fixture
def people(db: None, settings: Any) -> Cast:
    """The cast; what the pages themselves write needs a context of its own."""
    return people_of_the_cast(settings)


@pytest.fixture
def centre(people: Cast, client: Client) -> Client:
    client.force_login(people.centre)
    return client


def filled(client: Client, address: str, **changes: Any) -> dict[str, Any]:
    """What a page of the admin sends back, with these changes."""
    form = client.get(address).context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    sent = {name: getattr(value, "pk", value) for name, value in values.items() if value not in (None, False)}
    return {**sent, **changes}


def unit_page(agency: Agency) -> str:
    return reverse("admin:core_agency_change", args=[agency.pk])


# --- units -----------------------------------------------------------------------------------------


def other_site(agency: Agency) -> Site:
    return Site.objects.exclude(pk=agency.site_id)[0]


def test_a_unit_with_records_stays_on_its_site_and_the_form_says_so(centre: Client) -> None:
    deliver(penalty(1))
    agency = Agency.objects.get(code="hz-market")
    sent = filled(centre, unit_page(agency), site=other_site(agency).pk, phone="0752-1")
    response = centre.post(unit_page(agency), sent)
    assert response.status_code == 200
    assert set(response.context["adminform"].form.errors) == {"site"}
    unmoved = Agency.objects.get(pk=agency.pk)
    assert (unmoved.site_id, unmoved.phone) == (agency.site_id, agency.phone)


def test_a_unit_without_records_may_move_and_any_may_change_otherwise(centre: Client) -> None:
    deliver(penalty(1))
    market, other = Agency.objects.get(code="hz-market"), Agency.objects.get(code="hz-fire")
    assert centre.post(unit_page(market), filled(centre, unit_page(market), phone="0752-1")).status_code == 302
    moved = filled(centre, unit_page(other), site=other_site(other).pk)
    assert centre.post(unit_page(other), moved).status_code == 302
    assert Agency.objects.get(pk=market.pk).phone == "0752-1"
    assert Agency.objects.get(pk=other.pk).site_id != other.site_id


def test_the_database_keeps_a_unit_with_records_on_its_site(people: Cast) -> None:
    deliver(penalty(1))
    agency = Agency.objects.get(code="hz-market")
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        move = Agency.objects.filter(pk=agency.pk).update
        assert broken(lambda: move(site=other_site(agency)))[0] == "CR008"
        move(site=agency.site_id, phone="0752-1")
    assert Agency.objects.get(pk=agency.pk).phone == "0752-1"


def test_what_became_of_a_unit_does_not_keep_its_records_from_expiring(people: Cast) -> None:
    """Such a move cannot happen any more; where it had, one unit stopped the expiry of all."""
    deliver(penalty(1))
    record = CreditRecord.objects.get()
    assert record.publish_until is not None
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_agency DISABLE TRIGGER records_unit_keeps_its_site")
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Agency.objects.filter(pk=record.agency_id).update(site=other_site(record.agency))
        assert expire_due(on=record.publish_until) == 1
        assert broken(lambda: CreditRecord.objects.update(polarity="neutral"))[0] == "CR006"
    assert CreditRecord.objects.get().state == RecordState.EXPIRED


def test_no_cell_of_an_export_is_a_formula(centre: Client, settings: Any) -> None:
    assert settings.IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        for agency, text in zip(Agency.objects.order_by("pk"), FORMULAE, strict=False):
            Agency.objects.filter(pk=agency.pk).update(office=text)
    form = centre.get(reverse("admin:core_agency_export")).context["form"]
    number = next(str(key) for key, name in form.fields["format"].choices if name == "csv")
    ticked = {name: "on" for name in form.fields if name.startswith("agencyresource_")}
    response = centre.post(reverse("admin:core_agency_export"), {"format": number, "resource": "", **ticked})
    table = tablib.Dataset().load(response.content.decode(), format="csv")
    cells = [str(cell) for row in table for cell in row if cell is not None]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {f"'{text}" for text in FORMULAE} <= set(cells)


@pytest.mark.parametrize(("language", "hours"), [("zh-hans", "周一至周五 9"), ("en", "Mon–Fri 9")])
def test_office_hours_are_said_in_the_language_of_the_page(language: str, hours: str, people: Cast) -> None:
    agency = Agency.objects.get(code="hz-market")
    with translation.override(language):
        assert agency.hours_label.startswith(hours)
        agency.hours_en = ""
        assert agency.hours_label == agency.hours


# --- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "seen"), [("clerk", True), ("supervisor", True), ("centre", False)])
def test_the_name_of_a_file_is_for_the_unit_that_sent_it(who: str, seen: bool, people: Cast, client: Client) -> None:
    batch = deliver(penalty(1), name="林示例的处罚.csv")
    client.force_login(getattr(people, who))
    assert "林示例" not in client.get(reverse("admin:records_feedbatch_changelist")).content.decode()
    text = client.get(reverse("desk:delivery", args=[batch.pk])).content.decode()
    assert ("林示例" in text) == seen
    assert (batch.file_digest[:12] in text) != seen
    assert FeedBatch.objects.get().file_name == "林示例的处罚.csv"


# --- the calendar ----------------------------------------------------------------------------------


def test_holidays_are_named_in_the_language_of_the_page(centre: Client) -> None:
    day = CalendarDay.objects.get(day=datetime.date(2026, 10, 1))
    address = reverse("admin:core_calendarday_change", args=[day.pk])
    for page in (reverse("admin:core_calendarday_changelist") + "?day__year=2026&day__month=10", address):
        text = centre.get(page).content.decode()
        assert "国庆节" in text
        assert "National Day" not in text
    form = centre.get(address).context["adminform"].form
    shown = form.get_initial_for_field(form.fields["name"], "name")
    sent = {"day": "2026-10-01", "name": form.fields["name"].prepare_value(shown)}
    assert sent["name"] == "国庆节"
    assert centre.post(address, sent).status_code == 302
    assert CalendarDay.objects.get(pk=day.pk).name == "National Day"
    assert centre.post(address, {**sent, "name": "另一节日"}).status_code == 302
    assert CalendarDay.objects.get(pk=day.pk).name == "另一节日"


# --- who may enter ---------------------------------------------------------------------------------


def may_enter_page(entitlement: Entitlement) -> str:
    return reverse("admin:records_entitlement_permissions", args=[entitlement.pk])


@pytest.fixture
def entitlement(people: Cast) -> Entitlement:
    return Entitlement.objects.get(agency__code="hz-market", entry__code="administrative-penalty")


def test_the_centre_gives_an_entry_to_members_of_the_unit_and_takes_it_back(
    people: Cast, centre: Client, entitlement: Entitlement
) -> None:
    page = may_enter_page(entitlement)
    offered = set(centre.get(page).context["form"].fields["people"].queryset)
    assert offered == {people.clerk, people.officer, people.supervisor}
    assert centre.post(page, {"people": [people.clerk.pk, people.officer.pk]}).status_code == 302
    assert set(centre.get(page).context["form"].initial["people"]) == {people.clerk.pk, people.officer.pk}
    assert people.clerk.has_perm("records.enter_records", entitlement)
    assert centre.post(page, {}).status_code == 302
    assert centre.get(page).context["form"].initial["people"] == set()


def test_who_has_left_the_unit_is_still_shown_and_can_be_struck_off(
    people: Cast, centre: Client, entitlement: Entitlement
) -> None:
    page, yesterday = may_enter_page(entitlement), datetime.date.today() - datetime.timedelta(days=1)
    centre.post(page, {"people": [people.clerk.pk]})
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        people.clerk.memberships.update(valid_from=yesterday - datetime.timedelta(days=9), valid_until=yesterday)
    assert people.clerk in centre.get(page).context["form"].fields["people"].queryset
    centre.post(page, {"people": []})
    assert people.clerk not in centre.get(page).context["form"].fields["people"].queryset


def test_nobody_of_another_unit_is_given_an_entry(people: Cast, centre: Client, entitlement: Entitlement) -> None:
    response = centre.post(may_enter_page(entitlement), {"people": [people.other_clerk.pk]})
    assert "people" in response.context["form"].errors
    assert not people.other_clerk.has_perm("records.enter_records", entitlement)


@pytest.mark.parametrize("who", ["clerk", "officer", "supervisor", "auditor", "security", "operator"])
def test_only_the_centre_says_who_may_enter(who: str, people: Cast, client: Client, entitlement: Entitlement) -> None:
    client.force_login(getattr(people, who))
    assert client.get(may_enter_page(entitlement)).status_code == 403
    assert client.post(may_enter_page(entitlement), {"people": [people.clerk.pk]}).status_code == 403


def test_the_page_of_an_entitlement_leads_to_who_may_enter(centre: Client, entitlement: Entitlement) -> None:
    text = centre.get(reverse("admin:records_entitlement_change", args=[entitlement.pk])).content.decode()
    assert may_enter_page(entitlement) in text


def test_a_new_member_is_offered_at_once(people: Cast, centre: Client, entitlement: Entitlement) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        new = member("new-clerk", entitlement.agency, Role.CLERK)
    assert new in centre.get(may_enter_page(entitlement)).context["form"].fields["people"].queryset
