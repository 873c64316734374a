"""Answers about persons kept for some hours, so that one lost on its way is had again without a second look."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import guarded
from creditplatform.core.models import ApiClient
from creditplatform.core.sealed import BlindIndexField, SealedTextField


@guarded
class KeptAnswer(models.Model):
    """What a machine client was answered under a key (`Idempotency-Key`), sealed, until its hours are over.

    `request` is a keyed digest of address and body; `access` names the line of the access log, and is empty where
    nothing was shown because a second person has to approve first. No history is kept of it: once removed it is gone.
    """

    client = models.ForeignKey(ApiClient, verbose_name=_("machine client"), on_delete=models.PROTECT, related_name="+")
    key = models.CharField(_("key of the question"), max_length=128)
    request = BlindIndexField(_("index of the question"))
    access = models.BigIntegerField(_("access"), null=True)
    status = models.PositiveSmallIntegerField(_("status of the answer"))
    answer = SealedTextField(_("answer"))
    kept_at = models.DateTimeField(_("kept"), default=timezone.now)
    keep_until = models.DateTimeField(_("kept until"), db_index=True)

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["client", "key"],
                name="kept_answer_once",
                violation_error_message=_("This client has used this key for another question already."),
            ),
        ]

    def __str__(self) -> str:
        return self.key
