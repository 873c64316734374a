"""Record missing from its complete list: proposed → withdrawn or kept by an officer, returned by a later list.

The last is taken by set for many at once, see `services.missing`.
"""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import MissingState, RecordState
from records.models import MissingRecord
from records.workflows.credit_record import CREDIT_RECORD

LOST = "Missing from the complete list of its source."


def officer_of_the_feed(item: MissingRecord, user: User | None) -> bool:
    """Officers and supervisors of the unit whose list it is."""
    deciding = {Role.OFFICER, Role.SUPERVISOR}
    return user is not None and any(
        m.agency_id == item.feed.agency_id and m.role in deciding for m in user.memberships_in_force
    )


def decide(item: MissingRecord, user: User | None, data: Data) -> None:
    """Note who decided and when."""
    item.decided_at, item.decided_by = timezone.now(), user


def withdraw_record(item: MissingRecord, user: User | None, data: Data) -> None:
    """The record is withdrawn by its own procedure; one that has ended meanwhile stays as it is."""
    if item.record.state in CREDIT_RECORD.step("revoke").source - {RecordState.REVOKED}:
        CREDIT_RECORD.take("revoke", item.record, user=user, reason=LOST)


S = MissingState
MISSING_RECORD: Workflow[Any] = Workflow(
    name="missing_record",
    title=_("Record missing from its list"),
    states=MissingState,
    initial=S.PROPOSED,
    final=frozenset({S.WITHDRAWN, S.RETURNED}),
    steps=(
        Step(
            "withdraw", _("Withdraw the record"), frozenset({S.PROPOSED, S.KEPT}), S.WITHDRAWN,
            by=officer_of_the_feed, effects=(decide, withdraw_record),
            tells=_("The unit that decided has withdrawn this record. It is no longer shown or used."),
        ),
        Step("keep", _("Keep it on file"), frozenset({S.PROPOSED}), S.KEPT, by=officer_of_the_feed, effects=(decide,)),
        Step("return", _("In the list again"), frozenset({S.PROPOSED, S.KEPT}), S.RETURNED, by=platform),
    ),
)  # fmt: skip
