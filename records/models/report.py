"""Credit reports that were issued: what they said, how they are signed, whether they still hold."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited
from creditplatform.core.models import Agency, Site, User
from creditplatform.core.sealed import SealedTextField
from creditplatform.core.vault import public_token
from records.enums import CreditReportKind, CreditReportState
from records.models.authorisation import Authorisation
from records.models.representation import Representation
from records.models.subject import Subject
from records.querysets.queries import REPORT_KIND, CreditReportQuerySet


@audited
class CreditReport(models.Model):
    """One issued report. Its content never changes; whether the file has changed since is asked when verifying.

    `data_digest` is the digest of the records as the report saw them; `pdf` and `signed` name files in the private
    store, `pdf_digest` and `signed_digest` are their SHA-256. Dates: `as_of` is the day whose state it shows. One made
    for a representative bears the representation: they read it as long as that one holds.
    """

    subject = models.ForeignKey(Subject, verbose_name=_("person"), on_delete=models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, verbose_name=_("public site"), on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=10, choices=CreditReportKind)
    fields = ArrayField(
        models.CharField(max_length=100), verbose_name=_("fields"), default=list, help_text=_("Empty: everything.")
    )
    period_from = models.DateField(_("decisions from"), null=True)
    period_until = models.DateField(_("decisions until"), null=True)
    as_of = models.DateField(_("state of"))
    cut_off_at = models.DateTimeField(_("data up to"))
    language = models.CharField(_("language"), max_length=10, default="zh-hans")
    requested_by = models.ForeignKey(
        User, verbose_name=_("asked by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey(
        Agency, verbose_name=_("unit that asked"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    authorisation = models.ForeignKey(
        Authorisation, verbose_name=_("authorisation"), null=True, on_delete=models.PROTECT, related_name="reports"
    )
    representation = models.ForeignKey(
        Representation, verbose_name=_("representation"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    issued_at = models.DateTimeField(_("issued"), default=timezone.now)
    valid_until = models.DateField(_("valid until"), null=True)
    state = models.CharField(_("state"), max_length=10, choices=CreditReportState, default=CreditReportState.ISSUED)
    content = SealedTextField(_("content"))
    data_digest = models.CharField(max_length=64, editable=False)
    pdf = models.CharField(max_length=200, editable=False)
    pdf_digest = models.CharField(max_length=64, editable=False)
    signed = models.CharField(max_length=200, editable=False)
    signed_digest = models.CharField(max_length=64, editable=False)
    certificate = models.CharField(_("certificate"), max_length=64)
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    revoked_by = models.ForeignKey(
        User, verbose_name=_("revoked by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    revocation = models.CharField(_("reason of the revocation"), max_length=300, blank=True)

    objects = CreditReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("credit report")
        verbose_name_plural = _("credit reports")
        ordering: ClassVar = ["-issued_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["subject", "-issued_at"], name="credit_report_of_person"),
            models.Index(fields=["pdf_digest"], name="credit_report_by_pdf"),
            models.Index(fields=["signed_digest"], name="credit_report_by_json"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state=CreditReportState.ISSUED, revoked_at=None)
                | Q(state=CreditReportState.REVOKED, revoked_at__isnull=False),
                name="credit_report_revoked_is_dated",
                violation_error_message=_("A revoked report bears the time."),
            ),
            models.CheckConstraint(
                condition=Q(period_from=None) | Q(period_until=None) | Q(period_until__gte=F("period_from")),
                name="credit_report_period_in_order",
                violation_error_message=_("The period of a report ends after it began."),
            ),
            models.CheckConstraint(
                condition=~Q(pdf_digest="") & ~Q(signed_digest="") & ~Q(data_digest=""),
                name="credit_report_complete",
                violation_error_message=_("A report is issued with its signed files only."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.get_kind_display()}"

    @property
    def code(self) -> str:
        """The code under which anybody may verify it: 128 bits, not to be guessed."""
        return public_token(REPORT_KIND, self.pk)

    @property
    def called(self) -> str:
        """Which report it is, in words; one that a unit got is never called full, since a consent limits it."""
        return str(_("report to a unit within a consent") if self.agency_id else self.get_kind_display())
