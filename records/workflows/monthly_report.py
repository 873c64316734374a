"""Monthly report: draft → submitted → accepted by the credit centre, or returned with a reason and submitted again.

The unit declares what it produced and published; what the platform holds is counted at the submission and then stands
in the report, so that a later delivery does not rewrite what was signed. A report once returned is counted anew.
"""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem
from creditplatform.core.models import User
from creditplatform.core.workflow import Data, Step, Workflow
from records.enums import ReportState
from records.figures.access import signs_for
from records.figures.declared import Line, held, lines_of
from records.figures.rules import last_day
from records.models import MonthlyReport
from records.querysets import sites_led

# --- who ---------------------------------------------------------------------------------------


def officer_of_the_unit(report: MonthlyReport, user: User | None) -> bool:
    """Officers and supervisors of the reporting unit."""
    return user is not None and signs_for(user, report.agency_id)


def centre(report: MonthlyReport, user: User | None) -> bool:
    """Staff of the credit centre of the unit's place, not the person who submitted it."""
    return user is not None and report.agency.site_id in sites_led(user) and user.pk != report.submitted_by_id


# --- what must be there -------------------------------------------------------------------------


def month_over(report: MonthlyReport, data: Data) -> FieldProblem | None:
    """The month has ended."""
    if timezone.localdate() > last_day(report.month):
        return None
    return FieldProblem("", "month_not_over", _("The month is not over yet."))


def something_declared(report: MonthlyReport, data: Data) -> FieldProblem | None:
    """At least one kind of act is declared, with nought where there was none."""
    if report.lines.exists():
        return None
    return FieldProblem("", "nothing_declared", _("Say for each kind of act how many decisions were produced."))


def _problem_of(line: Line) -> FieldProblem | None:
    declared = line.declared
    if declared.produced is None:
        return FieldProblem(f"{line.act}-produced", "required", _("Say how many decisions were produced; 0 if none."))
    if declared.published is None:
        return FieldProblem(f"{line.act}-published", "required", _("Say how many were published; 0 if none."))
    if line.now.reported > declared.produced:
        text = _("The platform holds more decisions of this month than you say were produced; check the number.")
        return FieldProblem(f"{line.act}-produced", "fewer_than_reported", text)
    if declared.produced > line.now.reported and not declared.reason.strip():
        return FieldProblem(f"{line.act}-reason", "required", _("Say why decisions are not reported."))
    return None


def gaps(report: MonthlyReport) -> list[FieldProblem]:
    """What is missing or contradicts what is on file, everything at once."""
    lines = lines_of(report.lines.all(), held(report.agency, report.month))
    return [problem for line in lines if (problem := _problem_of(line))]


def no_gap(report: MonthlyReport, data: Data) -> FieldProblem | None:
    """Every kind of act is declared, agrees with what is on file, and every gap has its reason."""
    return next(iter(gaps(report)), None)


# --- what happens -------------------------------------------------------------------------------


def freeze(report: MonthlyReport, user: User | None, data: Data) -> None:
    """Write down what the platform holds at this moment."""
    now = held(report.agency, report.month)
    for line in lines_of(report.lines.all(), now):
        declared = line.declared
        declared.reported, declared.stored, declared.shown = line.now.reported, line.now.stored, line.now.shown
        declared.save(update_fields=["reported", "stored", "shown"])


def sign(report: MonthlyReport, user: User | None, data: Data) -> None:
    """Note who submitted it and when; an earlier answer no longer counts."""
    report.submitted_at, report.submitted_by = timezone.now(), user
    report.answered_at = report.answered_by = None


def note_answer(report: MonthlyReport, user: User | None, data: Data) -> None:
    """Note who answered and when."""
    report.answered_at, report.answered_by = timezone.now(), user


S = ReportState
MONTHLY_REPORT: Workflow[Any] = Workflow(
    name="monthly_report",
    title=_("Monthly report"),
    states=ReportState,
    initial=S.DRAFT,
    final=frozenset({S.ACCEPTED}),
    steps=(
        Step(
            "submit", _("Submit"), frozenset({S.DRAFT, S.RETURNED}), S.SUBMITTED, by=officer_of_the_unit,
            needs=(month_over, something_declared, no_gap), effects=(freeze, sign),
        ),
        Step(
            "return", _("Return"), frozenset({S.SUBMITTED}), S.RETURNED, by=centre, effects=(note_answer,),
            reason_required=True,
        ),
        Step("accept", _("Accept"), frozenset({S.SUBMITTED}), S.ACCEPTED, by=centre, effects=(note_answer,)),
    ),
)  # fmt: skip
