"""How texts are put together in the language of the page: lists, brackets, sentences, amounts, dates."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

TEN_THOUSAND = 10_000
DEMONSTRATION_MARK = "（演示）"
_DATE = re.compile(r"(<[^>]*>)|(?<![\w-])(\d{4}-\d\d-\d\d)(?![\w-])")


def chinese() -> bool:
    """Whether the page is in Chinese."""
    return (get_language() or "zh").startswith("zh")


def in_both(say: Callable[[], object]) -> tuple[str, str]:
    """What is said in Chinese, and the same in English, as letters keep it; `say` is asked once in each language."""
    texts = []
    for language in ("zh-hans", "en"):
        with override(language):
            texts.append(str(say()))
    return texts[0], texts[1]


def joined(parts: Iterable[object]) -> str:
    """Several labels as one text."""
    return ("、" if chinese() else ", ").join(str(part) for part in parts)


def clauses(parts: Iterable[object]) -> str:
    """Several clauses as one sentence without its full stop."""
    return ("；" if chinese() else "; ").join(str(part) for part in parts)


def full_stop(text: str) -> str:
    """A clause as a sentence."""
    return f"{text}。" if chinese() else f"{text}."


def after_one_another(sentences: Iterable[str]) -> str:
    """Whole sentences as one text."""
    return ("" if chinese() else " ").join(sentence for sentence in sentences if sentence)


def explained(term: object, text: object) -> str:
    """A term, a colon and what there is to say about it."""
    return f"{term}：{text}" if chinese() else f"{term}: {text}"


def bracketed(text: object) -> str:
    """An aside in brackets, with the space that English puts before it."""
    return f"（{text}）" if chinese() else f" ({text})"


def in_yuan(ten_thousands: str) -> str:
    """An amount kept in 10,000 yuan (万元), said in yuan; a text that is no amount is left as it is."""
    try:
        yuan = Decimal(ten_thousands.replace(",", "").strip()) * TEN_THOUSAND
    except InvalidOperation:
        return ten_thousands
    if not yuan.is_finite():
        return ten_thousands
    whole = yuan == yuan.to_integral_value()
    return _("%(amount)s yuan") % {"amount": f"{yuan:,.0f}" if whole else f"{yuan.normalize():,f}"}


def mark_translated(text: str) -> str:
    """The Chinese mark of fictitious numbers and names in the language of the page."""
    return text if chinese() else text.replace(DEMONSTRATION_MARK, bracketed(_("demonstration")))


def dated(text: object) -> SafeString:
    """A text whose ISO dates are marked up as such, so that no line breaks within one."""
    escaped = conditional_escape(text)  # type: ignore[arg-type]
    return mark_safe(_DATE.sub(_marked, escaped))  # noqa: S308 - escaped above


def _marked(found: re.Match[str]) -> str:
    tag, day = found.groups()
    return tag or f'<time datetime="{day}">{day}</time>'
