"""Act at the window: entered by one official → confirmed or refused by another one with the same papers.

Both serve at the window of the same credit centre, and neither is the person concerned. Minutes after it was entered
it ends by itself. What was read from the papers is forgotten with the decision.
"""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import WindowRequestState
from records.identifiers import Identifier, identifier
from records.models import RealNameBinding, WindowRequest
from records.window import is_person, may_be_done, window_of

# --- who ---------------------------------------------------------------------------------------


def second_official(case: WindowRequest, user: User | None) -> bool:
    """Another official of the same window; neither account nor person are theirs."""
    if user is None or user.pk in (case.requested_by_id, case.user_id) or is_person(user, number_of(case)):
        return False
    agency = window_of(user)
    return agency is not None and agency.pk == case.agency_id


def first_official(case: WindowRequest, user: User | None) -> bool:
    """Whoever entered it."""
    return user is not None and user.pk == case.requested_by_id


# --- what must be there -------------------------------------------------------------------------


def in_time(case: WindowRequest, data: Data) -> FieldProblem | None:
    """Its minutes have not passed, asked of the locked row."""
    if case.expires_at > timezone.now():
        return None
    return FieldProblem("", "too_late", _("The time to confirm this has passed. It has to be entered anew."))


def papers_before_them(case: WindowRequest, data: Data) -> FieldProblem | None:
    """The second official, too, has seen the original."""
    if data.get("seen"):
        return None
    return FieldProblem("seen", "required", _("Confirm only with the original papers and the person before you."))


def facts_stand(case: WindowRequest, data: Data) -> FieldProblem | None:
    """It could still be done, and nothing was bound since it was entered: what is confirmed is what was asked."""
    wanted = number_of(case)
    since = RealNameBinding.objects.filter(subject__number_index=wanted.blind_index, bound_at__gt=case.requested_at)
    if not since.exists() and may_be_done(case.act, case.user, case.asked_name or "", wanted):
        return None
    sentence = _("Something about this account or person has changed since. Refuse it, and let it be entered anew.")
    return FieldProblem("", "changed_since", sentence)


def refusal_given(case: WindowRequest, data: Data) -> FieldProblem | None:
    """A refusal says why."""
    if str(data.get("refusal") or "").strip():
        return None
    return FieldProblem("refusal", "required", _("Please give the reason."))


def is_over(case: WindowRequest, data: Data) -> FieldProblem | None:
    """Its minutes have passed."""
    if case.expires_at <= (data.get("at") or timezone.now()):
        return None
    return FieldProblem("", "not_ended", _("This request still waits for a second official."))


# --- what happens -------------------------------------------------------------------------------


def number_of(case: WindowRequest) -> Identifier:
    """The number as read from the papers, while the request waits."""
    return identifier(IdentifierKind(case.asked_kind), case.asked_number or "")


def note_decision(case: WindowRequest, user: User | None, data: Data) -> None:
    """Who decided, and when."""
    case.decided_by, case.decided_at = user, timezone.now()


def note_refusal(case: WindowRequest, user: User | None, data: Data) -> None:
    """Why not."""
    case.refusal = str(data["refusal"]).strip()


def forget(case: WindowRequest, user: User | None, data: Data) -> None:
    """What was read from the papers is not kept."""
    case.asked_kind, case.asked_number, case.asked_name = "", None, None


S = WindowRequestState
WAITS = frozenset({S.REQUESTED})
WINDOW_REQUEST: Workflow[WindowRequest] = Workflow(
    name="window_request",
    title=_("Act at the window"),
    states=WindowRequestState,
    initial=S.REQUESTED,
    final=frozenset({S.CONFIRMED, S.REFUSED, S.WITHDRAWN, S.LAPSED}),
    steps=(
        Step(
            "confirm", _("Confirm and carry out"), WAITS, S.CONFIRMED, by=second_official,
            needs=(in_time, papers_before_them, facts_stand), effects=(note_decision, forget),
        ),
        Step(
            "refuse", _("Refuse"), WAITS, S.REFUSED, by=second_official, needs=(refusal_given,),
            effects=(note_decision, note_refusal, forget),
        ),
        Step("withdraw", _("Withdraw"), WAITS, S.WITHDRAWN, by=first_official, effects=(forget,)),
        Step("lapse", _("End"), WAITS, S.LAPSED, by=platform, needs=(is_over,), effects=(forget,)),
    ),
)  # fmt: skip
