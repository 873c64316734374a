"""Checks of a row by the field list and beyond: each with its code, and a sentence on how to mend it."""

import ast
import re
from pathlib import Path

import pytest
from django.utils import translation

from creditplatform.core.identity import Problem
from records.enums import FieldType, Required
from records.feeds import problems
from records.feeds.values import document_number, parse_amount, parse_date, parse_last_day, why_no_amount, why_no_date
from records.models import CreditRecord
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import penalty, quick_passwords  # noqa: F401
from tests.records import tie_entries
from tests.records.feed_files import xls, xlsx, xml
from tests.records.feedfiles import cells_of, counts, csv_bytes, deliver, problems_of, take_in
from tests.records.tie_entries import TIES, WHAT, WHO, row

FEED = "test-checks"
FEEDS = Path(problems.__file__).parent
RARE = "𬭚䶮㛃𠅤鿍"


@pytest.fixture
def checked(cast: Cast) -> str:
    """A feed whose entry uses every part of the field list."""
    field = tie_entries.field
    fields = (
        *WHO, *WHAT, *TIES,
        field("amount", type=FieldType.AMOUNT), field("kind", type=FieldType.CHOICE, choices=["甲", "乙"]),
        field("short", length=3), field("form", pattern="[A-Z]\\d+"),
        field("why", required=Required.WHEN, when_field="kind", when_any=["乙"]),
    )  # fmt: skip
    tie_entries.feed(FEED, tie_entries.entry("checks", fields))
    return FEED


def given(**cells: str) -> dict[str, str]:
    empty = dict.fromkeys(["valid_from", "valid_until", "ended_on", "amount", "kind", "short", "form", "why"], "")
    return {**row(1, PERSON_NUMBER), **empty, "licence": "L1", "employer": "", "employer_code": "", **cells}


@pytest.mark.parametrize(
    ("cells", "field", "code"),
    [
        ({"name": ""}, "name", "required"),
        ({"short": "四个字符"}, "short", "too_long"),
        ({"form": "abc"}, "form", "pattern"),
        ({"kind": "丙"}, "kind", "unknown_choice"),
        ({"kind": "乙"}, "why", "required"),
        ({"identity_number": PERSON_NUMBER[:-1] + "0"}, "identity_number", "wrong_check_digit"),
        ({"identity_number": "00000000000000000X"}, "identity_number", "placeholder"),
        ({"identity_number": "无"}, "identity_number", "required"),
        ({"decided_on": "18-5-3"}, "decided_on", "two_digit_year"),
        ({"decided_on": "18年5月3日"}, "decided_on", "two_digit_year"),
        ({"decided_on": "长期"}, "decided_on", "not_a_date"),
        ({"decided_on": "0018-05-03"}, "decided_on", "not_a_date"),
        ({"decided_on": "12345"}, "decided_on", "not_a_date"),
        ({"decided_on": "2099/12/31"}, "decided_on", "date_in_future"),
        ({"valid_until": "2026-02-28"}, "valid_until", "ends_before_start"),
        ({"valid_from": "2026-06-01", "valid_until": "2026-05-31"}, "valid_until", "ends_before_start"),
        ({"ended_on": "2026-02-28"}, "ended_on", "ends_before_start"),
        ({"amount": "壹万元整"}, "amount", "amount_in_words"),
        ({"amount": "人民币贰仟元"}, "amount", "amount_in_words"),
        ({"amount": "约5万"}, "amount", "not_an_amount"),
        ({"employer_code": "91441300MA00000010"}, "employer_code", "wrong_check_digit"),
    ],
)
def test_what_is_wrong_is_told_by_field_and_code(checked: str, cells: dict[str, str], field: str, code: str) -> None:
    batch = deliver(given(**cells), feed=checked)
    assert problems_of(batch) == [[(field, code)]]


@pytest.mark.parametrize("text", ["2018年5月3日", "20180503", "2018.5.3", "2018/5/3", "２０１８-０５-０３", "43223"])
def test_a_date_in_every_usual_form_is_the_same_day(checked: str, text: str) -> None:
    assert counts(deliver(given(decided_on=text), feed=checked)) == {"received": 1, "accepted": 1}
    assert CreditRecord.objects.get().decided_on.isoformat() == "2018-05-03"


@pytest.mark.parametrize("text", ["长期", "永久", "长期有效", "9999-12-31", "2099/12/31", "20991231", "无固定期限", ""])
def test_no_end_is_said_in_many_ways(checked: str, text: str) -> None:
    deliver(given(valid_until=text), feed=checked)
    assert CreditRecord.objects.get().publish_until is None


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12万元", "12"), ("5,000元", "0.5"), ("¥3亿元", "30000"), ("人民币5000元整", "0.5"),
        ("１，２３４．５", "1234.5"),
        ("1.5万", "1.5"),
    ],
)  # fmt: skip
def test_an_amount_is_read_in_every_usual_form(checked: str, text: str, amount: str) -> None:
    deliver(given(amount=text), feed=checked)
    assert CreditRecord.objects.get().payload["amount"] == amount


def test_plain_values_are_told_apart() -> None:
    assert (why_no_date("18-5-3"), why_no_date("18-5-3 08:00"), why_no_date("gestern")) == (
        "two_digit_year", "two_digit_year", "not_a_date"
    )  # fmt: skip
    assert (why_no_amount("元"), why_no_amount("伍佰圆整")) == ("not_an_amount", "amount_in_words")
    assert parse_date("9999-12-31") != parse_last_day("9999-12-31") == parse_last_day("2099-12-31")
    assert parse_amount("万元") is None


# --- document numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "惠市监罚〔2026〕1号", "惠市监罚[2026]1号", "惠市监罚［2026］1号", "惠市监罚(2026)1号", "惠市监罚（2026）1号",
        "惠市监罚【2026】1号", "惠市监罚 〔 2026 〕 1号", "惠市监罚（２０２６）１号",
    ],
)  # fmt: skip
def test_one_decision_in_other_brackets_is_the_same_decision(cast: Cast, text: str) -> None:
    deliver(penalty(1))
    assert counts(deliver(penalty(1, CF_WSH=text))) == {"received": 1, "unchanged": 1}
    assert CreditRecord.objects.get().document_number == "惠市监罚〔2026〕1号"


@pytest.mark.parametrize("text", ["(2026)1号", "粤(2018)惠州市不动产权第1号", "JY14413(甲)12", "〔26〕1号", "A[2026]B"])
def test_other_brackets_are_left_alone(text: str) -> None:
    assert document_number(text) == text


# --- rare characters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["gb18030", "utf-8-sig", "xlsx", "xls", "xml"])
def test_characters_outside_gbk_and_beyond_the_first_plane_are_kept_exactly(cast: Cast, form: str) -> None:
    rows = [penalty(1, CF_XDR_MC=f"{RARE}有限公司", CF_SY=RARE)]
    header, cells = cells_of(rows)
    table = [header, *cells]
    content = {
        "xlsx": lambda: xlsx(table), "xls": lambda: xls(table), "xml": lambda: xml(header, cells),
    }.get(form, lambda: csv_bytes(rows, encoding=form))()  # fmt: skip
    assert counts(take_in(content)) == {"received": 1, "accepted": 1}
    record = CreditRecord.objects.select_related("subject").get()
    assert (record.subject.name, record.payload["CF_SY"]) == (f"{RARE}有限公司", RARE)


# --- codes and sentences ---------------------------------------------------------------------------------------


def codes_in_use() -> set[str]:
    """Every problem code that the readers and checks name."""
    found = {problem.value for problem in Problem} - {Problem.UNKNOWN_PROVINCE.value}
    for path in sorted(FEEDS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                last = node.args[-1] if node.args else None
                named = node.func.attr in {"add", "add_where", "append"} and isinstance(last, ast.Constant)
                if named and isinstance(last.value, str) and re.fullmatch("[a-z_]{4,}", last.value):
                    found.add(last.value)
            if isinstance(node, ast.Tuple) and len(node.elts) == 2:
                empty, code = node.elts
                coded = isinstance(code, ast.Constant) and re.fullmatch("[a-z_]{4,}", str(code.value))
                if coded and isinstance(empty, ast.Constant) and empty.value == "":
                    found.add(str(code.value))
    return found


def test_every_code_has_a_sentence_in_both_languages() -> None:
    used = codes_in_use()
    assert {"required", "minor", "under_age", "ends_before_start", "name_differs", "one_of_group_missing"} <= used
    assert used - set(problems.SENTENCES) - {"", "0"} == set(), "write a sentence that says how to mend it"
    for code in problems.SENTENCES:
        with translation.override("en"):
            english = problems.sentence(code)
        with translation.override("zh-hans"):
            chinese = problems.sentence(code)
        assert english != chinese and re.search("[\u4e00-\u9fff]", chinese), f"{code} lacks its Chinese"
        assert english[0].isupper() and english.endswith("."), code
