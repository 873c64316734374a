"""Tables of subjects, catalogue, records and feeds."""

from records.models.catalogue import CatalogueEntry, EntryField, EntryVersion, LegalBasis
from records.models.cross_check import CrossCheck, MissingRecord
from records.models.entitlement import (
    Entitlement,
    EntitlementGroupObjectPermission,
    EntitlementUserObjectPermission,
)
from records.models.exchange import (
    ChangeEvent,
    ChangeNote,
    ExchangePeer,
    PeerDelivery,
    PeerEntry,
    PeerReceipt,
    PeerState,
    ReceivedBlock,
    ReceivedRecord,
)
from records.models.feed import DeliveryKey, Feed, FeedBatch, FeedMemory, QuarantinedRow, UnitNotice
from records.models.figures import MonthlyFigure, MonthlyReport, MonthlyReportLine
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
    "ChangeEvent",
    "ChangeNote",
    "CreditRecord",
    "CrossCheck",
    "DeliveryKey",
    "DemonstrationIdentity",
    "Entitlement",
    "EntitlementGroupObjectPermission",
    "EntitlementUserObjectPermission",
    "EntryField",
    "EntryVersion",
    "ExchangePeer",
    "Feed",
    "FeedBatch",
    "FeedMemory",
    "KeyGroup",
    "KeyGroupMembership",
    "LegalBasis",
    "MissingRecord",
    "MonthlyFigure",
    "MonthlyReport",
    "MonthlyReportLine",
    "PeerDelivery",
    "PeerEntry",
    "PeerReceipt",
    "PeerState",
    "QuarantinedRow",
    "RealNameBinding",
    "ReceivedBlock",
    "ReceivedRecord",
    "Subject",
    "UnitNotice",
]
