"""Masks show what they say and nothing more; logs lose personal numbers."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditplatform.core.errors import CreditError
from creditplatform.core.identity import make_credit_code, make_resident_id
from creditplatform.core.masking import HIDDEN, HIDDEN_TEXT, STARS, Mask, mask, scrub

texts = st.text(min_size=1, max_size=40)
resident_ids = st.builds(
    make_resident_id,
    st.sampled_from(["441302", "620102"]),
    st.dates(date(1900, 1, 1), date(2026, 1, 1)),
    st.integers(0, 999),
)
phones = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
cards = st.from_regex(r"(62|4)[0-9]{14,17}", fullmatch=True)


# --- masks


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        (Mask.NAME, "李四", "李**"),
        (Mask.NAME, "李四光", "李**"),
        (Mask.NAME, "欧阳修", "欧阳**"),
        (Mask.NAME, "欧阳", "欧**"),
        (Mask.NAME, "李", "**"),
        (Mask.NAME, "阿卜杜拉·买买提", "阿**"),
        (Mask.NAME, "\U00020bb7野家", "\U00020bb7**"),
        (Mask.NAME, " John Smith", "J**"),
        (Mask.ID_NUMBER, "11010519491231002X", "****"),
        (Mask.ID_NUMBER_LAST4, "11010519491231002X", "****002X"),
        (Mask.ID_NUMBER_LAST4, "H1234567", "****"),
        (Mask.PHONE, "13800138000", "138****00"),
        (Mask.PHONE, "0752-2808080", "075****80"),
        (Mask.PHONE, "110", "****"),
        (Mask.BANK_ACCOUNT, "6222 0212 3456 7890 123", "****0123"),
        (Mask.BANK_ACCOUNT, "12345678", "****"),
        (Mask.HIDDEN, "anything", "****"),
        (Mask.NONE, "anything", "anything"),
        (Mask.ADDRESS, "广东省惠州市惠城区云山西路2号", "广东省惠州市惠城区**"),
        (Mask.ADDRESS, "广东省 惠州市 惠城区 云山西路2号", "广东省惠州市惠城区**"),
        (Mask.ADDRESS, "惠州市城市花园小区3栋", "惠州市**"),
        (Mask.ADDRESS, "惠州市大亚湾区石化大道", "惠州市大亚湾区**"),
        (Mask.ADDRESS, "东莞市南城街道", "东莞市**"),
        (Mask.ADDRESS, "北京市朝阳区建国路1号", "北京市朝阳区**"),
        (Mask.ADDRESS, "甘肃省兰州新区中川镇", "甘肃省兰州新区**"),
        (
            Mask.ADDRESS,
            "甘肃省临夏回族自治州积石山保安族东乡族撒拉族自治县吹麻滩镇",
            "甘肃省临夏回族自治州积石山保安族东乡族撒拉族自治县**",
        ),
        (Mask.ADDRESS, "云山西路2号", "****"),
        (Mask.ADDRESS, "221B Baker Street", "****"),
    ],
)
def test_what_each_mask_shows(code: Mask, value: str, shown: str) -> None:
    assert mask(code, value) == shown


def test_every_mask_has_a_label_and_keeps_nothing_nothing() -> None:
    for code in Mask:
        assert str(code.label)
        assert mask(code, "") == ""
        assert mask(code.value, "x" * 20)
    assert len(Mask.choices()) == len(Mask)


def test_an_unknown_mask_is_refused_rather_than_guessed() -> None:
    with pytest.raises(CreditError) as refused:
        mask("nmae", "李四光")
    assert refused.value.code == "unknown_mask"
    assert "李四光" not in str(refused.value)


@given(texts)
def test_a_masked_name_shows_two_characters_at_most_and_no_length(name: str) -> None:
    shown = mask(Mask.NAME, name)
    assert shown.endswith(STARS)
    assert len(shown) <= 2 + len(STARS)
    assert name.strip().startswith(shown[: -len(STARS)])


@given(texts)
def test_document_numbers_show_nothing_or_four_characters(number: str) -> None:
    assert mask(Mask.ID_NUMBER, number) == HIDDEN
    assert len(mask(Mask.ID_NUMBER_LAST4, number)) <= len(HIDDEN) + 4


@given(resident_ids)
def test_last_four_characters_tell_neither_birth_nor_division(number: str) -> None:
    assert mask(Mask.ID_NUMBER_LAST4, number) == HIDDEN + number[-4:]


@given(texts)
def test_phones_and_accounts_leave_enough_unknown(value: str) -> None:
    letters = [character for character in value if character.isalnum()]
    for code, most in ((Mask.PHONE, 5), (Mask.BANK_ACCOUNT, 4)):
        shown = mask(code, value)
        assert HIDDEN in shown
        kept = len(shown) - len(HIDDEN)
        assert kept <= most
        assert kept == 0 or len(letters) - kept >= 2


@given(
    st.sampled_from(["惠州市", "广东省惠州市惠城区", "甘肃省", ""]),
    st.text("路街号栋小城花园1a", max_size=12),
)
def test_an_address_never_shows_street_or_house(county: str, rest: str) -> None:
    shown = mask(Mask.ADDRESS, county + rest)
    assert shown == ((county + STARS) if county else (HIDDEN if rest else ""))


# --- scrubbing


@given(st.one_of(resident_ids, phones, cards), st.sampled_from(["", " ", "：", "id=", "(", "号码", "ID", "a_"]))
def test_personal_numbers_never_survive(number: str, before: str) -> None:
    scrubbed = scrub(f"{before}{number} failed")
    assert number not in scrubbed
    assert scrubbed == f"{before}{HIDDEN_TEXT} failed"


@given(resident_ids, st.sampled_from([" ", "-"]))
def test_grouping_does_not_save_a_number(number: str, separator: str) -> None:
    for cuts in ((6, 14), (4, 8, 12, 16), (3, 6, 9, 12, 15)):
        parts = [number[a:b] for a, b in zip((0, *cuts), (*cuts, 18), strict=True)]
        scrubbed = scrub(separator.join(parts))
        assert number[6:14] not in scrubbed
        assert sum(character.isdigit() for character in scrubbed) == 0


@given(st.lists(st.one_of(resident_ids, phones), min_size=1, max_size=5), st.sampled_from([", ", " ", "/", "、"]))
def test_lists_of_numbers_are_hidden_whole(numbers: list[str], separator: str) -> None:
    scrubbed = scrub(separator.join(numbers))
    assert not any(character.isdigit() for character in scrubbed)


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("id 12 13800138000", "id 12 [hidden]"),
        ("+86 138-0013-8000", "+86 [hidden]"),
        ("8613800138000", "[hidden]"),
        ("tel 0752-2808080", "tel [hidden]"),
        ("440524800101001", "[hidden]"),
        ("11010519491231002x", "[hidden]"),
        ("１１０１０５１９４９１２３１００２Ｘ", "[hidden]"),
        ("1101 0519 4912 3100 2X", "[hidden]"),
        ("915001056939468500", "[hidden]"),
        ("91440300069292486d", "[hidden]d"),
    ],
)
def test_what_is_hidden(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET /huizhou/?page=3 200 35",
        "2026-04-01T12:30:45.123456 took 12345678 us",
        "2026-04-01 2026-04-02 2026-05-01",
        "1 2 3 4 5 6 7 8 9 10 11 12 13",
        "batch 20260401123045",
        "code 91350100M000100Y43",
        "code 91440300069292486D",
        "统一社会信用代码91350100M000100Y43。",
        "9144130012345678XM",
    ],
)
def test_what_stays(text: str) -> None:
    assert scrub(text) == text


@given(st.text("123456789ABCDEFGH", min_size=8, max_size=8).filter(lambda text: not text.isdigit()))
def test_credit_codes_with_letters_stay(org8: str) -> None:
    code = make_credit_code("91441300", org8)
    assert scrub(f"code {code}, then") == f"code {code}, then"


@given(st.text(max_size=60))
def test_scrubbing_twice_changes_nothing(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize("piece", ["a1234567890123456", "1 ", "123 ", "12345678-", "13800138000 "])
def test_long_texts_take_linear_time(piece: str) -> None:
    started = time.perf_counter()
    scrub(piece * 20_000)
    assert time.perf_counter() - started < 2
