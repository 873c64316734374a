"""What a credit report says: sections, scope, statement, past state, special report; whom it is refused."""

import datetime
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Agency, RuleValue
from records.enums import Edition, InformationClass, OwnPurpose, RecordState
from records.models import AccessDeferral, CreditRecord, CreditReport, EntryVersion, LegalBasis
from records.reports import sections
from records.services.reports import NoReportOfMinors
from tests.cast import MINOR_NUMBER, PERSON_NUMBER, Cast, person_subject
from tests.deliveries import ingest, person_penalty, quick_passwords  # noqa: F401
from tests.records.report_world import days_ago, issued, jws_of, payload, person_of, records_in, said

NAME = "林示例"


@pytest.fixture
def record(cast: Cast) -> CreditRecord:
    """A fine against the person, on file for thirty days' decision."""
    ingest(person_penalty(1, NAME, PERSON_NUMBER))
    return CreditRecord.objects.get()


def change(record: CreditRecord, **values: Any) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        CreditRecord.objects.filter(pk=record.pk).update(**values)


def test_the_sections_stand_in_their_order_and_empty_ones_say_so(cast: Cast, record: CreditRecord) -> None:
    content = said(issued(cast.person, language="en"))
    assert [section["code"] for section in content["sections"]] == list(sections.CODES)
    assert [section["number"] for section in content["sections"]] == list(range(1, 13))
    filled = {section["code"] for section in content["sections"] if section["items"]}
    assert filled == {"administration"}
    assert {section["empty"] for section in content["sections"] if not section["items"] and not section["advice"]} == {
        "Nothing on record."
    }


def test_a_report_of_a_period_says_so_in_title_scope_and_sections(cast: Cast, record: CreditRecord) -> None:
    content = said(issued(cast.person, language="en", period_from=days_ago(10), period_until=None))
    assert content["title"] == "Personal public credit report, decisions of a period"
    assert any("decisions of the period" in line for line in content["scope"])
    empty = {section["empty"] for section in content["sections"] if not section["advice"]}
    assert "Nothing on record within the period." in empty and "Nothing on record." not in empty


def test_every_kind_of_record_has_its_section_by_class_edition_and_field(db: None) -> None:
    versions = {v.entry.code: v for v in EntryVersion.objects.filter(state="in_force").select_related("entry")}
    assert all(sections.section_of(version) in sections.CODES for version in versions.values())
    assert sections.section_of(versions["star-volunteer"]) == sections.HONESTY
    assert sections.section_of(versions["volunteer-registration"]) == sections.HONESTY
    assert sections.section_of(versions["judgment-defaulter"]) == "serious"
    assert sections.section_of(versions["association-member"]) == sections.OTHER
    local = EntryVersion(edition=Edition.LOCAL, information_class=InformationClass.JUDICIAL, field="")
    assert sections.section_of(local) == sections.LOCAL


def test_a_record_comes_with_basis_unit_end_and_number(cast: Cast, record: CreditRecord) -> None:
    (item,) = records_in(issued(cast.person))
    text = str(item)
    for words in (
        record.document_number, record.agency.label, record.version.legal_basis.citation, item["sentence"],
        record.last_day_shown.isoformat(), record.token,
    ):  # fmt: skip
        assert words in text


def test_the_statement_and_the_dispute_are_carried(cast: Cast, record: CreditRecord) -> None:
    change(record, statement="我已缴清罚款。", disputed=True)
    (item,) = records_in(issued(cast.person))
    assert item["statement"] == "我已缴清罚款。"
    assert item["disputed"]


@pytest.mark.parametrize(
    "values",
    [
        {"state": RecordState.REVOKED},
        {"state": RecordState.REPAIRED},
        {"state": RecordState.EXPIRED},
        {"withheld": True},
    ],
)
def test_what_is_not_disclosed_is_not_in_it(cast: Cast, record: CreditRecord, values: dict[str, Any]) -> None:
    change(record, **values)
    assert records_in(issued(cast.person)) == []


def test_the_advice_follows_from_the_records_alone(cast: Cast, record: CreditRecord) -> None:
    (advice,) = [s["advice"] for s in said(issued(cast.person, language="en"))["sections"] if s["code"] == "advice"]
    assert len(advice) == 1
    assert record.document_number in advice[0] and "repair" in advice[0]


def test_the_number_is_masked_unless_the_person_wants_it_whole(cast: Cast, record: CreditRecord) -> None:
    assert said(issued(cast.person))["person"]["number"] == "****1239"
    assert PERSON_NUMBER not in str(said(issued(cast.person)))
    assert said(issued(cast.person, whole_number=True))["person"]["number"] == PERSON_NUMBER


def test_no_validity_is_invented(cast: Cast) -> None:
    report = issued(cast.person)
    assert (report.valid_until, said(report)["valid_until"]) == (None, None)
    RuleValue.objects.filter(key="report.valid_days").update(in_force=True, confirmed=True)
    assert issued(cast.person).valid_until == timezone.localdate() + datetime.timedelta(days=7)


def test_both_languages(cast: Cast, record: CreditRecord) -> None:
    assert said(issued(cast.person, language="en"))["title"] == "Personal public credit report"
    english = records_in(issued(cast.person, language="en"))[0]
    chinese = records_in(issued(cast.person))[0]
    assert english["title"] == "Administrative penalty"
    assert chinese["title"] == "行政处罚"


# --- a past day ---------------------------------------------------------------------------------------


def at_noon(days: int) -> datetime.datetime:
    return datetime.datetime.combine(days_ago(days), datetime.time(12), timezone.get_current_timezone())


def test_a_past_state_is_read_from_history(cast: Cast, record: CreditRecord) -> None:
    today = timezone.localdate()
    change(record, received_at=at_noon(20), state=RecordState.IN_FORCE)
    tomorrow = datetime.datetime.combine(today + datetime.timedelta(days=3), datetime.time(12), datetime.UTC)
    change(record, state=RecordState.REVOKED)
    assert records_in(issued(cast.person)) == []
    with time_machine.travel(tomorrow, tick=True):
        report = issued(cast.person, as_of=days_ago(4), language="en")
    (item,) = records_in(report)
    assert item["number"] == record.token
    content = said(report)
    assert content["historic"] is True
    assert any("past state" in line for line in content["scope"])


def test_what_came_in_later_is_not_in_a_past_state(cast: Cast, record: CreditRecord) -> None:
    assert records_in(issued(cast.person, as_of=days_ago(1))) == []


def test_what_may_no_longer_be_kept_is_not_brought_back(cast: Cast, record: CreditRecord) -> None:
    change(record, received_at=at_noon(20))
    assert len(records_in(issued(cast.person, as_of=days_ago(5)))) == 1
    change(record, state=RecordState.ARCHIVED)
    assert records_in(issued(cast.person, as_of=days_ago(5))) == []


# --- special report -------------------------------------------------------------------------------------


def test_a_special_report_says_of_each_kind_whether_there_is_one(cast: Cast, record: CreditRecord) -> None:
    report = issued(
        cast.person, kind="special", entries=("administrative-penalty", "judgment-defaulter"),
        period_from=days_ago(365), language="en",
    )  # fmt: skip
    content = said(report)
    assert [(part["code"], len(part["items"]), part["empty"]) for part in content["sections"]] == [
        ("administrative-penalty", 1, ""),
        ("judgment-defaulter", 0, "No record of this kind within the period."),
    ]
    assert content["looks"] is None
    assert content["title"] == "Special credit report in place of certificates"


def test_a_special_report_keeps_to_its_period(cast: Cast, record: CreditRecord) -> None:
    words = {"kind": "special", "entries": ("administrative-penalty",)}
    assert records_in(issued(cast.person, **words, period_from=days_ago(10))) == []
    assert records_in(issued(cast.person, **words, period_until=record.decided_on)) != []


def test_an_order_that_makes_no_sense_is_told_all_at_once(cast: Cast) -> None:
    with pytest.raises(Invalid) as caught:
        issued(
            cast.person, kind="special", as_of=days_ago(-1), period_from=days_ago(1), period_until=days_ago(2),
            language="xx",
        )  # fmt: skip
    assert {problem.field for problem in caught.value.problems} == {"as_of", "period_until", "entries", "language"}
    with pytest.raises(Invalid):
        issued(cast.person, kind="special", entries=("nothing-of-the-kind",))
    assert not CreditReport.objects.exists()


# --- who gets one, and what is written down ------------------------------------------------------------


def test_nobody_gets_a_report_about_somebody_else(cast: Cast) -> None:
    with pytest.raises(NotPermitted):
        issued(cast.stranger, subject=person_of(cast.person))
    with pytest.raises(NotPermitted):
        issued(cast.officer, subject=person_of(cast.person))


def test_no_report_is_made_about_minors(cast: Cast) -> None:
    minor = person_subject(MINOR_NUMBER, "小示例")
    person = person_of(cast.person)
    person.binding.delete()
    cast.person.real_name = type(person.binding).objects.create(user=cast.person, subject=minor, adapter="test")
    with pytest.raises(NoReportOfMinors):
        issued(cast.person, subject=minor)


def test_every_issue_is_in_the_access_log(cast: Cast, record: CreditRecord) -> None:
    issued(cast.person)
    line = AccessLog.objects.get(purpose=OwnPurpose.OWN_REPORT)
    assert (line.actor, line.authority, line.fields) == (cast.person, Authority.SELF, ["administrative-penalty"])
    issued(cast.stranger)
    assert AccessLog.objects.order_by("-pk")[0].result == AccessResult.NOTHING


def test_it_says_who_looked_but_not_oneself_nor_what_is_deferred(cast: Cast) -> None:
    person, units = person_of(cast.person), Agency.objects.order_by("pk")[:2]
    shown, deferred = (
        record_disclosure(
            subject_ref=person.pk,
            actor=cast.officer,
            agency=unit,
            purpose="upkeep",
            authority=Authority.DUTY,
            fields=[],
        )
        for unit in units
    )
    AccessDeferral.objects.create(
        access_id=deferred.pk, access_at=timezone.now(), subject=person, legal_basis=LegalBasis.objects.all()[0],
        until=days_ago(-30), entered_by=cast.officer, approved_by=cast.supervisor, approved_at=timezone.now(),
    )  # fmt: skip
    issued(cast.person)
    looks = said(issued(cast.person))["looks"]
    assert looks["months"] == 12
    assert [row["unit"] for row in looks["rows"]] == [shown.agency.label]


def test_what_was_refused_is_no_look_and_one_that_found_nothing_says_so(cast: Cast) -> None:
    person, unit = person_of(cast.person), Agency.objects.order_by("pk")[0]
    words = {"subject_ref": person.pk, "purpose": "green-channel", "authority": Authority.CONSENT, "fields": []}
    words["reference"] = "a"
    for actor, result in ((cast.clerk, AccessResult.REFUSED), (cast.officer, AccessResult.NOTHING)):
        record_disclosure(**words, actor=actor, agency=unit, result=result)
    for _wrong_code in range(3):
        record_disclosure(**words | {"purpose": "share-link"}, actor=None, agency=None, result=AccessResult.REFUSED)
    (row,) = said(issued(cast.person, language="en"))["looks"]["rows"]
    assert "nothing on file" in row["purpose"]


def test_a_special_report_says_that_it_is_limited_and_a_full_one_does_not(cast: Cast, record: CreditRecord) -> None:
    special = said(issued(cast.person, kind="special", entries=("administrative-penalty",), language="en"))
    full = said(issued(cast.person, language="en"))
    (limit,) = [line for line in special["scope"] if "has chosen" in line]
    assert record.entry.name_en in limit and not [line for line in full["scope"] if "limited" in line]


def test_apps_above_say_what_they_know(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "_sources", {})
    item = sections.Item(key="list:1", state="in_force", sentence="Listed.", facts=[("Since", "2026-01-01")])
    sections.contribute("serious", lambda subject, on: [item])
    (found,) = records_in(issued(cast.person))
    assert found["sentence"] == "Listed."
    with pytest.raises(ValueError, match="nothing"):
        sections.contribute("nothing", lambda subject, on: [])


def test_the_signed_json_says_the_same(cast: Cast, record: CreditRecord) -> None:
    report = issued(cast.person)
    assert payload(jws_of(report)) == said(report)
