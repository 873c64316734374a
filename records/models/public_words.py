"""A person's own words about a record, on their way to its public page."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited_without
from creditplatform.core.models import User
from creditplatform.core.sealed import SealedTextField
from records.enums import PublicWordsState, WordsRefusal
from records.models.record import CreditRecord
from records.querysets.public_words import OPEN, PublicWordsQuerySet

DECIDED = (PublicWordsState.SHOWN, PublicWordsState.REFUSED)


@audited_without("text")
class PublicWords(models.Model):
    """The wish of a person that the own words be shown to the public, and what an official decided about it.

    `text` is the copy that is looked over and shown. It is kept while it waits or is shown, and in no history.
    """

    record = models.ForeignKey(
        CreditRecord, verbose_name=_("record"), on_delete=models.CASCADE, related_name="public_words"
    )
    text = SealedTextField(_("words"), null=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=PublicWordsState, default=PublicWordsState.WAITING)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    decided_by = models.ForeignKey(
        User, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    refusal = models.CharField(_("reason"), max_length=20, blank=True, choices=WordsRefusal)
    grounds = SealedTextField(_("grounds"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = PublicWordsQuerySet.as_manager()

    class Meta:
        verbose_name = _("words for the public")
        verbose_name_plural = _("words for the public")
        ordering: ClassVar = ["asked_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["record"],
                condition=Q(state__in=OPEN),
                name="public_words_one_open",
                violation_error_message=_("Words about this record are looked over or shown already."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, text__isnull=False) | (~Q(state__in=OPEN) & Q(text__isnull=True)),
                name="public_words_forget",
                violation_error_message=_("Words are kept while they wait or are shown, and no longer."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=DECIDED) | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="public_words_decided_by_official",
                violation_error_message=_("An official decides what the public reads."),
            ),
            models.CheckConstraint(
                condition=Q(state=PublicWordsState.REFUSED) & ~Q(refusal="")
                | Q(state__in=OPEN, refusal="")
                | Q(state=PublicWordsState.WITHDRAWN),
                name="public_words_refused_with_reason",
                violation_error_message=_("A refusal has a reason."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def why_refused(self) -> str:
        """The reason in words: what the official wrote, where none of the reasons fits."""
        return self.grounds or str(self.get_refusal_display())
