"""Numbers behind the question mark of an address of the interface."""

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request

from creditplatform.core.errors import Invalid


def whole_number(request: Request, name: str, *, usual: int, least: int, most: int) -> int:
    """The number given under a name, `usual` where none is. Raises Invalid for one outside its range."""
    text = request.query_params.get(name)
    if text is None:
        return usual
    if text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most:
        return int(text)
    message = _("Give a whole number from %(least)s to %(most)s.") % {"least": least, "most": most}
    raise Invalid.in_field(name, "not_a_number", message)
