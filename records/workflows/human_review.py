"""An automatic answer before a person: asked for by the unit or the person concerned → decided with grounds, or ended.

PIPL, article 24: a decision made by a machine alone that weighs on somebody may be put before a human being.
"""

import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import HAVE_STOOD, AuthorisationState, HumanReviewState, Outcome
from records.models import HumanReview, RealNameBinding, Representation
from records.querysets import DECIDING, units_of

# --- who ---------------------------------------------------------------------------------------


def decider(case: HumanReview, user: User | None) -> bool:
    """An officer or supervisor of the unit who neither asked for the answer nor for the review of it."""
    if user is None or user.pk in (case.asked_by_id, case.looked_by_id):
        return False
    return case.agency_id in units_of(user, DECIDING)


# --- on what it rests --------------------------------------------------------------------------


def asked_by_the_person(case: HumanReview) -> bool:
    """Whether the person concerned asked for it, or somebody who acted for them."""
    own = RealNameBinding.objects.filter(user=case.asked_by_id).values_list("subject", flat=True).first()
    if case.subject_id is None or own is None or own == case.subject_id:
        return own is not None and own == case.subject_id
    return Representation.objects.filter(person=case.subject_id, representative=own, state__in=HAVE_STOOD).exists()


def consent_stands(case: HumanReview, at: datetime.datetime) -> bool:
    """Whether the records may still be looked at: no consent was needed, or it lasts.

    Who asked for a decision on the own answer wants one also after the time of the consent, unless they have withdrawn
    it since.
    """
    consent = case.authorisation
    if consent is None or consent.lasts_at(at):
        return True
    withdrawn = consent.state == AuthorisationState.REVOKED
    since = withdrawn and consent.ended_at is not None and consent.ended_at > case.asked_at
    return not since and asked_by_the_person(case)


# --- what must be there -------------------------------------------------------------------------


def consent_lasts(case: HumanReview, data: Data) -> FieldProblem | None:
    """The consent has neither ended nor been withdrawn."""
    if consent_stands(case, timezone.now()):
        return None
    return FieldProblem("", "consent_ended", _("The consent this rests on has ended; nothing is decided any more."))


def consent_is_over(case: HumanReview, data: Data) -> FieldProblem | None:
    """The consent has ended by then."""
    if not consent_stands(case, data.get("at") or timezone.now()):
        return None
    return FieldProblem("", "not_over", _("The consent this rests on lasts."))


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


def note_end(case: HumanReview, user: User | None, data: Data) -> None:
    """When it ended without a decision."""
    case.ended_at = timezone.now()


S = HumanReviewState
HUMAN_REVIEW: Workflow[HumanReview] = Workflow(
    name="human_review",
    title=_("Automatic answer before a person"),
    states=HumanReviewState,
    initial=S.REQUESTED,
    final=frozenset({S.DECIDED, S.ENDED}),
    steps=(
        Step(
            "decide", _("Decide"), frozenset({S.REQUESTED}), S.DECIDED, by=decider,
            needs=(consent_lasts, decision_given, grounds_given), effects=(note_decision,),
        ),
        Step(
            "consent_ended", _("Consent ended"), frozenset({S.REQUESTED}), S.ENDED, by=platform,
            needs=(consent_is_over,), effects=(note_end,),
        ),
    ),
)  # fmt: skip
