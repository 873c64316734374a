"""Rows of a delivery that concern a row set aside under another one: where their reason stands."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import guarded
from records.models.feed import FeedBatch, QuarantinedRow


@guarded
class RepeatedRow(models.Model):
    """A row that was not accepted and is not kept a second time: it is set aside already, or names a row that is.

    `code` is why the row itself was not taken, where the row set aside does not say so.
    """

    batch = models.ForeignKey(FeedBatch, verbose_name=_("batch"), on_delete=models.PROTECT, related_name="repeats")
    row = models.ForeignKey(
        QuarantinedRow, verbose_name=_("row set aside"), on_delete=models.PROTECT, related_name="repeats"
    )
    row_number = models.PositiveIntegerField(_("row"))
    line_number = models.PositiveIntegerField(_("line of the file"))
    code = models.CharField(_("problem"), max_length=60, blank=True)
    created_at = models.DateTimeField(_("delivered"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("repeated row")
        verbose_name_plural = _("repeated rows")
        ordering: ClassVar = ["batch", "row_number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["batch", "row_number"],
                name="repeated_row_once",
                violation_error_message=_("This row of the file concerns a row set aside already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.row_number}"
