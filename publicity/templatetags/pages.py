"""What every page may ask for, also where a library or a server error leaves out part of the context."""

from django import template
from django.conf import settings
from django.template import Context

from creditplatform.core.context import all_sites, current_site
from creditplatform.core.models import Site

register = template.Library()


@register.simple_tag
def is_demonstration() -> bool:
    """Whether this platform shows demonstration data; the page of a server error has no context to say so."""
    return bool(settings.DEMONSTRATION)


@register.simple_tag(takes_context=True)
def page_site(context: Context) -> Site | None:
    """The public site of the page; the pages of the account library put something else under that name."""
    given = context.get("site")
    if given is None or isinstance(given, Site):
        return given
    return current_site(context["request"])


@register.simple_tag(takes_context=True)
def sites(context: Context) -> list[Site]:
    """Both sites, for pages that belong to neither; none on the page of a server error, which asks no database."""
    return list(all_sites(context["request"]).values()) if "request" in context else []
