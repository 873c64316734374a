"""Files of the column standard of 2015, fillers beside real numbers, and forms of numbers that no decision has."""

import pytest

from records.enums import RecordState
from records.models import CreditRecord, Entitlement
from records.services.correction import correct_record, mark_of
from records.services.entitlements import set_who_may_enter
from tests.cast import Cast
from tests.deliveries import penalty, quick_passwords  # noqa: F401
from tests.publicity.world import licence
from tests.records.feedfiles import counts, credit_code, deliver, organisation_code, problems_of, registration_number

LICENCES = "hz-licence"
OF_2015 = {"行政相对人代码_2(组织机构代码)": "", "行政相对人代码_3(工商登记码)": ""}
OF_ANY = {"地方编码": "441300", "数据更新时间戳": "2016-03-01 10:00:00"}


def old_licence(digit: str, number: int = 1) -> dict[str, str]:
    """A licence whose file has the columns that only the standard of 2015 has."""
    cells = licence(number)
    del cells["XK_ZT"]
    return {**cells, "当前状态": digit, **OF_2015}


@pytest.fixture(autouse=True)
def people(cast: Cast) -> None:
    """Every test has the units with their feeds."""


def test_the_digits_of_2015_mean_the_opposite_of_those_of_2018() -> None:
    assert counts(deliver(old_licence("0"), feed=LICENCES)) == {"received": 1, "accepted": 1}
    kept = CreditRecord.objects.get()
    assert (kept.payload["XK_ZT"], kept.payload["XK_SJZT"], kept.state) == ("1", "正常", RecordState.IN_FORCE)
    assert counts(deliver(old_licence("1"), feed=LICENCES)) == {"received": 1, "accepted": 1}
    kept.refresh_from_db()
    assert kept.state == RecordState.REVOKED, "1 is withdrawn there, where the standard of 2018 says valid"
    deliver(old_licence("0"), old_licence("0", 2), feed=LICENCES)
    kept.refresh_from_db()
    assert kept.state == RecordState.IN_FORCE


def test_what_the_standard_of_2015_calls_disputed_or_other_is_not_taken_for_invalid() -> None:
    batch = deliver(old_licence("2"), old_licence("3", 2), feed=LICENCES)
    kept = CreditRecord.objects.get()
    assert (kept.payload["XK_ZT"], kept.payload["XK_SJZT"]) == ("1", "异议")
    assert ("XK_ZT", "unknown_choice") in problems_of(batch)[0]


@pytest.mark.parametrize(("said", "kept"), [("1", "1"), ("0", "0"), ("有效", "1"), ("无效", "0"), ("正常", "1")])
def test_the_standard_of_2018_reads_its_own_digits_and_their_words(said: str, kept: str) -> None:
    deliver(licence(1, XK_ZT=said), feed=LICENCES)
    assert CreditRecord.objects.get().payload["XK_ZT"] == kept


def test_a_licence_that_is_no_longer_valid_is_not_withdrawn_by_that() -> None:
    deliver(licence(1, XK_ZT="1"), feed=LICENCES)
    deliver(licence(1, XK_ZT="无效"), feed=LICENCES)
    assert CreditRecord.objects.get().state == RecordState.IN_FORCE


def test_columns_that_any_platform_adds_turn_no_valid_licence_into_a_withdrawn_one() -> None:
    cells = licence(1)
    del cells["XK_ZT"]
    deliver({**cells, "当前状态": "1", **OF_ANY}, feed=LICENCES)
    kept = CreditRecord.objects.get()
    assert (kept.payload["XK_ZT"], kept.state) == ("1", RecordState.IN_FORCE)


def test_a_penalty_of_2015_is_withdrawn_by_its_digit_too() -> None:
    deliver({**penalty(1), "当前状态": "0", **OF_2015})
    deliver({**penalty(1), "当前状态": "1", **OF_2015})
    assert CreditRecord.objects.get().state == RecordState.REVOKED


# --- fillers beside real numbers ------------------------------------------------------------------------


@pytest.mark.parametrize("filler", ["00000000000000000X", "000000000000000000", "/", "*"])
def test_a_filler_beside_a_real_code_is_no_value(filler: str) -> None:
    batch = deliver(penalty(1, CF_XDR_SHXYM=filler, CF_XDR_GSZC=registration_number(1)))
    assert counts(batch) == {"received": 1, "accepted": 1}
    subject = CreditRecord.objects.get().subject
    assert subject.codes == [registration_number(1)], "a filler is never a key"


def test_a_wrong_code_beside_a_real_one_is_set_aside_all_the_same() -> None:
    batch = deliver(penalty(1, CF_XDR_SHXYM=credit_code(1), CF_XDR_ZZJG=f"{organisation_code(1)[:-1]}?"))
    assert counts(batch) == {"received": 1, "quarantined": 1}


def test_fillers_alone_name_nobody() -> None:
    batch = deliver(penalty(1, CF_XDR_SHXYM="00000000000000000X", CF_XDR_ZZJG="000000000"))
    assert {code for _field, code in problems_of(batch)[0]} == {"placeholder"}


# --- the document of the legal representative -----------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "number", "problem"),
    [
        ("身份证", "441300199001011238", ("CF_FR_ZJHM", "wrong_check_digit")),
        ("", "4413001990", ("CF_FR_ZJHM", "wrong_length")),
        ("图书证", "12345", ("CF_FR_ZJLX", "document_kind_unknown")),
        ("护照号", "E1", ("CF_FR_ZJHM", "wrong_length")),
    ],
)
def test_the_document_of_the_legal_representative_is_checked(kind: str, number: str, problem: tuple[str, str]) -> None:
    batch = deliver(penalty(1, CF_FRDB="林示例", CF_FR_ZJLX=kind, CF_FR_ZJHM=number))
    assert counts(batch) == {"received": 1, "quarantined": 1}
    assert problem in problems_of(batch)[0]


def test_a_filler_for_the_legal_representative_is_no_value() -> None:
    deliver(penalty(1, CF_FRDB="林示例", CF_FR_ZJLX="身份证", CF_FR_ZJHM="00000000000000000X"))
    assert "00000000000000000X" not in (CreditRecord.objects.get().sealed_payload or "")


# --- numbers of decisions -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["无文号", "见决定书", "惠市监罚号"])
def test_a_text_without_any_numeral_names_no_decision(number: str) -> None:
    assert problems_of(deliver(penalty(1, CF_WSH=number))) == [[("CF_WSH", "no_number")]]


@pytest.mark.parametrize("number", ["惠市监罚〔2026〕1号", "第十二号", "A-17", "62-2015-003", "惠罚字（2026）第三号"])
def test_numbers_of_decisions_in_any_usual_form_are_taken(number: str) -> None:
    assert counts(deliver(penalty(1, CF_WSH=number))) == {"received": 1, "accepted": 1}


def test_a_record_under_a_number_of_former_days_can_be_corrected_and_withdrawn(cast: Cast) -> None:
    deliver(penalty(1))
    CreditRecord.objects.update(document_number="无文号")
    record = CreditRecord.objects.get()
    entitlement = Entitlement.objects.get(agency=record.agency_id, entry=record.entry_id)
    set_who_may_enter(entitlement=entitlement, people=[cast.clerk])
    values = {**penalty(1), "CF_NR": "罚款九千元"}
    correct_record(user=cast.clerk, record=record, values=values, seen=mark_of(record), reason="a slip")
    record.refresh_from_db()
    assert (record.document_number, record.payload["CF_NR"]) == ("无文号", "罚款九千元")
    assert counts(deliver(penalty(1, CF_WSH="无文号", CF_SJZT="撤销"))) == {"received": 1, "accepted": 1}
    record.refresh_from_db()
    assert record.state == RecordState.REVOKED


def test_a_decision_does_not_bear_a_year_to_come() -> None:
    batch = deliver(penalty(1, CF_WSH="惠市监罚〔2062〕1号"), penalty(2))
    assert problems_of(batch) == [[("CF_WSH", "year_to_come")]]


@pytest.mark.parametrize("end", ["长期", "2099/12/31", "9999-12-31", "永久"])
@pytest.mark.parametrize("field", ["CF_YXQ", "CF_GSJZQ"])
def test_last_days_without_a_role_may_have_no_end(field: str, end: str) -> None:
    assert counts(deliver(penalty(1, **{field: end}))) == {"received": 1, "accepted": 1}
    assert CreditRecord.objects.get().payload[field] == "2099-12-31"
