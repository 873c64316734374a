"""What an official gave a person at the window to get back into the own account."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import guarded
from creditplatform.core.models import User
from records.enums import SeenPapers

MOST_WRONG = 5


@guarded
class RecoveryCode(models.Model):
    """A code on paper by which a person sets a new password, once and within minutes; only its hash is kept."""

    user = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.PROTECT, related_name="recovery_codes")
    issued_by = models.ForeignKey(User, verbose_name=_("issued by"), on_delete=models.PROTECT, related_name="+")
    papers = models.CharField(_("papers seen"), max_length=20, choices=SeenPapers)
    code_hash = models.CharField(max_length=128, editable=False)
    issued_at = models.DateTimeField(_("issued"), default=timezone.now)
    expires_at = models.DateTimeField(_("until"))
    wrong_codes = models.PositiveSmallIntegerField(_("wrong codes"), default=0)
    used_at = models.DateTimeField(_("used"), null=True)
    closed_at = models.DateTimeField(_("closed"), null=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        ordering: ClassVar = ["-issued_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("issued_at")),
                name="recovery_code_ends",
                violation_error_message=_("A recovery code ends after it was issued."),
            ),
            models.CheckConstraint(
                condition=~Q(user=F("issued_by")),
                name="recovery_code_two_people",
                violation_error_message=_("Nobody issues a recovery code to themselves."),
            ),
            models.CheckConstraint(
                condition=Q(wrong_codes__lte=MOST_WRONG),
                name="recovery_code_guesses",
                violation_error_message=_("A recovery code is closed after five wrong codes."),
            ),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(closed_at__isnull=False, used_at__lt=F("expires_at")),
                name="recovery_code_used_in_time",
                violation_error_message=_("A recovery code is used once, before its end, and closed by it."),
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(closed_at=None),
                name="recovery_code_one_open",
                violation_error_message=_("An account has one open recovery code."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
