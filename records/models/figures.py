"""Figures of a month: what units delivered, how well, and what they declare about it. No row is about a person."""

import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited, guarded
from creditplatform.core.models import Agency, User
from records.enums import ReportState
from records.models.catalogue import CatalogueEntry


@guarded
class MonthlyFigure(models.Model):
    """What one unit delivered for one entry in one month, counted by set from batches and records.

    Batches count in the month in which they came, records in the month of their first receipt. `days_late` is the sum
    and `most_late` the greatest number of working days after the day of publication; `unjudged` decisions have a
    duty but fall on days whose working days are not announced. Counted anew while the month is open, see
    `services.figures`; the row is its own account, so it has no history.
    """

    agency = models.ForeignKey(Agency, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="+")
    entry = models.ForeignKey(CatalogueEntry, verbose_name=_("entry"), on_delete=models.PROTECT, related_name="+")
    month = models.DateField(_("month"))
    batches = models.PositiveIntegerField(_("batches"), default=0)
    refused = models.PositiveIntegerField(_("files refused"), default=0)
    received = models.PositiveIntegerField(_("rows received"), default=0)
    accepted = models.PositiveIntegerField(_("accepted"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    quarantined = models.PositiveIntegerField(_("set aside"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    problems = models.JSONField(_("problems"), default=dict)
    recorded = models.PositiveIntegerField(_("decisions recorded"), default=0)
    on_time = models.PositiveIntegerField(_("on time"), default=0)
    late = models.PositiveIntegerField(_("late"), default=0)
    unjudged = models.PositiveIntegerField(_("not judged"), default=0)
    days_late = models.PositiveBigIntegerField(_("working days late, in sum"), default=0)
    most_late = models.PositiveIntegerField(_("working days late, at most"), default=0)
    optional = models.PositiveBigIntegerField(_("optional fields"), default=0)
    filled = models.PositiveBigIntegerField(_("optional fields filled in"), default=0)
    computed_at = models.DateTimeField(_("counted"))

    class Meta:
        verbose_name = _("figures of a month")
        verbose_name_plural = _("figures of months")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["month", "agency", "entry"],
                name="figure_once",
                violation_error_message=_("A month is counted once per unit and entry."),
            ),
            models.CheckConstraint(
                condition=Q(month__day=1),
                name="figure_month_by_first_day",
                violation_error_message=_("A month is named by its first day."),
            ),
            models.CheckConstraint(
                condition=Q(received=F("accepted") + F("unchanged") + F("quarantined") + F("rejected")),
                name="figure_counts_add_up",
                violation_error_message=_("The counts of a month add up."),
            ),
            models.CheckConstraint(
                condition=Q(recorded__gte=F("on_time") + F("late") + F("unjudged")) & Q(optional__gte=F("filled")),
                name="figure_parts_within_whole",
                violation_error_message=_("A part is never more than the whole."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.agency_id}/{self.entry_id}"


@audited
class MonthlyReport(models.Model):
    """What a unit declares about the decisions it made in a month, for the credit centre.

    `due_on` is the last day for it, empty while no rule says one.
    """

    agency = models.ForeignKey(Agency, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="+")
    month = models.DateField(_("month"))
    state = models.CharField(_("state"), max_length=10, choices=ReportState, default=ReportState.DRAFT)
    due_on = models.DateField(_("due on"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True)
    submitted_by = models.ForeignKey(
        User, verbose_name=_("submitted by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered"), null=True)
    answered_by = models.ForeignKey(
        User, verbose_name=_("answered by"), null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("monthly report")
        verbose_name_plural = _("monthly reports")
        ordering: ClassVar = ["-month", "agency"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["month", "agency"],
                name="report_once",
                violation_error_message=_("A unit reports once on a month."),
            ),
            models.CheckConstraint(
                condition=Q(month__day=1),
                name="report_month_by_first_day",
                violation_error_message=_("A month is named by its first day."),
            ),
            models.CheckConstraint(
                condition=Q(state=ReportState.DRAFT) | Q(submitted_at__isnull=False, submitted_by__isnull=False),
                name="report_submission_dated",
                violation_error_message=_("A submitted report says when and by whom."),
            ),
            models.CheckConstraint(
                condition=~Q(state=ReportState.ACCEPTED)
                | (Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answered_by=F("submitted_by"))),
                name="report_accepted_by_another",
                violation_error_message=_("A report is accepted by somebody else than who submitted it."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.agency}"

    @property
    def submitted_on(self) -> datetime.date | None:
        """The day of the submission in local time."""
        return timezone.localdate(self.submitted_at) if self.submitted_at else None

    @property
    def late(self) -> bool:
        """Whether it was handed in after its last day, or is still wanting after it."""
        handed_in = self.submitted_on if self.state != ReportState.DRAFT else None
        return self.due_on is not None and (handed_in or timezone.localdate()) > self.due_on


@audited
class MonthlyReportLine(models.Model):
    """One kind of administrative act in a monthly report.

    `produced`, `published`, `address` and `reason` are declared by the unit. `reported`, `stored` and `shown` are what
    the platform held when the report was submitted; empty before.
    """

    report = models.ForeignKey(
        MonthlyReport, verbose_name=_("monthly report"), on_delete=models.PROTECT, related_name="lines"
    )
    act = models.CharField(_("administrative act"), max_length=20)
    produced = models.PositiveIntegerField(_("decisions produced"), null=True, blank=True)
    published = models.PositiveIntegerField(_("published on the unit's own site"), null=True, blank=True)
    address = models.URLField(_("address where they are published"), max_length=500, blank=True)
    reason = models.CharField(_("why decisions are not reported"), max_length=500, blank=True)
    reported = models.PositiveIntegerField(_("reported"), null=True, editable=False)
    stored = models.PositiveIntegerField(_("stored"), null=True, editable=False)
    shown = models.PositiveIntegerField(_("shown on the site"), null=True, editable=False)

    class Meta:
        verbose_name = _("line of a monthly report")
        verbose_name_plural = _("lines of monthly reports")
        ordering: ClassVar = ["report", "act"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["report", "act"],
                name="report_line_once",
                violation_error_message=_("A report has one line per kind of act."),
            ),
            models.CheckConstraint(
                condition=Q(published=None) | Q(published__lte=F("produced")),
                name="report_line_published_of_produced",
                violation_error_message=_("No more can be published than was produced."),
            ),
            models.CheckConstraint(
                condition=Q(published=None) | Q(published=0) | ~Q(address=""),
                name="report_line_published_somewhere",
                violation_error_message=_("Say where the decisions are published."),
            ),
            models.CheckConstraint(
                condition=Q(reported=None) | Q(produced__lte=F("reported")) | ~Q(reason=""),
                name="report_line_gap_explained",
                violation_error_message=_("Say why decisions are not reported."),
            ),
            models.CheckConstraint(
                condition=Q(reported=None) | (Q(stored__lte=F("reported")) & Q(shown__lte=F("stored"))),
                name="report_line_counts_in_order",
                violation_error_message=_("What is shown is stored, and what is stored was reported."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.act}"

    @property
    def not_reported(self) -> int | None:
        """Decisions produced that the platform had not received when the report was submitted."""
        if self.produced is None or self.reported is None:
            return None
        return max(0, self.produced - self.reported)
