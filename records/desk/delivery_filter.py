"""Which deliveries the list shows: by which way they came, and of which feed; read from the address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from records.models import FeedBatch

FILES, FORMS = "files", "form"
WAYS = {FILES: _("Files and interface"), FORMS: _("Single records by form")}


@dataclass(frozen=True)
class DeliveryFilter:
    """What was asked for; without a feed, those of all."""

    way: str = FILES
    feed: str = ""

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> "DeliveryFilter":
        """Read from an address, nonsense ignored."""
        way = asked.get("way", "")
        return cls(way if way in WAYS else FILES, asked.get("feed", "").replace("\x00", "")[:60])

    def apply(self, batches: QuerySet[FeedBatch]) -> QuerySet[FeedBatch]:
        """Those of the deliveries that were asked for."""
        ways: Any = batches
        found: QuerySet[FeedBatch] = ways.by_form() if self.way == FORMS else ways.by_file()
        return found.filter(feed__code=self.feed) if self.feed else found

    def address(self, **changes: Any) -> str:
        """The part of an address behind the question mark that asks for this, with some of it changed."""
        asked, usual = vars(replace(self, **changes)), vars(DeliveryFilter())
        return f"?{urlencode({name: value for name, value in asked.items() if value != usual[name]})}"

    @property
    def words(self) -> str:
        """The same to go on behind a page number."""
        return self.address().removeprefix("?")
