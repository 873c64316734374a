"""The window of a credit centre: who serves there, and for which unit."""

from creditplatform.core.enums import Role
from creditplatform.core.models import Agency, Membership, User
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
