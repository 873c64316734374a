"""The catalogue as the public reads it: plain sentences about what is collected about people."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from creditplatform.core.models import Agency, Site
from records.catalogue.selectors import about_people
from records.enums import InformationClass, Openness
from records.models import EntryField, EntryVersion


@dataclass(frozen=True)
class Kind:
    """One kind of information about people, in sentences."""

    version: EntryVersion
    seen_by: str
    kept: str
    units: list[Agency]
    columns: list[str] = field(default_factory=list)


def collected_about_people(site: Site) -> list[tuple[str, list[Kind]]]:
    """What units of a site may record about natural persons today, by class; three queries."""
    versions = about_people(site)
    columns = _columns(versions)
    units = _units(site, versions)
    kinds = [
        Kind(v, seen_by(v), kept_for(v.retention_years), units.get(v.entry_id, []), columns.get(v.pk, []))
        for v in versions
    ]
    return [
        (str(InformationClass(code).label), list(of_class))
        for code, of_class in groupby(kinds, key=lambda kind: kind.version.information_class)
    ]


def seen_by(version: EntryVersion) -> str:
    """Who sees such a record about a natural person, as a sentence."""
    if version.person_openness == Openness.PUBLIC:
        return _("Everybody may see it, because a law orders its publication.")
    if version.person_openness == Openness.SHARED:
        return _("Authorities see it for their duties. It is not published.")
    return _("Only you see it, and whom you authorise. It is not published.")


def kept_for(years: int | None) -> str:
    """How long such a record is kept, as a sentence."""
    if years is None:
        return _("It is kept as long as it holds; the law names no limit of its own.")
    text = ngettext(
        "It is kept for %(n)s year from the decision.", "It is kept for %(n)s years from the decision.", years
    )
    return text % {"n": years}


def _columns(versions: Iterable[EntryVersion]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for item in EntryField.objects.filter(version__in=list(versions)).order_by("version", "position"):
        found.setdefault(item.version_id, []).append(item.label)
    return found


def _units(site: Site, versions: Iterable[EntryVersion]) -> dict[int, list[Agency]]:
    entries = [version.entry_id for version in versions]
    found: dict[int, list[Agency]] = {}
    units = Agency.objects.filter(site=site, active=True, entitlements__entry__in=entries)
    for unit in units.annotate(of_entry=F("entitlements__entry")).order_by("code"):
        found.setdefault(unit.of_entry, []).append(unit)
    return found
