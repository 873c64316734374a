"""Load the delivered catalogue: legal bases, key groups, entries with their fields, feeds, entitlements."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError
from creditplatform.core.models import Agency
from creditplatform.core.services.policy import optional, read_toml, upsert
from records.enums import Openness, Required, VersionState
from records.models import CatalogueEntry, Entitlement, EntryField, EntryVersion, Feed, KeyGroup, LegalBasis
from records.querysets import PUBLISHED
from records.services.purposes import load_purposes

FOLDER = Path(__file__).resolve().parent.parent / "policy"
VERSION_KEYS = (
    "information_class", "act", "field", "polarity", "edition", "openness", "person_openness",
    "subject_kinds", "tier_rule", "key_group", "meaning", "meaning_en",
    "remedy", "remedy_en",
)  # fmt: skip


class PolicyError(CreditError):
    """A delivered file contradicts what is already in force."""


def load_records_policy() -> dict[str, int]:
    """Load everything; returns how many rows were written per kind. Runs again without effect."""
    return {
        "legal_bases": _load_bases(),
        "key_groups": _load_key_groups(),
        "entries": sum(_load_entry(path) for path in sorted((FOLDER / "entries").glob("*.toml"))),
        # Only once no version in force rests on it any more can a basis be unconfirmed.
        "doubtful_bases": _doubt_bases(),
        "feeds": _load_feeds(),
        "purposes": load_purposes(),
    }


def _load_bases() -> int:
    """The delivered bases; what people of the centre have completed or confirmed since is theirs."""
    names = ("title", "title_en", "article", "level", "issuer", "number")
    theirs = set(LegalBasis.objects.filter(entered_by__isnull=False).values_list("code", flat=True))
    return sum(
        upsert(
            LegalBasis,
            {"code": row["code"]},
            {
                **{name: row[name] for name in names},
                "in_force_from": optional(row["in_force_from"]),
                "in_force_until": optional(row["in_force_until"]),
                **({"confirmed": True} if row["confirmed"] else {}),
            },
        )
        for row in read_toml(FOLDER / "legal_bases.toml", "basis")
        if row["code"] not in theirs
    )


def _doubt_bases() -> int:
    rows = read_toml(FOLDER / "legal_bases.toml", "basis")
    doubted = [row["code"] for row in rows if not row["confirmed"]]
    return LegalBasis.objects.filter(code__in=doubted, confirmed=True, confirmed_by=None).update(confirmed=False)


def _load_key_groups() -> int:
    names = ("name", "name_en", "licence_name")
    return sum(
        upsert(KeyGroup, {"code": row["code"]}, {name: row.get(name, "") for name in names})
        for row in read_toml(FOLDER / "fields.toml", "group")
    )


def _load_entry(path: Path) -> bool:
    """One entry file as a new version; a version in force never changes, so a changed file needs a new number.

    What people of the centre made of the entry stands: a version they took up is left alone, and beside one that two
    of them published a file loads as a draft, for them to review.
    """
    content = path.read_bytes()
    row = tomllib.loads(content.decode("utf-8"))
    digest = hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()
    upsert(CatalogueEntry, {"code": row["code"]}, {"name": row["name"], "name_en": row["name_en"]})
    entry = CatalogueEntry.objects.get(code=row["code"])
    if entry.versions.filter(content_digest=digest).exists():
        return False
    known = entry.versions.filter(number=row["version"]).first()
    if known and not known.delivered:
        known, row["version"] = None, next_number(entry)
    if known and known.state != VersionState.DRAFT:
        raise PolicyError(
            "version_immutable",
            _("The catalogue file “%(entry)s” has changed, but its version is in force. Give it a new version number."),
            entry=row["code"],
        )
    _write_version(entry, known, row, digest)
    return True


def _write_version(entry: CatalogueEntry, known: EntryVersion | None, row: dict[str, Any], digest: str) -> None:
    version = known or EntryVersion(entry=entry, number=row["version"])
    for key in VERSION_KEYS:
        setattr(version, key, row.get(key, ""))
    version.valid_from, version.valid_until = row["valid_from"], optional(row.get("valid_until", ""))
    version.retention_years, version.min_age = row.get("retention_years") or None, row.get("min_age") or None
    version.affiliation, version.source_kinds = row.get("affiliation", ""), row.get("source_kinds", [])
    version.legal_basis_id, version.delivered, version.content_digest = row["legal_basis"], True, digest
    version.publication_basis_id = _publication_basis(row)
    version.person_publication_basis_id = row.get("person_publication_basis") or None
    version.save()
    version.fields.all().delete()
    EntryField.objects.bulk_create(_field(version, n, field) for n, field in enumerate(row["fields"], 1))
    theirs = entry.versions.filter(delivered=False, state__in=(VersionState.IN_REVIEW, *PUBLISHED)).exists()
    if row["state"] == VersionState.IN_FORCE and not theirs:
        _retire(entry, version)
        EntryVersion.objects.filter(pk=version.pk).update(state=VersionState.IN_FORCE)


def next_number(entry: CatalogueEntry) -> int:
    """The number of the next version of an entry."""
    highest: int | None = entry.versions.aggregate(n=Max("number"))["n"]
    return (highest or 0) + 1


def _publication_basis(row: dict[str, Any]) -> str | None:
    """The provision that orders publication; where none is named apart, the one that collects does both."""
    public = row["openness"] == Openness.PUBLIC
    return row.get("publication_basis") or (row["legal_basis"] if public else None)


def _retire(entry: CatalogueEntry, following: EntryVersion) -> None:
    """Take the version in force back; one that is replaced from its very first day on has no day of its own."""
    former = entry.versions.filter(state=VersionState.IN_FORCE)
    former.filter(valid_from__lt=following.valid_from).update(
        state=VersionState.RETIRED, valid_until=following.valid_from
    )
    former.update(state=VersionState.RETIRED)


def _field(version: EntryVersion, position: int, row: dict[str, Any]) -> EntryField:
    when = row.get("when", {})
    plain = ("code", "name", "name_en", "type", "length", "one_of", "pattern", "choices", "role", "personal", "mask")
    extra = {name: row[name] for name in (*plain, "published", "aliases") if name in row}
    if "separators" in row:
        extra["separators"] = "".join(row["separators"])
    return EntryField(
        version=version,
        position=position,
        required=_required(row.get("required", Required.NEVER)),
        when_field=when.get("field", ""),
        when_any=when.get("includes", []),
        **extra,
    )


def _required(text: str) -> str:
    """`organisations,businesses` in a file is the code `businesses`: both kinds that do business."""
    return Required.BUSINESSES if text == "organisations,businesses" else text


def _load_feeds() -> int:
    agencies = dict(Agency.objects.values_list("code", "pk"))
    entries = dict(CatalogueEntry.objects.values_list("code", "pk"))
    names = ("name", "name_en", "format", "rhythm", "expected_min", "expected_max", "field", "constants")
    written = 0
    for row in read_toml(FOLDER / "feeds.toml", "feed"):
        pair = {"agency_id": agencies[row["agency"]], "entry_id": entries[row["entry"]]}
        values = {
            **{name: row[name] for name in names},
            "dated_by_receipt": row["date_when_absent"] == "received",
            "active": row.get("active", True),
        }
        upsert(Entitlement, pair, {})
        written += upsert(Feed, {"code": row["code"]}, {**pair, **values})
    return written
