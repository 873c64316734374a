"""The monthly report: what the platform holds of a unit's decisions of a month, beside what the unit declares.

Counted by the month of the decision: a decision of the last day of a month may be reported in the next one and is
still one of that month. All three counts follow from records: reported is every decision the platform took in, stored
what of it stands today, shown what of that the law makes public at the moment of asking.
"""

import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from creditplatform.core.models import Agency, StepEvent
from creditplatform.core.rules import RuleMissing, load_rulebook
from records.enums import RecordState, ReportState, RowState, VersionState
from records.figures.counting import Span
from records.figures.rules import Punctuality, due_on, last_day, punctuality
from records.labels import ACTS
from records.models import CreditRecord, EntryVersion, MonthlyReport, MonthlyReportLine, QuarantinedRow
from records.querysets import PUBLISHED

DUE_DAY = "report.monthly.day"
FIRST_ACTS = ("licence", "penalty")
HANDED_IN = (ReportState.SUBMITTED, ReportState.ACCEPTED)
GONE = (RecordState.REVOKED, RecordState.ARCHIVED)


@dataclass(frozen=True)
class Held:
    """What the platform holds of one kind of act: decisions taken in, standing, shown, and rows set aside."""

    reported: int = 0
    stored: int = 0
    shown: int = 0
    set_aside: int = 0


@dataclass(frozen=True)
class Line:
    """One kind of act: what was declared, what was counted at the submission, and what is held now."""

    act: str
    label: str
    now: Held
    declared: MonthlyReportLine

    @property
    def frozen(self) -> bool:
        """Whether counts of the submission stand beside those of today."""
        return self.declared.reported is not None

    @property
    def reported(self) -> int:
        """Decisions reported, as of the submission where there was one."""
        return self.now.reported if self.declared.reported is None else self.declared.reported

    @property
    def stored(self) -> int:
        """Records kept, as of the submission where there was one."""
        return self.now.stored if self.declared.stored is None else self.declared.stored

    @property
    def shown(self) -> int:
        """Records shown on the site, as of the submission where there was one."""
        return self.now.shown if self.declared.shown is None else self.declared.shown

    @property
    def not_reported(self) -> int | None:
        """Decisions produced and not reported; None before the unit has said how many it produced."""
        return None if self.declared.produced is None else max(0, self.declared.produced - self.reported)


@dataclass(frozen=True)
class View:
    """A unit's report on a month; `report` is None before anybody has begun it, `returned` why it came back."""

    agency: Agency
    month: datetime.date
    report: MonthlyReport | None
    lines: list[Line] = field(default_factory=list)
    due_on: datetime.date | None = None
    returned: str = ""

    @property
    def state(self) -> str:
        """The state of the report; one not begun is a draft."""
        return self.report.state if self.report else ReportState.DRAFT.value

    @property
    def mark(self) -> str:
        """What it declares now, as a mark; the same for every report on which nothing is declared yet."""
        return mark_of(line.declared for line in self.lines if line.declared.pk)

    @property
    def state_label(self) -> str:
        """The state in the language of the page."""
        return str(ReportState(self.state).label)

    @property
    def late(self) -> bool:
        """Whether it was or is handed in after its last day."""
        if self.report:
            return self.report.late
        return self.due_on is not None and timezone.localdate() > self.due_on

    @property
    def standing(self) -> "Standing":
        """How the unit stands with it."""
        return Standing(self.agency, self.month, self.report, self.due_on)

    @property
    def over(self) -> bool:
        """Whether the month has ended."""
        return timezone.localdate() > last_day(self.month)


@dataclass(frozen=True)
class Standing:
    """How a unit stands with its report on a month; `report` is None before anybody has begun it."""

    agency: Agency
    month: datetime.date
    report: MonthlyReport | None
    due_on: datetime.date | None

    @property
    def handed_in(self) -> bool:
        """Whether the credit centre has it; one that was returned is with the unit again."""
        return self.report is not None and self.report.state in HANDED_IN

    @property
    def punctuality(self) -> Punctuality:
        """On time, waited for, late or missing; one that was returned is judged by the day it first came."""
        came = self.report.submitted_on if self.report else None
        found = punctuality(came, self.due_on, timezone.localdate())
        return Punctuality.WAITED_FOR if found == Punctuality.ON_TIME and not self.handed_in else found

    @property
    def code(self) -> str:
        """The name of how it stands, for pages."""
        return self.punctuality.name.lower()

    @property
    def days_over(self) -> int:
        """Days since its last day while it is missing."""
        return (timezone.localdate() - self.due_on).days if self.due_on else 0


def act_label(act: str) -> str:
    """An administrative act in the language of the page; the code where nobody has named it."""
    return str(ACTS.get(act, act))


def report_due_on(month: datetime.date, site: str) -> datetime.date | None:
    """The last day for the report on a month; None while no rule in force says one."""
    following = last_day(month) + datetime.timedelta(days=1)
    try:
        return due_on(month, load_rulebook().value(DUE_DAY, following, site))
    except RuleMissing:
        return None


def acts_of(agency: Agency) -> dict[int, str]:
    """The administrative acts a unit reports on, by entry: as published and begun, of the entries it may send."""
    begun = EntryVersion.objects.filter(state__in=PUBLISHED, valid_from__lte=timezone.localdate())
    mine = begun.exclude(act="").filter(entry__entitlements__agency=agency)
    return dict(mine.order_by("valid_from", "number").values_list("entry_id", "act"))


def mark_of(lines: Iterable[MonthlyReportLine]) -> str:
    """A mark of what a report declares now, so that nobody overwrites what they have not seen."""
    said = sorted([line.act, line.produced, line.published, line.address, line.reason] for line in lines)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def held(agency: Agency, month: datetime.date) -> dict[str, Held]:
    """What the platform holds of the unit's decisions of a month, by act; four queries by the index of the register."""
    acts = acts_of(agency)
    of_month = CreditRecord.objects.filter(
        site=agency.site_id, agency=agency, entry__in=list(acts), decided_on__range=(month, last_day(month))
    )
    standing = Q(pk__in=of_month.kept().exclude(state__in=GONE))
    counts = (
        of_month.order_by().values_list("entry").annotate(reported=Count("pk"), stored=Count("pk", filter=standing))
    )
    shown = dict(of_month.kept().publishable().order_by().values_list("entry").annotate(n=Count("pk")))
    waiting = _set_aside(agency, list(acts), month)
    found: dict[str, Held] = {act: Held() for act in acts.values()}
    for entry, act in acts.items():
        reported, stored = next(((r, s) for e, r, s in counts if e == entry), (0, 0))
        was = found[act]
        found[act] = Held(
            was.reported + reported, was.stored + stored, was.shown + shown.get(entry, 0),
            was.set_aside + waiting.get(entry, 0),
        )  # fmt: skip
    return found


def _set_aside(agency: Agency, entries: list[int], month: datetime.date) -> dict[int, int]:
    """Rows of batches since the month began that wait for correction, by entry; of which month each is nobody knows."""
    rows = QuarantinedRow.objects.filter(
        feed__agency=agency, feed__entry__in=entries, state=RowState.OPEN, batch__received_at__gte=Span(month).start
    )
    return dict(rows.order_by().values_list("feed__entry").annotate(n=Count("pk")))


def view_of(agency: Agency, month: datetime.date) -> View:
    """A unit's report on a month with everything the page shows; at most nine queries."""
    report = MonthlyReport.objects.filter(agency=agency, month=month).select_related("submitted_by").first()
    lines = list(report.lines.all()) if report else []
    due = report.due_on if report and report.due_on else report_due_on(month, agency.site.code)
    returned = _why_returned(report) if report and report.state == ReportState.RETURNED else ""
    return View(agency, month, report, lines_of(lines, held(agency, month)), due, returned)


def lines_of(declared: Iterable[MonthlyReportLine], now: Mapping[str, Held]) -> list[Line]:
    """One line per act that the unit may send or has declared, licences and penalties first."""
    by_act = {line.act: line for line in declared}
    acts = sorted({*now, *by_act}, key=lambda act: (act not in FIRST_ACTS, act))
    return [
        Line(act, act_label(act), now.get(act, Held()), by_act.get(act) or MonthlyReportLine(act=act)) for act in acts
    ]


def _why_returned(report: MonthlyReport) -> str:
    steps = StepEvent.objects.filter(workflow="monthly_report", case_ref=report.pk, step="return")
    return steps.order_by("-at", "-pk").values_list("reason", flat=True).first() or ""


def reports_of(agencies: Any, month: datetime.date) -> list[MonthlyReport]:
    """Reports on a month of these units, with their lines; two queries."""
    reports = MonthlyReport.objects.filter(agency__in=agencies, month=month)
    return list(reports.select_related("agency__site").prefetch_related("lines").order_by("agency__code"))


def owing(agencies: Any, month: datetime.date) -> list[Agency]:
    """Units with a feed of an administrative act that have not handed in their report on a month; one query."""
    handed_in = MonthlyReport.objects.filter(month=month, state__in=HANDED_IN)
    in_force = {"feeds__entry__versions__state": VersionState.IN_FORCE, "feeds__entry__versions__act__gt": ""}
    acting = agencies.filter(feeds__active=True, active=True, **in_force).distinct()
    return list(acting.exclude(pk__in=handed_in.values("agency")).select_related("site").order_by("code"))


def standings(units: Any, month: datetime.date) -> list[Standing]:
    """How these units stand with their reports on a month, the gravest first; at most four queries per site."""
    reports = {report.agency_id: report for report in reports_of(units, month)}
    owed = owing(units, month)
    due = {site: report_due_on(month, site) for site in {agency.site.code for agency in owed}}
    found = [_standing(agency, month, reports.get(agency.pk), due[agency.site.code]) for agency in owed]
    handed_in = [report for report in reports.values() if report.state in HANDED_IN]
    found += [_standing(report.agency, month, report, report.due_on) for report in handed_in]
    return sorted(found, key=lambda one: (-one.punctuality, one.handed_in, one.agency.code))


def _standing(
    agency: Agency, month: datetime.date, report: MonthlyReport | None, due: datetime.date | None
) -> Standing:
    return Standing(agency, month, report, report.due_on if report and report.due_on else due)
