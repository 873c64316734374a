"""Who of a unit may enter records of an entry: grants by name on the pair of unit and entry."""

from collections.abc import Iterable

from django.db import transaction
from guardian.shortcuts import assign_perm, get_objects_for_user, remove_perm

from creditplatform.core.enums import Role
from creditplatform.core.models import Membership, User
from records.models import Entitlement, EntitlementUserObjectPermission

ENTER = "enter_records"
WORKING = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR)


def members_of(entitlement: Entitlement) -> set[int]:
    """Keys of the people who enter or decide for the unit today."""
    members = Membership.objects.in_force().filter(agency=entitlement.agency_id, role__in=WORKING)
    return set(members.values_list("user_id", flat=True))


def entitlements_of(user: User) -> list[Entitlement]:
    """What a person may enter: given by name, for a unit of theirs."""
    given = get_objects_for_user(user, f"records.{ENTER}", Entitlement, use_groups=True, with_superuser=False)
    return list(given.filter(agency__in=user.agency_ids).select_related("agency", "entry").order_by("agency", "entry"))


def may_enter(user: User, entitlement: Entitlement) -> bool:
    """Members of the unit who were given the entry by name."""
    return entitlement.agency_id in user.agency_ids and user.has_perm(f"records.{ENTER}", entitlement)


def people_who_may_enter(entitlement: Entitlement) -> set[int]:
    """Keys of the people who hold the grant, whether or not they still belong to the unit."""
    held = EntitlementUserObjectPermission.objects.filter(content_object=entitlement, permission__codename=ENTER)
    return set(held.values_list("user_id", flat=True))


@transaction.atomic
def set_who_may_enter(*, entitlement: Entitlement, people: Iterable[User]) -> None:
    """Give the entry to exactly these people; must run in an audit context."""
    wanted, held = {user.pk: user for user in people}, people_who_may_enter(entitlement)
    for user in User.objects.filter(pk__in=held - wanted.keys()):
        remove_perm(f"records.{ENTER}", user, entitlement)
    for key in wanted.keys() - held:
        assign_perm(f"records.{ENTER}", wanted[key], entitlement)
