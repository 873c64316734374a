"""Load the delivered purposes of use with the units that may ask for them.

The file is what holds; but a purpose that was retired stays so, and a use of a unit that has ended begins no more.
"""

import tomllib
from pathlib import Path
from typing import Any

from creditplatform.core.models import Agency, Site
from creditplatform.core.services.policy import upsert
from records.enums import PurposeState
from records.models import CatalogueEntry, LegalBasis, Purpose, PurposeUser

FOLDER = Path(__file__).resolve().parent.parent / "policy"
PLAIN = (
    "name", "name_en", "area", "clause", "explanation", "explanation_en", "needs_consent", "needs_approval",
    "gives_records", "gives_eligibility", "longest_days", "most_uses", "asked_by_kinds",
)  # fmt: skip


def load_purposes() -> int:
    """Every purpose of the file; in force only where its legal basis is confirmed. Says how many rows were written."""
    document = tomllib.loads((FOLDER / "purposes.toml").read_text(encoding="utf-8"))
    return sum(_load(row, document["groups"]) for row in document["purpose"])


def _load(row: dict[str, Any], groups: dict[str, list[str]]) -> int:
    names = sorted({name for group in row["groups"] for name in groups[group]} | set(row.get("fields", ())))
    confirmed = LegalBasis.objects.filter(code=row["legal_basis"], confirmed=True).exists()
    values = {
        **{name: row[name] for name in PLAIN},
        "fields": _known(names),
        "legal_basis_id": row["legal_basis"],
        "site_id": Site.objects.get(code=row["site"]).pk if row["site"] else None,
        "state": PurposeState.IN_FORCE if confirmed else PurposeState.DRAFT,
    }
    if Purpose.objects.filter(code=row["code"], state=PurposeState.RETIRED).exists():
        return 0
    written = upsert(Purpose, {"code": row["code"]}, values)
    units = Agency.objects.filter(code__in=row["users"]).exclude(purposes__purpose=row["code"])
    users = PurposeUser.objects.bulk_create(PurposeUser(purpose_id=row["code"], agency=unit) for unit in units)
    return int(written) + len(users)


def _known(names: list[str]) -> list[str]:
    """The names; one of a kind of record that the catalogue lacks raises CatalogueEntry.DoesNotExist."""
    for name in names:
        CatalogueEntry.objects.get(code=name.partition(".")[0])
    return names
