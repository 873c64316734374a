"""Numbers of persons inside free text: all of them found, nothing else."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditplatform.core.identity import make_credit_code, make_resident_id
from creditplatform.core.masking import HIDDEN, hide_numbers, holds_number, may_hold_number

RESIDENT = make_resident_id("441302", datetime.date(1985, 6, 15), 123)
WITH_X = next(
    number for at in range(1000) if (number := make_resident_id("620102", datetime.date(2001, 2, 3), at))[-1] == "X"
)
DIGITS_ONLY = next(
    code for at in range(99) if (code := make_credit_code("91441300", f"123456{at:02d}")).isdigit()
)  # fmt: skip
PERSONAL = [
    RESIDENT, WITH_X, WITH_X.lower(), "441302850615123", "13800138000", "+8613800138000", "008613800138000",
    "138-0013-8000", "138 0013 8000", f"{RESIDENT[:6]} {RESIDENT[6:14]} {RESIDENT[14:]}", "4111111111111111",
    "6222 0212 3456 7894", "１３８００１３８０００", "".join(chr(ord(digit) + 0xFEE0) for digit in RESIDENT),
]  # fmt: skip
OTHERS = [
    RESIDENT[:-1] + ("1" if RESIDENT[-1] != "1" else "2"), "441302851315123", "12800138000", "113800138000",
    "138001380001", "4111111111111112", DIGITS_ONLY, "91441300MA0000001X", "JY14413020012345", "（2025）粤1302民初1号",
    "2024-03-15 2024-04-15", "惠市监罚〔2026〕1号", "12345678901", "金额1000000.50元", "0752-2800000",
]  # fmt: skip


@pytest.mark.parametrize("number", PERSONAL)
def test_a_number_of_a_person_is_found_and_hidden(number: str) -> None:
    text = f"当事人（{number}）在场，罚款2000元"
    assert may_hold_number(text) and holds_number(text)
    assert hide_numbers(text).count(HIDDEN) == 1
    assert not holds_number(hide_numbers(text))
    assert holds_number(number)


@pytest.mark.parametrize("text", OTHERS)
def test_other_numbers_stay(text: str) -> None:
    sentence = f"经查，{text}，属实"
    assert not holds_number(sentence)
    assert hide_numbers(sentence) == sentence


@given(
    st.lists(st.sampled_from([*PERSONAL, *OTHERS, "在", "2025年3月15日", " ", "-", "\n", "7"]), max_size=6).map("".join)
)
def test_the_quick_look_never_misses_what_the_exact_one_finds(text: str) -> None:
    assert may_hold_number(text) or not holds_number(text)
    assert not holds_number(text) or hide_numbers(text) != text


def test_the_quick_look_is_not_deceived_by_usual_texts() -> None:
    assert not may_hold_number("经查，当事人于2025年3月15日未按规定建立进货查验记录制度，货值金额3600.50元。" * 20)
