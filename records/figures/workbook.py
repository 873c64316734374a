"""Monthly reports as a workbook; a text that begins like a formula stays a text."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from records.figures.declared import Line, View, act_label
from records.models import MonthlyReport

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDE, NARROW = 32, 14


def report_workbook(view: View) -> bytes:
    """One unit's report on a month: what is declared, what was counted at the submission, what is held now."""
    headers = [
        _("Administrative act"), _("Produced"), _("Published on own site"), _("Address"), _("Reported"),
        _("Not reported"), _("Reason"), _("Stored"), _("Shown on the site"), _("Reported now"), _("Stored now"),
        _("Shown now"), _("Rows set aside"),
    ]  # fmt: skip
    head = [
        (_("Unit"), view.agency.label), (_("Month"), f"{view.month:%Y-%m}"), (_("State"), view.state_label),
        (_("Due on"), str(view.due_on or "")),
    ]  # fmt: skip
    return table_workbook(head, headers, [_cells(line) for line in view.lines])


def _cells(line: Line) -> list[object]:
    said, now = line.declared, line.now
    return [
        line.label, said.produced, said.published, said.address, line.reported, line.not_reported, said.reason,
        line.stored, line.shown, now.reported, now.stored, now.shown, now.set_aside,
    ]  # fmt: skip


def month_workbook(month: str, reports: Iterable[MonthlyReport]) -> bytes:
    """Every unit's report on a month in one table, as counted at the submission."""
    headers = [
        _("Unit"), _("State"), _("Submitted"), _("Late"), _("Administrative act"), _("Produced"),
        _("Published on own site"), _("Address"), _("Reported"), _("Not reported"), _("Reason"), _("Stored"),
        _("Shown on the site"),
    ]  # fmt: skip
    rows: list[list[object]] = []
    for report in reports:
        shared = [
            report.agency.label, report.get_state_display(), str(report.submitted_on or ""),
            _("yes") if report.late else _("no"),
        ]  # fmt: skip
        for line in report.lines.all():
            rows.append([
                *shared, act_label(line.act), line.produced, line.published, line.address, line.reported,
                line.not_reported, line.reason, line.stored, line.shown,
            ])  # fmt: skip
    return table_workbook([(_("Month"), month)], headers, rows)


def table_workbook(head: Sequence[tuple[str, str]], headers: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table with a few lines above it; every text stays a text."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        for at, (name, value) in enumerate(head):
            sheet.write_string(at, 0, name, bold)
            sheet.write_string(at, 1, value)
        top = len(head) + 1
        for at, header in enumerate(headers):
            sheet.write_string(top, at, header, bold)
        for at, row in enumerate(rows, top + 1):
            _write_row(sheet, at, row)
        sheet.set_column(0, 0, WIDE)
        sheet.set_column(1, len(headers) - 1, NARROW)
        sheet.freeze_panes(top + 1, 1)
    return buffer.getvalue()


def _write_row(sheet: Any, at: int, row: Sequence[object]) -> None:
    for column, value in enumerate(row):
        if isinstance(value, int):
            sheet.write_number(at, column, value)
        elif value is not None:
            sheet.write_string(at, column, str(value))
