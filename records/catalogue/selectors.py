"""Prepared answers about the catalogue: what is in force, what is at work, what a unit may send, who checked what."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from creditplatform.core.models import Site, StepEvent, User
from records.catalogue.words import Difference, between, fields_of, when_required
from records.enums import SubjectKind, VersionState
from records.models import CatalogueEntry, CreditRecord, Entitlement, EntryField, EntryVersion, Feed
from records.querysets import PUBLISHED
from records.workflows.catalogue_version import CATALOGUE_VERSION

# Records carry no index on their version, since that would cost every delivery; the newest of an entry tell enough.
COUNTED = 10_000
RELATED = ("entry", "legal_basis", "publication_basis", "person_publication_basis")


@dataclass(frozen=True)
class EntryLine:
    """An entry in the list: what holds today, what comes, what is at work on it."""

    entry: CatalogueEntry
    current: EntryVersion | None
    coming: EntryVersion | None
    at_work: EntryVersion | None


@dataclass(frozen=True)
class FieldLine:
    """One field of a version with when it is required, in words."""

    item: EntryField
    required: str


@dataclass(frozen=True)
class Checked:
    """How many records were checked against a version; `more` where only the newest of the entry were counted."""

    number: int
    more: bool


@dataclass(frozen=True)
class Sending:
    """An entry that a unit of the person may send, with the feeds for it."""

    entitlement: Entitlement
    feeds: list[Feed]


def entry_lines(user: User, words: str = "") -> list[EntryLine]:
    """Every entry this person may read about, by code: two queries; `words` are looked for in code and names."""
    today = timezone.localdate()
    entries = CatalogueEntry.objects.order_by("code")
    if words:
        entries = entries.filter(Q(code__icontains=words) | Q(name__icontains=words) | Q(name_en__icontains=words))
    visible = EntryVersion.objects.visible_to(user).filter(entry__in=entries).select_related(*RELATED)
    of_entry: dict[int, list[EntryVersion]] = {}
    for version in visible.order_by("number"):
        of_entry.setdefault(version.entry_id, []).append(version)
    return [_line(entry, of_entry[entry.pk], today) for entry in entries if entry.pk in of_entry]


def _line(entry: CatalogueEntry, versions: list[EntryVersion], today: datetime.date) -> EntryLine:
    published = [v for v in versions if v.state == VersionState.IN_FORCE]
    return EntryLine(
        entry,
        current=next((v for v in published if _holds(v, today)), None),
        coming=next((v for v in published if v.valid_from > today), None),
        at_work=next((v for v in versions if v.state in (VersionState.DRAFT, VersionState.IN_REVIEW)), None),
    )


def _holds(version: EntryVersion, day: datetime.date) -> bool:
    return version.valid_from <= day and (version.valid_until is None or version.valid_until > day)


def waiting_for(user: User) -> list[EntryVersion]:
    """What this person of the centre may publish or send back."""
    return list(EntryVersion.objects.waiting_for(user).select_related("entry", "entered_by").order_by("pk"))


def versions_of(entry: CatalogueEntry, user: User) -> list[EntryVersion]:
    """Every version of an entry this person may read, newest first."""
    return list(entry.versions.visible_to(user).select_related(*RELATED, "entered_by", "approved_by"))


def shown_version(versions: Iterable[EntryVersion]) -> EntryVersion | None:
    """The version an entry is explained by: the one that holds today, else the next, else the last published."""
    today, known = timezone.localdate(), list(versions)
    published = [v for v in known if v.state == VersionState.IN_FORCE]
    holding = [v for v in published if _holds(v, today)]
    coming = sorted((v for v in published if v.valid_from > today), key=lambda v: v.valid_from)
    return next(iter([*holding, *coming, *(v for v in known if v.state in PUBLISHED), *known]), None)


def field_lines(version: EntryVersion) -> list[FieldLine]:
    """The fields of a version in their order; one query."""
    fields = fields_of(version)
    return [FieldLine(item, when_required(item, fields)) for item in fields.values()]


def difference_to_former(version: EntryVersion) -> tuple[EntryVersion, Difference] | None:
    """What changed against the published version before this one; None for a first version."""
    former = (
        EntryVersion.objects.filter(entry=version.entry_id, number__lt=version.number, state__in=PUBLISHED)
        .select_related(*RELATED)
        .order_by("-number")
        .first()
    )
    return (former, between(former, version)) if former else None


def checked_against(version: EntryVersion) -> Checked:
    """How many of the newest COUNTED records of the entry, site by site, were checked against this version.

    One query per site on the index of the registers, whatever the size of the table.
    """
    number, more = 0, False
    for site in Site.objects.values_list("pk", flat=True):
        newest = CreditRecord.objects.filter(site=site, entry=version.entry_id).order_by("-decided_on", "-pk")
        found = list(newest.values_list("version_id", flat=True)[: COUNTED + 1])
        number, more = number + found[:COUNTED].count(version.pk), more or len(found) > COUNTED
    return Checked(number, more)


def steps_so_far(version: EntryVersion) -> list[tuple[StepEvent, str]]:
    """What happened to a version, oldest first, each step with its name."""
    events = StepEvent.objects.filter(workflow=CATALOGUE_VERSION.name, case_ref=version.pk)
    names = {step.name: step.label for step in CATALOGUE_VERSION.steps}
    return [(event, str(names.get(event.step, event.step))) for event in events.select_related("actor")]


def sendings_of(user: User) -> list[Sending]:
    """What the units of this person may send, with their feeds; two queries."""
    entitlements = (
        Entitlement.objects.filter(agency__in=user.agency_ids)
        .select_related("agency", "entry")
        .order_by("entry__code", "agency")
    )
    feeds: dict[tuple[int, int], list[Feed]] = {}
    for feed in Feed.objects.of_units().filter(agency__in=user.agency_ids, active=True).order_by("code"):
        feeds.setdefault((feed.agency_id, feed.entry_id), []).append(feed)
    return [Sending(one, feeds.get((one.agency_id, one.entry_id), [])) for one in entitlements]


def about_people(site: Site) -> list[EntryVersion]:
    """What units of a site collect about natural persons today, by class of information; one query."""
    today = timezone.localdate()
    return list(
        EntryVersion.objects.collecting(on=today)
        .filter(subject_kinds__contains=[SubjectKind.PERSON], entry__entitlements__agency__site=site)
        .select_related(*RELATED)
        .distinct()
        .order_by("information_class", "entry__code")
    )
