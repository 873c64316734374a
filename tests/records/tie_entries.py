"""Entries of a test's own: persons with licence and employer, with a status column, with a youngest age."""

import datetime
from collections.abc import Sequence
from typing import Any

from creditplatform.core.models import Agency
from records.enums import FieldRole, FieldType, Required, VersionState
from records.models import CatalogueEntry, EntryField, EntryVersion, Feed, LegalBasis
from records.models.entitlement import Entitlement

Fields = Sequence[dict[str, Any]]
ALWAYS = Required.ALWAYS


def field(code: str, role: str = "", type: str = FieldType.TEXT, **values: Any) -> dict[str, Any]:
    """One field of an entry, named like its code."""
    return {"code": code, "role": role, "type": type, "name": code, "name_en": code, **values}


WHO = (
    field("name", FieldRole.SUBJECT_NAME, required=ALWAYS, published=True),
    field("identity_number", FieldRole.IDENTITY_NUMBER, FieldType.CODE, required=ALWAYS, personal=True),
)
WHAT = (
    field("document_number", FieldRole.DOCUMENT_NUMBER, required=ALWAYS),
    field("decided_on", FieldRole.DECIDED_ON, FieldType.DATE, required=ALWAYS),
)
STATUS = (field("status", FieldRole.SOURCE_STATUS, FieldType.CHOICE, choices=["正常", "撤销"]),)
TIES = (
    field("licence", FieldRole.LICENCE_NUMBER, personal=True),
    field("employer", FieldRole.BELONGS_TO_NAME),
    field("employer_code", FieldRole.BELONGS_TO_CODE, FieldType.CODE),
    field("valid_from", FieldRole.VALID_FROM, FieldType.DATE),
    field("valid_until", FieldRole.VALID_UNTIL, FieldType.DATE),
    field("ended_on", FieldRole.ENDED_ON, FieldType.DATE),
)


def entry(code: str, fields: Fields, **values: Any) -> CatalogueEntry:
    """An entry in force about natural persons. Must run in an audit context."""
    made = CatalogueEntry.objects.create(code=code, name=code, name_en=code)
    version = EntryVersion.objects.create(
        **{
            "entry": made, "number": 1, "valid_from": datetime.date(2016, 1, 1), "information_class": "qualification",
            "polarity": "neutral", "edition": "national", "openness": "shared", "subject_kinds": ["person"],
            "legal_basis": LegalBasis.objects.get(code="guobanfa-2016-98"), "tier_rule": {"rule": "none"},
            "delivered": True, **values,
        }
    )  # fmt: skip
    EntryField.objects.bulk_create(EntryField(version=version, position=at, **one) for at, one in enumerate(fields, 1))
    EntryVersion.objects.filter(pk=version.pk).update(state=VersionState.IN_FORCE)
    return made


def feed(code: str, of: CatalogueEntry, agency: str = "hz-market", **values: Any) -> Feed:
    """A feed of a unit that is entitled to the entry. Must run in an audit context."""
    unit = Agency.objects.get(code=agency)
    Entitlement.objects.get_or_create(agency=unit, entry=of)
    return Feed.objects.create(
        **{"code": code, "name": code, "name_en": code, "agency": unit, "entry": of, "rhythm": "once", **values}
    )


def row(number: int, identity_number: str, name: str = "林示例", **cells: str) -> dict[str, str]:
    """One row of such an entry."""
    return {
        "name": name, "identity_number": identity_number, "document_number": f"证〔2026〕{number}号",
        "decided_on": "2026-03-01", **cells,
    }  # fmt: skip
