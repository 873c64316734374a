"""Values of cells: one spelling for what can be read, nothing for what cannot, never a crash."""

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.feeds.values import begins_like_formula, has_unseen, parse_amount, parse_date, parse_integer

DAY = datetime.date(2018, 5, 3)
CELL = st.text(st.characters(codec="utf-8"), max_size=30)
NUMBERISH = st.text("0123456789０１２.,eE+-_ 万亿元￥¥∞NaNinfs年月日/:TX²½Ⅷ", max_size=14)


@pytest.mark.parametrize(
    "text",
    [
        "2018-05-03", "2018-5-3", "2018/5/3", "2018/05/03", "2018.5.3", "2018年5月3日", "2018年05月03日", "20180503",
        "2018-05-03 00:00:00", "2018-05-03T08:30", "2018/5/3 0:00", "２０１８年５月３日", " 2018-05-03 ", "43223",
        "43223.0",
        "2018-05-03 10:11:12.123456",
    ],
)  # fmt: skip
def test_a_date_in_any_usual_form_is_read(text: str) -> None:
    assert parse_date(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        "", "2018", "2018-05", "2018-13-01", "2018-02-30", "03-05-2018", "5/3/18", "2018-05-03Z and more",
        "99999", "昨天", "2018年5月", "20181301", "0", "-43223", "1e5", "0000-00-00", "99990", "43223.5",
    ],
)  # fmt: skip
def test_what_is_no_date_is_not_guessed(text: str) -> None:
    assert parse_date(text) is None


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)), st.sampled_from(("-", "/", ".")))
def test_every_day_survives_its_spelling(day: datetime.date, mark: str) -> None:
    assert parse_date(f"{day.year}{mark}{day.month}{mark}{day.day}") == day
    assert parse_date(f"{day:%Y%m%d}") == day
    assert parse_date(day.isoformat()) == day


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", "1"), ("1.50", "1.5"), ("0", "0"), ("0.000001", "0.000001"), ("12,345.6", "12345.6"), ("5000元", "0.5"),
        ("1.2亿元", "12000"), ("3万元", "3"), ("￥2", "2"), ("¥2.00", "2"), ("１２．５", "12.5"),
        ("999999999999", "999999999999"),
        ("100000", "100000"),
    ],
)  # fmt: skip
def test_an_amount_becomes_plain_decimal_text(text: str, amount: str) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize(
    "text",
    ["", "-1", "abc", "NaN", "sNaN", "Infinity", "-0.5", "1.2345678", "1000000000000", "元", "万元", "一万元", "1..2",
     "￥",
     "0.01元1",
     "9e999999亿元", "9e999999", "1e-999999元"],
)  # fmt: skip
def test_what_is_no_amount_is_refused_without_a_crash(text: str) -> None:
    assert parse_amount(text) is None


@given(st.decimals(0, Decimal(10) ** 11, places=6, allow_nan=False, allow_infinity=False))
def test_an_amount_keeps_its_value(amount: Decimal) -> None:
    read = parse_amount(format(amount, "f"))
    assert read is not None
    assert Decimal(read) == amount
    assert "E" not in read


@pytest.mark.parametrize(
    ("text", "number"), [("7", "7"), ("007", "7"), ("-3", "-3"), ("1,000", "1000"), ("１２", "12")]
)
def test_a_whole_number_becomes_plain_text(text: str, number: str) -> None:
    assert parse_integer(text) == number


@pytest.mark.parametrize("text", ["", "1.5", "七", "1e3", "+1", "1234567890123456", "½"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    assert parse_integer(text) is None


@given(CELL | NUMBERISH)
def test_no_cell_makes_a_reader_crash(text: str) -> None:
    day, amount, number = parse_date(text), parse_amount(text), parse_integer(text)
    assert day is None or isinstance(day, datetime.date)
    assert amount is None or Decimal(amount) >= 0
    assert number is None or isinstance(int(number), int)


@given(CELL)
def test_reading_twice_is_reading_once(text: str) -> None:
    """What is stored is read again when a record is corrected."""
    amount, number = parse_amount(text), parse_integer(text)
    assert amount is None or parse_amount(amount) == amount
    assert number is None or parse_integer(number) == number


@pytest.mark.parametrize("text", ["a\x00b", "\x01", "a\x0bb", "\x7f", "\ufffe", "\uffff", "x\x1b[31m"])
def test_unseen_characters_are_found(text: str) -> None:
    assert has_unseen(text)


@pytest.mark.parametrize("text", ["", "第一行\n第二行", "a\tb", "𠮷𡃁", "é", "全角　空格", "\r\n"])
def test_visible_text_is_left_alone(text: str) -> None:
    assert not has_unseen(text)


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "+cmd|x", "-2+3+cmd|' /C calc'!A0", "=HYPERLINK(1)"]
)
def test_formula_beginnings_are_found(text: str) -> None:
    assert begins_like_formula(text)


@pytest.mark.parametrize("text", ["", "-5", "+86 752 123", "-", "1=1", "a@b", "－减免", "+8613800000000", "-0.5"])
def test_plain_signs_are_no_formula(text: str) -> None:
    assert not begins_like_formula(text)
