"""The demonstration's months: deliveries of the past, rules its centre brought into force, what was counted."""

from django.utils import timezone

from creditplatform.core.deadlines import add_months
from creditplatform.core.demonstration import accounts
from creditplatform.core.enums import Role
from creditplatform.core.models import RuleValue, User
from creditplatform.core.services.rules import approve_rule_value, propose_rule_value
from records.demonstration.past import MONTHS_BACK, tell_the_past
from records.demonstration.reports import report_months
from records.demonstration.world import World
from records.figures.counting import count_month
from records.figures.rules import first_day

BASIS = "演示用数值，正式使用前须依法确认"
RULES = {
    "report.monthly.day": (10, ""),
    "figures.threshold.timeliness": (95, "percent"),
    "figures.threshold.compliance": (95, "percent"),
    "figures.threshold.completeness": (70, "percent"),
    "figures.weight.timeliness": (40, "points"),
    "figures.weight.compliance": (40, "points"),
    "figures.weight.completeness": (20, "points"),
}


def live_through_months(world: World) -> dict[str, int]:
    """Date the deliveries back, bring the rules into force, let the units report; counts by kind.

    Each part may be repeated and then writes nothing. Must run in an audit context.
    """
    written = {
        "deliveries_before": tell_the_past(world),
        "rule_values": _bring_rules_into_force(world),
        "monthly_reports": report_months(world),
    }
    if any(written.values()):
        for back in range(MONTHS_BACK + 1):
            count_month(add_months(first_day(timezone.localdate()), -back))
    return written


def _bring_rules_into_force(world: World) -> int:
    """What is delivered as a draft is entered and approved by two people of the demonstration, and says so."""
    names = {account.role: account.username for account in accounts() if account.role in (Role.CENTRE, Role.SUPERVISOR)}
    people = {role: User.objects.filter(username=name).first() for role, name in names.items()}
    first = people.get(Role.CENTRE)
    second = people.get(Role.SUPERVISOR) or User.objects.filter(username=_officer_name()).first()
    if first is None or second is None:
        return 0
    known = set(RuleValue.objects.filter(key__in=RULES, in_force=True).values_list("key", flat=True))
    for key, (value, unit) in RULES.items():
        if key not in known:
            entered = propose_rule_value(
                user=first, key=key, value=value, unit=unit, valid_from=add_months(world.anchor, -24),
                legal_basis=BASIS, source="demonstration",
            )  # fmt: skip
            approve_rule_value(rule_value=entered, user=second)
    return len(RULES) - len(known)


def _officer_name() -> str:
    return next((account.username for account in accounts() if account.role == Role.OFFICER), "")
