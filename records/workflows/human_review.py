"""An automatic answer before a person: asked for by the unit or the person concerned → decided with grounds.

PIPL, article 24: a decision made by a machine alone that weighs on somebody may be put before a human being.
"""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow
from records.enums import HumanReviewState, Outcome
from records.models import HumanReview
from records.querysets import DECIDING, units_of

# --- who ---------------------------------------------------------------------------------------


def decider(case: HumanReview, user: User | None) -> bool:
    """An officer or supervisor of the unit who neither asked for the answer nor for the review of it."""
    if user is None or user.pk in (case.asked_by_id, case.looked_by_id):
        return False
    return case.agency_id in units_of(user, DECIDING)


# --- what must be there -------------------------------------------------------------------------


def decision_given(case: HumanReview, data: Data) -> FieldProblem | None:
    """Yes or no; a person does not pass it on."""
    ok = data.get("decision") in (Outcome.YES, Outcome.NO)
    return None if ok else FieldProblem("decision", "required", _("Choose yes or no."))


def grounds_given(case: HumanReview, data: Data) -> FieldProblem | None:
    """Every decision says why."""
    ok = (data.get("grounds") or "").strip()
    return None if ok else FieldProblem("grounds", "required", _("Please give the grounds of the decision."))


# --- what happens -------------------------------------------------------------------------------


def note_decision(case: HumanReview, user: User | None, data: Data) -> None:
    """What was decided, by whom, when and why."""
    case.decision, case.grounds = Outcome(data["decision"]), data["grounds"].strip()
    case.decided_by, case.decided_at = user, timezone.now()


S = HumanReviewState
HUMAN_REVIEW: Workflow[HumanReview] = Workflow(
    name="human_review",
    title=_("Automatic answer before a person"),
    states=HumanReviewState,
    initial=S.REQUESTED,
    final=frozenset({S.DECIDED}),
    steps=(
        Step(
            "decide", _("Decide"), frozenset({S.REQUESTED}), S.DECIDED, by=decider,
            needs=(decision_given, grounds_given), effects=(note_decision,),
        ),
    ),
)  # fmt: skip
