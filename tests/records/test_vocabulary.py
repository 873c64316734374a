"""Words of feeds: kinds of subject and document, effects of a decision, and a sentence for every problem."""

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from creditplatform.core.identity import IdentifierKind, Problem
from records.enums import SubjectKind
from records.feeds import problems
from records.feeds.readers import errors
from records.feeds.vocabulary import IDENTIFIER_KINDS, SUBJECT_KINDS, effects, fold

ALL: frozenset[str] = frozenset()
PENALTY = frozenset({"warning", "fine", "confiscation", "revoke_licence", "suspend_or_revoke_licence", "other"})
LICENCE = frozenset({"licence_other", "licence_ordinary"})
ROW_CODES = {
    "too_many_cells", "too_few_cells", "unknown_column", "repeated_column", "nested_element", "unknown_record",
    "stray_text",
}  # fmt: skip
CELL_CODES = {"precision_lost", "error_cell", "formula_cell", "formula_without_value", "date_out_of_range"}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("罚款", ["fine"]),
        ("警告;罚款", ["fine", "warning"]),
        ("罚款；警告", ["fine", "warning"]),
        ("；罚款；", ["fine"]),
        ("罚款;罚款", ["fine"]),
        (" 罚 款 ", ["fine"]),
        ("没收违法所得、没收非法财物", ["confiscation"]),
        ("罚款;没收违法所得、没收非法财物", ["confiscation", "fine"]),
        ("其他-责令改正", ["other"]),
        ("其他", ["other"]),
    ],
)
def test_a_text_stands_for_codes_in_one_order(text: str, codes: list[str]) -> None:
    assert effects().find(text, ";；", PENALTY) == codes


@pytest.mark.parametrize("text", ["", ";", "罚", "罚款金", "罚款,警告", "罚款;没有的", "关小黑屋", "普通", "警告罚款"])
def test_a_text_of_which_any_part_is_unknown_stands_for_nothing(text: str) -> None:
    assert effects().find(text, ";；", PENALTY) is None


def test_the_same_word_means_what_the_field_allows() -> None:
    assert effects().find("其他", ";", PENALTY) == ["other"]
    assert effects().find("其他", ";", LICENCE) == ["licence_other"]


def test_the_list_of_2017_joins_its_reasons_with_the_mark_of_enumeration() -> None:
    allowed = frozenset({"judgment_defaulter", "licence_revoked_list"})
    assert effects().find("失信被执行人名单、工商吊销企业名单", "、", allowed) == sorted(allowed)
    assert effects().find("失信被执行人名单、罚款", "、", allowed) is None


def test_every_effect_finds_itself_by_its_name() -> None:
    for code, effect in effects().by_code.items():
        assert effects().find(effect.name, ";；", frozenset({code})) == [code]
        assert effect.name_en


@given(st.lists(st.sampled_from(["罚款", "警告", "其他", "没收违法所得"]), min_size=1, max_size=6), st.randoms())
def test_the_order_of_effects_in_a_text_does_not_matter(words: list[str], chance: object) -> None:
    shuffled = words[:]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert effects().find(";".join(words), ";；", ALL) == effects().find("；".join(shuffled), ";；", ALL)


@given(st.text(max_size=40))
def test_no_text_makes_the_search_crash_or_hang(text: str) -> None:
    found = effects().find(text, ";；、", ALL)
    assert found is None or found == sorted(set(found))


def test_folding_makes_widths_and_spaces_equal() -> None:
    assert fold("ＣＦ＿ ＸＤＲ\u3000ＭＣ") == "CF_XDRMC"
    assert fold("罚款金额（万元）") == fold("罚款金额(万元)")


def test_words_for_kinds_lead_to_kinds_that_exist() -> None:
    assert set(SUBJECT_KINDS.values()) == set(SubjectKind)
    assert all(IdentifierKind(kind).personal for kind in IDENTIFIER_KINDS.values())
    assert {fold(word) for word in SUBJECT_KINDS} == set(SUBJECT_KINDS)
    assert {fold(word) for word in IDENTIFIER_KINDS} == set(IDENTIFIER_KINDS)


@pytest.mark.parametrize("code", sorted(ROW_CODES | CELL_CODES | {p.value for p in Problem} - {"unknown_province"}))
def test_whatever_readers_and_checks_find_has_a_sentence(code: str) -> None:
    assert problems.sentence(code) != code


@pytest.mark.parametrize("code", sorted(problems.SENTENCES))
def test_every_sentence_says_something_in_both_languages(code: str) -> None:
    with translation.override("en"):
        english = problems.sentence(code)
    assert english.endswith(".")
    assert "%" not in english


def test_a_file_error_names_places_and_never_cells() -> None:
    for code in errors.MESSAGES:
        placeholders = set(str(errors.MESSAGES[code]).split("%(")[1:])
        names = {text.split(")")[0] for text in placeholders}
        assert names <= {
            "first", "second", "count", "limit", "ending", "encoding", "offset", "line", "actual", "found", "expected",
            "part", "record", "column",
        }  # fmt: skip
