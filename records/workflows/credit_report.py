"""Credit report: issued → revoked by the person, by a representative who had it made, or by the centre of its place."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow
from records.bound import subject_of
from records.enums import CreditReportState, RepresentationScope
from records.models import CreditReport
from records.querysets import sites_led
from records.workflows.authorisation import acts_for


def person_or_centre(report: CreditReport, user: User | None) -> bool:
    """The person, a representative who had it made, or the centre of the place that issued it."""
    if user is None:
        return False
    own = acts_for(user, report.subject.number_index, RepresentationScope.REPORT)
    may = own is not None and (own == subject_of(user) or report.requested_by_id == user.pk)
    return may or report.site_id in sites_led(user)


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
