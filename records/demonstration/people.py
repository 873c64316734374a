"""Accounts of the demonstration, the staff who send its files, and codes of its units."""

import datetime
import zlib

from django.contrib.auth.models import Permission
from guardian.shortcuts import assign_perm

from creditplatform.core.demonstration import BOUND_CITIZEN, Account, accounts
from creditplatform.core.enums import AgencyKind, Role
from creditplatform.core.identity import make_credit_code
from creditplatform.core.models import Agency, Membership, User
from records.demonstration.citizens import BOUND
from records.demonstration.parties import years_before
from records.identifiers import identifier
from records.models import Entitlement, EntitlementUserObjectPermission, RealNameBinding, Subject

SENDERS_NAME = "数据报送员（演示）"
ENTERING = frozenset({Role.CLERK, Role.OFFICER})
# The first two characters of GB 32100 codes: who registers, and what sort of body.
CODE_PREFIXES = {
    AgencyKind.ASSOCIATION: "51",
    AgencyKind.VOLUNTEER_BODY: "51",
    AgencyKind.SCHOOL: "12",
    AgencyKind.LIBRARY: "12",
    AgencyKind.BANK: "91",
    AgencyKind.CREDIT_AGENCY: "91",
    AgencyKind.ENTERPRISE: "91",
}
STATE_ORGAN = "11"


def give_codes_to_units() -> int:
    """Give every unit without a credit code a fictitious valid one; returns how many were given.

    The code follows from the unit's own, so that it stays the same whatever units a later release brings.
    """
    given, taken = 0, set(Agency.objects.exclude(credit_code="").values_list("credit_code", flat=True))
    for agency in Agency.objects.filter(credit_code="").order_by("code"):
        prefix = CODE_PREFIXES.get(AgencyKind(agency.kind), STATE_ORGAN) + agency.region_id[:6]
        first = zlib.crc32(agency.code.encode())
        codes = (make_credit_code(prefix, f"XN0{(first + step) % 100_000:05d}") for step in range(len(taken) + 1))
        code = next(code for code in codes if code not in taken)
        taken.add(code)
        given += Agency.objects.filter(pk=agency.pk, credit_code="").update(credit_code=code)
    return given


def make_accounts(anchor: datetime.date) -> int:
    """The accounts with public passwords that are not there yet; returns how many were made."""
    known = set(User.objects.values_list("username", flat=True))
    missing = [account for account in accounts() if account.username not in known]
    for account in missing:
        _make_account(account, anchor)
    return len(missing)


def _make_account(account: Account, anchor: datetime.date) -> None:
    user = User.objects.create_user(account.username, account.password, display_name=_shown_name(account))
    if account.role:
        _employ(user, account.agency_code, Role(account.role), anchor)


def _shown_name(account: Account) -> str:
    return f"{account.username}（演示）"


def _employ(user: User, agency_code: str, role: Role, anchor: datetime.date) -> None:
    agency = Agency.objects.get(code=agency_code)
    Membership.objects.create(user=user, agency=agency, role=role, valid_from=years_before(anchor, 2))


def sender_of(agency: Agency, anchor: datetime.date) -> User:
    """The member of staff who sends a unit's files: its clerk with an account, else one who never signs in."""
    account = next((a for a in accounts() if a.agency_code == agency.code and a.role == Role.CLERK), None)
    username = account.username if account else f"sender-{agency.code}"
    known = User.objects.filter(username=username).first()
    if known:
        return known
    user = User.objects.create_user(username, None, display_name=SENDERS_NAME)
    _employ(user, agency.code, Role.CLERK, anchor)
    return user


def permit_entry() -> int:
    """Let clerks and officers with accounts enter what their units may record; returns how many grants were new."""
    permission = Permission.objects.filter(codename="enter_records", content_type__app_label="records").first()
    if permission is None:
        return 0
    before = EntitlementUserObjectPermission.objects.count()
    for account in accounts():
        if account.role in ENTERING:
            user = User.objects.get(username=account.username)
            for entitlement in Entitlement.objects.filter(agency__code=account.agency_code):
                assign_perm("records.enter_records", user, entitlement)
    return EntitlementUserObjectPermission.objects.count() - before


def bind_citizen() -> bool:
    """Bind the demonstration's citizen to the person with the rich history; says whether that was new."""
    user = User.objects.get(username=BOUND_CITIZEN)
    subject = Subject.objects.get(number_index=identifier(BOUND.identifier_kind, BOUND.number).blind_index)
    if RealNameBinding.objects.filter(user=user).exists() or RealNameBinding.objects.filter(subject=subject).exists():
        return False
    RealNameBinding.objects.create(user=user, subject=subject, adapter="demonstration register")
    return True
