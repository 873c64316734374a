"""Representation: asked for with papers → confirmed or refused by an official who saw them → ended.

A guardian acts until the person is of full age, a representative with a power of attorney until its end, both asked of
the dates; near relatives of the deceased only see the file (PIPL, article 49). Two people always: nobody confirms what
they asked for, nor what is about themselves.
"""

import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Authority
from creditplatform.core.errors import FieldProblem
from creditplatform.core.identity import IdentifierKind, facts
from creditplatform.core.models import AccessLog, User
from creditplatform.core.rules import load_rulebook
from creditplatform.core.workflow import Data, Step, Workflow, platform
from records.enums import RepresentationKind, RepresentationScope, RepresentationState, SubjectKind
from records.identifiers import identifier, name_index
from records.models import RealNameBinding, Representation, Subject
from records.rules import add_months
from records.services.realname import first_seen
from records.window import serves

AGE = "age.negative_records"  # full age, see records.rules.is_minor
QUIET_DAYS = "representation.heir.quiet_days"
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


def representative(case: Representation, user: User | None) -> bool:
    """The one who acts for the other; may step back at any time."""
    return user is not None and _subject_of(user) == case.representative_id


def ender(case: Representation, user: User | None) -> bool:
    """The person represented, the representative, and an official; a minor does not end what a guardian may do.

    Whoever signs in is alive: a person ends what somebody was let do as a relative of a deceased one.
    """
    by_person = case.person is not None and user is not None and _subject_of(user) == case.person.pk
    return (by_person and not _guarded(case)) or representative(case, user) or official(case, user)


def _guarded(case: Representation) -> bool:
    """Whether the person is a minor in the care of a guardian, as the number tells."""
    if case.kind != RepresentationKind.GUARDIAN or case.person is None:
        return False
    adult = full_age_on(case.person.identifier_kind, case.person.number_sealed or "")
    return adult is not None and timezone.localdate() < adult


# --- what must be there -------------------------------------------------------------------------


def fits_file(case: Representation, data: Data) -> FieldProblem | None:
    """Nobody else is on file under the number; the same words whether or not anybody is."""
    found = Subject.objects.by_number(_index(case)).first()
    same = found is None or (found.kind == SubjectKind.PERSON and bytes(found.name_index) == _name(case))
    if same and (found is None or found.pk != case.representative_id):
        return None
    sentence = _("Name and number could not be confirmed together. Refuse with the reason, and let it be asked anew.")
    return FieldProblem("", "not_confirmed", sentence)


def nobody_signs_in(case: Representation, data: Data) -> FieldProblem | None:
    """Nobody is taken for dead whose account was used lately; said to the official alone."""
    if case.kind != RepresentationKind.HEIR:
        return None
    days: int = load_rulebook().value_or_first(QUIET_DAYS, timezone.localdate())
    since = timezone.now() - datetime.timedelta(days=days)
    binding = RealNameBinding.objects.filter(subject__number_index=_index(case)).first()
    own = AccessLog.objects.filter(authority=Authority.SELF, at__gte=since)
    if binding is None or not own.filter(subject_ref=binding.subject_id, actor=binding.user_id).exists():
        return None
    sentence = _("The person has an account that was used lately. Ask the person before you decide.")
    return FieldProblem("", "account_in_use", sentence)


def end_ahead(case: Representation, data: Data) -> FieldProblem | None:
    """It would not have ended already."""
    end = end_of(case)
    if end is None and case.kind == RepresentationKind.GUARDIAN:
        return FieldProblem("", "end_missing", _("The number tells no age, so a guardian needs an end."))
    if end is None or end > timezone.localdate():
        return None
    return FieldProblem("", "ended_already", _("It would have ended already: by its end, or by the person's full age."))


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
    """The first day it no longer holds: of a guardian of a minor the full age at the latest."""
    if case.kind != RepresentationKind.GUARDIAN or not case.asked_number:
        return case.valid_until
    adult = full_age_on(case.asked_kind, case.asked_number)
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
REPRESENTATION: Workflow[Representation] = Workflow(
    name="representation",
    title=_("Acting for another person"),
    states=RepresentationState,
    initial=S.REQUESTED,
    final=frozenset({S.REFUSED, S.ENDED}),
    steps=(
        Step(
            "confirm", _("Confirm: the papers prove it"), frozenset({S.REQUESTED}), S.CONFIRMED, by=official,
            needs=(fits_file, nobody_signs_in, end_ahead), effects=(note_person, note_decision),
        ),
        Step(
            "refuse", _("Refuse"), frozenset({S.REQUESTED}), S.REFUSED, by=official, needs=(refusal_given,),
            effects=(note_decision, note_refusal),
        ),
        Step(
            "withdraw", _("Withdraw"), frozenset({S.REQUESTED}), S.ENDED, by=representative, effects=(note_end,),
        ),
        Step("end", _("End"), frozenset({S.CONFIRMED}), S.ENDED, by=ender, effects=(note_end,)),
        Step("expire", _("End"), frozenset({S.CONFIRMED}), S.ENDED, by=platform, needs=(is_over,), effects=(note_end,)),
    ),
)  # fmt: skip
