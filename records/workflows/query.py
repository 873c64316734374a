"""Query by staff: submitted → approved or refused by a second person → answered once → closed (H4.1, G8).

Where the purpose asks for no approval the platform approves at once. What may be shown is asked of the grant at the
moment of the answer, never of the approval alone.
"""

import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem
from creditplatform.core.models import User
from creditplatform.core.rules import load_rulebook
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import QueryState
from records.models import BatchCheck, Query
from records.querysets import SUPERVISING, WORKING, units_of

OPEN_DAYS = "query.open_days"

# --- who ---------------------------------------------------------------------------------------


def second_person(case: Query | BatchCheck, user: User | None) -> bool:
    """A supervisor of the same unit who did not ask."""
    return user is not None and case.asked_by_id != user.pk and case.agency_id in units_of(user, SUPERVISING)


def platform_where_no_approval(case: Query | BatchCheck, user: User | None) -> bool:
    """The platform, where the purpose asks for no approval."""
    return platform(case, user) and not case.purpose.needs_approval


def asker(case: Query | BatchCheck, user: User | None) -> bool:
    """Whoever asked, as long as they work in the unit; the platform for a system of the unit, which sees its own."""
    if user is None:
        return case.client_id is not None
    return case.asked_by_id == user.pk and case.agency_id in units_of(user, WORKING)


# --- what must be there -------------------------------------------------------------------------


def open_until(query: Query) -> datetime.date:
    """The last day on which an approved query is answered, and its result opened again."""
    since = timezone.localdate(query.decided_at or query.asked_at)
    days: int = load_rulebook().value(OPEN_DAYS, timezone.localdate(), query.agency.site.code)
    return since + datetime.timedelta(days=days)


def in_time(case: Query, data: Data) -> FieldProblem | None:
    """The days after the approval have not passed."""
    if timezone.localdate() <= open_until(case):
        return None
    return FieldProblem("", "too_late", _("The days for this query have passed; ask anew if it is still needed."))


def time_is_over(case: Query, data: Data) -> FieldProblem | None:
    """The days after the approval have passed."""
    on = data.get("on") or timezone.localdate()
    return FieldProblem("", "not_over", _("This query is still open.")) if on <= open_until(case) else None


# --- what happens -------------------------------------------------------------------------------


def note_decision(case: Query | BatchCheck, user: User | None, data: Data) -> None:
    """Who decided, and when; nobody where the purpose asks for no approval."""
    case.approved_by, case.decided_at = user, timezone.now()


def note_refusal(case: Query | BatchCheck, user: User | None, data: Data) -> None:
    """When it was refused, and why; the step log holds by whom."""
    case.decided_at, case.refusal = timezone.now(), data["words"][:300]


def words_given(case: Query | BatchCheck, data: Data) -> FieldProblem | None:
    """A refusal says why."""
    return (
        None if (data.get("words") or "").strip() else FieldProblem("words", "required", _("Please give the reason."))
    )


def note_answer(case: Query, user: User | None, data: Data) -> None:
    """When it was answered, under which consent, and for a clean record what the answer was and rests on."""
    case.answered_at, case.authorisation = timezone.now(), data.get("authorisation")
    case.outcome = data.get("outcome") or ""
    case.reasons, case.records = list(data.get("reasons") or ()), list(data.get("records") or ())


S = QueryState
QUERY: Workflow[Query] = Workflow(
    name="query",
    title=_("Query by staff"),
    states=QueryState,
    initial=S.SUBMITTED,
    final=frozenset({S.REFUSED, S.CLOSED}),
    steps=(
        Step(
            "approve", _("Approve"), frozenset({S.SUBMITTED}), S.APPROVED, by=second_person, effects=(note_decision,),
        ),
        Step(
            "let_pass", _("Approve"), frozenset({S.SUBMITTED}), S.APPROVED, by=platform_where_no_approval,
            effects=(note_decision,),
        ),
        Step(
            "refuse", _("Refuse"), frozenset({S.SUBMITTED}), S.REFUSED, by=second_person,
            needs=(words_given,), effects=(note_refusal,),
        ),
        Step(
            "answer", _("Open the result"), frozenset({S.APPROVED}), S.ANSWERED, by=asker,
            needs=(in_time,), effects=(note_answer,),
        ),
        Step("open_again", _("Open the result again"), frozenset({S.ANSWERED}), S.ANSWERED, by=asker, needs=(in_time,)),
        Step("close", _("Close"), frozenset({S.SUBMITTED, S.APPROVED, S.ANSWERED}), S.CLOSED, by=asker),
        Step(
            "lapse", _("Close"), frozenset({S.SUBMITTED, S.APPROVED, S.ANSWERED}), S.CLOSED, by=platform,
            needs=(time_is_over,),
        ),
    ),
)  # fmt: skip
