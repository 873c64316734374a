"""What may stand in an address, and which codes may be shown."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditplatform.core.identity import make_credit_code, make_resident_id, upgrade_15_to_18
from publicity.rules import looks_personal, public_codes, surely_organisation, too_common
from tests.deliveries import credit_code

NUMBER = make_resident_id("441302", datetime.date(1990, 1, 1), 123)
WRONG_CHECK_DIGIT = NUMBER[:17] + ("0" if NUMBER[17] != "0" else "1")
births = st.dates(datetime.date(1900, 1, 1), datetime.date.today())


@pytest.mark.parametrize(
    "text",
    [
        NUMBER,
        NUMBER.lower(),
        WRONG_CHECK_DIGIT,
        f"林示例 {NUMBER}",
        f"{NUMBER[:6]} {NUMBER[6:14]} {NUMBER[14:]}",
        "".join(chr(ord(character) + 0xFEE0) for character in NUMBER),
        "620102850615432",
        "13800138000",
        "电话：138-0013-8000",
        f"CHN{NUMBER}",
        "E12345678",
        "e 1234 5678",
        "护照 EA1234567",
        "护照号G12345678",
        "DE1234567",
        "AB1234567",
        "12AB34567",
        "H12345678",
        "张三 M1234567801",
        "H1234567801",
        "12345678",
        "1234567890",
        "CHN110101010010",
        make_resident_id("944130", datetime.date(1990, 1, 1), 12),
        make_resident_id("911124", datetime.date(1985, 6, 1), 7),
        "军字第2001988号",
        "士字第1234567",
        "张三军字第12345678号",
        "2001988",
    ],
)
def test_numbers_of_persons_are_recognised(text: str) -> None:
    assert looks_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "惠州示例食品有限公司", credit_code(7), make_credit_code("91441302", "10000000"), "663128478",
        "110105010247558", "惠市监罚〔2026〕77号", "4413020000017", "20260314", "惠建罚字GZ20240001号", "MA700000X",
        "事证第112345678901号", "58同城", "粤惠字第1234567号", "ABC Trading 2026",
    ],
)  # fmt: skip
def test_names_codes_and_document_numbers_are_not(text: str) -> None:
    assert not looks_personal(text)


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("惠州示例食品有限公司", True), ("示例（惠州）有限公司（集团）", True), ("惠州市市场监督管理局", True),
        ("李记牛肉面店", True), ("东江示例合作社", True), (credit_code(7), True), ("663128478", True),
        ("张三", False), ("欧阳示例", False), ("张三店", False), ("东江", False), ("惠市监罚〔2026〕77号", False),
        ("张三 惠州示例有限公司", False), ("张三，惠州示例有限公司", False), ("张三13800138000公司", False),
        ("4413020000017", False), ("E12345678", False), ("", False), ("公司", True),
    ],
)  # fmt: skip
def test_only_what_surely_is_an_organisation_may_stand_in_an_address(text: str, sure: bool) -> None:
    assert surely_organisation(text) is sure


@given(births, st.integers(0, 999), st.sampled_from(["441302", "620102", "110101", "830000"]))
def test_every_resident_number_is_recognised(born: datetime.date, sequence: int, division: str) -> None:
    number = make_resident_id(division, born, sequence)
    assert looks_personal(number)
    assert looks_personal(f"查 {number}")


@given(st.dates(datetime.date(1950, 1, 1), datetime.date(1999, 12, 31)), st.integers(0, 995))
def test_old_numbers_are_recognised_unless_they_prove_to_be_a_registration(born: datetime.date, sequence: int) -> None:
    old = f"620102{born:%y%m%d}{sequence:03d}"
    assert looks_personal(upgrade_15_to_18(old))
    if not looks_personal(old):
        assert len(old) == 15  # one in ten has the check digit of a registration number and is taken for one


@given(st.integers(0, 99_999_999))
def test_credit_codes_pass(number: int) -> None:
    assert not looks_personal(make_credit_code("91620102", f"{number:08d}"))


def test_an_owners_number_is_not_among_public_codes() -> None:
    code = credit_code(1)
    assert public_codes([code, NUMBER, "", code, "92441302MA00000"]) == [code, "92441302MA00000"]


@pytest.mark.parametrize(
    ("folded", "common"), [("有限公司", True), ("公司", True), ("食品", False), ("示例有限", False)]
)
def test_words_of_every_name_are_too_common(folded: str, common: bool) -> None:
    assert too_common(folded) is common
