"""Checks of whole columns: the same judgement for a row whatever stands beside it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.enums import FieldType, Required, SubjectKind
from records.feeds.columns import (
    Findings,
    Memo,
    check_required,
    check_texts,
    clean,
    read_column,
    reader_of,
    role_column,
)
from records.models import EntryField

CELL = st.sampled_from(
    [
        "",
        "正常",
        "=1+1",
        "a\x00b",
        "x" * 25,
        "-5",
        "无",
        " 空格 ",
        "1",
        "罚款",
        "2018-05-03",
        "𠮷",
        "@x",
        "行\n二",
        "其他-罚",
        "/",
    ]
)
TYPES = [FieldType.TEXT, FieldType.DATE, FieldType.AMOUNT, FieldType.INTEGER, FieldType.CHOICE, FieldType.EFFECTS]


def field(kind: str = FieldType.TEXT, **options: Any) -> EntryField:
    """A field that stands in no database."""
    values = {"code": "x", "type": kind, "length": 20, "required": Required.NEVER, "separators": ";；、", **options}
    return EntryField(**values)


def judged(item: EntryField, column: list[str], kinds: list[str]) -> tuple[list[str], dict[int, list[tuple[str, str]]]]:
    findings, cells = Findings(), clean(column)
    check_texts(item, cells, findings)
    check_required(item, cells, kinds, {"x": cells}, findings)
    return read_column(item, cells, Memo(reader_of(item)), findings), findings.by_row


@given(
    st.lists(CELL, min_size=1, max_size=12),
    st.sampled_from(TYPES),
    st.sampled_from([Required.ALWAYS, Required.NEVER, Required.PERSONS]),
)
def test_a_row_is_judged_alike_alone_and_among_others(column: list[str], kind: str, required: str) -> None:
    item = field(kind, required=required, choices=["1", "其他-…"] if kind == FieldType.CHOICE else [])
    kinds = [SubjectKind.PERSON if at % 2 else SubjectKind.ORGANISATION for at in range(len(column))]
    texts, problems = judged(item, column, kinds)
    for at, cell in enumerate(column):
        alone, alone_problems = judged(item, [cell], [kinds[at]])
        assert alone == [texts[at]]
        assert alone_problems.get(0, []) == problems.get(at, [])


@pytest.mark.parametrize("text", ["/", "无", "空", "null", "NULL", "N/A", "—", " / ", "暂无", "\\"])
def test_fillers_become_nothing(text: str) -> None:
    assert clean([text, "正文 "]) == ["", "正文"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x" * 21, "too_long"), ("a\x00", "control_characters"), ("=HYPERLINK(1)", "formula"), ("x" * 20, None),
        ("-5", None),
        ("𠮷" * 20, None), ("𠮷" * 21, "too_long"),
    ],
)  # fmt: skip
def test_texts_are_checked(text: str, problem: str | None) -> None:
    findings = Findings()
    check_texts(field(), ["好", text, "好"], findings)
    assert findings.by_row == ({1: [("x", problem)]} if problem else {})


def test_a_cell_may_have_several_problems_and_keeps_them_all() -> None:
    findings = Findings()
    check_texts(field(), ["=" + "\x00" * 30], findings)
    assert {code for _field, code in findings.by_row[0]} == {"too_long", "control_characters", "formula"}


def test_an_empty_column_and_an_empty_chunk_are_no_problem() -> None:
    findings = Findings()
    check_texts(field(), [], findings)
    check_required(field(required=Required.ALWAYS), [], [], {}, findings)
    assert findings.by_row == {}


@pytest.mark.parametrize(
    ("required", "rows"),
    [
        (Required.ALWAYS, {0, 1, 2}), (Required.NEVER, set()), (Required.PERSONS, {0}), (Required.ORGANISATIONS, {1}),
        (Required.BUSINESSES, {1, 2}),
    ],
)  # fmt: skip
def test_required_depends_on_the_kind_of_subject(required: str, rows: set[int]) -> None:
    findings = Findings()
    kinds = [SubjectKind.PERSON, SubjectKind.ORGANISATION, SubjectKind.BUSINESS]
    check_required(field(required=required), ["", "", ""], kinds, {}, findings)
    assert set(findings.by_row) == rows


@pytest.mark.parametrize(
    ("when_any", "others", "rows"),
    [
        (["fine"], ["罚款", "警告", "警告;罚款", ""], {0, 2}),
        (["fine", "warning"], ["罚款", "警告", "其他", ""], {0, 1}),
        ([], ["罚款", "", "什么都行", " "], {0, 2}),
        (["全部"], ["全部", "部分", "", ""], {0}),
    ],
)
def test_required_when_another_field_says_so(when_any: list[str], others: list[str], rows: set[int]) -> None:
    findings = Findings()
    item = field(required=Required.WHEN, when_field="other", when_any=when_any)
    check_required(item, [""] * 4, [SubjectKind.PERSON] * 4, {"other": clean(others)}, findings)
    assert set(findings.by_row) == rows


@pytest.mark.parametrize(
    ("kind", "text", "read", "problem"),
    [
        (FieldType.DATE, "2018年5月3日", "2018-05-03", None),
        (FieldType.DATE, "昨天", "", "not_a_date"),
        (FieldType.DATE, "", "", None),
        (FieldType.AMOUNT, "1,200.50", "1200.5", None),
        (FieldType.AMOUNT, "很多", "", "not_an_amount"),
        (FieldType.AMOUNT, "9e999999亿元", "", "not_an_amount"),
        (FieldType.INTEGER, "007", "7", None),
        (FieldType.INTEGER, "七", "", "not_a_number"),
        (FieldType.CHOICE, "自然人", "自然人", None),
        (FieldType.CHOICE, "其他-说明", "其他-说明", None),
        (FieldType.CHOICE, "外星人", "", "unknown_choice"),
        (FieldType.EFFECTS, "罚款", "罚款", None),
        (FieldType.EFFECTS, "关小黑屋", "", "unknown_effect"),
        (FieldType.TEXT, "随便", "随便", None),
    ],
)
def test_a_cell_is_read_in_its_type(kind: str, text: str, read: str, problem: str | None) -> None:
    item = field(kind, choices=["自然人", "其他-…"] if kind == FieldType.CHOICE else [])
    findings = Findings()
    assert read_column(item, [text], Memo(reader_of(item)), findings) == [read]
    assert findings.by_row == ({0: [("x", problem)]} if problem else {})


def test_effects_are_limited_to_what_the_field_allows() -> None:
    item, findings = field(FieldType.EFFECTS, choices=["warning"]), Findings()
    assert read_column(item, ["警告", "罚款"], Memo(reader_of(item)), findings) == ["警告", ""]
    assert findings.by_row == {1: [("x", "unknown_effect")]}


def test_a_column_that_is_not_there_gives_the_constant_or_nothing() -> None:
    item = field()
    assert role_column({"x": ["a"]}, item, 1, "c") == ["a"]
    assert role_column({}, item, 2, "c") == ["c", "c"]
    assert role_column({}, None, 2) == ["", ""]


def test_a_memo_works_each_text_out_once_and_does_not_grow_for_ever() -> None:
    calls: list[str] = []
    memo: Memo[str, str] = Memo(lambda text: calls.append(text) or text.upper(), limit=3)
    assert [memo[text] for text in "aabbcc"] == list("AABBCC")
    assert calls == ["a", "b", "c"]
    assert memo["d"] == "D"
    assert len(memo) == 1
    assert memo["a"] == "A"


def test_bad_values_are_noted_for_every_row_that_has_them() -> None:
    findings = Findings()
    findings.add_where(["a", "b", "a"], {"a"}, "f", "p")
    findings.add_where(["a", "b"], set(), "f", "q")
    assert findings.by_row == {0: [("f", "p")], 2: [("f", "p")]}
