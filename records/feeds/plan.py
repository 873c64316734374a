"""Everything one batch is checked against, read once before its first row."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError
from creditplatform.core.models import Agency
from creditplatform.core.rules import RuleBook, load_rulebook
from creditplatform.core.sealed import sealed_name
from creditplatform.core.vault import blind_index
from records.enums import FieldRole, Polarity
from records.feeds.delivery import deliverable, of_delivery
from records.models import CatalogueEntry, CreditRecord, Entitlement, EntryField, EntryVersion, Feed, Subject

# Parts of a record or subject that have a column of their own and are not repeated in the content.
STORED_ELSEWHERE = frozenset(
    {
        FieldRole.SUBJECT_KIND, FieldRole.CREDIT_CODE, FieldRole.ORGANISATION_CODE, FieldRole.REGISTRATION_NUMBER,
        FieldRole.TAX_NUMBER, FieldRole.INSTITUTION_NUMBER, FieldRole.SOCIAL_GROUP_NUMBER, FieldRole.IDENTITY_KIND,
        FieldRole.IDENTITY_NUMBER, FieldRole.DOCUMENT_NUMBER, FieldRole.DECIDED_ON,
    }
)  # fmt: skip

NAMING_UNITS = (FieldRole.AGENCY_CODE, FieldRole.SOURCE_CODE)


class NotCollected(CreditError):
    """The entry is not in force, so nothing may be collected under it."""


@dataclass(frozen=True)
class Plan:
    """The version in force with its fields, the source, the law of the day, and what the feed states itself."""

    agency: Agency
    version: EntryVersion
    fields: list[EntryField]
    key_field: str
    rulebook: RuleBook
    today: datetime.date
    agency_codes: frozenset[str]
    codes_on_file: frozenset[str] = frozenset()
    constants: dict[str, str] = field(default_factory=dict)
    dated_by_receipt: bool = False
    dated_on: datetime.date | None = None

    @cached_property
    def by_role(self) -> dict[str, EntryField]:
        """Fields that feed a part of the record, by that part."""
        return {item.role: item for item in self.fields if item.role}

    @cached_property
    def content(self) -> list[EntryField]:
        """Fields kept as open content, in their order."""
        kept = [f for f in self.fields if not of_delivery(f)]
        return [f for f in kept if not f.personal and f.role not in STORED_ELSEWHERE]

    @cached_property
    def sealed_content(self) -> list[EntryField]:
        """Fields kept as personal content, in their order."""
        return [f for f in self.fields if f.personal and f.role not in STORED_ELSEWHERE]

    def agency_unchecked(self, fields: Collection[str]) -> bool:
        """Whether a file with these fields names units of which no credit code is on file to compare with."""
        named = [item.code for role in NAMING_UNITS if (item := self.by_role.get(role))]
        return not self.agency_codes and not set(named).isdisjoint(fields)

    @cached_property
    def negative(self) -> bool:
        """Whether the entry speaks against its subjects."""
        return self.version.polarity == Polarity.NEGATIVE

    @cached_property
    def digest_key(self) -> bytes:
        """Key of content digests: contents hold guessable personal values, so a bare hash would tell them."""
        return blind_index("content", "records.CreditRecord.digest")

    @cached_property
    def sealed_payload(self) -> str:
        """The name personal content is bound to."""
        return sealed_name(CreditRecord, "sealed_payload")

    @cached_property
    def sealed_number(self) -> str:
        """The name sealed document numbers are bound to."""
        return sealed_name(Subject, "number_sealed")

    @cached_property
    def sealed_person_name(self) -> str:
        """The name sealed names are bound to."""
        return sealed_name(Subject, "name_sealed")


def version_in_force(entry: CatalogueEntry, on: datetime.date) -> EntryVersion:
    """The version of an entry in force on that day, under a legal basis in force on it.

    Raises NotCollected: without it nothing is collected.
    """
    version = entry.versions.collecting(on=on).select_related("legal_basis", "entry").first()
    if version is None:
        raise NotCollected(
            "entry_not_in_force",
            _("The catalogue entry “%(entry)s” or its legal basis is not in force; nothing may be collected under it."),
            entry=entry.code,
        )
    return version


def plan_for(feed: Feed, *, dated_on: datetime.date | None = None) -> Plan:
    """Read what a batch of this feed is checked against; eight queries at most.

    Raises NotCollected where the entry is not in force, or the unit is not one that may send it.
    """
    today = timezone.localdate()
    version = version_in_force(feed.entry, today)
    check_source(feed, version)
    return Plan(
        agency=feed.agency,
        version=version,
        fields=deliverable(version),
        key_field=feed.field or version.field,
        rulebook=load_rulebook(),
        today=today,
        agency_codes=codes_of(feed),
        codes_on_file=frozenset(Agency.objects.exclude(credit_code="").values_list("credit_code", flat=True)),
        constants=dict(feed.constants),
        dated_by_receipt=feed.dated_by_receipt,
        dated_on=dated_on or (today if feed.dated_by_receipt else None),
    )


def check_source(feed: Feed, version: EntryVersion) -> None:
    """The unit is entitled to the entry, and of a kind that may send it. Raises NotCollected."""
    if version.source_kinds and feed.agency.kind not in version.source_kinds:
        raise NotCollected(
            "source_kind_not_allowed",
            _("Units of this kind may not send the catalogue entry “%(entry)s”."),
            entry=feed.entry.code,
        )
    if not Entitlement.objects.filter(agency=feed.agency_id, entry=feed.entry_id).exists():
        raise NotCollected(
            "not_entitled",
            _("The unit is not entitled to the catalogue entry “%(entry)s”; the credit centre can enter that."),
            entry=feed.entry.code,
        )


def codes_of(feed: Feed) -> frozenset[str]:
    """Credit codes under which a feed's unit, all units below it and those it sends for may decide and sign.

    Empty where neither the unit nor one below it has a code on file: then there is nothing to check against.
    """
    found = codes_below(feed.agency)
    return frozenset(found | set(feed.sends_for)) if found else frozenset()


def codes_below(agency: Agency) -> set[str]:
    """Credit codes of a unit and all units below it; one query a level."""
    found, above = {agency.credit_code}, {agency.pk}
    while above:
        below = Agency.objects.filter(parent__in=above).values_list("pk", "credit_code")
        above = {pk for pk, _code in below}
        found |= {code for _pk, code in below}
    return found - {""}
