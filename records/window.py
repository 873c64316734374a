"""The window of a credit centre: who serves there, for which unit, and what can be done for whom."""

import datetime

from allauth.usersessions.models import UserSession
from django.utils import timezone

from creditplatform.core.enums import Role
from creditplatform.core.models import AccessLog, Agency, Membership, User
from creditplatform.core.rules import load_rulebook
from records.enums import SubjectKind, WindowAct
from records.identifiers import Identifier, name_index
from records.models import RealNameBinding, Subject
from records.querysets import DECIDING

IN_USE_DAYS = "representation.account_in_use.days"


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


def account_in_use(number_index: bytes) -> bool:
    """Whether the account of the person of that number was used within the days of the rule.

    Used is one that was bound, that signed in, or that opened the own file: no other sign-in is kept. Four queries.
    """
    binding = RealNameBinding.objects.filter(subject__number_index=number_index).first()
    if binding is None:
        return False
    days: int = load_rulebook().value(IN_USE_DAYS, timezone.localdate())
    since = timezone.now() - datetime.timedelta(days=days)
    looks = AccessLog.objects.filter(subject_ref=binding.subject_id, actor=binding.user_id, at__gte=since)
    signed_in = UserSession.objects.filter(user_id=binding.user_id, last_seen_at__gte=since)
    return binding.bound_at >= since or signed_in.exists() or looks.exists()
