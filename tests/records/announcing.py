"""A unit that announces records, for the tests of announcements."""

from typing import Any

from guardian.shortcuts import assign_perm

from creditplatform.core.models import Notice, User
from records.models import Entitlement, PriorNotice
from records.services import announcements
from tests.cast import Cast
from tests.records.queries_world import NAME, ON_FILE

ENTRY, UNIT = "administrative-penalty", "hz-market"
INTENDED = "拟对销售不合格产品的行为罚款一万元。"
REPLY = "产品已全部召回，请从轻处理。"


def held(cast: Cast, *, unit: str = UNIT, entry: str = ENTRY, by: User | None = None) -> Entitlement:
    """The right of a unit to an entry, given to its clerk by name."""
    found = Entitlement.objects.select_related("agency__site", "entry").get(agency__code=unit, entry__code=entry)
    assign_perm("records.enter_records", by or cast.clerk, found)
    return found


def announced(cast: Cast, *, by: User | None = None, **changes: Any) -> PriorNotice:
    """A fine announced to the person of the cast by the market unit."""
    user = by or cast.clerk
    words = {"person": ON_FILE, "name": NAME, "intended": INTENDED, **changes}
    draft = announcements.Draft(**words)
    return announcements.announce(draft, entitlement=held(cast, by=user), user=User.objects.get(pk=user.pk))


def fresh(case: PriorNotice) -> PriorNotice:
    """As it stands now."""
    return PriorNotice.objects.get(pk=case.pk)


def letters(code: str = "prior_notice") -> list[Notice]:
    """What was written to persons about announcements."""
    return list(Notice.objects.filter(code=code).order_by("pk"))
