"""Who may open which part of the desk."""

from typing import Any

from django.http import HttpRequest

from creditplatform.core.enums import Role
from creditplatform.core.permissions import has_role
from records.desk.navigation import SENDING, WORKING
from records.window import serves


def working(request: HttpRequest) -> bool:
    """Staff who send, decide or keep the catalogue: clerks, officers, supervisors, the centre."""
    user: Any = request.user
    return user.is_authenticated and has_role(*WORKING)(user)


def sending(request: HttpRequest) -> bool:
    """Staff who send for their unit: clerks, officers, supervisors."""
    user: Any = request.user
    return user.is_authenticated and has_role(*SENDING)(user)


def centre(request: HttpRequest) -> bool:
    """Staff of the credit centre."""
    user: Any = request.user
    return user.is_authenticated and has_role(Role.CENTRE)(user)


def window(request: HttpRequest) -> bool:
    """Whoever serves at the window of a credit centre: its staff, officers and supervisors."""
    user: Any = request.user
    return user.is_authenticated and serves(user)
