"""Filters for texts in the language of the page, and cells that say which column they belong to."""

import datetime
from collections.abc import Iterable
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from creditplatform.core import wording

register = template.Library()


@register.filter
def joined(parts: Iterable[object]) -> str:
    """Labels as one text."""
    return wording.joined(parts)


@register.filter
def bracketed(text: object) -> str:
    """An aside in brackets."""
    return wording.bracketed(text)


@register.filter
def explained(term: object, text: object) -> str:
    """A term, a colon and what there is to say about it."""
    return wording.explained(term, text)


@register.filter
def plainly(text: str) -> str:
    """A telephone number or name with the mark of the demonstration in the language of the page."""
    return wording.mark_translated(text)


@register.filter(is_safe=True)
def dated(text: object) -> SafeString:
    """A text within whose dates no line breaks."""
    return wording.dated(text)


@register.filter
def day(moment: datetime.date | datetime.datetime | None) -> SafeString | str:
    """A date, or the date of a moment in local time, marked up as one; a dash where there is none."""
    if moment is None:
        return "—"
    date = timezone.localdate(moment) if isinstance(moment, datetime.datetime) else moment
    return format_html('<time datetime="{}">{}</time>', date.isoformat(), date.isoformat())


@register.filter
def minute(moment: datetime.datetime) -> SafeString:
    """A moment in local time, to the minute."""
    local = timezone.localtime(moment)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), local.strftime("%Y-%m-%d %H:%M"))


@register.filter
def labelled(cells: Iterable[str], headers: list[dict[str, Any]]) -> list[str]:
    """The cells of a row of a list in the admin, each with the name of its column for narrow screens."""
    return [_with_label(cell, header) for cell, header in zip(cells, headers, strict=False)]


def _with_label(cell: str, header: dict[str, Any]) -> str:
    text = str(header["text"])
    tag = "<td" if cell.startswith("<td") else ""
    if not tag or text.startswith("<"):
        return cell
    label = format_html(' data-label="{}"', capfirst(text))
    return mark_safe(f"{tag}{label}{cell[len(tag) :]}")  # noqa: S308 - the cell comes escaped from the admin
