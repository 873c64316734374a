"""What a page may ask for without a request, as the page of a server error must."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def is_demonstration() -> bool:
    """Whether this platform shows demonstration data."""
    return settings.DEMONSTRATION
