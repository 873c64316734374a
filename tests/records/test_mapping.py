"""Which column is which field: by confirmation, code, name and alias, whatever the order and the brackets."""

import random
from typing import Any

import pytest

from records.enums import FieldRole, FieldType, Required
from records.feeds.mapping import ColumnMap, ColumnsToConfirm, WrongHeader, header_key, map_columns
from records.models import EntryField

SECRET = "林秘密"


def field(code: str, name: str, **options: Any) -> EntryField:
    """A field that stands in no database."""
    values = {"name_en": code.title(), "type": FieldType.TEXT, "required": Required.NEVER, **options}
    return EntryField(code=code, name=name, **values)


FIELDS = [
    field(
        "CF_MC", "名称", required=Required.ALWAYS, role=FieldRole.SUBJECT_NAME, aliases=["单位名称", "当事人（名称）"]
    ),
    field("CF_LB", "类别", required=Required.ALWAYS, role=FieldRole.SUBJECT_KIND),
    field("CF_RQ", "日期", required=Required.ALWAYS, role=FieldRole.DECIDED_ON),
    field(
        "CF_FK", "罚款金额(万元)", name_en="Fine (10,000 yuan)", type=FieldType.AMOUNT, aliases=["罚款金额", "罚没款"]
    ),
]


def mapped(header: list[str], **options: Any) -> ColumnMap:
    given = {"remembered": {}, "constants": {}, "dated_elsewhere": False, **options}
    return map_columns(header, FIELDS, **given)


def test_codes_names_and_english_names_are_known() -> None:
    assert mapped(["CF_MC", "类别", "Cf_Rq"]).positions == {"CF_MC": 0, "CF_LB": 1, "CF_RQ": 2}


@pytest.mark.parametrize("title", ["罚款金额(万元)", "罚款金额（万元）", " 罚款 金额（万元）\n", "ＣＦ＿ＦＫ", "cf_fk"])
def test_brackets_widths_spaces_and_case_do_not_matter(title: str) -> None:
    assert mapped(["名称", "类别", "日期", title]).positions["CF_FK"] == 3
    assert header_key(title) in {header_key("罚款金额(万元)"), header_key("CF_FK")}


def test_the_order_of_columns_does_not_matter() -> None:
    header = ["名称", "类别", "日期", "罚款金额(万元)", "没人知道的"]
    for seed in range(20):
        shuffled = random.Random(seed).sample(header, len(header))
        found = mapped(shuffled)
        assert {code: shuffled[at] for code, at in found.positions.items()} == {
            "CF_MC": "名称", "CF_LB": "类别", "CF_RQ": "日期", "CF_FK": "罚款金额(万元)",
        }  # fmt: skip
        assert found.unknown == ["没人知道的"]


def test_what_was_confirmed_for_the_feed_wins_over_names() -> None:
    found = mapped(["名称", "甲", "乙", "类别"], remembered={"甲": "CF_RQ", "乙": "CF_LB"})
    assert found.positions == {"CF_MC": 0, "CF_RQ": 1, "CF_LB": 2}
    assert found.unknown == ["类别"]


def test_every_missing_column_is_named_at_once_and_nothing_of_the_header() -> None:
    with pytest.raises(WrongHeader) as refused:
        mapped([SECRET, "罚款金额"])
    assert refused.value.code == "wrong_header"
    assert all(name in str(refused.value) for name in ("名称", "类别", "日期"))
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(refused.value.params)


def test_a_header_of_which_nothing_is_known_is_refused_even_if_nothing_is_required() -> None:
    with pytest.raises(WrongHeader):
        map_columns(["a", "b"], [FIELDS[3]], remembered={}, constants={}, dated_elsewhere=False)


def test_what_the_feed_states_itself_needs_no_column() -> None:
    found = mapped(["名称"], constants={FieldRole.SUBJECT_KIND: "自然人"}, dated_elsewhere=True)
    assert found.positions == {"CF_MC": 0}


def test_optional_columns_may_be_missing() -> None:
    assert "CF_FK" not in mapped(["名称", "类别", "日期"]).positions


def test_two_columns_for_one_field_take_the_first_and_tell_of_the_other() -> None:
    found = mapped(["名称", "类别", "日期", "单位名称"])
    assert found.positions["CF_MC"] == 0
    assert found.unknown == ["单位名称"]


def test_unnamed_columns_are_passed_over_and_long_titles_cut() -> None:
    found = mapped(["", "名称", "类别", "日期", "  ", "长" * 500])
    assert found.positions["CF_MC"] == 1
    assert found.unknown == ["长" * 100]


@pytest.mark.parametrize(
    ("title", "unit"),
    [("罚款金额(万元)", ""), ("罚款金额（元）", "元"), ("罚款金额(亿元)", "亿元"), ("Fine (yuan)", "元"),
     ("Fine (10,000 yuan)", ""), ("CF_FK", "")],
)  # fmt: skip
def test_the_header_of_an_amount_says_in_what_it_is_counted(title: str, unit: str) -> None:
    found = mapped(["名称", "类别", "日期", title])
    assert found.positions["CF_FK"] == 3
    assert found.units == ({3: unit} if unit else {})


@pytest.mark.parametrize("title", ["罚款金额", "罚没款", " 罚款 金额 "])
def test_an_amount_without_a_unit_is_asked_about_and_counts_as_confirmed(title: str) -> None:
    with pytest.raises(ColumnsToConfirm) as asked:
        mapped(["名称", "类别", "日期", title])
    assert [item.code for item in asked.value.missing] == ["CF_FK"]
    found = mapped(["名称", "类别", "日期", title], remembered={title.strip(): "CF_FK"})
    assert found.positions["CF_FK"] == 3 and found.units == {}
    assert "CF_FK" not in mapped(["名称", "类别", "日期", title], remembered={title.strip(): ""}).positions
