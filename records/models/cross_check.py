"""Items where units disagree, or a complete list has lost a record: asked and decided by people, never overwritten."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited
from creditplatform.core.models import Agency, User
from records.enums import Answer, CrossCheckKind, CrossCheckState, Finding, MissingState
from records.models.feed import Feed, FeedBatch, QuarantinedRow
from records.models.record import CreditRecord
from records.models.subject import KeyGroup, Subject
from records.querysets import CrossCheckQuerySet, MissingRecordQuerySet

ENDED = [CrossCheckState.RESOLVED, CrossCheckState.CLOSED]


@audited
class CrossCheck(models.Model):
    """Two units say different things about one person (G11). Neither is overwritten; both are asked.

    `holder` is the unit whose statement is on file, `sender` the one that says otherwise. The item holds no value
    of the person: each unit finds what it said itself in its own record or row, and nobody else sees it.
    """

    subject = models.ForeignKey(Subject, verbose_name=_("person"), on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("what differs"), max_length=10, choices=CrossCheckKind)
    group = models.ForeignKey(
        KeyGroup, verbose_name=_("key group"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    holder = models.ForeignKey(Agency, verbose_name=_("unit on file"), on_delete=models.PROTECT, related_name="+")
    sender = models.ForeignKey(Agency, verbose_name=_("unit that differs"), on_delete=models.PROTECT, related_name="+")
    feed = models.ForeignKey(Feed, verbose_name=_("feed"), on_delete=models.PROTECT, related_name="+")
    record = models.ForeignKey(
        CreditRecord, verbose_name=_("record on file"), on_delete=models.PROTECT, related_name="+"
    )
    row = models.ForeignKey(
        QuarantinedRow, verbose_name=_("row set aside"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    other_record = models.ForeignKey(
        CreditRecord, verbose_name=_("record that differs"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(_("state"), max_length=10, choices=CrossCheckState, default=CrossCheckState.OPENED)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    due_on = models.DateField(_("answer due"), null=True)
    holder_answer = models.CharField(_("answer of the unit on file"), max_length=10, choices=Answer, blank=True)
    sender_answer = models.CharField(_("answer of the unit that differs"), max_length=10, choices=Answer, blank=True)
    finding = models.CharField(_("finding"), max_length=20, choices=Finding, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = CrossCheckQuerySet.as_manager()

    class Meta:
        verbose_name = _("cross-check")
        verbose_name_plural = _("cross-checks")
        ordering: ClassVar = ["-opened_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(holder=F("sender")),
                name="cross_check_two_units",
                violation_error_message=_("A unit does not disagree with itself."),
            ),
            models.UniqueConstraint(
                fields=["subject", "kind", "holder", "sender"],
                condition=~Q(state__in=ENDED),
                name="cross_check_once",
                violation_error_message=_("This difference is being cleared up already."),
            ),
            models.CheckConstraint(
                condition=Q(kind=CrossCheckKind.NAME, row__isnull=False)
                | Q(kind=CrossCheckKind.LICENCE, other_record__isnull=False, group__isnull=False),
                name="cross_check_names_both",
                violation_error_message=_("A cross-check names what either unit said."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, ended_at__isnull=False) | (~Q(state__in=ENDED) & Q(ended_at=None)),
                name="cross_check_ended_is_dated",
                violation_error_message=_("A cross-check that has ended bears the time, an open one none."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=ENDED) ^ Q(finding=""),
                name="cross_check_ends_with_finding",
                violation_error_message=_("A cross-check ends with a finding, and only then has one."),
            ),
            models.CheckConstraint(
                condition=Q(state=CrossCheckState.OPENED) | Q(due_on__isnull=False) | Q(state=CrossCheckState.CLOSED),
                name="cross_check_asked_has_clock",
                violation_error_message=_("Units that were asked have a day by which to answer."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.get_kind_display()}"


@audited
class MissingRecord(models.Model):
    """A record that a complete list no longer contains: proposed for withdrawal, withdrawn by an officer alone."""

    record = models.ForeignKey(CreditRecord, verbose_name=_("record"), on_delete=models.PROTECT, related_name="missing")
    feed = models.ForeignKey(Feed, verbose_name=_("feed"), on_delete=models.PROTECT, related_name="missing")
    batch = models.ForeignKey(FeedBatch, verbose_name=_("batch"), on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=10, choices=MissingState, default=MissingState.PROPOSED)
    proposed_at = models.DateTimeField(_("proposed"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided"), null=True)
    decided_by = models.ForeignKey(
        User, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = MissingRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("record missing from its list")
        verbose_name_plural = _("records missing from their list")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["record"],
                condition=Q(state__in=[MissingState.PROPOSED, MissingState.KEPT]),
                name="missing_record_once",
                violation_error_message=_("This record is on the worklist already."),
            ),
            models.CheckConstraint(
                condition=Q(state=MissingState.PROPOSED, decided_at=None)
                | (~Q(state=MissingState.PROPOSED) & Q(decided_at__isnull=False)),
                name="missing_record_decided_is_dated",
                violation_error_message=_("A decision bears its time, an open proposal none."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[MissingState.WITHDRAWN, MissingState.KEPT]) | Q(decided_by__isnull=False),
                name="missing_record_decided_by_somebody",
                violation_error_message=_("An officer decides on a missing record, never the platform."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.record_id} · {self.get_state_display()}"
