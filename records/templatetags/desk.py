"""What every page of the desk shows around its content."""

from typing import Any

from django import template
from django.urls import reverse

from records.admin.worktable import alarms
from records.desk.navigation import PARTS
from records.querysets import DECIDING, units_of

register = template.Library()


@register.simple_tag(takes_context=True)
def desk_parts(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Links of the navigation for this person, the current part marked."""
    request = context["request"]
    here = request.resolver_match.view_name if request.resolver_match else ""
    return [
        {"url": reverse(part.url_name), "label": part.label, "current": here in (part.url_name, *part.pages)}
        for part in PARTS
        if part.shown_to(request.user.roles)
    ]


@register.simple_tag(takes_context=True)
def desk_alarms(context: dict[str, Any]) -> list[str]:
    """What has fallen silent: workers, timers, feeds this person may see."""
    return alarms(context["request"].user)


@register.simple_tag(takes_context=True)
def decides(context: dict[str, Any]) -> bool:
    """Whether this person decides for a unit."""
    return bool(units_of(context["request"].user, DECIDING))
