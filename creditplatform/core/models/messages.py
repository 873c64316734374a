"""News between apps, messages to people, signs of life."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import append_only
from creditplatform.core.enums import NoticeChannel
from creditplatform.core.models.people import User
from creditplatform.core.sealed import BlindIndexField, SealedTextField


class OutboxEvent(models.Model):
    """News written in the transaction that made it, delivered after it. Payloads hold keys, never personal values."""

    topic = models.CharField(_("topic"), max_length=60)
    payload = models.JSONField(_("payload"), default=dict)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    done_at = models.DateTimeField(_("delivered to all"), null=True)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes: ClassVar = [models.Index(fields=["due_at"], condition=Q(done_at=None), name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.topic} #{self.pk}"


@append_only
class Receipt(models.Model):
    """A consumer has taken an event; it will not be given it again."""

    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, related_name="receipts")
    consumer = models.CharField(_("consumer"), max_length=100)
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event", "consumer"],
                name="receipt_once",
                violation_error_message=_("This consumer has taken the event already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.consumer} #{self.event_id}"


class Notice(models.Model):
    """A message to a person, with channel, proof of delivery and time of reading.

    `addressee` is the blind index of the person's document number, so that someone who has no
    account yet finds the notice when binding one.
    """

    addressee = BlindIndexField(_("person concerned"))
    user = models.ForeignKey(User, verbose_name=_("account"), null=True, on_delete=models.PROTECT)
    code = models.CharField(_("kind of notice"), max_length=60)
    text = SealedTextField(_("text"))
    text_en = SealedTextField(_("text in English"))
    subject_key = models.CharField(_("about"), max_length=100)
    channel = models.CharField(_("channel"), max_length=10, choices=NoticeChannel, default=NoticeChannel.SITE)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    delivery_proof = models.CharField(_("proof of delivery"), max_length=200, blank=True)
    read_at = models.DateTimeField(_("read"), null=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        indexes: ClassVar = [models.Index(fields=["addressee", "-created_at"], name="notice_addressee")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["addressee", "code", "subject_key"],
                name="notice_once",
                violation_error_message=_("This notice was already written."),
            ),
            models.CheckConstraint(
                condition=Q(read_at=None) | Q(delivered_at__isnull=False),
                name="notice_read_after_delivery",
                violation_error_message=_("A notice is read only after it was delivered."),
            ),
            models.CheckConstraint(
                condition=Q(delivered_at=None) | ~Q(delivery_proof=""),
                name="notice_delivery_proven",
                violation_error_message=_("Delivery needs its proof."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {timezone.localdate(self.created_at):%Y-%m-%d}"


@append_only
class StepEvent(models.Model):
    """A step taken in a procedure: which, from where to where, by whom, why."""

    workflow = models.CharField(_("procedure"), max_length=40)
    case_ref = models.BigIntegerField(_("case"))
    step = models.CharField(_("step"), max_length=40)
    from_state = models.CharField(_("from"), max_length=30)
    to_state = models.CharField(_("to"), max_length=30)
    actor = models.ForeignKey(User, verbose_name=_("by"), null=True, on_delete=models.PROTECT, related_name="+")
    door = models.CharField(_("way in"), max_length=10, blank=True)
    reason = models.CharField(_("reason"), max_length=2000, blank=True)
    at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [models.Index(fields=["workflow", "case_ref"], name="step_of_case")]

    def __str__(self) -> str:
        return f"{self.workflow} #{self.case_ref}: {self.step}"


class Heartbeat(models.Model):
    """The last sign of life of a worker, timer or feed."""

    name = models.CharField(_("name"), max_length=60, primary_key=True)
    at = models.DateTimeField(_("last seen"), default=timezone.now)
    expected_seconds = models.PositiveIntegerField(_("expected every (seconds)"), default=60)

    class Meta:
        verbose_name = _("sign of life")
        verbose_name_plural = _("signs of life")

    def __str__(self) -> str:
        return self.name
