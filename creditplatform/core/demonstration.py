"""The accounts of the demonstration: public names and passwords, one for every role."""

import datetime
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from creditplatform.core.errors import CreditError, Text
from creditplatform.core.identity import make_resident_id

BOUND_CITIZEN = "citizen"
UNBOUND_CITIZEN = "newcomer"
GUARDIAN, ATTORNEY = "guardian", "attorney"
# The person that the account without a person may bind; fictitious, the number valid.
NEWCOMERS_NAME = "苏念禾"
NEWCOMERS_BIRTH = datetime.date(1992, 8, 9)
NEWCOMERS_NUMBER = make_resident_id("620102", NEWCOMERS_BIRTH, 998)


class NotADemonstration(CreditError):
    """This installation keeps real data, so nothing fictitious is written into it."""

    default_code = "not_a_demonstration"
    default_message = _(
        "This is not a demonstration: fictitious persons, records and accounts with public passwords are never"
        " written in production mode, nor where CREDIT_DEMONSTRATION is off."
    )


@dataclass(frozen=True, slots=True)
class Account:
    """A sign-in of the demonstration; citizens belong to no unit and have no role."""

    username: str
    password: str
    role_label: str
    agency_code: str
    role: str


_STAFF: tuple[tuple[str, str, Role], ...] = (
    ("clerk", "hz-market", Role.CLERK),
    ("officer", "hz-market", Role.OFFICER),
    ("supervisor", "hz-market", Role.SUPERVISOR),
    ("clerk-gansu", "gs-market", Role.CLERK),
    ("centre", "hz-drc", Role.CENTRE),
    ("centre-second", "hz-drc", Role.CENTRE),
    ("centre-gansu", "gs-drc", Role.CENTRE),
    ("auditor", "hz-drc", Role.AUDITOR),
    ("editor", "hz-drc", Role.EDITOR),
    ("editor-gansu", "gs-drc", Role.EDITOR),
    ("security", "gs-drc", Role.SECURITY),
    ("operator", "gs-drc", Role.OPERATOR),
)
_CITIZENS: tuple[tuple[str, Text], ...] = (
    (BOUND_CITIZEN, _("citizen, bound to a person")),
    (UNBOUND_CITIZEN, _("citizen, not bound to a person yet")),
    (GUARDIAN, _("citizen, guardian of a child")),
    (ATTORNEY, _("citizen, with a power of attorney of the first one")),
)


def accounts() -> list[Account]:
    """Every account of the demonstration, staff first; labels in the active language."""
    staff = [
        Account(username, _password(username), f"{role.label} · {agency}", agency, role.value)
        for username, agency, role in _STAFF
    ]
    return staff + [Account(username, _password(username), str(label), "", "") for username, label in _CITIZENS]


def _password(username: str) -> str:
    return f"demo-{username}-2026"


def refuse_real_installations() -> None:
    """Raises NotADemonstration in production mode and wherever the demonstration is switched off."""
    if settings.PRODUCTION or not settings.DEMONSTRATION:
        raise NotADemonstration


def how_to_bind() -> str:
    """One sentence: as whom to sign in, and what to enter, to try the real-name binding."""
    return (
        f"To try the real-name binding, sign in as “{UNBOUND_CITIZEN}” and enter"
        f" {NEWCOMERS_NAME}, {NEWCOMERS_NUMBER} (fictitious)."
    )
