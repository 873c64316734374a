"""Bodies of deliveries: taken as they come, in blocks, whatever format they are in."""

import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, UnreadablePostError
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from creditplatform.core.errors import Invalid
from records.feeds.readers import FeedFileError

BLOCK = 1 << 20
KEY = re.compile(r"[\x21-\x7e]{1,128}")
ENDINGS = {
    "application/json": "json",
    "text/csv": "csv",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.ms-excel": "xls",
}


class Untouched(BaseParser):  # type: ignore[misc]
    """Hands the body on unread."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """The stream itself."""
        return {"stream": stream}


PARSERS: list[type[BaseParser]] = [
    type(f"{name.title()}Body", (Untouched,), {"media_type": kind}) for kind, name in ENDINGS.items()
]

JsonBody = PARSERS[0]


def file_name_of(request: Request) -> str:
    """A name for the delivered file that tells its format."""
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    return f"delivery.{ENDINGS.get(kind, 'dat')}"


def blocks_of(request: Request) -> Iterator[bytes]:
    """The body in blocks. Raises empty_file, or Invalid where the client has gone away."""
    stream: HttpRequest | None = request.data.get("stream")
    block = stream.read(BLOCK) if stream is not None else b""
    if not block or stream is None:
        raise FeedFileError("empty_file")
    try:
        while block:
            yield block
            block = stream.read(BLOCK)
    except UnreadablePostError:
        raise Invalid(code="body_cut_off", message=_("The body ended before it was complete. Send it again.")) from None


def key_of(request: Request) -> str:
    """The `Idempotency-Key`, empty where none came. Raises Invalid for one that is no key."""
    key = request.headers.get("Idempotency-Key", "")
    if key and not KEY.fullmatch(key):
        text = _("An Idempotency-Key has 1 to 128 visible ASCII characters, such as a UUID.")
        raise Invalid.in_field("Idempotency-Key", "idempotency_key_invalid", text)
    return str(key)
