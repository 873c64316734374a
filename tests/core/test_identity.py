"""Document numbers and names."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from creditplatform.core.identity import (
    IdentifierKind,
    Problem,
    Sex,
    age_on,
    check,
    check_many,
    facts,
    fold_name,
    grams,
    guess_organisation_kind,
    is_placeholder,
    make_credit_code,
    make_resident_id,
    normalise,
    organisation_check_digit,
    organisation_code_of,
    upgrade_15_to_18,
    warnings,
)
from creditplatform.core.identity.organisations import CREDIT_CODE_ALPHABET

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


# --- known numbers


WELL_FORMED = [
    (K.RESIDENT_ID, "11010519491231002X"),
    (K.RESIDENT_ID, "440524188001010014"),
    (K.RESIDENT_ID, "441300199001011239"),
    (K.RESIDENT_ID, "620100198506154320"),
    (K.RESIDENT_ID, "620100201203010017"),
    (K.RESIDENT_ID_15, "441302700101123"),
    (K.HMT_RESIDENCE_PERMIT, make_resident_id("830000", date(1980, 2, 29), 17)),
    (K.FOREIGN_PERMANENT_RESIDENCE, make_resident_id("911840", date(1980, 5, 4), 2)),
    (K.FOREIGN_PERMANENT_RESIDENCE, "CAN110078010101"),
    (K.PASSPORT, "E12345679"),
    (K.PASSPORT, "EA1234567"),
    (K.HK_MACAO_PASS, "H60000101"),
    (K.HK_MACAO_PASS, "M1234567801"),
    (K.TAIWAN_PASS, "00012345"),
    (K.MILITARY_ID, "南字第01234667号"),
    (K.CREDIT_CODE, "91350100M000100Y43"),
    (K.CREDIT_CODE, "91110000600037341L"),
    (K.ORGANISATION_CODE, "D2143569X"),
    (K.BUSINESS_REGISTRATION, "110108000000016"),
    (K.BUSINESS_REGISTRATION, "1101082953931"),
    (K.BUSINESS_REGISTRATION, "330782NA000123X"),
    (K.BUSINESS_REGISTRATION, "企独粤惠总字第002345号"),
    (K.TAX_REGISTRATION, "441302D2143569X"),
    (K.INSTITUTION_CERTIFICATE, "事证第144130000012号"),
    (K.SOCIAL_GROUP_REGISTRATION, "粤社证字第0123号"),
]


@pytest.mark.parametrize(("kind", "number"), WELL_FORMED)
def test_well_formed_numbers_pass(kind: IdentifierKind, number: str) -> None:
    assert check(kind, number, TODAY) is None
    assert normalise(number) == number


@pytest.mark.parametrize(
    ("kind", "number", "problem"),
    [
        (K.RESIDENT_ID, "1101051949123100X", Problem.WRONG_LENGTH),
        (K.RESIDENT_ID, "11010519491231002x", Problem.WRONG_CHARACTERS),
        (K.RESIDENT_ID, "1101051949123100²X", Problem.WRONG_CHARACTERS),
        (K.RESIDENT_ID, "4413****0101001239", Problem.WRONG_CHARACTERS),
        (K.RESIDENT_ID, "110105194912310021", Problem.WRONG_CHECK_DIGIT),
        (K.RESIDENT_ID, "00000000000000000X", Problem.PLACEHOLDER),
        (K.RESIDENT_ID, "111111111111111111", Problem.PLACEHOLDER),
        (K.RESIDENT_ID, "123456789012345678", Problem.PLACEHOLDER),
        (K.RESIDENT_ID, "无", Problem.PLACEHOLDER),
        (K.RESIDENT_ID_15, "111111111111111", Problem.PLACEHOLDER),
        (K.RESIDENT_ID_15, "441302701301123", Problem.IMPOSSIBLE_DATE),
        (K.RESIDENT_ID_15, "44130270010112X", Problem.WRONG_CHARACTERS),
        (K.HMT_RESIDENCE_PERMIT, "11010519491231002X", Problem.WRONG_CHARACTERS),
        (K.FOREIGN_PERMANENT_RESIDENCE, "11010519491231002X", Problem.WRONG_CHARACTERS),
        (K.FOREIGN_PERMANENT_RESIDENCE, "CAN110078023001", Problem.IMPOSSIBLE_DATE),
        (K.FOREIGN_PERMANENT_RESIDENCE, "CA1110078010101", Problem.WRONG_CHARACTERS),
        (K.FOREIGN_PERMANENT_RESIDENCE, "CAN11007801010", Problem.WRONG_LENGTH),
        (K.PASSPORT, "ABCDEFG", Problem.WRONG_CHARACTERS),
        (K.PASSPORT, "E123", Problem.WRONG_LENGTH),
        (K.HK_MACAO_PASS, "A12345678", Problem.WRONG_CHARACTERS),
        (K.TAIWAN_PASS, "1234567", Problem.PLACEHOLDER),
        (K.TAIWAN_PASS, "1234568", Problem.WRONG_LENGTH),
        (K.MILITARY_ID, "南字第ABC号", Problem.WRONG_CHARACTERS),
        (K.CREDIT_CODE, "91350100M000100Y44", Problem.WRONG_CHECK_DIGIT),
        (K.CREDIT_CODE, "91350100I000100Y43", Problem.WRONG_CHARACTERS),
        (K.CREDIT_CODE, "91350100M000100Y4", Problem.WRONG_LENGTH),
        (K.CREDIT_CODE, "000000000000000000", Problem.PLACEHOLDER),
        (K.ORGANISATION_CODE, "D21435690", Problem.WRONG_CHECK_DIGIT),
        (K.ORGANISATION_CODE, "D2143569-X", Problem.WRONG_LENGTH),
        (K.ORGANISATION_CODE, "000000000", Problem.PLACEHOLDER),
        (K.BUSINESS_REGISTRATION, "12345", Problem.WRONG_LENGTH),
        (K.BUSINESS_REGISTRATION, "000000000000000", Problem.PLACEHOLDER),
        (K.TAX_REGISTRATION, "1234", Problem.WRONG_LENGTH),
        (K.INSTITUTION_CERTIFICATE, "事证第14413000001号", Problem.WRONG_CHARACTERS),
        (K.SOCIAL_GROUP_REGISTRATION, "12", Problem.WRONG_LENGTH),
    ],
)
def test_wrong_numbers_are_told_what_is_wrong(kind: IdentifierKind, number: str, problem: Problem) -> None:
    assert check(kind, number, TODAY) is problem


def test_a_credit_code_around_an_empty_organisation_code_is_a_placeholder() -> None:
    assert check(K.CREDIT_CODE, make_credit_code("91441300", "00000000"), TODAY) is Problem.PLACEHOLDER


def test_every_kind_can_be_checked_and_has_a_label() -> None:
    for kind in IdentifierKind:
        assert check(kind, "无", TODAY) is Problem.PLACEHOLDER
        assert str(kind.label)
    assert len(K.choices()) == len(IdentifierKind)
    assert K("passport").personal
    assert not K.CREDIT_CODE.personal


def test_a_value_from_the_database_works_as_a_kind() -> None:
    stored: IdentifierKind = "resident_id"  # type: ignore[assignment]
    assert check(stored, "11010519491231002X", TODAY) is None
    assert facts(stored, "11010519491231002X").birth_date == date(1949, 12, 31)
    assert warnings(stored, "991105194912310020") == [Problem.UNKNOWN_PROVINCE]


def test_every_problem_has_a_message_without_the_number() -> None:
    assert len({str(problem.message) for problem in Problem}) == len(Problem)
    assert Problem.WRONG_LENGTH.code == "wrong_length"


# --- properties of persons' numbers


@given(resident_ids)
def test_made_resident_ids_pass_and_agree_with_the_reference(number: str) -> None:
    assert check(K.RESIDENT_ID, number, TODAY) is None
    assert ric.calc_check_digit(number) == number[-1]


@given(resident_ids, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_changed_character_of_a_resident_id_is_always_caught(number: str, position: int, other: str) -> None:
    assume(number[position] != other)
    assert check(K.RESIDENT_ID, number[:position] + other + number[position + 1 :], TODAY) is not None


@given(resident_ids, st.integers(0, 16))
def test_two_neighbours_exchanged_in_a_resident_id_are_always_caught(number: str, position: int) -> None:
    assume(number[position] != number[position + 1])
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    assert check(K.RESIDENT_ID, swapped, TODAY) is not None


@given(st.text("0123456789", min_size=6, max_size=6), births, sequences)
def test_no_division_code_is_a_reason_to_refuse(division: str, birth: date, sequence: int) -> None:
    number = make_resident_id(division, birth, sequence)
    assert check(K.RESIDENT_ID, number, TODAY) in (None, Problem.PLACEHOLDER)


@given(divisions, births, sequences)
def test_a_number_tells_what_went_into_it(division: str, birth: date, sequence: int) -> None:
    told = facts(K.RESIDENT_ID, make_resident_id(division, birth, sequence))
    assert told == (birth, Sex.MALE if sequence % 2 else Sex.FEMALE, division)


@given(divisions, st.dates(date(1900, 1, 1), date(1999, 12, 31)), st.integers(0, 995))
def test_old_numbers_upgrade_to_the_new_number_of_the_same_person(division: str, birth: date, sequence: int) -> None:
    new = make_resident_id(division, birth, sequence)
    old = new[:6] + new[8:17]
    assert upgrade_15_to_18(old) == new
    assert check(K.RESIDENT_ID_15, old, TODAY) in (None, Problem.PLACEHOLDER)
    assert facts(K.RESIDENT_ID_15, old) == facts(K.RESIDENT_ID, new)


def test_centenarians_had_sequences_of_their_own() -> None:
    assert upgrade_15_to_18("110105991231996").startswith("11010518991231")
    assert upgrade_15_to_18("110105991231995").startswith("11010519991231")


@pytest.mark.parametrize("number", ["11010549123100", "1101054912310021", "11010549123100X", ""])
def test_only_fifteen_digits_can_be_upgraded(number: str) -> None:
    with pytest.raises(ValueError, match="15 digits"):
        upgrade_15_to_18(number)


@pytest.mark.parametrize(
    "birth", [date(2026, 6, 2), date(2099, 1, 1), date(1869, 12, 31)], ids=["tomorrow", "future", "too old"]
)
def test_births_in_the_future_or_beyond_memory_are_impossible(birth: date) -> None:
    assert check(K.RESIDENT_ID, make_resident_id("441302", birth, 12), TODAY) is Problem.IMPOSSIBLE_DATE


def test_born_today_is_possible_and_the_default_is_the_present_day() -> None:
    assert check(K.RESIDENT_ID, make_resident_id("441302", TODAY, 12), TODAY) is None
    assert check(K.RESIDENT_ID, make_resident_id("441302", date.today(), 12)) is None


@pytest.mark.parametrize("birth", ["19900230", "19901301", "20230229", "19000229", "19900100"])
def test_dates_that_never_were_are_impossible(birth: str) -> None:
    body = "441302" + birth + "123"
    assert check(K.RESIDENT_ID, body + ric.calc_check_digit(body + "0"), TODAY) is Problem.IMPOSSIBLE_DATE


@pytest.mark.parametrize(("division", "sequence"), [("44130", 1), ("44130X", 1), ("441302", 1000), ("441302", -1)])
def test_resident_ids_are_made_only_of_fitting_parts(division: str, sequence: int) -> None:
    with pytest.raises(ValueError, match="division"):
        make_resident_id(division, date(1990, 1, 1), sequence)


def test_facts_of_other_documents() -> None:
    foreign = make_resident_id("911840", date(1980, 5, 4), 2)
    assert facts(K.FOREIGN_PERMANENT_RESIDENCE, foreign) == (date(1980, 5, 4), Sex.FEMALE, None)
    assert facts(K.FOREIGN_PERMANENT_RESIDENCE, "CAN110078010101", TODAY).birth_date == date(1978, 1, 1)
    assert facts(K.FOREIGN_PERMANENT_RESIDENCE, "CAN110005010101", TODAY).birth_date == date(2005, 1, 1)
    assert facts(K.PASSPORT, "E12345679") == (None, None, None)
    assert facts(K.RESIDENT_ID, "nonsense") == (None, None, None)
    assert facts(K.CREDIT_CODE, "91350100M000100Y43") == (None, None, None)


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(2008, 6, 1), date(2026, 5, 31), 17),
        (date(2008, 6, 1), date(2026, 6, 1), 18),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
    ],
)
def test_age_is_counted_in_full_years(birth: date, day: date, age: int) -> None:
    assert age_on(birth, day) == age


# --- properties of organisations' numbers


@given(credit_codes)
def test_made_credit_codes_pass_and_agree_with_the_reference(code: str) -> None:
    assert check(K.CREDIT_CODE, code, TODAY) is None
    assert uscc.is_valid(code)
    assert guess_organisation_kind(code) is K.CREDIT_CODE
    assert check(K.ORGANISATION_CODE, str(organisation_code_of(code)), TODAY) in (None, Problem.PLACEHOLDER)
    assert warnings(K.CREDIT_CODE, code) == []


@given(st.text("0123456789", min_size=8, max_size=8), st.text(CREDIT_CODE_ALPHABET, min_size=10, max_size=10))
def test_any_string_of_the_form_is_judged_like_the_reference(head: str, tail: str) -> None:
    code = f"9{head[1:]}{tail}"
    assume(tail[:8] != "00000000" and not is_placeholder(code))
    assert (check(K.CREDIT_CODE, code, TODAY) is None) == uscc.is_valid(code)


@given(credit_codes, st.integers(0, 17), st.sampled_from(CREDIT_CODE_ALPHABET))
def test_one_changed_character_of_a_credit_code_is_always_caught(code: str, position: int, other: str) -> None:
    assume(code[position] != other)
    assert check(K.CREDIT_CODE, code[:position] + other + code[position + 1 :], TODAY) is not None


def test_authorities_beyond_the_digits_are_known() -> None:
    code = make_credit_code("N2441302", "MF123456")
    assert check(K.CREDIT_CODE, code, TODAY) is None


@pytest.mark.parametrize("prefix", ["9144130", "91I41300", "0144130A"])
def test_credit_codes_are_made_only_of_fitting_parts(prefix: str) -> None:
    with pytest.raises(ValueError):
        make_credit_code(prefix, "D2143569")


def test_organisation_check_digit_of_the_standard() -> None:
    assert organisation_check_digit("D2143569") == "X"
    assert organisation_code_of("91350100M000100Y43") == "M000100Y4"
    assert organisation_code_of("91350100") is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("91350100M000100Y43", K.CREDIT_CODE),
        ("D2143569X", K.ORGANISATION_CODE),
        ("D2143569-X", K.ORGANISATION_CODE),
        ("1101082953931", K.BUSINESS_REGISTRATION),
        ("110108010772736", K.BUSINESS_REGISTRATION),
        ("01135010000010004X", K.BUSINESS_REGISTRATION),
        ("12345678", None),
        ("1100000", None),
        ("/", None),
        ("", None),
        ("00000000000000000X", None),
    ],
)
def test_the_form_tells_the_kind_of_an_organisation_number(number: str, kind: IdentifierKind | None) -> None:
    assert guess_organisation_kind(number) is kind


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
