"""Pages say words, not codes; in the language of the page; and what somebody can do about it today."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse
from django.utils import translation

from creditplatform.core import audit, notices
from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.models import AccessLog, Agency, RuleValue, StepEvent
from records.demonstration.people import give_codes_to_units
from records.enums import OwnPurpose
from records.labels import tier_rule_sentence
from records.models import CreditRecord, EntryVersion, FeedBatch, QuarantinedRow, RealNameBinding
from records.selectors import unit_label
from tests.cast import MINOR_NUMBER, PERSON_NUMBER, Cast
from tests.deliveries import penalty, person_penalty
from tests.records.feedfiles import counts, deliver, people_of_the_cast, take_in

EXAMPLE = Path(configured.BASE_DIR) / "docs" / "examples" / "penalties.csv"


@pytest.fixture
def people(db: None, settings: Any) -> Cast:
    return people_of_the_cast(settings)


def page(client: Client, who: Any, address: str, language: str = "en", status: int = 200) -> str:
    client.force_login(who)
    client.cookies["django_language"] = language
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def test_the_access_log_names_purpose_unit_role_and_local_time(people: Cast, client: Client) -> None:
    subject = RealNameBinding.objects.get(user=people.person).subject_id
    who = {"actor": people.clerk, "purpose": OwnPurpose.UPKEEP, "authority": Authority.DUTY}
    record_disclosure(subject_ref=subject, fields=["name"], **who)
    row = AccessLog.objects.get()
    with translation.override("en"):
        assert str(row).endswith("upkeep of the unit's own records")
    html = page(client, people.auditor, reverse("admin:core_accesslog_changelist"))
    assert "upkeep of the unit&#x27;s own records" in html
    assert "Huizhou Market Regulation Bureau · data entry clerk" in html
    assert str(row)[:16] in page(client, people.auditor, reverse("admin:core_accesslog_change", args=[row.pk]))


def test_steps_and_their_filters_are_said_as_on_buttons(people: Cast, client: Client) -> None:
    deliver(penalty(1))
    assert StepEvent.objects.filter(step="check").exists()
    html = page(client, people.auditor, reverse("admin:core_stepevent_changelist"))
    assert ">Feed batch<" in html and ">Check<" in html and "being checked" in html
    assert ">feed_batch<" not in html and ">check<" not in html


def test_rule_values_are_shown_with_unit_and_basis(people: Cast, client: Client) -> None:
    html = page(client, people.auditor, reverse("admin:core_rulevalue_changelist"))
    assert "18 years" in html and "Personal Information Protection Law" in html and "PIPL art. 31" not in html
    effects = RuleValue.objects.filter(key="tier.effects").first()
    assert effects is not None
    detail = page(client, people.auditor, reverse("admin:core_rulevalue_change", args=[effects.pk]))
    assert "minor: Warning" in detail and "{" not in detail.split("tier.effects")[1][:2000]


def test_versions_say_act_subjects_and_tier_rule_in_words(people: Cast, client: Client) -> None:
    version = EntryVersion.objects.get(entry__code="administrative-penalty", state="in_force")
    html = page(client, people.clerk, reverse("admin:records_entryversion_change", args=[version.pk]))
    assert "administrative penalty" in html and "The gravest effect of the decision gives the tier." in html
    assert "&quot;rule&quot;" not in html and "individual_business" not in html


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"rule": "none"}, "Such records have no tier."),
        ({"rule": "fixed", "tier": "serious"}, "Every record is serious."),
        (
            {"rule": "effects", "min_months": 3, "max_months": 6},
            "The gravest effect of the decision gives the tier. They are shown for at least 3 and at most 6 months.",
        ),
    ],
)
def test_a_tier_rule_is_a_sentence(rule: dict[str, Any], sentence: str) -> None:
    with translation.override("en"):
        assert tier_rule_sentence(rule) == sentence


def test_the_english_list_of_feeds_has_english_names(people: Cast, client: Client) -> None:
    html = page(client, people.clerk, reverse("admin:records_feed_changelist") + "?q=hz-market-penalty")
    assert "Huizhou market regulation: penalties" in html and "惠州市场监管行政处罚" not in html


def test_a_receipt_tells_rows_set_aside_from_rejected_ones(people: Cast, client: Client) -> None:
    batch = deliver(penalty(1), penalty(2, CF_XDR_SHXYM=""), person_penalty(3, "小示例", MINOR_NUMBER))
    assert counts(batch) == {"received": 3, "accepted": 1, "quarantined": 1, "rejected": 1}
    html = page(client, people.clerk, reverse("desk:delivery", args=[batch.pk]))
    aside, rejected = html.split("Rows that still wait: 1")[1].split("Rejected rows: 1")
    assert ">Line 3</a>" in aside and ">Line 4</a>" not in aside
    assert ">Line 4</a>" in rejected and "They cannot be corrected" in rejected
    row = QuarantinedRow.objects.get(line_number=3)
    with translation.override("en"):
        assert str(row) == f"Line 3 of batch {batch.pk}"
    detail = page(client, people.clerk, reverse("admin:records_quarantinedrow_change", args=[row.pk]))
    assert "Set aside on" in detail and "+00:00" not in detail


def test_cells_of_lists_bear_the_name_of_their_column(people: Cast, client: Client) -> None:
    deliver(penalty(1))
    html = page(client, people.clerk, reverse("admin:records_feedbatch_changelist"))
    assert 'data-label="State" class="field-state"' in html and 'data-label="Delivered"' in html


def test_refusals_lead_staff_back_to_their_work(people: Cast, client: Client) -> None:
    for address, status in (("/admin/core/accesslog/", 403), ("/admin/nothing/", 404)):
        html = page(client, people.clerk, address, status=status)
        assert 'href="/admin/"' in html and 'data-site="huizhou"' in html
    assert 'href="/admin/"' not in page(client, people.person, "/nothing/", status=404)


def test_amounts_effects_and_units_of_the_own_file_are_in_the_language_of_the_page(
    people: Cast, client: Client
) -> None:
    deliver(person_penalty(1, "林示例", PERSON_NUMBER, CF_CFLB="警告;罚款", CF_NR_FK="0.02"))
    record = CreditRecord.objects.get()
    address = reverse("me:record", args=[record.token])
    english = page(client, people.person, address)
    assert "<dt>Fine</dt><dd>200 yuan</dd>" in english and "<dd>Fine, Warning</dd>" in english
    assert "惠州市市场监督管理局" not in english and "0.02" not in english
    chinese = page(client, people.person, address, "zh-hans")
    assert "<dd>罚款、警告</dd>" in chinese and "警告;罚款" not in chinese
    assert f"/huizhou/services/objection/?record={record.token}" in chinese


def test_a_unit_that_is_none_of_ours_is_named_as_sent(people: Cast) -> None:
    source, other = Agency.objects.get(code="hz-market"), Agency.objects.get(code="hz-drc")
    with translation.override("en"):
        assert unit_label(source, "") == unit_label(source, source.name) == source.name_en
        assert unit_label(source, other.name) == other.name_en
        assert unit_label(source, "某某局") == "某某局"
    with translation.override("zh-hans"):
        assert unit_label(source, source.name_en) == source.name


def test_notices_lead_to_what_they_talk_about_where_it_is_ones_own(people: Cast, client: Client) -> None:
    deliver(person_penalty(1, "林示例", PERSON_NUMBER), penalty(2))
    own, foreign = CreditRecord.objects.order_by("row_number")
    addressee = RealNameBinding.objects.get(user=people.person).subject.number_index
    abouts = {"a": f"record:{own.token}", "b": f"record:{foreign.token}", "c": "record:x", "record_viewed": "x"}
    for code, about in abouts.items():
        notices.write_notice(addressee=addressee, code=code, text="信", text_en="letter", about=about)
    html = page(client, people.person, reverse("me:notices"))
    # the letter and the notice that came with the record
    assert html.count("Open the record") == 2 and reverse("me:record", args=[own.token]) in html
    assert foreign.token not in html and html.count(f'<a href="{reverse("me:looks")}"') == 1


def test_the_example_delivery_is_taken_in_whole(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        give_codes_to_units()
    batch = take_in(EXAMPLE.read_bytes())
    assert counts(batch) == {"received": 5, "accepted": 5}, batch.problems
    assert FeedBatch.objects.count() == 1
