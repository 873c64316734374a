"""Who may open which page: every view declares a rule, a view without one is refused."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest

from creditplatform.core.enums import Role
from creditplatform.core.models import User

Rule = Callable[[HttpRequest], bool]
View = TypeVar("View", bound=Callable[..., object])


def anyone(request: HttpRequest) -> bool:
    """Everybody, signed in or not."""
    return True


def signed_in(request: HttpRequest) -> bool:
    """Whoever has signed in."""
    return request.user.is_authenticated


def staff(request: HttpRequest) -> bool:
    """Members of a unit, in any role, whose membership holds today."""
    return request.user.is_authenticated and request.user.is_staff


def has_role(*roles: Role) -> Callable[[User], bool]:
    """A rule on users: holds one of these roles today."""
    wanted = {str(role) for role in roles}

    def rule(user: User) -> bool:
        return bool(getattr(user, "roles", set()) & wanted)

    return rule


def rule(allowed: Rule) -> Callable[[View], View]:
    """Declare who may open a view."""

    def mark(view: View) -> View:
        view.access_rule = allowed  # type: ignore[attr-defined]
        return view

    return mark
