"""The ledger of disclosures and its seals."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import append_only
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.labels import Kind, label
from creditplatform.core.models.people import Agency, User


@append_only
class AccessLog(models.Model):
    """One disclosure of personal data: who, unit, purpose, authority, case, fields, result.

    Written before the data is read, kept as long as the rule `retention.access_log.years` says,
    readable by the person concerned. Partitioned by month; `subject_ref` is the key of
    `records.Subject` and bears no constraint, since the core stands below that app.
    """

    at = models.DateTimeField(_("time"), db_default=Now(), editable=False)
    actor = models.ForeignKey(
        User, verbose_name=_("person"), null=True, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    agency = models.ForeignKey(
        Agency, verbose_name=_("unit"), null=True, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    door = models.CharField(_("way in"), max_length=10, choices=Door)
    purpose = models.CharField(_("purpose"), max_length=100)
    authority = models.CharField(_("authority"), max_length=20, choices=Authority)
    reference = models.CharField(_("statute or consent receipt"), max_length=200, blank=True)
    case_number = models.CharField(_("case number"), max_length=60, blank=True)
    subject_ref = models.BigIntegerField(_("person concerned"))
    fields = ArrayField(models.CharField(max_length=60), verbose_name=_("fields"), default=list)
    result = models.CharField(_("result"), max_length=10, choices=AccessResult)

    class Meta:
        verbose_name = _("disclosure")
        verbose_name_plural = _("disclosures")
        ordering: ClassVar = ["-at"]
        # The table itself is created by hand, partitioned by month; this index is made there too.
        indexes: ClassVar = [models.Index(fields=["subject_ref", "-at"], name="accesslog_subject")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(purpose=""),
                name="accesslog_purpose",
                violation_error_message=_("A disclosure names its purpose."),
            ),
            models.CheckConstraint(
                condition=~Q(authority__in=["consent", "statute"]) | ~Q(reference=""),
                name="accesslog_reference",
                violation_error_message=_("Consent and statute are named by their number."),
            ),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M} {label(Kind.PURPOSE, self.purpose)}"


@append_only
class AccessSeal(models.Model):
    """A block of ledger rows chained to the block before by its digest (SM3).

    The sealer names the rows it took, so appending needs no lock and a row added, changed or
    removed behind its back is found by `verify_audit`.
    """

    number = models.BigIntegerField(_("block"), primary_key=True)
    row_ids = ArrayField(models.BigIntegerField(), verbose_name=_("rows"))
    first_at = models.DateTimeField(_("from"))
    last_at = models.DateTimeField(_("until"))
    previous = models.BinaryField(_("digest of the block before"), max_length=32)
    digest = models.BinaryField(_("digest"), max_length=32)
    sealed_at = models.DateTimeField(_("sealed"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("seal of the access log")
        verbose_name_plural = _("seals of the access log")
        ordering: ClassVar = ["number"]

    def __str__(self) -> str:
        return str(self.number)
