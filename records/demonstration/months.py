"""The demonstration's months: deliveries of the past, rules its centre brought into force, reports of its units."""

import datetime

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from creditplatform.core.deadlines import add_months
from creditplatform.core.demonstration import accounts
from creditplatform.core.enums import Door, Role
from creditplatform.core.models import Agency, Membership, RuleValue, User
from creditplatform.core.services.rules import approve_rule_value, propose_rule_value
from records.demonstration.data import dice, sources
from records.demonstration.world import World
from records.enums import ReportState, Rhythm
from records.figures.counting import count_month
from records.figures.declared import held, owing
from records.figures.rules import first_day
from records.models import Feed, FeedBatch, MonthlyReport
from records.services.monthly_report import Declared, save_report, take_step

MONTHS_BACK, STOPPED = 6, 0.2
SIGNERS_NAME = "负责人（演示）"
BASIS = "演示用数值，正式使用前须依法确认"
RULES = {
    "report.monthly.day": (10, ""),
    "figures.threshold.timeliness": (95, "percent"),
    "figures.threshold.compliance": (95, "percent"),
    "figures.threshold.completeness": (95, "percent"),
    "figures.weight.timeliness": (40, "points"),
    "figures.weight.compliance": (40, "points"),
    "figures.weight.completeness": (20, "points"),
}
# Some units are prompt and some are not; how prompt follows from their code, so that every run makes the same world.
RECEIVED = """
WITH chosen AS (
    SELECT r.id, r.decided_on + CASE
        WHEN abs(hashtext(r.document_number)) %% 100 < 72 + abs(hashtext(a.code)) %% 29
        THEN 1 + abs(hashtext(r.document_number)) %% 6 ELSE 14 + abs(hashtext(r.document_number)) %% 20 END AS day
    FROM records_creditrecord r JOIN core_agency a ON a.id = r.agency_id
    JOIN records_feedbatch b ON b.id = r.batch_id JOIN records_feed f ON f.id = b.feed_id
    WHERE r.decided_on >= %(since)s AND f.code = ANY(%(feeds)s)
)
UPDATE records_creditrecord r SET received_at = (c.day + time '10:30') AT TIME ZONE 'Asia/Shanghai'
FROM chosen c WHERE c.id = r.id AND c.day < (r.received_at AT TIME ZONE 'Asia/Shanghai')::date
"""


def live_through_months(world: World) -> dict[str, int]:
    """Date the deliveries back, bring the rules into force, let the units report; counts by kind.

    Each part may be repeated and then writes nothing. Must run in an audit context.
    """
    month = add_months(first_day(timezone.localdate()), -1)
    written = {
        "received_before": _date_records(world),
        "batches_before": _date_batches(month),
        "rule_values": _bring_rules_into_force(world),
        "monthly_reports": _report(world, month),
    }
    if any(written.values()):
        for back in range(MONTHS_BACK):
            count_month(add_months(month, 1 - back))
    return written


def _date_records(world: World) -> int:
    since = add_months(first_day(world.anchor), -MONTHS_BACK)
    with connection.cursor() as cursor:
        cursor.execute(RECEIVED, {"since": since, "feeds": [source.feed for source in sources()]})
        moved: int = cursor.rowcount
    return moved


def _date_batches(month: datetime.date) -> int:
    """The first of several files came in the month before, so did that of a monthly feed; some feeds stopped then."""
    moved = 0
    start = timezone.make_aware(datetime.datetime.combine(add_months(month, 1), datetime.time()))
    for feed in Feed.objects.filter(code__in=[source.feed for source in sources()]):
        batches = list(feed.batches.order_by("pk").values_list("pk", flat=True))
        stopped = dice("stopped", feed.code).random() < STOPPED
        early = batches[:1] if len(batches) > 1 or feed.rhythm == Rhythm.MONTHLY or stopped else []
        day = month + datetime.timedelta(days=dice(feed.code).randrange(4, 28))
        at = timezone.make_aware(datetime.datetime.combine(day, datetime.time(9, 40)))
        moved += FeedBatch.objects.filter(pk__in=early, received_at__gte=start).update(received_at=at)
    return moved


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


def _report(world: World, month: datetime.date) -> int:
    """Most units have reported on the month before, some late, some not at all; the centre has accepted many."""
    begun = set(MonthlyReport.objects.filter(month=month).values_list("agency", flat=True))
    units: QuerySet[Agency] = Agency.objects.exclude(pk__in=begun)
    staff = Membership.objects.filter(role=Role.CENTRE).order_by("-pk").select_related("user", "agency")
    centres = {membership.agency.site_id: membership.user for membership in staff}
    written = 0
    for agency in [] if begun else owing(units, month):
        throw = dice(world.seed, agency.code).random()
        if throw < 0.8:
            _one_report(world, agency, month, throw, centres.get(agency.site_id))
            written += 1
    return written


def _one_report(world: World, agency: Agency, month: datetime.date, throw: float, centre: User | None) -> None:
    officer = _officer(world, agency)
    lines = {}
    for act, now in held(agency, month).items():
        missing = int(throw * 10) % 3
        produced = now.reported + missing
        address = f"https://{agency.code}.example.org/decisions/" if produced else ""
        reason = "决定书尚未送达（演示）" if missing else ""
        lines[act] = Declared(produced, produced, address, reason)
    report = save_report(user=officer, agency=agency, month=month, lines=lines, door=Door.COMMAND)
    report = take_step(user=officer, report=report, step="submit", door=Door.COMMAND)
    day = add_months(month, 1) + datetime.timedelta(days=int(throw * 15))
    at = timezone.make_aware(datetime.datetime.combine(day, datetime.time(16, 20)))
    MonthlyReport.objects.filter(pk=report.pk).update(submitted_at=min(at, timezone.now()))
    if centre and throw < 0.5 and report.state == ReportState.SUBMITTED:
        take_step(user=centre, report=report, step="accept", door=Door.COMMAND)


def _officer(world: World, agency: Agency) -> User:
    """Somebody who signs for the unit: one of its officers, else one who never signs in."""
    found = User.objects.filter(memberships__agency=agency, memberships__role=Role.OFFICER).order_by("pk").first()
    if found is None:
        found = User.objects.create_user(f"signer-{agency.code}", None, display_name=SIGNERS_NAME)
        Membership.objects.get_or_create(
            user=found, agency=agency, role=Role.OFFICER, defaults={"valid_from": add_months(world.anchor, -24)}
        )
    return found
