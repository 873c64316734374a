"""Figures for machine clients: timeliness and quality by unit and entry, and monthly reports; counts only."""

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core.api import ApiView
from creditplatform.core.deadlines import add_months
from creditplatform.core.enums import Scope
from creditplatform.core.errors import Invalid
from records.api.errors import error_answers, refusal
from records.figures.access import units_seen_by_machine
from records.figures.counting import COUNTS
from records.figures.declared import reports_of
from records.figures.rates import Counts, timeliness_of
from records.figures.rules import first_day, parse_month
from records.models import MonthlyFigure, MonthlyReport, MonthlyReportLine

MONTH = OpenApiParameter("month", str, description="Month like 2026-10; without it the last whole month.")
TIMELINESS = OpenApiExample(
    "a month of one unit",
    response_only=True,
    value={
        "month": "2026-10",
        "figures": [
            {
                "unit": "hz-market", "entry": "administrative-penalty", "batches": 20, "refused": 0, "received": 210,
                "accepted": 190, "unchanged": 10, "quarantined": 9, "rejected": 1, "recorded": 188, "on_time": 180,
                "late": 8, "unjudged": 0, "days_late": 24, "most_late": 6, "optional": 376, "filled": 300,
                "problems": {"required": 9, "minor": 1}, "timeliness": 95.7, "compliance": 95.2, "completeness": 79.8,
                "computed_at": "2026-11-01T00:10:00+08:00",
            }
        ],
    },
)  # fmt: skip
REPORTS = OpenApiExample(
    "the report of one unit",
    response_only=True,
    value={
        "month": "2026-10",
        "reports": [
            {
                "unit": "hz-market", "state": "submitted", "due_on": "2026-11-10", "submitted_on": "2026-11-06",
                "late": False,
                "lines": [
                    {
                        "act": "penalty", "produced": 191, "published": 190, "address": "https://example.org/penalties",
                        "reported": 188, "not_reported": 3, "reason": "not yet served", "stored": 188, "shown": 150,
                    }
                ],
            }
        ],
    },
)  # fmt: skip
NO_MONTH = refusal("not_a_month", "Write the month like 2026-10.", "month")


class TimelinessView(ApiView):
    """How timely, compliant and complete the deliveries of a month were."""

    scopes = (Scope.STATISTICS_READ,)

    @extend_schema(
        operation_id="statistics_timeliness",
        parameters=[MONTH],
        responses={200: OpenApiTypes.OBJECT, **error_answers(400, 401, 403, 429, but={400: NO_MONTH})},
        examples=[TIMELINESS],
        description="Figures of the client's own unit; of its whole site for the upper platform and the credit centre.",
    )
    def get(self, request: Request) -> Response:
        """Figures of a month, one row per unit and entry."""
        month = _month(request)
        figures = timeliness_of(units_seen_by_machine(self.agency), month)
        return Response({"month": f"{month:%Y-%m}", "figures": [_figure(figure) for figure in figures]})


class ReportsView(ApiView):
    """Monthly reports as they were submitted."""

    scopes = (Scope.STATISTICS_READ,)

    @extend_schema(
        operation_id="statistics_reports",
        parameters=[MONTH],
        responses={200: OpenApiTypes.OBJECT, **error_answers(400, 401, 403, 429, but={400: NO_MONTH})},
        examples=[REPORTS],
        description="Reports of the client's own unit; of its whole site for the upper platform and the credit centre.",
    )
    def get(self, request: Request) -> Response:
        """Reports on a month with one line per kind of act."""
        month = _month(request)
        reports = reports_of(units_seen_by_machine(self.agency), month)
        return Response({"month": f"{month:%Y-%m}", "reports": [_report(report) for report in reports]})


def _month(request: Request) -> datetime.date:
    """The month asked for. Raises Invalid for nonsense."""
    text = request.query_params.get("month")
    if text is None:
        return add_months(first_day(timezone.localdate()), -1)
    month = parse_month(text)
    if month is None:
        raise Invalid.in_field("month", "not_a_month", _("Write the month like 2026-10."))
    return month


def _figure(figure: MonthlyFigure) -> dict[str, Any]:
    counts = {name: getattr(figure, name) for name in COUNTS}
    rates = {name: None if value is None else float(value) for name, value in Counts(**counts).rates.items()}
    return {
        "unit": figure.agency.code,
        "entry": figure.entry.code,
        **counts,
        "problems": figure.problems,
        **rates,
        "computed_at": timezone.localtime(figure.computed_at).isoformat(),
    }


def _report(report: MonthlyReport) -> dict[str, Any]:
    return {
        "unit": report.agency.code,
        "state": report.state,
        "due_on": report.due_on,
        "submitted_on": report.submitted_on,
        "late": report.late,
        "lines": [_line(line) for line in report.lines.all()],
    }


def _line(line: MonthlyReportLine) -> dict[str, Any]:
    names = ("act", "produced", "published", "address", "reported", "not_reported", "reason", "stored", "shown")
    return {name: getattr(line, name) for name in names}
