"""Prior notice: announced → replied by the person → followed by the record, not pursued, or ended without one.

The person alone replies, once and in time; a representative may read. The unit says how it has taken the reply into
account before it enters the record or where it does not pursue it. That a record has followed is noted by the pipeline
that brings it in, see `records.feeds.announced`; nothing keeps an urgent decision from coming earlier.
"""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem
from creditplatform.core.masking import holds_number
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.bound import subject_of
from records.enums import PriorNoticeState
from records.models import Entitlement, PriorNotice
from records.models.prior_notice import LONGEST_ANSWER, LONGEST_REPLY
from records.services.announcement_letters import tell_ended
from records.services.entitlements import may_enter

# --- who ---------------------------------------------------------------------------------------


def person(case: PriorNotice, user: User | None) -> bool:
    """The person the record is announced to, by number and name; nobody in their place."""
    subject = subject_of(user)
    return subject is not None and (bytes(subject.number_index), bytes(subject.name_index)) == (
        bytes(case.number_index),
        bytes(case.name_index),
    )


def unit(case: PriorNotice, user: User | None) -> bool:
    """A member of the unit who may enter records of this kind for it, or its machine client.

    A client bears no user; the service has asked whose client it is.
    """
    if user is None:
        return True
    held = Entitlement.objects.filter(agency=case.agency_id, entry=case.entry_id).first()
    return held is not None and may_enter(user, held)


# --- what must be there -------------------------------------------------------------------------


def in_time(case: PriorNotice, data: Data) -> FieldProblem | None:
    """The last day for a reply has not passed."""
    if timezone.localdate() <= case.reply_until:
        return None
    return FieldProblem("", "too_late", _("The time to reply to this announcement has passed."))


def reply_given(case: PriorNotice, data: Data) -> FieldProblem | None:
    """Words of the person, not too many, without the number of a document, telephone or bank card."""
    words = data.get("words") or ""
    if not words:
        return FieldProblem("words", "required", _("Please write what you have to say."))
    if len(words) > LONGEST_REPLY:
        return FieldProblem("words", "too_long", _("Please use no more than 1000 characters."))
    return _no_number(words)


def answer_given(case: PriorNotice, data: Data) -> FieldProblem | None:
    """A sentence on the reply."""
    if data.get("words"):
        return answer_fits(case, data)
    return FieldProblem("words", "required", _("Please say how the reply was taken into account."))


def answer_fits(case: PriorNotice, data: Data) -> FieldProblem | None:
    """A sentence on the reply, where one is given: to a reply, given once, and short."""
    words = data.get("words") or ""
    if not words:
        return None
    if case.replied_at is None:
        return FieldProblem("words", "no_reply", _("The person has not replied, so there is nothing to answer."))
    if case.considered:
        return FieldProblem("words", "answered_already", _("How the reply was taken into account is said already."))
    if len(words) > LONGEST_ANSWER:
        return FieldProblem("words", "too_long", _("Please use no more than 500 characters."))
    return _no_number(words)


def time_over(case: PriorNotice, data: Data) -> FieldProblem | None:
    """The last day for a reply lies before the day given."""
    if case.reply_until < data["before"]:
        return None
    return FieldProblem("", "not_over", _("The record may still come."))


def _no_number(words: str) -> FieldProblem | None:
    if not holds_number(words):
        return None
    told = _("Please leave out numbers of documents, telephones and bank cards: others will read this.")
    return FieldProblem("words", "holds_number", told)


# --- what happens -------------------------------------------------------------------------------


def note_reply(case: PriorNotice, user: User | None, data: Data) -> None:
    """What the person said, when, and who that is."""
    case.reply, case.replied_at, case.subject = data["words"], timezone.now(), subject_of(user)


def note_answer(case: PriorNotice, user: User | None, data: Data) -> None:
    """How the unit has taken the reply into account, where it says so."""
    case.considered = data.get("words") or case.considered


def note_end(case: PriorNotice, user: User | None, data: Data) -> None:
    """When it ended."""
    case.ended_at = timezone.now()


def tell(case: PriorNotice, user: User | None, data: Data) -> None:
    """Tell the person that nothing comes of it."""
    tell_ended(case)


S = PriorNoticeState
OPEN = frozenset({S.ANNOUNCED, S.REPLIED})
PRIOR_NOTICE: Workflow[PriorNotice] = Workflow(
    name="prior_notice",
    title=_("Prior notice of a record"),
    states=PriorNoticeState,
    initial=S.ANNOUNCED,
    final=frozenset({S.FOLLOWED, S.WITHDRAWN, S.LAPSED}),
    steps=(
        Step(
            "reply", _("Reply"), frozenset({S.ANNOUNCED}), S.REPLIED, by=person, needs=(in_time, reply_given),
            effects=(note_reply,),
        ),
        Step(
            "consider", _("Say how the reply was taken into account"), frozenset({S.REPLIED}), S.REPLIED, by=unit,
            needs=(answer_given,), effects=(note_answer,),
        ),
        Step(
            "withdraw", _("Do not pursue it"), OPEN, S.WITHDRAWN, by=unit, needs=(answer_fits,),
            effects=(note_answer, note_end, tell),
        ),
        Step("follow", _("The record has come"), OPEN, S.FOLLOWED, by=platform),
        Step("lapse", _("End without a record"), OPEN, S.LAPSED, by=platform, needs=(time_over,),
             effects=(note_end, tell)),
    ),
)  # fmt: skip
