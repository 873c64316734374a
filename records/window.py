"""The window of a credit centre: who serves there, for which unit, and what can be done for whom."""

from creditplatform.core.enums import Role
from creditplatform.core.models import Agency, Membership, User
from records.enums import SubjectKind, WindowAct
from records.identifiers import Identifier, name_index
from records.models import RealNameBinding, Subject
from records.querysets import DECIDING


def window_of(user: User | None) -> Agency | None:
    """The credit centre at whose window somebody serves today: staff of the centre, its officers and supervisors.

    A unit is a credit centre where somebody holds the role of the centre today; one query at most.
    """
    if user is None:
        return None
    held = user.memberships_in_force
    own = next((m.agency for m in held if m.role == Role.CENTRE), None)
    beside = {m.agency_id: m.agency for m in held if m.role in DECIDING}
    if own is not None or not beside:
        return own
    centres = Membership.objects.in_force().filter(role=Role.CENTRE, agency__in=beside).values_list("agency", flat=True)
    return next((beside[pk] for pk in centres), None)


def serves(user: User | None) -> bool:
    """Whether somebody serves at the window of a credit centre today."""
    return window_of(user) is not None


def is_person(user: User, wanted: Identifier) -> bool:
    """Whether the account of an official is bound to that very number."""
    return RealNameBinding.objects.filter(user=user, subject__number_index=wanted.blind_index).exists()


def may_be_done(act: str, user: User, name: str, wanted: Identifier) -> bool:
    """Whether account, name and number allow an act; whoever asks is told no more than yes or no.

    A recovery code needs an account bound to the person, and none of a member of a unit; a move needs an account that
    is nobody else's. Nobody else's name may stand under the number.
    """
    subject = Subject.objects.by_number(wanted.blind_index).first()
    fits = subject is None or (subject.kind == SubjectKind.PERSON and bytes(subject.name_index) == name_index(name))
    bound = RealNameBinding.objects.filter(user=user).values_list("subject_id", flat=True).first()
    if act == WindowAct.CODE:
        return fits and subject is not None and bound == subject.pk and not user.is_staff and user.is_active
    return fits and user.is_active and (bound is None or (subject is not None and bound == subject.pk))
