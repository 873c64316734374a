"""Acts that offend the constraints of share links that are closed and of deferrals that are approved."""

from django.utils import timezone

from tests.records.provocations import provokes
from tests.records.query_rows import a_deferral, a_link
from tests.records.world import World


@provokes("share_link_closed_stays_closed")
def _(w: World) -> None:
    now = timezone.now()
    a_link(w, revoked_at=now, opened_at=now)


@provokes("access_deferral_approval_is_dated")
def _(w: World) -> None:
    a_deferral(w, approved_by=w.cast.supervisor)
