"""Representation: asked for with papers → checked by one official, confirmed by another → ended; or contested.

A guardian acts until the person is of full age, by a court's decision about an adult until its end, a representative
with a power of attorney until its end, all asked of the dates; near relatives of the deceased only see the file (PIPL,
article 49). Three people always: nobody checks or confirms what they asked for, what is about themselves, or what they
checked. Whoever is represented ends a power of attorney, and the right of supposed heirs, at once; a guardianship they
contest: it rests until an official who had no part in it decides.
"""

import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem
from creditplatform.core.identity import IdentifierKind, facts
from creditplatform.core.models import User
from creditplatform.core.rules import load_rulebook
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import RepresentationKind, RepresentationScope, RepresentationState, SubjectKind
from records.identifiers import identifier, name_index
from records.models import RealNameBinding, Representation, Subject
from records.rules import add_months
from records.services.realname import first_seen
from records.window import account_in_use, serves

AGE = "age.negative_records"  # full age, see records.rules.is_minor
SCOPES = {
    RepresentationKind.GUARDIAN: frozenset(RepresentationScope.values) - {RepresentationScope.REPORT.value},
    RepresentationKind.ATTORNEY: frozenset(RepresentationScope.values),
    RepresentationKind.HEIR: frozenset({RepresentationScope.FILE.value}),
}

# --- who ---------------------------------------------------------------------------------------


def _subject_of(user: User | None) -> int | None:
    """The person an account is bound to, asked of the table, since accounts are bound and unbound."""
    return RealNameBinding.objects.filter(user=user).values_list("subject", flat=True).first() if user else None


def official(case: Representation, user: User | None) -> bool:
    """Who serves at the window of a credit centre, and is neither of the two, nor asked for it."""
    if user is None or user.pk == case.requested_by_id or not serves(user):
        return False
    own = _subject_of(user)
    return own is None or own not in (case.person_id, case.representative_id)


def second_official(case: Representation, user: User | None) -> bool:
    """Another official than the one who checked the papers."""
    return official(case, user) and user is not None and user.pk != case.checked_by_id


def third_official(case: Representation, user: User | None) -> bool:
    """An official who neither checked nor confirmed it."""
    return second_official(case, user) and user is not None and user.pk != case.decided_by_id


def representative(case: Representation, user: User | None) -> bool:
    """The one who acts for the other; may step back at any time."""
    return user is not None and _subject_of(user) == case.representative_id


def ender(case: Representation, user: User | None) -> bool:
    """Who ends it without giving a reason.

    The representative and an official any representation, the person represented a power of attorney and the right of
    heirs, since whoever can press the button is alive. Once contested, the representative alone.
    """
    if case.state == RepresentationState.CONTESTED:
        return representative(case, user)
    by_person = case.kind != RepresentationKind.GUARDIAN and _is_person(case, user)
    return by_person or representative(case, user) or official(case, user)


def ward(case: Representation, user: User | None) -> bool:
    """The person who has a guardian."""
    return case.kind == RepresentationKind.GUARDIAN and _is_person(case, user)


def _is_person(case: Representation, user: User | None) -> bool:
    return user is not None and case.person_id is not None and _subject_of(user) == case.person_id


# --- what must be there -------------------------------------------------------------------------


def fits_file(case: Representation, data: Data) -> FieldProblem | None:
    """Nobody else is on file under the number; the same words whether or not anybody is."""
    found = Subject.objects.by_number(_index(case)).first()
    same = found is None or (found.kind == SubjectKind.PERSON and bytes(found.name_index) == _name(case))
    if same and (found is None or found.pk != case.representative_id):
        return None
    sentence = _("Name and number could not be confirmed together. Refuse with the reason, and let it be asked anew.")
    return FieldProblem("", "not_confirmed", sentence)


def end_ahead(case: Representation, data: Data) -> FieldProblem | None:
    """It would not have ended already."""
    end = end_of(case)
    if end is None and case.kind == RepresentationKind.GUARDIAN:
        return FieldProblem("", "end_missing", _("The number tells no age, so a guardian needs an end."))
    if end is None or end > timezone.localdate():
        return None
    return FieldProblem("", "ended_already", _("It would have ended already: by its end, or by the person's full age."))


def nobody_there(case: Representation, data: Data) -> FieldProblem | None:
    """Of somebody who is said to have died no account is in use; for the eyes of officials alone."""
    if case.kind != RepresentationKind.HEIR or not account_in_use(_index(case)):
        return None
    sentence = _(
        "The person has an account in use, so nothing is confirmed to heirs. Refuse it, and do not tell whoever asks"
        " that there is an account: say that the papers alone do not suffice."
    )
    return FieldProblem("", "account_in_use", sentence)


def reason_given(case: Representation, data: Data) -> FieldProblem | None:
    """A decision on what was contested says why."""
    if str(data.get("grounds") or "").strip():
        return None
    return FieldProblem("grounds", "required", _("Please give the reason."))


def refusal_given(case: Representation, data: Data) -> FieldProblem | None:
    """A refusal says why."""
    if str(data.get("refusal") or "").strip():
        return None
    return FieldProblem("refusal", "required", _("Please give the reason."))


def is_over(case: Representation, data: Data) -> FieldProblem | None:
    """Its end has come."""
    if case.valid_until and case.valid_until <= (data.get("on") or timezone.localdate()):
        return None
    return FieldProblem("", "not_ended", _("This representation has not ended yet."))


# --- what happens -------------------------------------------------------------------------------


def full_age_on(kind: str, number: str) -> datetime.date | None:
    """The day a person is of full age, as the number tells; None where it tells no date of birth."""
    born = facts(IdentifierKind(kind), number).birth_date
    if born is None:
        return None
    years: int = load_rulebook().value_or_first(AGE, timezone.localdate())
    return add_months(born, 12 * years)


def end_of(case: Representation) -> datetime.date | None:
    """The first day it no longer holds: of a guardian of a minor the full age at the latest.

    Whoever was of full age when it was asked for has the end that was asked for.
    """
    if case.kind != RepresentationKind.GUARDIAN or not case.asked_number:
        return case.valid_until
    adult = full_age_on(case.asked_kind, case.asked_number)
    if adult and adult <= timezone.localdate(case.requested_at):
        return case.valid_until
    ends = [day for day in (case.valid_until, adult) if day]
    return min(ends, default=None)


def note_person(case: Representation, user: User | None, data: Data) -> None:
    """Whom it is about, made where nothing is on file yet; what was written to find them is not kept."""
    case.valid_until = end_of(case)
    number = identifier(IdentifierKind(case.asked_kind), case.asked_number or "")
    found = Subject.objects.by_number(number.blind_index).first()
    case.person = found or first_seen(case.asked_name or "", number)
    case.asked_kind = ""
    _forget_number(case)


def note_check(case: Representation, user: User | None, data: Data) -> None:
    """Who looked at the papers first, and when."""
    case.checked_by, case.checked_at = user, timezone.now()


def note_contest(case: Representation, user: User | None, data: Data) -> None:
    """Since when the person says that it is not right, and what they say; the decision before is no longer asked."""
    case.contested_at, case.objection = timezone.now(), str(data.get("objection") or "").strip() or None
    case.settled_by, case.settled_at, case.grounds = None, None, None


def note_settled(case: Representation, user: User | None, data: Data) -> None:
    """Who decided on what was contested, when and why."""
    case.settled_by, case.settled_at, case.grounds = user, timezone.now(), str(data["grounds"]).strip()


def note_second(case: Representation, user: User | None, data: Data) -> None:
    """What one official alone had confirmed has its second one now."""
    if case.checked_by is None:
        case.checked_by, case.checked_at = user, timezone.now()


def note_decision(case: Representation, user: User | None, data: Data) -> None:
    """Who decided, and when."""
    case.decided_by, case.decided_at = user, timezone.now()


def note_refusal(case: Representation, user: User | None, data: Data) -> None:
    """Why not; the number is not kept."""
    case.refusal = str(data["refusal"]).strip()
    _forget_number(case)


def note_end(case: Representation, user: User | None, data: Data) -> None:
    """When it ended."""
    case.ended_at = timezone.now()
    _forget_number(case)


def _forget_number(case: Representation) -> None:
    case.asked_number = None
    case.asked_index = None  # type: ignore[assignment]


def _index(case: Representation) -> bytes:
    return identifier(IdentifierKind(case.asked_kind), case.asked_number or "").blind_index


def _name(case: Representation) -> bytes:
    return name_index(case.asked_name or "")


S = RepresentationState
ASKED = frozenset({S.REQUESTED, S.CHECKED})
STANDS = frozenset({S.CONFIRMED, S.CONTESTED})
PROVEN = (fits_file, end_ahead, nobody_there)
REPRESENTATION: Workflow[Representation] = Workflow(
    name="representation",
    title=_("Acting for another person"),
    states=RepresentationState,
    initial=S.REQUESTED,
    final=frozenset({S.REFUSED, S.ENDED}),
    steps=(
        Step(
            "check", _("Checked: the papers prove it"), frozenset({S.REQUESTED}), S.CHECKED, by=official, needs=PROVEN,
            effects=(note_check,),
        ),
        Step(
            "confirm", _("Confirm: the papers prove it"), frozenset({S.CHECKED}), S.CONFIRMED, by=second_official,
            needs=PROVEN, effects=(note_person, note_decision),
        ),
        Step(
            "refuse", _("Refuse"), ASKED, S.REFUSED, by=official, needs=(refusal_given,),
            effects=(note_decision, note_refusal),
        ),
        Step("withdraw", _("Withdraw"), ASKED, S.ENDED, by=representative, effects=(note_end,)),
        Step("end", _("End"), STANDS, S.ENDED, by=ender, effects=(note_end,)),
        Step(
            "contest", _("This is not right"), frozenset({S.CONFIRMED}), S.CONTESTED, by=ward, effects=(note_contest,),
        ),
        Step(
            "uphold", _("It stands"), frozenset({S.CONTESTED}), S.CONFIRMED, by=third_official, needs=(reason_given,),
            effects=(note_settled, note_second),
        ),
        Step(
            "overturn", _("It ends"), frozenset({S.CONTESTED}), S.ENDED, by=third_official, needs=(reason_given,),
            effects=(note_settled, note_end),
        ),
        Step("expire", _("End"), STANDS, S.ENDED, by=platform, needs=(is_over,), effects=(note_end,)),
        Step(
            "lapse", _("End, since one of the two has died"), ASKED | STANDS, S.ENDED, by=platform, effects=(note_end,),
        ),
    ),
)  # fmt: skip
