"""Feeds, the batches they deliver, and the rows set aside."""

import datetime
from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited, guarded
from creditplatform.core.audit.tracking import APPEND_ONLY
from creditplatform.core.enums import Door
from creditplatform.core.models import Agency, ApiClient, User
from creditplatform.core.models.people import Bilingual
from creditplatform.core.sealed import SealedTextField
from records.enums import BatchState, FeedFormat, KeyField, Rhythm, RowState
from records.models.catalogue import CatalogueEntry, chinese
from records.models.entitlement import refuse_foreign_source, source_kind_trigger
from records.querysets import FeedBatchQuerySet, FeedQuerySet, QuarantinedRowQuerySet

OPEN_STATES = [BatchState.RECEIVED, BatchState.CHECKING]  # a worker has them or will
UNFINISHED_STATES = [*OPEN_STATES, BatchState.MAPPING]  # or they wait for the unit
CLOSED_ROWS = [RowState.CORRECTED, RowState.DISCARDED]
TAKEN_UP_WITHIN = datetime.timedelta(minutes=1)


def soon() -> datetime.datetime:
    """When a batch that nobody has taken up by then is looked after."""
    return timezone.now() + TAKEN_UP_WITHIN


@audited
class Feed(Bilingual):
    """What a unit promises to send for an entry: form, columns, rhythm, expected size."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    agency = models.ForeignKey(Agency, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="feeds")
    entry = models.ForeignKey(CatalogueEntry, verbose_name=_("entry"), on_delete=models.PROTECT, related_name="feeds")
    field = models.CharField(_("key field"), max_length=30, choices=KeyField, blank=True)
    format = models.CharField(_("format"), max_length=10, choices=FeedFormat, default=FeedFormat.ANY)
    rhythm = models.CharField(_("rhythm"), max_length=10, choices=Rhythm)
    expected_min = models.PositiveIntegerField(_("fewest rows expected"), default=0)
    expected_max = models.PositiveIntegerField(_("most rows expected"), default=1_000_000)
    mapping = models.JSONField(_("column mapping"), default=dict, blank=True)
    constants = models.JSONField(_("values the file does not state"), default=dict, blank=True)
    dated_by_receipt = models.BooleanField(
        _("undated rows count from their first receipt"),
        default=False,
        help_text=_("For lists whose rows bear no date. A later delivery of the same row never moves the date."),
    )
    complete_list = models.BooleanField(
        _("each delivery is the complete list"),
        default=False,
        help_text=_("Records that a delivery no longer contains are proposed for withdrawal; an officer decides."),
    )
    sends_for = ArrayField(
        models.CharField(max_length=18), verbose_name=_("credit codes of units it sends for"), default=list, blank=True,
        help_text=_("Units outside the own ones whose decisions this feed brings."),
    )  # fmt: skip
    active = models.BooleanField(_("active"), default=True)
    since = models.DateTimeField(_("expected since"), db_default=Now(), editable=False)
    peer = models.ForeignKey(
        "records.ExchangePeer", verbose_name=_("handed in by the exchange peer"), null=True, editable=False,
        on_delete=models.PROTECT, related_name="feeds",
    )  # fmt: skip

    objects = FeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("feed")
        verbose_name_plural = _("feeds")
        ordering: ClassVar = ["code"]
        triggers: ClassVar = [
            source_kind_trigger(),
            pgtrigger.Trigger(
                name="expected_again",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("active"),  # type: ignore[no-untyped-call]
                func="IF NEW.active AND NOT OLD.active THEN NEW.since = now(); END IF; RETURN NEW;",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(expected_max__gte=F("expected_min")),
                name="feed_range_in_order",
                violation_error_message=_("The expected range runs from small to large."),
            ),
        ]

    def clean(self) -> None:
        """The unit is of a kind that may send the entry; the database refuses it in any case."""
        super().clean()
        refuse_foreign_source(self.agency_id, self.entry_id)


@guarded
class FeedBatch(models.Model):
    """One delivered file; at every moment received = accepted + unchanged + quarantined + rejected."""

    feed = models.ForeignKey(Feed, verbose_name=_("feed"), on_delete=models.PROTECT, related_name="batches")
    file_name = models.CharField(_("file"), max_length=200)
    stored_as = models.CharField(max_length=200, blank=True, editable=False)
    file_digest = models.CharField(_("digest (SHA-256)"), max_length=64)
    size = models.BigIntegerField(_("size (bytes)"))
    format = models.CharField(_("format"), max_length=10, blank=True)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    state = models.CharField(_("state"), max_length=20, choices=BatchState, default=BatchState.RECEIVED)
    received = models.PositiveIntegerField(_("rows received"), default=0)
    accepted = models.PositiveIntegerField(_("accepted"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    quarantined = models.PositiveIntegerField(_("set aside"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    problems = models.JSONField(_("problems"), default=dict)
    notes = models.JSONField(_("remarks on the file"), default=dict)
    columns = models.JSONField(_("columns of the file"), default=list)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_message = models.CharField(_("error in words"), max_length=500, blank=True)
    error_message_en = models.CharField(_("error in words, in English"), max_length=500, blank=True)
    dated_on = models.DateField(_("date of undated rows"), null=True, blank=True)
    reason = SealedTextField(_("reason of the correction"), null=True, blank=True)
    rerun = models.BooleanField(_("rows set aside, checked once more"), default=False, db_default=False)
    door = models.CharField(_("door"), max_length=10, choices=Door)
    submitted_by = models.ForeignKey(
        User, verbose_name=_("submitted by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    client = models.ForeignKey(
        ApiClient, verbose_name=_("machine client"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    received_at = models.DateTimeField(_("delivered"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("interrupted attempts"), default=0)
    due_at = models.DateTimeField(_("taken up again at the earliest"), default=soon)
    finished_at = models.DateTimeField(_("finished"), null=True)
    seconds = models.FloatField(_("seconds of work"), default=0)

    objects = FeedBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering: ClassVar = ["-received_at"]
        triggers: ClassVar = [
            # Records name their batch without a foreign key, so a batch stays.
            pgtrigger.Trigger(name="stays", when=pgtrigger.Before, operation=pgtrigger.Delete, func=APPEND_ONLY),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(received=F("accepted") + F("unchanged") + F("quarantined") + F("rejected")),
                name="batch_counts_add_up",
                violation_error_message=_("The counts of a batch add up."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNFINISHED_STATES, finished_at=None)
                | (~Q(state__in=UNFINISHED_STATES) & Q(finished_at__isnull=False)),
                name="batch_finished_is_dated",
                violation_error_message=_("A finished batch bears the time it ended, an open one none."),
            ),
            models.CheckConstraint(
                condition=~Q(state=BatchState.REFUSED) | ~Q(error_code=""),
                name="batch_refusal_has_reason",
                violation_error_message=_("A refused file has a reason."),
            ),
            models.UniqueConstraint(
                fields=["feed", "file_digest"],
                condition=Q(state__in=UNFINISHED_STATES),
                name="batch_one_open_per_file",
                violation_error_message=_("This file is being processed already."),
            ),
            models.UniqueConstraint(
                fields=["feed"],
                condition=Q(state__in=OPEN_STATES, rerun=True),
                name="batch_one_rerun_per_feed",
                violation_error_message=_("The rows of this feed are being checked once more already."),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["received_at"], name="batch_received"),
            models.Index(fields=["feed", "-received_at"], name="batch_last_of_feed"),
        ]

    def __str__(self) -> str:
        return f"{self.feed} #{self.pk}"

    @property
    def error_label(self) -> str:
        """The error in words, in the language of the page."""
        return self.error_message if chinese() else self.error_message_en


@guarded
class DeliveryKey(models.Model):
    """The name a machine client gave a delivery, so that one sent twice is taken in once (`Idempotency-Key`)."""

    client = models.ForeignKey(ApiClient, verbose_name=_("machine client"), on_delete=models.PROTECT, related_name="+")
    key = models.CharField(_("key of the delivery"), max_length=128)
    batch = models.ForeignKey(FeedBatch, verbose_name=_("batch"), on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("key of a delivery")
        verbose_name_plural = _("keys of deliveries")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["client", "key"],
                name="delivery_key_once",
                violation_error_message=_("This client has used this key for another delivery already."),
            ),
        ]

    def __str__(self) -> str:
        return self.key


@audited
class QuarantinedRow(models.Model):
    """A row that was not accepted: its cells sealed, every problem by field and code.

    A rejected row may not be kept at all (a minor's unfavourable record, say): only its place
    and the reason remain. `row_digest` is that of the cells as first delivered, so that the same row is never set
    aside twice; `decision` is a keyed digest of subject and number where both can be read; `revision` counts changes.
    """

    batch = models.ForeignKey(FeedBatch, verbose_name=_("batch"), on_delete=models.PROTECT, related_name="rows")
    feed = models.ForeignKey(Feed, verbose_name=_("feed"), on_delete=models.PROTECT, db_index=False)
    row_number = models.PositiveIntegerField(_("row"))
    line_number = models.PositiveIntegerField(_("line of the file"))
    cells = SealedTextField(_("cells"), null=True)
    row_digest = models.BinaryField(_("digest"), max_length=16)
    problems = models.JSONField(_("problems"))
    state = models.CharField(_("state"), max_length=10, choices=RowState)
    created_at = models.DateTimeField(_("set aside"), db_default=Now(), editable=False)
    decision = models.BigIntegerField(_("digest of the decision"), null=True, editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=0, db_default=0, editable=False)
    record = models.ForeignKey(
        "records.CreditRecord",
        verbose_name=_("record it became"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    corrected_in = models.ForeignKey(
        FeedBatch,
        verbose_name=_("taken in by batch"),
        null=True,
        on_delete=models.PROTECT,
        related_name="corrected_rows",
    )
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)
    closed_by = models.ForeignKey(
        User, verbose_name=_("closed by"), null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    reason = SealedTextField(_("reason of discarding"), null=True)

    objects = QuarantinedRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("row set aside")
        verbose_name_plural = _("rows set aside")
        ordering: ClassVar = ["batch", "row_number"]
        indexes: ClassVar = [
            models.Index(fields=["feed", "id"], condition=Q(state=RowState.OPEN), name="row_waiting"),
            models.Index(
                fields=["feed", "decision"],
                condition=Q(state=RowState.OPEN, decision__isnull=False),
                name="row_waiting_decision",
            ),
            GinIndex(
                fields=["problems"],
                opclasses=["jsonb_path_ops"],
                condition=Q(state=RowState.OPEN),
                name="row_waiting_problem",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["feed", "row_digest"],
                name="quarantined_row_once",
                violation_error_message=_("This row is set aside already."),
            ),
            models.CheckConstraint(
                condition=~Q(state=RowState.REJECTED) | Q(cells__isnull=True),
                name="rejected_row_not_kept",
                violation_error_message=_("The cells of a rejected row are not kept."),
            ),
            models.CheckConstraint(
                condition=~Q(problems=[]),
                name="quarantined_row_has_reason",
                violation_error_message=_("A row is set aside for a reason."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=CLOSED_ROWS, closed_at__isnull=False)
                | (~Q(state__in=CLOSED_ROWS) & Q(closed_at=None)),
                name="quarantined_row_closed_is_dated",
                violation_error_message=_("A row that is corrected or discarded bears the time, any other none."),
            ),
            models.CheckConstraint(
                condition=~Q(state=RowState.CORRECTED) | Q(corrected_in__isnull=False),
                name="quarantined_row_corrected_in_batch",
                violation_error_message=_("A corrected row names the batch that took it in."),
            ),
            models.CheckConstraint(
                condition=~Q(state=RowState.DISCARDED) | Q(reason__isnull=False),
                name="quarantined_row_discarded_with_reason",
                violation_error_message=_("A row is discarded for a reason."),
            ),
        ]

    def __str__(self) -> str:
        return gettext("Line %(line)s of batch %(batch)s") % {"line": self.line_number, "batch": self.batch_id}


@guarded
class UnitNotice(models.Model):
    """What a unit is told once a day: shown to its members until one of them has taken note. No personal values."""

    agency = models.ForeignKey(Agency, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="+")
    code = models.CharField(_("kind of notice"), max_length=60)
    day = models.DateField(_("day"))
    text = models.TextField(_("text"))
    text_en = models.TextField(_("text in English"))
    created_at = models.DateTimeField(_("written"), default=timezone.now, editable=False)
    read_at = models.DateTimeField(_("noted"), null=True, editable=False)
    read_by = models.ForeignKey(User, verbose_name=_("noted by"), null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("notice to a unit")
        verbose_name_plural = _("notices to units")
        ordering: ClassVar = ["-day", "code"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agency", "code", "day"],
                name="unit_notice_once",
                violation_error_message=_("The unit was told this today already."),
            ),
            models.CheckConstraint(
                condition=Q(read_at=None, read_by=None) | Q(read_at__isnull=False, read_by__isnull=False),
                name="unit_notice_read_by_somebody",
                violation_error_message=_("A notice is noted by a person at a time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.day.isoformat()}"

    @property
    def label(self) -> str:
        """The text in the language of the page."""
        return self.text if chinese() else self.text_en


class FeedMemory(models.Model):
    """What the rows of a feed's last delivery said and which record says so, so that the same row is known at sight.

    Made anew with every delivery and never the truth: each record is asked whether it still says the same. Holds keyed
    digests only, see `records.feeds.memory`.
    """

    feed = models.OneToOneField(Feed, on_delete=models.CASCADE, primary_key=True, related_name="memory")
    rows = models.BinaryField()
    batch_id = models.BigIntegerField()

    class Meta:
        verbose_name = _("memory of a feed")
        verbose_name_plural = _("memories of feeds")

    def __str__(self) -> str:
        return str(self.feed)
