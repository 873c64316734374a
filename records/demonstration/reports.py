"""The monthly reports of the demonstration's units: most came in time, some late, a few never."""

import datetime
from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Count, Q
from django.db.models.functions import TruncMonth
from django.utils import timezone

from creditplatform.core.deadlines import add_months
from creditplatform.core.enums import Door, Role
from creditplatform.core.models import Agency, Membership, User
from records.demonstration.data import dice
from records.demonstration.past import MONTHS_BACK
from records.demonstration.world import World
from records.enums import ReportState
from records.figures.declared import GONE, acts_of, held, owing, report_due_on
from records.figures.rules import first_day
from records.models import CreditRecord, MonthlyReport, MonthlyReportLine
from records.services.monthly_report import Declared, save_report, take_step

NEVER, LATE, ACCEPTED = 0.8, 0.7, 0.5  # of the last month; older months are nearly complete
NEVER_OF_OLD, LATE_OF_OLD = 0.94, 0.85
SIGNERS_NAME = "负责人（演示）"
WHY = "决定书尚未送达（演示）"
Counted = dict[tuple[int, datetime.date, str], tuple[int, int]]


def report_months(world: World) -> int:
    """Reports on the months before, unless there are any; returns how many. Must run in an audit context.

    The last month goes through the procedure step by step; older ones are written as they ended.
    """
    if MonthlyReport.objects.exists():
        return 0
    last = add_months(first_day(timezone.localdate()), -1)
    staff = Membership.objects.filter(role=Role.CENTRE).order_by("-pk").select_related("user", "agency")
    centres = {membership.agency.site_id: membership.user for membership in staff}
    units = list(owing(Agency.objects.all(), last))
    officers = {unit.pk: _officer(world, unit) for unit in units}
    acts = {unit.pk: sorted(set(acts_of(unit).values())) for unit in units}
    written = 0
    for unit in units:
        throw = dice(world.seed, unit.code).random()
        if throw < NEVER:
            _one_report(officers[unit.pk], unit, last, throw, centres.get(unit.site_id))
            written += 1
    return written + _older_reports(world, last, units, officers, centres, acts)


def _one_report(officer: User, agency: Agency, month: datetime.date, throw: float, centre: User | None) -> None:
    counted = held(agency, month)
    lines = {act: _declared(agency, month, act, now.reported) for act, now in counted.items()}
    report = save_report(user=officer, agency=agency, month=month, lines=lines, door=Door.COMMAND)
    report = take_step(user=officer, report=report, step="submit", door=Door.COMMAND)
    at = min(_handed_in(month, throw, late=throw > LATE), timezone.now())
    MonthlyReport.objects.filter(pk=report.pk).update(submitted_at=at)
    if centre and throw < ACCEPTED and report.state == ReportState.SUBMITTED:
        take_step(user=centre, report=report, step="accept", door=Door.COMMAND)


def _declared(agency: Agency, month: datetime.date, act: str, reported: int) -> Declared:
    """A few decisions are not reported yet, and some are not on the unit's own site."""
    rng = dice("declared", agency.code, month, act)
    missing = rng.choice((0, 0, 0, 1, 2)) if reported else 0
    produced = reported + missing
    published = max(0, produced - rng.choice((0, 0, 1, 3)))
    address = f"https://{agency.code}.example.org/decisions/" if published else ""
    return Declared(produced, published, address, WHY if missing else "")


def _handed_in(month: datetime.date, throw: float, *, late: bool) -> datetime.datetime:
    """In the first days of the month after, or some days past the last one."""
    day = add_months(month, 1) + datetime.timedelta(days=int(throw * 9) + (10 if late else 0))
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time(16, 20)))


def _older_reports(
    world: World, last: datetime.date, units: list[Agency], officers: dict[int, User], centres: dict[int, User],
    acts: dict[int, list[str]],
) -> int:  # fmt: skip
    months = [add_months(last, -back) for back in range(1, MONTHS_BACK)]
    due = {(month, code): report_due_on(month, code) for month in months for code in {u.site.code for u in units}}
    reports = []
    for month in months:
        for unit in units:
            throw = dice(world.seed, unit.code, month).random()
            if throw < NEVER_OF_OLD and unit.site_id in centres:
                at = _handed_in(month, throw, late=throw > LATE_OF_OLD)
                answered = at + datetime.timedelta(days=2)
                reports.append(
                    MonthlyReport(
                        agency=unit, month=month, due_on=due[month, unit.site.code], state=ReportState.ACCEPTED,
                        submitted_at=at, submitted_by=officers[unit.pk], answered_at=answered,
                        answered_by=centres[unit.site_id],
                    )
                )  # fmt: skip
    counted = _counted(months)
    made = MonthlyReport.objects.bulk_create(reports)
    MonthlyReportLine.objects.bulk_create(
        line for report in made for line in _lines(report, acts[report.agency_id], counted)
    )
    return len(made)


def _lines(report: MonthlyReport, acts: list[str], counted: Counted) -> Iterator[MonthlyReportLine]:
    for act in acts:
        reported, stored = counted.get((report.agency_id, report.month, act), (0, 0))
        said = _declared(report.agency, report.month, act, reported)
        shown = dice("shown", report.agency.code, report.month, act).randrange(stored // 2, stored + 1)
        yield MonthlyReportLine(report=report, act=act, **vars(said), reported=reported, stored=stored, shown=shown)


def _counted(months: list[datetime.date]) -> Counted:
    """Decisions of these months by unit, month and act: reported, and standing; one query."""
    since, until = min(months), add_months(max(months), 1)
    rows = CreditRecord.objects.filter(decided_on__gte=since, decided_on__lt=until).exclude(version__act="")
    grouped = rows.order_by().annotate(month=TruncMonth("decided_on")).values_list("agency", "month", "version__act")
    found: Counted = defaultdict(lambda: (0, 0))
    for unit, month, act, all_of_it, standing in grouped.annotate(
        n=Count("pk"), kept=Count("pk", filter=~Q(state__in=GONE))
    ):
        found[unit, month, act] = (all_of_it, standing)
    return found


def _officer(world: World, agency: Agency) -> User:
    """Somebody who signs for the unit: one of its officers, else one who never signs in."""
    found = User.objects.filter(memberships__agency=agency, memberships__role=Role.OFFICER).order_by("pk").first()
    if found is None:
        found = User.objects.create_user(f"signer-{agency.code}", None, display_name=SIGNERS_NAME)
        Membership.objects.get_or_create(
            user=found, agency=agency, role=Role.OFFICER, defaults={"valid_from": add_months(world.anchor, -24)}
        )
    return found
