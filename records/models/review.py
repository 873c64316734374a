"""Accesses looked at by a second person, and those whose display to the person is deferred by statute (H4.1, G8)."""

import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited
from creditplatform.core.models import Agency, User
from creditplatform.core.sealed import SealedTextField
from records.enums import ReviewCause, ReviewState
from records.models.catalogue import LegalBasis
from records.models.representation import Representation
from records.models.subject import Subject
from records.querysets.queries import AccessReviewQuerySet, DeferralQuerySet

ENDED = [ReviewState.RIGHT, ReviewState.WRONG]


@audited
class AccessReview(models.Model):
    """One access under review. `access_id` and `access_at` name the line of the access log, which is partitioned.

    `actor` and `agency` repeat the line, so that the worklist needs no join over months of log. What concerns the
    whole day of a person who looked stands at the last line of that day, `number` says of how many accesses it speaks.
    `subject` is empty where nobody is on file under the number that was looked up. Whoever complains is the person, or
    somebody who sees the file by the representation named; each of them may complain of the same look once.
    """

    access_id = models.BigIntegerField(_("access"))
    access_at = models.DateTimeField(_("time of the access"))
    subject = models.ForeignKey(
        Subject, verbose_name=_("person"), null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    actor = models.ForeignKey(User, verbose_name=_("who looked"), null=True, on_delete=models.PROTECT, related_name="+")
    agency = models.ForeignKey(
        Agency, verbose_name=_("unit that looked"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    cause = models.CharField(_("why"), max_length=12, choices=ReviewCause)
    number = models.PositiveIntegerField(_("accesses concerned"), default=1)
    words = SealedTextField(_("words of the person"), null=True, blank=True)
    complainant = models.ForeignKey(
        User, verbose_name=_("complained of by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    representation = models.ForeignKey(
        Representation, verbose_name=_("representation"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(_("state"), max_length=10, choices=ReviewState, default=ReviewState.OPEN)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    due_on = models.DateField(_("due"))
    explanation = SealedTextField(_("explanation of the unit"), null=True, blank=True)
    explained_by = models.ForeignKey(
        User, verbose_name=_("explained by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_by = models.ForeignKey(
        User, verbose_name=_("reviewed by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    grounds = SealedTextField(_("grounds"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = AccessReviewQuerySet.as_manager()

    class Meta:
        verbose_name = _("review of an access")
        verbose_name_plural = _("reviews of accesses")
        ordering: ClassVar = ["due_on", "pk"]
        indexes: ClassVar = [
            models.Index(fields=["subject", "-opened_at"], name="access_review_of_person"),
            models.Index(fields=["agency", "-access_at"], name="access_review_of_unit"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["access_id", "cause"],
                condition=Q(complainant=None),
                name="access_review_once",
                violation_error_message=_("This access is under review for this cause already."),
            ),
            models.UniqueConstraint(
                fields=["access_id", "complainant"],
                condition=Q(complainant__isnull=False),
                name="access_complaint_once",
                violation_error_message=_("You have said so already; the look is being reviewed."),
            ),
            models.CheckConstraint(
                condition=Q(complainant=None, representation=None) | Q(cause=ReviewCause.COMPLAINT),
                name="access_review_complained_of",
                violation_error_message=_("Only a complaint has somebody who complains."),
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | Q(complainant=None) | ~Q(reviewed_by=F("complainant")),
                name="access_review_not_by_complainant",
                violation_error_message=_("Nobody judges the own complaint."),
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | Q(actor=None) | ~Q(reviewed_by=F("actor")),
                name="access_review_second_person",
                violation_error_message=_("An access is reviewed by somebody else than who looked."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=ENDED, ended_at__isnull=False, reviewed_by__isnull=False, grounds__isnull=False)
                | (~Q(state__in=ENDED) & Q(ended_at=None)),
                name="access_review_ends_with_grounds",
                violation_error_message=_("A review ends by a second person, with grounds and time."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.get_cause_display()}"

    @property
    def access_on(self) -> datetime.date:
        """The day of the access."""
        return timezone.localdate(self.access_at)


@audited
class AccessDeferral(models.Model):
    """Display of an access to the person put off: only with a statute, an end date and two people."""

    access_id = models.BigIntegerField(_("access"))
    access_at = models.DateTimeField(_("time of the access"))
    subject = models.ForeignKey(
        Subject, verbose_name=_("person"), on_delete=models.PROTECT, related_name="+", db_index=False
    )
    legal_basis = models.ForeignKey(LegalBasis, verbose_name=_("statute"), on_delete=models.PROTECT, related_name="+")
    until = models.DateField(_("shown from"))
    entered_by = models.ForeignKey(User, verbose_name=_("entered by"), on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(_("entered"), default=timezone.now)
    approved_by = models.ForeignKey(
        User, verbose_name=_("approved by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(_("approved"), null=True)

    objects = DeferralQuerySet.as_manager()

    class Meta:
        verbose_name = _("deferred display of an access")
        verbose_name_plural = _("deferred displays of accesses")
        ordering: ClassVar = ["until", "pk"]
        indexes: ClassVar = [models.Index(fields=["subject", "until"], name="access_deferral_of_person")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["access_id"],
                name="access_deferral_once",
                violation_error_message=_("The display of this access is deferred already."),
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("entered_by")),
                name="access_deferral_two_people",
                violation_error_message=_("A deferral is approved by a second person."),
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="access_deferral_approval_is_dated",
                violation_error_message=_("An approved deferral bears the time of its approval."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.access_id}"
