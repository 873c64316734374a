"""Values of cells in their one spelling: dates, amounts, numbers. Each returns None for what it cannot read."""

import datetime
import re
import unicodedata
from decimal import Decimal

# Texts that stand for "no value" in real feeds; never a key, never content.
NO_VALUE = frozenset({"/", "\\", "*", "-", "--", "—", "——", "无", "空", "暂无", "null", "NULL", "Null", "N/A", "n/a"})
NO_END = datetime.date(2099, 12, 31)
# Words in the place of a last day that mean that there is none.
NO_END_WORDS = frozenset(
    {"长期", "长期有效", "永久", "永久有效", "无固定期限", "无期限", "无限期", "9999-12-31", "99991231", "9999/12/31"}
)
_TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?" + _TIME)
# The year of a document number in any bracket, with or without spaces around it.
_YEAR_IN_BRACKETS = re.compile(r"(?<=\S)\s*[\[［【〔〖(（]\s*([0-9０-９]{4})\s*[\]］】〕〗)）]\s*(?=第?[0-9０-９])")
_SERIAL_NUMBER = re.compile(r"第?[0-9０-９]+(?:-[0-9０-９]+)?号?")
_BRACKETS = frozenset("[［【〔〖(（")
_NUMERAL = re.compile("[0-9０-９零〇一二三四五六七八九十百]")
_YEAR_OF_DOCUMENT = re.compile(r"〔(\d{4})〕")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL = re.compile(r"[2-7]\d{4}(?:\.0+)?")
FIRST_DAY = datetime.date(1900, 1, 1)  # an earlier one is a slip of the pen
_EPOCH = datetime.date(1899, 12, 30)
_SHORT_YEAR = re.compile(r"\d{1,2}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?" + _TIME)
_WORDS_OF_AMOUNTS = re.compile(
    "[零〇一二三四五六七八九十百千壹贰叁肆伍陆柒捌玖拾佰仟貳參陸兩两圆圓角分整正万萬亿億元]+"
)
_NUMERALS = re.compile("[零〇一二三四五六七八九十百千壹贰叁肆伍陆柒捌玖拾佰仟貳參陸兩两]")
_UNITS = tuple(
    (word, factor)
    for factor, words in (
        (Decimal(1), ("万元", "万圆", "萬元", "万")),
        (Decimal(10000), ("亿元", "亿圆", "億元", "亿")),
        (Decimal("0.0001"), ("元", "圆", "圓")),
    )
    for word in words
)
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_POWER_OF_TEN = re.compile(r"\d(?:\.\d+)?E\+\d{1,3}")
_FORMULA = re.compile(r"(?m)^(?:[=@]|[+\-](?=.*[A-Za-z(|!]))")


def parse_date(text: str) -> datetime.date | None:
    """A date in any usual form: 2018-05-03, 2018/5/3, 2018年5月3日, 20180503, or a spreadsheet serial."""
    text = unicodedata.normalize("NFKC", text).strip()
    match = _DATE.fullmatch(text) or _COMPACT.fullmatch(text)
    try:
        if match:
            day = datetime.date(*map(int, match.groups()))
            return day if day >= FIRST_DAY else None
    except ValueError:
        return None
    if _SERIAL.fullmatch(text):
        return _EPOCH + datetime.timedelta(days=int(float(text)))
    return None


def parse_last_day(text: str) -> datetime.date | None:
    """The last day of something that may have none: 长期, 永久, 9999-12-31 and 2099/12/31 are all NO_END."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain in NO_END_WORDS:
        return NO_END
    day = parse_date(plain)
    return min(day, NO_END) if day else None


def why_no_date(text: str) -> str:
    """The code of what is wrong with a text that is no date: a year of two digits is not guessed at."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return "two_digit_year" if _SHORT_YEAR.fullmatch(plain) else "not_a_date"


def why_no_amount(text: str) -> str:
    """The code of what is wrong with a text that is no amount: one in words (大写) is not read."""
    plain = unicodedata.normalize("NFKC", text).removeprefix("人民币").strip()
    in_words = _WORDS_OF_AMOUNTS.fullmatch(plain) and _NUMERALS.search(plain)
    return "amount_in_words" if in_words else "not_an_amount"


def parse_amount(text: str) -> str | None:
    """An amount in 10,000 yuan (万元) as plain decimal text; thousands signs and the units 元, 万元, 亿元 are read."""
    text = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    text = text.removeprefix("人民币").lstrip("¥￥").removesuffix("整")
    factor = Decimal(1)
    for unit, value in _UNITS:
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


def in_unit(text: str, unit: str) -> str:
    """A bare number with the unit in which its column is counted; any other text as it is."""
    return f"{text.strip()}{unit}" if text.strip()[-1:].isdecimal() else text


def parse_integer(text: str) -> str | None:
    """A whole number as plain text."""
    text = unicodedata.normalize("NFKC", text).replace(",", "").strip()
    return str(int(text)) if re.fullmatch(r"-?\d{1,15}", text) else None


def document_number(text: str) -> str:
    """A document number in the form of GB/T 9704, so that one decision is never two: 惠市监罚〔2026〕1号.

    Only a bracketed year before a number is touched: [2026], (2026) and 【２０２６】 become 〔2026〕.
    """
    match = _YEAR_IN_BRACKETS.search(text) if not _BRACKETS.isdisjoint(text) else None
    if match is None:
        return text
    head, year, tail = text[: match.start()], unicodedata.normalize("NFKC", match[1]), text[match.end() :]
    return f"{head}〔{year}〕{unicodedata.normalize('NFKC', tail) if _SERIAL_NUMBER.fullmatch(tail) else tail}"


def has_numeral(text: str) -> bool:
    """Whether a document number holds any numeral; 见决定书 and 无文号 name no decision."""
    return _NUMERAL.search(text) is not None


def latest_year(text: str) -> str:
    """The latest year in the brackets of document numbers, empty where there is none."""
    return max(_YEAR_OF_DOCUMENT.findall(text), default="")


def has_unseen(text: str) -> bool:
    """Whether the text holds control characters."""
    return _UNSEEN.search(text) is not None


def begins_like_formula(text: str) -> bool:
    """Whether a spreadsheet would take a line of the text for a formula; plain signed numbers are none."""
    return _FORMULA.search(text) is not None


def is_power_of_ten(text: str) -> bool:
    """Whether the text is a number as a spreadsheet shows long ones, with most of its digits lost."""
    return _POWER_OF_TEN.fullmatch(text) is not None
