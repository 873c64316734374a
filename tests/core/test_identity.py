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
    facts,
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
