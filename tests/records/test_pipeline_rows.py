"""What is kept of a row: nothing that may not be, tiers and dates by the rules, nothing personal in clear."""

import datetime
import json
import logging
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from creditplatform.core.models import Agency
from creditplatform.core.rules import load_rulebook
from records import rules
from records.enums import RowState, Tier
from records.models import CatalogueEntry, CreditRecord, Entitlement, Feed, QuarantinedRow, Subject
from tests.deliveries import penalty, person_penalty
from tests.records.feed_files import xlsx
from tests.records.feedfiles import (
    cells_of,
    counts,
    credit_code,
    deliver,
    problems_of,
    raw,
    resident,
    take_in,
    whole_database,
)

ADULT = datetime.date(1985, 6, 15)
TODAY = datetime.date.today()
pytestmark = pytest.mark.usefixtures("context")


def on(day: str) -> time_machine.travel:
    """Noon in Shanghai on that day."""
    return time_machine.travel(datetime.datetime.fromisoformat(f"{day}T12:00:00+08:00"), tick=True)


# --- what may not be kept ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flaw", [{}, {"CF_NR_FK": "viel"}, {"CF_WFXW": ""}, {"CF_CFLB": "关小黑屋"}, {"CF_SY": "=1+1"}, {"CF_FR_ZJHM": "1"}]
)
def test_nothing_of_a_minor_is_kept_whatever_else_is_wrong_with_the_row(flaw: dict[str, str]) -> None:
    number = resident(401, datetime.date(2014, 3, 1))
    batch = deliver(person_penalty(1, "小秘密", number, **flaw))
    assert counts(batch) == {"received": 1, "rejected": 1}
    assert batch.problems["minor"] == 1
    row = QuarantinedRow.objects.get()
    assert (row.cells, row.state) == (None, RowState.REJECTED)
    assert Subject.objects.filter(kind="person").count() == 0
    assert CreditRecord.objects.count() == 0


def test_a_person_is_a_minor_until_the_eighteenth_birthday() -> None:
    born = datetime.date(2008, 5, 10)
    number = resident(403, born)
    batch = deliver(
        person_penalty(1, "示例", number, CF_JDRQ="2026-05-09"), person_penalty(2, "示例", number, CF_JDRQ="2026-05-10")
    )
    assert counts(batch) == {"received": 2, "accepted": 1, "rejected": 1}
    assert CreditRecord.objects.get().decided_on == datetime.date(2026, 5, 10)


def test_a_minor_on_no_unfavourable_list_may_wait_for_correction(honours: str) -> None:
    child = honour(
        1, name="小模范", party_kind="自然人", credit_code="", identity_kind="身份证", decided_on="昨天",
        identity_number=resident(601, datetime.date(2014, 1, 1)),
    )  # fmt: skip
    assert counts(deliver(child, feed=honours)) == {"received": 1, "quarantined": 1}


@pytest.mark.parametrize("flaw", [{}, {"CF_NR_FK": "viel"}])
def test_a_decision_past_retention_is_rejected_and_not_kept(flaw: dict[str, str]) -> None:
    batch = deliver(penalty(1, CF_JDRQ="2010-01-01", **flaw))
    assert counts(batch) == {"received": 1, "rejected": 1}
    assert batch.problems["past_retention"] == 1
    assert QuarantinedRow.objects.get().cells is None


def test_retention_ends_on_the_day_and_not_before() -> None:
    with on("2026-11-20"):
        batch = deliver(penalty(1, CF_JDRQ="2021-11-20"), penalty(2, CF_JDRQ="2021-11-21"))
    assert counts(batch) == {"received": 2, "accepted": 1, "rejected": 1}
    assert CreditRecord.objects.get().decided_on == datetime.date(2021, 11, 21)


# --- what must be right --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "field", "problem"),
    [
        ({"CF_JDRQ": (TODAY + datetime.timedelta(days=3)).isoformat()}, "CF_JDRQ", "date_in_future"),
        ({"CF_JDRQ": "9999-12-31"}, "CF_JDRQ", "date_in_future"),
        ({"CF_JDRQ": "2026-02-30"}, "CF_JDRQ", "not_a_date"),
        ({"CF_JDRQ": ""}, "CF_JDRQ", "required"),
        ({"CF_CFLB": "罚款", "CF_NR_FK": ""}, "CF_NR_FK", "required"),
        ({"CF_CFLB": "警告;罚款", "CF_NR_FK": "/"}, "CF_NR_FK", "required"),
        ({"CF_CFLB": "没收违法所得"}, "CF_NR_WFFF", "required"),
        ({"CF_NR_FK": "一万元"}, "CF_NR_FK", "amount_in_words"),
        ({"CF_NR_FK": "9e999999亿元"}, "CF_NR_FK", "not_an_amount"),
        ({"CF_CFLB": "关小黑屋"}, "CF_CFLB", "unknown_effect"),
        ({"CF_XDR_LB": ""}, "CF_XDR_LB", "required"),
        ({"CF_WSH": "x" * 129}, "CF_WSH", "too_long"),
        ({"CF_SY": "=HYPERLINK(1)"}, "CF_SY", "formula"),
        ({"CF_SY": "a\x01b"}, "CF_SY", "control_characters"),
        ({"CF_WFXW": "无"}, "CF_WFXW", "required"),
        ({"CF_FR_ZJLX": "身份证"}, "CF_FR_ZJHM", "required"),
    ],
)
def test_a_faulty_cell_sets_the_row_aside_with_field_and_reason(
    cells: dict[str, str], field: str, problem: str
) -> None:
    full = {"CF_NR_WFFF": "", "CF_FR_ZJLX": "", "CF_FR_ZJHM": ""}
    batch = deliver(penalty(1, **{**full, **cells}), penalty(2, **full))
    assert counts(batch) == {"received": 2, "accepted": 1, "quarantined": 1}
    assert (field, problem) in problems_of(batch)[0]


def test_a_fine_needs_its_amount_even_where_the_file_has_no_such_column() -> None:
    rows = [penalty(1), penalty(2, CF_CFLB="警告"), penalty(3)]
    batch = deliver(*({name: text for name, text in row.items() if name != "CF_NR_FK"} for row in rows))
    assert counts(batch) == {"received": 3, "accepted": 1, "quarantined": 2}
    assert problems_of(batch) == [[("CF_NR_FK", "required")]] * 2


def test_a_value_has_the_form_the_catalogue_asks_for() -> None:
    """The field list of the star volunteers says one to five stars."""
    header, cells = cells_of([star(1, "3"), star(2, "9"), star(3, "0")])
    batch = take_in(xlsx([header, *cells]), feed="hz-volunteer-stars")
    assert counts(batch) == {"received": 3, "accepted": 1, "quarantined": 2}
    assert problems_of(batch) == [[("stars", "pattern")]] * 2


def star(number: int, stars: str = "3", **cells: str) -> dict[str, str]:
    row = {
        "name": f"示例{number}", "identity_kind": "身份证", "identity_number": resident(500 + number, ADULT),
        "document_number": f"星〔2026〕{number}", "stars": stars, "hours": "300", "decided_on": "2026-03-01",
        "agency_name": "惠州市志愿者联合会",
    }  # fmt: skip
    return {**row, **cells}


def test_every_problem_of_a_row_is_told_at_once() -> None:
    batch = deliver(penalty(1, CF_JDRQ="昨天", CF_NR_FK="viel", CF_XDR_SHXYM="91620100", CF_WFXW=""))
    assert set(problems_of(batch)[0]) == {
        ("CF_JDRQ", "not_a_date"), ("CF_NR_FK", "not_an_amount"), ("CF_XDR_SHXYM", "wrong_length"),
        ("CF_WFXW", "required"),
    }  # fmt: skip


def test_only_the_unit_of_the_feed_or_one_below_it_may_have_sent_a_row() -> None:
    market = Agency.objects.get(code="hz-market")
    own, below, lowest, other, stranger = (credit_code(9000 + n) for n in range(5))
    Agency.objects.filter(pk=market.pk).update(credit_code=own)
    Agency.objects.filter(code="hz-eco").update(parent=market, credit_code=below)
    Agency.objects.filter(code="hz-hrss").update(parent=Agency.objects.get(code="hz-eco"), credit_code=lowest)
    Agency.objects.filter(code="gs-tax").update(credit_code=other)

    def sent(number: int, decided: str, sent_by: str) -> dict[str, str]:
        return penalty(number, CF_CFJGDM=decided, CF_SJLYDM=sent_by)

    batch = deliver(
        sent(1, own, own), sent(2, below, own), sent(3, lowest, below), sent(4, own, stranger), sent(5, own, other),
        sent(6, other, own), sent(7, stranger, own),
    )  # fmt: skip
    assert counts(batch) == {"received": 7, "accepted": 3, "quarantined": 4}
    assert problems_of(batch) == [
        [("CF_SJLYDM", "agency_unknown")], [("CF_SJLYDM", "agency_not_entitled")],
        [("CF_CFJGDM", "agency_not_entitled")], [("CF_CFJGDM", "agency_unknown")],
    ]  # fmt: skip
    Feed.objects.filter(code="hz-market-penalty").update(sends_for=[other])
    assert counts(deliver(sent(6, other, own))) == {"received": 1, "accepted": 1}, "it may send for this one"


# --- tiers and periods ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effects", "more", "tier"),
    [
        ("警告", {}, Tier.MINOR),
        ("罚款", {}, Tier.GENERAL),
        ("警告;罚款", {}, Tier.GENERAL),
        ("警告;罚款;责令停产停业", {}, Tier.SERIOUS),
        ("其他-责令改正", {}, Tier.GENERAL),
        ("吊销许可证", {"CF_NR_ZKDX": "食品经营许可证 JY1"}, Tier.SERIOUS),
    ],
)
@pytest.mark.parametrize("decided_on", ["2024-02-29", "2025-08-31", "2026-04-01", "2026-10-31"])
def test_tier_and_dates_are_those_the_rules_compute(
    effects: str, more: dict[str, str], tier: Tier, decided_on: str
) -> None:
    deliver(penalty(1, CF_CFLB=effects, CF_JDRQ=decided_on, **more))
    record, day, book = CreditRecord.objects.get(), datetime.date.fromisoformat(decided_on), load_rulebook()
    today = timezone.localdate()
    expected = rules.periods(tier, day, today, book, field=record.field, retention_years=5)
    assert record.tier == rules.tier_of_effects(record.effects, book, today) == tier
    assert (record.repairable_from, record.publish_until, record.retain_until) == (
        expected.repairable_from, expected.publish_until, expected.retain_until,
    )  # fmt: skip


def test_the_order_of_the_effects_makes_no_new_version() -> None:
    deliver(penalty(1, CF_CFLB="警告;罚款"))
    stored = CreditRecord.objects.get()
    assert stored.effects == ["fine", "warning"]


def honour(number: int, **cells: str) -> dict[str, str]:
    row = {
        "name": f"示例{number}号有限公司", "party_kind": "法人及非法人组织", "credit_code": credit_code(number),
        "identity_kind": "", "identity_number": "", "document_number": f"荣〔2026〕{number}", "title": "诚信模范",
        "decided_on": "2026-03-01", "valid_until": "", "agency_name": "示例单位",
    }  # fmt: skip
    return {**row, **cells}


@pytest.fixture
def honours() -> str:
    """A feed of favourable records."""
    entry, agency = CatalogueEntry.objects.get(code="honesty-model"), Agency.objects.get(code="hz-drc")
    Entitlement.objects.get_or_create(agency=agency, entry=entry)
    Feed.objects.create(code="test-honours", name="荣誉", name_en="Honours", agency=agency, entry=entry, rhythm="once")
    return "test-honours"


@pytest.mark.parametrize(
    ("valid_until", "publish_until"),
    [
        ("2027-06-30", datetime.date(2027, 7, 1)),
        ("2026-12-31", datetime.date(2027, 1, 1)),
        ("2099-12-30", datetime.date(2099, 12, 31)),
        ("2099/12/31", None),
        ("2099-12-31", None),
        ("9999-12-31", None),
        ("", None),
    ],
)
def test_a_favourable_record_is_shown_on_its_last_valid_day_and_not_after(
    honours: str, valid_until: str, publish_until: datetime.date | None
) -> None:
    deliver(honour(1, valid_until=valid_until), feed=honours)
    record = CreditRecord.objects.get()
    assert (record.tier, record.publish_until) == (Tier.NONE, publish_until)
    assert (record.repairable_from, record.retain_until) == (None, None)


def test_a_favourable_record_of_a_minor_is_kept_and_marked(honours: str) -> None:
    child = honour(
        1, name="小模范", party_kind="自然人", credit_code="", identity_kind="身份证",
        identity_number=resident(601, datetime.date(2014, 1, 1)),
    )  # fmt: skip
    assert counts(deliver(child, feed=honours)) == {"received": 1, "accepted": 1}
    assert CreditRecord.objects.get().minor_at_decision


def test_persons_are_public_only_where_a_law_says_so() -> None:
    deliver(person_penalty(1, "示例甲", resident(701, ADULT)), penalty(2))
    assert [r.subject_kind for r in CreditRecord.objects.publishable()] == ["organisation"]
    row = {
        "name": "示例乙", "party_kind": "自然人", "identity_kind": "身份证", "identity_number": resident(703, ADULT),
        "document_number": "（2026）甘0102执1号", "basis_number": "（2025）甘0102民初1号", "performance": "全部未履行",
        "conduct": "有履行能力而拒不履行", "decided_on": "2026-05-01", "agency_name": "示例法院",
    }  # fmt: skip
    deliver(row, feed="gs-court-defaulters")
    public = CreditRecord.objects.publishable().filter(subject_kind="person")
    assert [r.entry.code for r in public] == ["judgment-defaulter"]


# --- personal values -----------------------------------------------------------------------------


SECRET_NAME, SECRET_OWNER = "慕容隐秘", "欧阳不可见"


def test_no_personal_value_stands_anywhere_in_clear(caplog: pytest.LogCaptureFixture, capsys: Any) -> None:
    number, owner_number = resident(801, ADULT), resident(803, ADULT)
    caplog.set_level(logging.DEBUG)
    company = penalty(2, CF_FRDB=SECRET_OWNER, CF_FR_ZJLX="身份证", CF_FR_ZJHM=owner_number)
    good = person_penalty(1, SECRET_NAME, number, CF_FR_ZJLX="", CF_FR_ZJHM="")
    bad = [
        person_penalty(3, SECRET_NAME, number[:-1] + ("1" if number[-1] != "1" else "2")),
        person_penalty(4, SECRET_NAME, number, CF_JDRQ=SECRET_NAME),
        person_penalty(5, SECRET_NAME, number, CF_NR_FK=number),
        person_penalty(6, SECRET_OWNER, number),
        person_penalty(7, SECRET_NAME, resident(805, datetime.date(2014, 1, 1))),
    ]
    batch = deliver(company, good, *bad)
    assert counts(batch) == {"received": 7, "accepted": 2, "quarantined": 4, "rejected": 1}
    stored = whole_database(
        "records_subject", "records_creditrecord", "records_feedbatch", "records_quarantinedrow", "core_stepevent"
    )
    printed = "".join(capsys.readouterr())
    for secret in (SECRET_NAME, SECRET_OWNER, number, number[:17], owner_number, "2014" + "0101"):
        for place in (stored, stored.replace("\\x", ""), caplog.text, printed, json.dumps(batch.problems)):
            assert secret not in place
        assert secret.encode().hex() not in stored


def test_sealed_columns_hold_ciphertext_that_only_the_right_field_opens() -> None:
    number = resident(811, ADULT)
    deliver(person_penalty(1, SECRET_NAME, number, CF_FRDB=SECRET_OWNER))
    deliver(person_penalty(2, SECRET_NAME, number, CF_JDRQ="昨天"))
    ((number_sealed, name_sealed),) = raw("SELECT number_sealed, name_sealed FROM records_subject")
    ((sealed_payload,),) = raw("SELECT sealed_payload FROM records_creditrecord")
    ((cells,),) = raw("SELECT cells FROM records_quarantinedrow")
    for blob in map(bytes, (number_sealed, name_sealed, sealed_payload, cells)):
        assert len(blob) > 28
        assert not any(secret.encode() in blob for secret in (SECRET_NAME, SECRET_OWNER, number))
    subject, record = Subject.objects.get(), CreditRecord.objects.get()
    assert (subject.number_sealed, subject.name_sealed, subject.name, subject.code) == (number, SECRET_NAME, "", "")
    assert json.loads(record.sealed_payload or "") == {"CF_FRDB": SECRET_OWNER}
    assert not {"CF_XDR_MC", "CF_FRDB", "CF_XDR_ZJHM", "CF_XDR_ZJLX"} & set(record.payload)
    assert json.loads(QuarantinedRow.objects.get().cells or "")["CF_XDR_ZJHM"] == number


def test_two_sealings_of_one_value_differ_so_that_nobody_can_compare_them() -> None:
    deliver(penalty(1, CF_FRDB=SECRET_OWNER), penalty(2, CF_FRDB=SECRET_OWNER))
    blobs = {bytes(blob) for (blob,) in raw("SELECT sealed_payload FROM records_creditrecord")}
    assert len(blobs) == 2


@pytest.mark.parametrize(
    "name",
    ["𠮷𡃁示例", "王㛃", "𬭚䶮", "李·é́", "鿍鿎", 'O\'Brien \\N "x" {a,b}', "甲\\\\乙", "a,b", "{}", "制\t表", "两\n行"],
)
def test_characters_are_kept_exactly(name: str) -> None:
    deliver(
        penalty(1, CF_XDR_MC=f"{name}公司", CF_SY=name, CF_WSH=f"{name}1", CF_FRDB=name),
        person_penalty(2, name, resident(821, ADULT), CF_WSH=f"{name}2"),
    )
    company, person = Subject.objects.get(kind="organisation"), Subject.objects.get(kind="person")
    assert company.name == f"{name}公司"
    assert person.name_sealed == name
    record = CreditRecord.objects.get(subject=company)
    assert (record.document_number, record.payload["CF_SY"]) == (f"{name}1", name)
    assert json.loads(record.sealed_payload or "") == {"CF_FRDB": name}
