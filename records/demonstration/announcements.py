"""The demonstration's announcement: the market unit tells the bound citizen that it intends to record a fine."""

from creditplatform.core.models import User
from records.demonstration.citizens import BOUND
from records.demonstration.ties import identifier_of
from records.models import Entitlement, PriorNotice
from records.services import announcements
from records.services.announcements import Draft

UNIT, ENTRY, CASE = "hz-market", "administrative-penalty", "演示〔2026〕9号"
INTENDED = "拟对未明码标价的行为作出罚款决定，并记入公共信用信息（演示）。"


def announce() -> int:
    """One announcement that waits for a reply; nothing where there is one already. Must run in an audit context."""
    if PriorNotice.objects.exists():
        return 0
    entitlement = Entitlement.objects.select_related("agency__site", "entry").get(agency__code=UNIT, entry__code=ENTRY)
    draft = Draft(person=identifier_of(BOUND), name=BOUND.name, intended=INTENDED, case_number=CASE)
    announcements.announce(draft, entitlement=entitlement, user=User.objects.get(username="clerk"))
    return 1
