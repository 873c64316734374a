"""Tables of subjects, catalogue, records and feeds."""

from records.models.catalogue import CatalogueEntry, EntryField, EntryVersion, LegalBasis
from records.models.cross_check import CrossCheck, MissingRecord
from records.models.entitlement import (
    Entitlement,
    EntitlementGroupObjectPermission,
    EntitlementUserObjectPermission,
)
from records.models.feed import Feed, FeedBatch, FeedMemory, QuarantinedRow
from records.models.record import CreditRecord
from records.models.subject import (
    Affiliation,
    DemonstrationIdentity,
    KeyGroup,
    KeyGroupMembership,
    RealNameBinding,
    Subject,
)

__all__ = [
    "Affiliation",
    "CatalogueEntry",
    "CreditRecord",
    "CrossCheck",
    "DemonstrationIdentity",
    "Entitlement",
    "EntitlementGroupObjectPermission",
    "EntitlementUserObjectPermission",
    "EntryField",
    "EntryVersion",
    "Feed",
    "FeedBatch",
    "FeedMemory",
    "KeyGroup",
    "KeyGroupMembership",
    "LegalBasis",
    "MissingRecord",
    "QuarantinedRow",
    "RealNameBinding",
    "Subject",
]
