"""Tables of subjects, catalogue, records and feeds."""

from records.models.authorisation import Authorisation, ShareLink
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
from records.models.kept_answer import KeptAnswer
from records.models.prior_notice import PriorNotice
from records.models.public_words import PublicWords
from records.models.purpose import Purpose, PurposeUser
from records.models.query import BatchCheck, BatchCheckRow, HumanReview, Query
from records.models.record import CreditRecord
from records.models.repeated_row import RepeatedRow
from records.models.report import CreditReport
from records.models.representation import Representation
from records.models.review import AccessDeferral, AccessReview
from records.models.subject import (
    Affiliation,
    DemonstrationIdentity,
    KeyGroup,
    KeyGroupMembership,
    RealNameBinding,
    Subject,
)
from records.models.window import RecoveryCode, WindowRequest

__all__ = [
    "AccessDeferral",
    "AccessReview",
    "Affiliation",
    "Authorisation",
    "BatchCheck",
    "BatchCheckRow",
    "CatalogueEntry",
    "ChangeEvent",
    "ChangeNote",
    "CreditRecord",
    "CreditReport",
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
    "HumanReview",
    "KeptAnswer",
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
    "PriorNotice",
    "PublicWords",
    "Purpose",
    "PurposeUser",
    "QuarantinedRow",
    "Query",
    "RealNameBinding",
    "ReceivedBlock",
    "ReceivedRecord",
    "RecoveryCode",
    "RepeatedRow",
    "Representation",
    "ShareLink",
    "Subject",
    "UnitNotice",
    "WindowRequest",
]
