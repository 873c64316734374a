"""Pages without offset and without counting: the last row of one page is where the next begins."""

import datetime
from dataclasses import dataclass
from typing import NamedTuple

from django.core import signing
from django.db.models import Q

from creditplatform.core import vault
from records.models import CreditRecord
from records.models.record import TOKEN_KIND
from records.querysets import CreditRecordQuerySet

PAGE_SIZE = 20
SALT = "publicity.keyset"


class Place(NamedTuple):
    """A row in the order of the registers: date of the decision and primary key."""

    decided_on: datetime.date
    pk: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, newest decision first; `after` is the cursor of the next page, empty on the last one."""

    records: list[CreditRecord]
    after: str
    first: bool


def page_of(records: CreditRecordQuerySet, after: str, *, size: int = PAGE_SIZE) -> Page:
    """The page that follows a cursor, in one query; a cursor that is not ours means the first page.

    Rows that come or go meanwhile neither double nor hide a row that stays.
    """
    place = read_cursor(after)
    found = list(_beyond(records, place).order_by("-decided_on", "-pk")[: size + 1])
    more = len(found) > size
    return Page(found[:size], cursor_of(found[size - 1]) if more else "", place is None)


def cursor_of(record: CreditRecord) -> str:
    """Signed, and by the public token, so that it tells no primary key."""
    return signing.dumps([record.decided_on.isoformat(), record.token], salt=SALT)


def read_cursor(text: str) -> Place | None:
    """The place a cursor names; None for an empty, foreign or altered one."""
    try:
        day, token = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return None
    pk = vault.pk_of_token(TOKEN_KIND, token)
    return None if pk is None else Place(datetime.date.fromisoformat(day), pk)


def _beyond(records: CreditRecordQuerySet, place: Place | None) -> CreditRecordQuerySet:
    if place is None:
        return records
    earlier = Q(decided_on__lt=place.decided_on) | Q(decided_on=place.decided_on, pk__lt=place.pk)
    # The second bound says nothing new; it is the one the index can start from.
    return records.filter(earlier, decided_on__lte=place.decided_on)
