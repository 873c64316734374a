"""Two people of the centre, and drafts of the catalogue they work on."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from creditplatform.core.enums import Role
from creditplatform.core.models import Agency, User
from records.catalogue.words import mark_of
from records.enums import VersionState
from records.models import CatalogueEntry, EntryField, EntryVersion
from records.services import catalogue
from tests.cast import Cast, member

ENTRY = "administrative-penalty"
SECOND = "centre-two"


@dataclass(frozen=True)
class Centre:
    """Who edits, who reviews, and what they work on."""

    cast: Cast
    one: User
    two: User
    entry: CatalogueEntry

    @classmethod
    def assemble(cls, cast: Cast) -> "Centre":
        two = member(SECOND, Agency.objects.get(code="gs-drc"), Role.CENTRE)
        return cls(cast, cast.centre, two, CatalogueEntry.objects.get(code=ENTRY))

    @property
    def current(self) -> EntryVersion:
        found: EntryVersion = self.entry.versions.collecting(on=today()).get()
        return found

    def draft(self, **values: Any) -> EntryVersion:
        """A draft by the first person, copied from what is in force, with these attributes."""
        draft = catalogue.draft_new_version(user=self.one, entry=self.entry)
        return self.change(draft, **values) if values else draft

    def change(self, draft: EntryVersion, user: User | None = None, **values: Any) -> EntryVersion:
        return catalogue.save_version(user=user or self.one, version=draft, values=values, seen=mark_of(draft))

    def field(self, draft: EntryVersion, item: EntryField | None = None, **values: Any) -> EntryField:
        words = {"code": "NEW", "name": "新字段", "name_en": "New field", "type": "text", **values}
        given = values if item else words
        return catalogue.save_field(user=self.one, version=draft, field=item, values=given, seen=mark_of(draft))

    def step(self, version: EntryVersion, step: str, user: User | None = None, **data: Any) -> EntryVersion:
        return catalogue.take_step(user=user or self.one, version=version, step=step, **data)

    def submitted(self, **values: Any) -> EntryVersion:
        return self.step(self.draft(**values), "submit")

    def published(self, **values: Any) -> EntryVersion:
        return self.step(self.submitted(**values), "publish", self.two)


def today() -> datetime.date:
    return timezone.localdate()


def days(number: int) -> datetime.date:
    return today() + datetime.timedelta(days=number)


def states(entry: CatalogueEntry) -> list[tuple[int, str]]:
    """Number and state of every version of an entry, oldest first."""
    return [(v.number, VersionState(v.state)) for v in entry.versions.order_by("number")]
