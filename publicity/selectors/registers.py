"""The public registers: which there are, how much each holds, what stands in them."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, QuerySet
from django.utils import timezone

from creditplatform.core.models import Agency, Site
from creditplatform.core.remembered import remembered
from creditplatform.core.rules import RuleBook, load_rulebook
from publicity.selectors.keyset import Page, page_of
from records.enums import SubjectKind
from records.models import CatalogueEntry, CreditRecord, EntryVersion
from records.querysets import CreditRecordQuerySet

COUNT_LIMIT = 10_000
COUNTS_KEPT_SECONDS = 60
LEAVING_DAYS = 30
LISTED_KINDS = [SubjectKind.ORGANISATION, SubjectKind.BUSINESS]
# Personal and bulky columns that no list shows; sealed ones are not even decrypted.
NOT_IN_LISTS = (
    "payload", "sealed_payload", "statement", "digest",
    "subject__number_sealed", "subject__name_sealed", "subject__phone_sealed", "subject__address_sealed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Count:
    """How many, counted to a limit: `more` says that there are more than `number`."""

    number: int
    more: bool

    @classmethod
    def bounded(cls, counted: int) -> "Count":
        """A count that was stopped one beyond the limit."""
        return cls(min(counted, COUNT_LIMIT), counted > COUNT_LIMIT)


@dataclass(frozen=True, slots=True)
class Register:
    """One register of a site: the entry, its newest version that publishes, how many records are public today."""

    entry: CatalogueEntry
    version: EntryVersion
    count: Count


@dataclass(frozen=True, slots=True)
class Overview:
    """All registers of a site, the sum of their counts, how many records leave within LEAVING_DAYS days."""

    registers: list[Register]
    total: Count
    leaving: Count

    @property
    def filled(self) -> list[Register]:
        """Registers that hold a public record today, the fullest first."""
        return [register for register in self.registers if register.count.number]

    @property
    def empty(self) -> list[Register]:
        """Registers in which nothing is public today."""
        return [register for register in self.registers if not register.count.number]


def listed(site: Site, *, rulebook: RuleBook | None = None, on: datetime.date | None = None) -> CreditRecordQuerySet:
    """What registers and search of a site show: its own public records about organisations.

    Natural persons stand in no list, even where a law publishes them: no bulk listing of persons.
    """
    records = CreditRecord.objects.publishable(on=on, rulebook=rulebook)
    return records.filter(site=site, subject_kind__in=LISTED_KINDS)


def for_list(records: CreditRecordQuerySet) -> CreditRecordQuerySet:
    """With everything a line of a list shows, and nothing personal; no further query per line."""
    return records.select_related("subject", "entry", "agency").defer(*NOT_IN_LISTS)


def register_page(site: Site, entry: CatalogueEntry, filters: Mapping[str, object], after: str) -> Page:
    """One page of a register, newest decision first; `filters` are fields of the record with their values."""
    records = listed(site).filter(entry=entry, **filters)
    return page_of(for_list(records), after)


def register_version(code: str) -> EntryVersion | None:
    """The newest version of a register that publishes; None where there is no such register open to the public."""
    return _open_versions(timezone.localdate()).filter(entry__code=code).first()


def overview(site: Site) -> Overview:
    """Every register with its count: two queries, or one within a minute of the last visitor.

    The counts are of publishable records and stop at COUNT_LIMIT per register, so that they cost the same
    however large the table grows. They are kept for a minute under the day, so that midnight counts anew.
    """
    today = timezone.localdate()
    counts = _counts(site, today)
    registers = [
        Register(version.entry, version, Count.bounded(counts.get(version.entry.code, 0)))
        for version in sorted(_open_versions(today), key=lambda v: (v.information_class, v.entry.code))
    ]
    registers.sort(key=lambda register: -register.count.number)
    total = sum(register.count.number for register in registers)
    more = any(register.count.more for register in registers)
    return Overview(registers, Count(total, more), Count.bounded(counts[""]))


def deciding_units(site: Site, entry: CatalogueEntry | None = None) -> list[Agency]:
    """Units of a site that may send records, all or of one entry, with where citizens reach them."""
    units = Agency.objects.filter(site=site, active=True, entitlements__isnull=False)
    if entry is not None:
        units = units.filter(entitlements__entry=entry)
    return list(units.distinct())


def _open_versions(day: datetime.date) -> QuerySet[EntryVersion]:
    """Of every entry the newest version whose records about organisations are public on that day."""
    return (
        EntryVersion.objects.publishing(on=day)
        .filter(subject_kinds__overlap=LISTED_KINDS)
        .select_related("entry", "publication_basis")
        .order_by("entry_id", "-number")
        .distinct("entry_id")
    )


def _counts(site: Site, day: datetime.date) -> dict[str, int]:
    """Counts by code of the entry, under the empty code those that leave soon; from the cache if fresh."""
    key = f"publicity-counts:{site.code}:{day.isoformat()}"
    return remembered(key, COUNTS_KEPT_SECONDS, lambda: _count(site, day))


def _count(site: Site, day: datetime.date) -> dict[str, int]:
    public = listed(site, rulebook=load_rulebook(), on=day)
    of_entry = public.filter(entry=OuterRef("pk")).values("pk")[: COUNT_LIMIT + 1]
    counted = Func(ArraySubquery(of_entry), function="CARDINALITY", output_field=IntegerField())
    by_entry = CatalogueEntry.objects.annotate(shown=counted).values_list("code", "shown")
    leaving = public.filter(publish_until__lte=day + datetime.timedelta(days=LEAVING_DAYS))
    return {**dict(by_entry), "": leaving[: COUNT_LIMIT + 1].count()}
