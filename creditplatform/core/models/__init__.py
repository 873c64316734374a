"""Tables of the core."""

from creditplatform.core.models.access import AccessLog, AccessSeal
from creditplatform.core.models.clients import ApiClient
from creditplatform.core.models.messages import Heartbeat, Notice, OutboxEvent, Receipt, StepEvent
from creditplatform.core.models.people import Agency, Membership, Region, Site, User, UserGroup, UserPermission
from creditplatform.core.models.rules import CalendarDay, RuleValue

__all__ = [
    "AccessLog",
    "AccessSeal",
    "Agency",
    "ApiClient",
    "CalendarDay",
    "Heartbeat",
    "Membership",
    "Notice",
    "OutboxEvent",
    "Receipt",
    "Region",
    "RuleValue",
    "Site",
    "StepEvent",
    "User",
    "UserGroup",
    "UserPermission",
]
