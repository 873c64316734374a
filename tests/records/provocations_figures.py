"""For every named constraint of the figures one act that offends it, past every form."""

import datetime
from typing import Any

from django.utils import timezone

from records.models import CatalogueEntry, MonthlyFigure, MonthlyReport, MonthlyReportLine
from tests.records.provocations import provokes
from tests.records.world import World

MONTH = datetime.date(2026, 10, 1)


def figure(w: World, **values: Any) -> MonthlyFigure:
    words = {
        "agency": w.market,
        "entry": CatalogueEntry.objects.all()[0],
        "month": MONTH,
        "computed_at": timezone.now(),
    }
    return MonthlyFigure.objects.create(**{**words, **values})


def report(w: World, **values: Any) -> MonthlyReport:
    return MonthlyReport.objects.create(**{"agency": w.market, "month": MONTH, **values})


def line(w: World, **values: Any) -> MonthlyReportLine:
    words = {"report": values.get("report") or report(w), "act": "penalty", **values}
    return MonthlyReportLine.objects.create(**words)


@provokes("figure_once")
def _(w: World) -> None:
    figure(w)
    figure(w)


@provokes("figure_month_by_first_day")
def _(w: World) -> None:
    figure(w, month=datetime.date(2026, 10, 2))


@provokes("figure_counts_add_up")
def _(w: World) -> None:
    figure(w, received=2, accepted=1)


@provokes("figure_parts_within_whole")
def _(w: World) -> None:
    figure(w, recorded=1, on_time=1, late=1)


@provokes("report_once")
def _(w: World) -> None:
    report(w)
    report(w)


@provokes("report_month_by_first_day")
def _(w: World) -> None:
    report(w, month=datetime.date(2026, 10, 2))


@provokes("report_submission_dated")
def _(w: World) -> None:
    report(w, state="submitted")


@provokes("report_accepted_by_another")
def _(w: World) -> None:
    now, user = timezone.now(), w.cast.officer
    report(w, state="accepted", submitted_at=now, submitted_by=user, answered_at=now, answered_by=user)


@provokes("report_line_once")
def _(w: World) -> None:
    line(w, report=line(w).report)


@provokes("report_line_published_of_produced")
def _(w: World) -> None:
    line(w, produced=1, published=2, address="https://example.org/")


@provokes("report_line_published_somewhere")
def _(w: World) -> None:
    line(w, produced=1, published=1)


@provokes("report_line_gap_explained")
def _(w: World) -> None:
    line(w, produced=2, published=0, reported=1, stored=1, shown=1)


@provokes("report_line_counts_in_order")
def _(w: World) -> None:
    line(w, produced=1, published=0, reported=1, stored=1, shown=2)
