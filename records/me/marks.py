"""Marks of where a page of a list ends, for the address of the next one: signed, so that nobody makes them up."""

import datetime

from django.core import signing
from django.http import HttpRequest


def mark(at: datetime.datetime, pk: int, salt: str) -> str:
    """The mark of the last line of a page, by its time and key; `salt` names the list."""
    return signing.dumps((at.isoformat(), pk), salt=salt)


def mark_of(request: HttpRequest, salt: str) -> tuple[datetime.datetime, int] | None:
    """Where the page before ended; a mark somebody changed is ignored."""
    try:
        at, pk = signing.loads(request.GET.get("after", ""), salt=salt)
        return datetime.datetime.fromisoformat(at), int(pk)
    except (signing.BadSignature, ValueError, TypeError):
        return None
