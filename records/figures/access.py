"""Who may see which figures: a unit its own, the credit centre those of its place; others none."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from creditplatform.core.enums import AgencyKind, Role
from creditplatform.core.models import Agency, Membership
from records.querysets import sites_led, units_of

SIGNING = frozenset({Role.OFFICER, Role.SUPERVISOR})


def of_the_centre(user: Any) -> bool:
    """Staff of the credit centre."""
    return Role.CENTRE in user.roles


def signs_for(user: Any, agency_id: int) -> bool:
    """Officers and supervisors speak for their unit; a clerk only prepares."""
    return any(m.agency_id == agency_id and m.role in SIGNING for m in user.memberships_in_force)


def sees_figures(request: HttpRequest) -> bool:
    """Whoever sends for a unit, and the centre."""
    user: Any = request.user
    return user.is_authenticated and (of_the_centre(user) or bool(units_of(user)))


def leads(request: HttpRequest) -> bool:
    """Staff of the credit centre only."""
    return bool(request.user.is_authenticated) and of_the_centre(request.user)


def units_seen_by(user: Any) -> QuerySet[Agency]:
    """Units whose figures the person may see."""
    units = Agency.objects.select_related("site")
    return units.filter(Q(site__in=sites_led(user)) | Q(pk__in=units_of(user)))


def units_seen_by_machine(agency: Agency) -> QuerySet[Agency]:
    """Units whose figures a system of this unit may read.

    The upper platform and the unit of the credit centre read those of their whole site, any other its own.
    """
    centre = Membership.objects.in_force().filter(agency=agency, role=Role.CENTRE).exists()
    if agency.kind == AgencyKind.UPPER_PLATFORM or centre:
        return Agency.objects.filter(site=agency.site_id)
    return Agency.objects.filter(pk=agency.pk)
