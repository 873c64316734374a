"""Numbers of articles as Chinese statutes write them."""

import re

DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")}
UNITS = {"十": 10, "百": 100, "千": 1000}
_ARTICLE = re.compile(r"第([零一二三四五六七八九十百千]+)(条|款|项)")
_WORDS = {"条": "article", "款": "paragraph", "项": "item"}


def number_of(text: str) -> int:
    """The value of a Chinese numeral below ten thousand: 一百一十三 is 113."""
    total, digit = 0, 0
    for character in text:
        if character in UNITS:
            total += (digit or 1) * UNITS[character]
            digit = 0
        else:
            digit = DIGITS[character]
    return total + digit


def article_in_english(article: str) -> str:
    """`第四十八条` as `article 48`; several parts follow each other, anything else stays as it is."""
    parts = [f"{_WORDS[kind]} {number_of(numeral)}" for numeral, kind in _ARTICLE.findall(article)]
    return ", ".join(parts) if parts else article
