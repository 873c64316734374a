"""Write a unit's monthly report: keep what is declared, submit it, answer it."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, FieldProblem, Invalid, NotPermitted
from creditplatform.core.models import Agency, User
from records.enums import ReportState
from records.figures.declared import acts_of, mark_of, report_due_on
from records.models import MonthlyReport, MonthlyReportLine
from records.querysets import units_of
from records.workflows.monthly_report import MONTHLY_REPORT, gaps, officer_of_the_unit

OPEN = (ReportState.DRAFT, ReportState.RETURNED)


@dataclass(frozen=True)
class Declared:
    """What a unit says about one kind of act; numbers are None until they are known."""

    produced: int | None = None
    published: int | None = None
    address: str = ""
    reason: str = ""


def save_report(
    *, user: User, agency: Agency, month: datetime.date, lines: Mapping[str, Declared], seen: str | None = None,
    door: Door = Door.DESK,
) -> MonthlyReport:  # fmt: skip
    """Keep what the unit declares about a month; may be repeated until it is submitted.

    `seen` is the mark of the declared lines the person had before them. Raises NotPermitted for others than the unit's
    staff, Invalid for a month to come and for every wrong number, Conflict where the lines have changed since and once
    the report is submitted or accepted.
    """
    if agency.pk not in units_of(user):
        raise NotPermitted
    if month > timezone.localdate():
        raise Invalid.in_field("month", "month_to_come", _("This month has not begun."))
    problems = [problem for act, line in lines.items() for problem in _problems(act, line)]
    begun = MonthlyReportLine.objects.filter(report__agency=agency, report__month=month)
    unknown = set(lines) - {*acts_of(agency).values(), *begun.values_list("act", flat=True)}
    if problems or unknown:
        raise Invalid([*problems, *(FieldProblem(act, "act", _("The unit reports no such act.")) for act in unknown)])
    with audit.context(actor=user, door=door, reason="monthly report", agency_id=agency.pk):
        report = _open(agency, month, seen)
        for act, line in lines.items():
            MonthlyReportLine.objects.update_or_create(report=report, act=act, defaults=vars(line))
        return report


def _open(agency: Agency, month: datetime.date, seen: str | None) -> MonthlyReport:
    due = report_due_on(month, agency.site.code)
    known, _made = MonthlyReport.objects.get_or_create(agency=agency, month=month, defaults={"due_on": due})
    report = MonthlyReport.objects.select_for_update(of=("self",), no_key=True).get(pk=known.pk)
    if report.state not in OPEN:
        raise Conflict("report_submitted", _("The report is submitted; it can be changed again once it was returned."))
    if seen is not None and seen != mark_of(report.lines.all()):
        text = _("Somebody else has changed this report in the meantime. Please look again before you go on.")
        raise Conflict("changed_meanwhile", text)
    # What was counted at an earlier submission no longer belongs to what is declared now.
    report.lines.update(reported=None, stored=None, shown=None)
    return report


def _problems(act: str, line: Declared) -> list[FieldProblem]:
    found = []
    if line.published is not None and (line.produced is None or line.published > line.produced):
        text = _("No more can be published than was produced.")
        found.append(FieldProblem(f"{act}-published", "more_than_produced", text))
    if line.published and not line.address:
        found.append(FieldProblem(f"{act}-address", "required", _("Say where the decisions are published.")))
    return found


@transaction.atomic
def take_step(
    *, user: User, report: MonthlyReport, step: str, reason: str = "", door: Door = Door.DESK
) -> MonthlyReport:
    """Submit, return or accept a report. Raises Conflict, NotPermitted, Invalid as the procedure says."""
    if step == "submit" and officer_of_the_unit(report, user) and (problems := gaps(report)):
        raise Invalid(problems)
    with audit.context(actor=user, door=door, reason="monthly report", agency_id=report.agency_id):
        taken: MonthlyReport = MONTHLY_REPORT.take(step, report, user=user, reason=reason)
    return taken
