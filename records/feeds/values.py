"""Values of cells in their one spelling: dates, amounts, numbers. Each returns None for what it cannot read."""

import datetime
import re
import unicodedata
from decimal import Decimal

# Texts that stand for "no value" in real feeds; never a key, never content.
NO_VALUE = frozenset({"/", "\\", "*", "-", "--", "—", "——", "无", "空", "暂无", "null", "NULL", "Null", "N/A", "n/a"})
NO_END = datetime.date(2099, 12, 31)
_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?" + _TIME)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL = re.compile(r"[2-7]\d{4}(?:\.0+)?")
_EPOCH = datetime.date(1899, 12, 30)
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_POWER_OF_TEN = re.compile(r"\d(?:\.\d+)?E\+\d{1,3}")
_FORMULA = re.compile(r"(?m)^(?:[=@]|[+\-](?=.*[A-Za-z(|!]))")


def parse_date(text: str) -> datetime.date | None:
    """A date in any usual form: 2018-05-03, 2018/5/3, 2018年5月3日, 20180503, or a spreadsheet serial."""
    text = unicodedata.normalize("NFKC", text).strip()
    match = _DATE.fullmatch(text) or _COMPACT.fullmatch(text)
    try:
        if match:
            return datetime.date(*map(int, match.groups()))
    except ValueError:
        return None
    if _SERIAL.fullmatch(text):
        return _EPOCH + datetime.timedelta(days=int(float(text)))
    return None


def parse_amount(text: str) -> str | None:
    """An amount in 10,000 yuan (万元) as plain decimal text; thousands signs and the units 元, 万元, 亿元 are read."""
    text = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "").lstrip("¥￥")
    factor = Decimal(1)
    for unit, value in (("万元", Decimal(1)), ("亿元", Decimal(10000)), ("元", Decimal("0.0001"))):
        if text.endswith(unit):
            text, factor = text.removesuffix(unit), value
            break
    try:
        amount = Decimal(text) * factor
    except ArithmeticError:
        return None
    if not amount.is_finite() or amount < 0 or amount >= Decimal(10) ** 12 or amount != round(amount, 6):
        return None
    return format(amount.normalize(), "f")


def parse_integer(text: str) -> str | None:
    """A whole number as plain text."""
    text = unicodedata.normalize("NFKC", text).replace(",", "").strip()
    return str(int(text)) if re.fullmatch(r"-?\d{1,15}", text) else None


def has_unseen(text: str) -> bool:
    """Whether the text holds control characters."""
    return _UNSEEN.search(text) is not None


def begins_like_formula(text: str) -> bool:
    """Whether a spreadsheet would take a line of the text for a formula; plain signed numbers are none."""
    return _FORMULA.search(text) is not None


def is_power_of_ten(text: str) -> bool:
    """Whether the text is a number as a spreadsheet shows long ones, with most of its digits lost."""
    return _POWER_OF_TEN.fullmatch(text) is not None
