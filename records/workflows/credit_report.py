"""Credit report: issued → revoked by the person, the representative it was made for, or the centre of its place."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow
from records.bound import subject_of
from records.enums import CreditReportState, RepresentationScope
from records.models import CreditReport, Representation
from records.querysets import sites_led


def person_or_centre(report: CreditReport, user: User | None) -> bool:
    """The person, the representative it was made for, or the centre of the place that issued it."""
    return user is not None and (may_have(report, user) or report.site_id in sites_led(user))


def may_have(report: CreditReport, user: User) -> bool:
    """The person, or whoever it was made for as a representative while that representation holds."""
    own = subject_of(user)
    if own is None or own.pk == report.subject_id:
        return own is not None
    if report.representation_id is None:
        return False
    held = Representation.objects.holding().filter(pk=report.representation_id, representative=own)
    return held.filter(scope__contains=[RepresentationScope.REPORT]).exists()


def note_revocation(report: CreditReport, user: User | None, data: Data) -> None:
    """Who revoked it, when and why."""
    report.revoked_at, report.revoked_by, report.revocation = timezone.now(), user, data.get("grounds", "")


S = CreditReportState
CREDIT_REPORT: Workflow[CreditReport] = Workflow(
    name="credit_report",
    title=_("Credit report"),
    states=CreditReportState,
    initial=S.ISSUED,
    final=frozenset({S.REVOKED}),
    steps=(
        Step(
            "revoke", _("Revoke"), frozenset({S.ISSUED}), S.REVOKED, by=person_or_centre, effects=(note_revocation,),
        ),
    ),
)  # fmt: skip
