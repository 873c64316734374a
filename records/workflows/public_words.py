"""Words of a person for the public page of a record: waiting → shown or refused by an official; ended by the person.

The official is of the credit centre and of another unit than the one that decided. What is looked over is whether the
words harm others, never whether they are true or welcome. Words that change are looked over anew, and what was decided
about the former ones ends with them, a refusal too.
"""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem
from creditplatform.core.masking.texts import holds_number
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import PublicWordsState, WordsRefusal
from records.models import CreditRecord, PublicWords
from records.querysets.public_words import OPEN

LONGEST_GROUNDS = 200

# --- who ---------------------------------------------------------------------------------------


def second_person(words: PublicWords, user: User | None) -> bool:
    """Staff of the credit centre, neither of the unit that decided nor the person."""
    return user is not None and PublicWords.objects.visible_to(user).filter(pk=words.pk).exists()


# --- what must be there -------------------------------------------------------------------------


def still_said(words: PublicWords, data: Data) -> FieldProblem | None:
    """The record is public today, and the person says the same still."""
    record = CreditRecord.objects.publishable().filter(pk=words.record_id).first()
    if record is not None and record.statement == words.text:
        return None
    sentence = _("The record is no longer public, or the person has changed the words since.")
    return FieldProblem("", "changed_since", sentence)


def reason_given(words: PublicWords, data: Data) -> FieldProblem | None:
    """One of the reasons; another one is written out."""
    reason, grounds = data.get("refusal"), str(data.get("grounds") or "").strip()
    if reason not in WordsRefusal.values:
        return FieldProblem("refusal", "required", _("Choose a reason."))
    if reason == WordsRefusal.OTHER and not grounds:
        return FieldProblem("grounds", "required", _("Please give the reason."))
    if len(grounds) > LONGEST_GROUNDS:
        return FieldProblem("grounds", "too_long", _("Please use no more than 200 characters."))
    if holds_number(grounds):
        return FieldProblem("grounds", "holds_number", _("Please leave out numbers of persons."))
    return None


# --- what happens -------------------------------------------------------------------------------


def note_decision(words: PublicWords, user: User | None, data: Data) -> None:
    """Who decided, and when."""
    words.decided_by, words.decided_at = user, timezone.now()


def note_refusal(words: PublicWords, user: User | None, data: Data) -> None:
    """Why not; free words only where none of the reasons fits."""
    words.refusal = data["refusal"]
    words.grounds = str(data["grounds"]).strip() if words.refusal == WordsRefusal.OTHER else None


def end(words: PublicWords, user: User | None, data: Data) -> None:
    """Date the end; the copy of the words is not kept."""
    words.text, words.ended_at = None, timezone.now()


S = PublicWordsState
PUBLIC_WORDS: Workflow[PublicWords] = Workflow(
    name="public_words",
    title=_("Words of a person for the public"),
    states=PublicWordsState,
    initial=S.WAITING,
    final=frozenset({S.WITHDRAWN}),
    steps=(
        Step(
            "show", _("Show to the public"), frozenset({S.WAITING}), S.SHOWN, by=second_person,
            needs=(still_said,), effects=(note_decision,),
        ),
        Step(
            "refuse", _("Refuse"), frozenset({S.WAITING}), S.REFUSED, by=second_person,
            needs=(reason_given,), effects=(note_decision, note_refusal, end),
        ),
        Step("end", _("End"), frozenset({*OPEN, S.REFUSED}), S.WITHDRAWN, by=platform, effects=(end,)),
    ),
)  # fmt: skip
