"""Review of an access: open → explanation asked for → explained → found right or wrong (H4.1, G8).

A second person reviews, never the one who looked. A unit does not judge what a person complains of about itself: there
the credit centre of the place or an auditor finds, and nobody who works in the unit. About the credit centre itself the
one of the other place finds, or the superior unit.
"""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from creditplatform.core.errors import FieldProblem
from creditplatform.core.models import AccessLog, User
from creditplatform.core.vault import pk_of_token
from creditplatform.core.workflow import Data, Step, Workflow
from records.bound import subject_of
from records.enums import OwnPurpose, ReviewCause, ReviewState
from records.models import AccessReview, WindowRequest
from records.models.window import WINDOW_KIND
from records.querysets import DECIDING, SUPERVISING, centre_units, sites_led, units_of

# --- who ---------------------------------------------------------------------------------------


def took_part(case: AccessReview, user: User) -> bool:
    """Whoever looked, complained or is the person; of an act that needs two officials, also who entered it."""
    if user.pk in (case.actor_id, case.complainant_id):
        return True
    own = subject_of(user)
    if own is not None and own.pk == case.subject_id:
        return True
    line = AccessLog.objects.filter(pk=case.access_id, at=case.access_at, purpose=OwnPurpose.WINDOW_ACT)
    pk = pk_of_token(WINDOW_KIND, line.values_list("case_number", flat=True).first() or "")
    return pk is not None and WindowRequest.objects.filter(pk=pk, requested_by=user).exists()


def independent(case: AccessReview, user: User | None) -> bool:
    """Staff of the credit centre of the place, or an auditor; not who took part."""
    if user is None or took_part(case, user):
        return False
    return Role.AUDITOR in user.roles or (case.agency is not None and case.agency.site_id in sites_led(user))


def impartial(case: AccessReview, user: User | None) -> bool:
    """Whoever may judge what a person complains of: nobody who took part or works in the unit that looked."""
    if user is None or took_part(case, user) or case.agency_id in user.agency_ids:
        return False
    if case.agency is None or case.agency_id not in centre_units():
        return independent(case, user)
    superior = case.agency.parent_id
    led = [m.agency for m in user.memberships_in_force if m.role == Role.CENTRE]
    elsewhere = any(unit.site_id != case.agency.site_id or unit.pk == superior for unit in led)
    return Role.AUDITOR in user.roles or elsewhere or superior in units_of(user, SUPERVISING)


def reviewer(case: AccessReview, user: User | None) -> bool:
    """Independent staff, or a supervisor of the unit; not who took part."""
    if impartial(case, user) if case.cause == ReviewCause.COMPLAINT else independent(case, user):
        return True
    return user is not None and case.agency_id in units_of(user, SUPERVISING) and not took_part(case, user)


def finder(case: AccessReview, user: User | None) -> bool:
    """Whoever reviews; only who is impartial where a person has complained. Who explained does not find."""
    if user is None or user.pk == case.explained_by_id:
        return False
    return impartial(case, user) if case.cause == ReviewCause.COMPLAINT else reviewer(case, user)


def explainer(case: AccessReview, user: User | None) -> bool:
    """Who looked; for a machine of the unit its officers and supervisors, but for whoever complained."""
    if user is None or user.pk == case.complainant_id:
        return False
    return user.pk == case.actor_id if case.actor_id else case.agency_id in units_of(user, DECIDING)


# --- what must be there -------------------------------------------------------------------------


def explanation_given(case: AccessReview, data: Data) -> FieldProblem | None:
    """An explanation says something."""
    ok = (data.get("words") or "").strip()
    return None if ok else FieldProblem("words", "required", _("Please say what the look was needed for."))


def grounds_given(case: AccessReview, data: Data) -> FieldProblem | None:
    """A finding says why."""
    ok = (data.get("words") or "").strip()
    return None if ok else FieldProblem("words", "required", _("Please give the grounds of the finding."))


# --- what happens -------------------------------------------------------------------------------


def note_explanation(case: AccessReview, user: User | None, data: Data) -> None:
    """What was said, and by whom."""
    case.explanation, case.explained_by = data["words"].strip(), user


def note_finding(case: AccessReview, user: User | None, data: Data) -> None:
    """Who found it, when and why."""
    case.grounds, case.reviewed_by, case.ended_at = data["words"].strip(), user, timezone.now()


S = ReviewState
OPEN = frozenset({S.OPEN, S.ASKED, S.EXPLAINED})
ACCESS_REVIEW: Workflow[AccessReview] = Workflow(
    name="access_review",
    title=_("Review of an access"),
    states=ReviewState,
    initial=S.OPEN,
    final=frozenset({S.RIGHT, S.WRONG}),
    steps=(
        Step("ask", _("Ask for an explanation"), frozenset({S.OPEN, S.EXPLAINED}), S.ASKED, by=reviewer),
        Step(
            "explain", _("Explain"), frozenset({S.ASKED}), S.EXPLAINED, by=explainer,
            needs=(explanation_given,), effects=(note_explanation,),
        ),
        Step(
            "find_right", _("Found right"), OPEN, S.RIGHT, by=finder, needs=(grounds_given,), effects=(note_finding,),
        ),
        Step(
            "find_wrong", _("Found wrong"), OPEN, S.WRONG, by=finder, needs=(grounds_given,), effects=(note_finding,),
        ),
    ),
)  # fmt: skip
