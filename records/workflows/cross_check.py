"""Cross-check between two units: opened → both asked → answered by a unit → resolved by the centre, or closed.

Nobody's statement is overwritten on the way: a unit that was wrong corrects its own record by the way of all
corrections, and the centre then says how the matter ended (G11).
"""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.calendars import load_calendar
from creditplatform.core.deadlines import Unit, compute
from creditplatform.core.enums import Role
from creditplatform.core.errors import FieldProblem
from creditplatform.core.models import User
from creditplatform.core.rules import load_rulebook
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import Answer, CrossCheckState, Finding
from records.models import CrossCheck
from records.querysets import sites_led

CLOCK = "clock.cross_check.answer.working_days"

# --- who ---------------------------------------------------------------------------------------


def decides_for(agency: int, user: User | None) -> bool:
    """Officers and supervisors of this unit."""
    deciding = {Role.OFFICER, Role.SUPERVISOR}
    return user is not None and any(m.agency_id == agency and m.role in deciding for m in user.memberships_in_force)


def unit_that_has_not_answered(check: CrossCheck, user: User | None) -> bool:
    """Officers and supervisors of either unit, each unit once."""
    return (not check.holder_answer and decides_for(check.holder_id, user)) or (
        not check.sender_answer and decides_for(check.sender_id, user)
    )


def centre(check: CrossCheck, user: User | None) -> bool:
    """Staff of the credit centre of either unit's place, who see the units and what differs but no value."""
    return user is not None and bool({check.holder.site_id, check.sender.site_id} & sites_led(user))


# --- what must be there -------------------------------------------------------------------------


def answer_given(check: CrossCheck, data: Data) -> FieldProblem | None:
    """The answer is one of the two."""
    return None if data.get("answer") in Answer.values else FieldProblem("answer", "required", _("Choose an answer."))


def finding_given(check: CrossCheck, data: Data) -> FieldProblem | None:
    """The end has a finding, and it is a coded one: free text would hold names."""
    ok = data.get("finding") in set(Finding.values) - {Finding.NO_DIFFERENCE}
    return None if ok else FieldProblem("finding", "required", _("Choose a finding."))


# --- what happens -------------------------------------------------------------------------------


def start_the_clock(check: CrossCheck, user: User | None, data: Data) -> None:
    """Working days from the rule value, from today on."""
    today = timezone.localdate()
    days: int = load_rulebook().value(CLOCK, today)
    check.due_on = compute(today, days, Unit.WORKING_DAYS, load_calendar()).due_on


def note_answer(check: CrossCheck, user: User | None, data: Data) -> None:
    """Under the unit of the person who answers."""
    if not check.holder_answer and decides_for(check.holder_id, user):
        check.holder_answer = data["answer"]
    else:
        check.sender_answer = data["answer"]


def end_with_finding(check: CrossCheck, user: User | None, data: Data) -> None:
    """Date the end and say how it came about."""
    check.ended_at, check.finding = timezone.now(), data["finding"]


def end_without_difference(check: CrossCheck, user: User | None, data: Data) -> None:
    """Date the end of something that was no contradiction."""
    check.ended_at, check.finding = timezone.now(), Finding.NO_DIFFERENCE


S = CrossCheckState
CROSS_CHECK: Workflow[Any] = Workflow(
    name="cross_check",
    title=_("Cross-check between two units"),
    states=CrossCheckState,
    initial=S.OPENED,
    final=frozenset({S.RESOLVED, S.CLOSED}),
    steps=(
        Step("ask", _("Ask both units"), frozenset({S.OPENED}), S.ASKED, by=platform, effects=(start_the_clock,)),
        Step(
            "answer", _("Answer"), frozenset({S.ASKED}), S.ANSWERED,
            by=unit_that_has_not_answered, needs=(answer_given,), effects=(note_answer,),
        ),
        Step(
            "answer_too", _("Answer"), frozenset({S.ANSWERED}), S.ANSWERED,
            by=unit_that_has_not_answered, needs=(answer_given,), effects=(note_answer,),
        ),
        Step(
            "resolve", _("Resolve"), frozenset({S.ANSWERED}), S.RESOLVED,
            by=centre, needs=(finding_given,), effects=(end_with_finding,),
        ),
        Step(
            "close", _("Close: no contradiction"), frozenset({S.OPENED, S.ASKED, S.ANSWERED}), S.CLOSED,
            by=centre, effects=(end_without_difference,),
        ),
    ),
)  # fmt: skip
