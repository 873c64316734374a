"""Document numbers and names: many at once, fillers, folding, oddities."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from creditplatform.core.identity import (
    IdentifierKind,
    Problem,
    check,
    check_many,
    fold_name,
    grams,
    is_placeholder,
    make_credit_code,
    make_resident_id,
    normalise,
    warnings,
)
from tests.core.test_identity import WELL_FORMED

TODAY = date(2026, 6, 1)
K = IdentifierKind
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}

divisions = st.sampled_from(["441302", "620102", "110103", "441300", "622921", "810000"])
births = st.dates(date(1900, 1, 1), TODAY)
sequences = st.integers(0, 999)
resident_ids = st.builds(make_resident_id, divisions, births, sequences)
org8s = st.text(string.digits + "ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8).filter(lambda text: text != "00000000")
prefixes = st.builds(
    "{}{}{}".format, st.sampled_from("1359"), st.sampled_from("1239"), st.sampled_from(["441300", "620000"])
)
credit_codes = st.builds(make_credit_code, prefixes, org8s)


def test_oddities_are_warnings_and_never_problems() -> None:
    assert warnings(K.BUSINESS_REGISTRATION, "110108000000016") == []
    assert check(K.BUSINESS_REGISTRATION, "110108000000017", TODAY) is None
    assert warnings(K.BUSINESS_REGISTRATION, "110108000000017") == [Problem.WRONG_CHECK_DIGIT]
    assert warnings(K.BUSINESS_REGISTRATION, "1101082953931") == []
    body = "91441300D21435690"  # the organisation code inside should end in X
    code = body + uscc.calc_check_digit(body)
    assert check(K.CREDIT_CODE, code, TODAY) is None
    assert warnings(K.CREDIT_CODE, code) == [Problem.WRONG_CHECK_DIGIT]
    unknown = make_resident_id("990102", date(1990, 1, 1), 1)
    assert check(K.RESIDENT_ID, unknown, TODAY) is None
    assert warnings(K.RESIDENT_ID, unknown) == [Problem.UNKNOWN_PROVINCE]
    assert warnings(K.RESIDENT_ID, "441300199001011239") == []


@given(st.lists(resident_ids, max_size=5), st.lists(st.text(max_size=20), max_size=5))
def test_checking_many_tells_the_same_as_checking_each(good: list[str], other: list[str]) -> None:
    found = check_many(K.RESIDENT_ID, [*good, *other], TODAY)
    assert set(found) == {number for number in other if check(K.RESIDENT_ID, number, TODAY)}
    assert not set(found) & set(good)


# --- spelling and fillers


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        (" 1101 0519 4912 3100 2x ", "11010519491231002X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"),
        ("11010519491231002×", "11010519491231002X"),
        ("11010519491231002Х", "11010519491231002X"),
        ("'110105194912310021", "110105194912310021"),
        ("\ufeff110105\u200b194912310021\t", "110105194912310021"),
        ("d2143569-x", "D2143569X"),
        ("D2143569—X", "D2143569X"),
        ("企独粤惠总字第 002345-1 号", "企独粤惠总字第002345-1号"),
        ("（粤）字第1234号", "(粤)字第1234号"),
        ("", ""),
    ],
)
def test_one_spelling_for_every_way_of_typing(typed: str, number: str) -> None:
    assert normalise(typed) == number


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.sampled_from(WELL_FORMED), st.integers(0, 17), st.sampled_from([" ", "-", "\u3000", "\u200b", "—"]))
def test_a_number_typed_loosely_passes_only_once_normalised(
    example: tuple[IdentifierKind, str], position: int, extra: str
) -> None:
    kind, number = example
    position = min(position, len(number) - 1)
    for loose in (number[:position] + extra + number[position:], number.translate(FULL_WIDTH)):
        assert check(kind, loose, TODAY) is not None or normalise(loose) == loose
        if extra.isspace() or number.isascii():
            assert check(kind, normalise(loose), TODAY) is None


@pytest.mark.parametrize(
    "text",
    [
        "00000000000000000X",
        "000000000000000000",
        "0",
        "111111111111111111",
        "/",
        "*",
        "**",
        "-",
        "——",
        ".",
        "／",
        "＊",
        "x",
        "_",
        "无",
        "空",
        "暂无",
        "null",
        "NULL",
        "None",
        "N/A",
        "123456789012345678",
        "12345678901234567X",
        "987654321098765432",
        "",
        "  ",
        "\u3000",
        "XXXXXXXXX",
    ],
)
def test_fillers_are_recognised(text: str) -> None:
    assert is_placeholder(text)


@given(resident_ids)
def test_numbers_of_persons_are_hardly_ever_fillers(number: str) -> None:
    assert not is_placeholder(number)


@pytest.mark.parametrize("text", ["110108010772736", "91350100M000100Y43", "12345", "H60000101", "无锡"])
def test_numbers_are_not_fillers(text: str) -> None:
    assert not is_placeholder(text)


# --- names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("张 三", "张三"),
        ("张\u3000三", "张三"),
        ("阿卜杜拉·买买提", "阿卜杜拉•买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉・买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉．买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉.买买提"),
        ("惠州（大亚湾）公司", "惠州(大亚湾)公司"),
        ("惠州【大亚湾】公司", "惠州(大亚湾)公司"),
        ("ＡＢＣ有限公司", "abc 有限公司"),
        ("John  SMITH", " john smith "),
    ],
)
def test_spellings_of_one_name_fold_alike(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


@pytest.mark.parametrize(("one", "other"), [("J.R. Smith", "JR Smith"), ("张三", "张三丰"), ("张\U00020bb7", "张吉")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert fold_name(one) != fold_name(other)


def test_characters_beyond_the_basic_plane_are_kept_exactly() -> None:
    rare = "\U00020bb7\U0002f800\U0002a6d6"
    assert fold_name(f"欧阳 {rare}") == f"欧阳{rare}"


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)


@given(st.text("张三四有限公司abc()·\U00020bb7", max_size=12))
def test_every_part_of_a_name_is_found_by_its_grams(name: str) -> None:
    pieces, folded = grams(name), fold_name(name)
    assert len(pieces) == len(set(pieces))
    assert all(piece in folded and len(piece) in (1, 2) for piece in pieces)
    for start in range(len(folded)):
        assert set(grams(folded[start:])) <= set(pieces)


def test_grams_of_a_short_name() -> None:
    assert grams("鑫源（惠）") == ["鑫", "源", "(", "惠", ")", "鑫源", "源(", "(惠", "惠)"]
    assert grams("") == []
