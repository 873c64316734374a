"""Announcements: a unit tells a person beforehand that it intends to enter an unfavourable record."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited_without
from creditplatform.core.models import Agency, ApiClient, User
from creditplatform.core.sealed import BlindIndexField, SealedTextField
from creditplatform.core.vault import public_token
from records.enums import PriorNoticeState
from records.models.catalogue import CatalogueEntry
from records.models.record import CreditRecord
from records.models.subject import Subject
from records.querysets.announcements import PriorNoticeQuerySet

PRIOR_NOTICE_KIND = "prior-notice"
OPEN = [PriorNoticeState.ANNOUNCED, PriorNoticeState.REPLIED]
LONGEST_INTENDED, LONGEST_REPLY, LONGEST_ANSWER = 500, 1000, 500
LONGEST_CASE = 60


@audited_without("intended", "reply", "considered")
class PriorNotice(models.Model):
    """What a unit announces to a person, until when the person may reply, what was said, and how it ended.

    The person is named by the indexes of number and name as they were given, so that an announcement tells nobody
    whether the person is on file, and waits for somebody who has no account yet; `subject` is known once the person has
    replied or the record has come. `reply_until` is the last day for the reply. The words of both sides are sealed, in
    no history, and removed some time after the end (`cleared_at`). Guobanfa [2020] No. 49 for lists; here for every
    entry that speaks against its subjects.
    """

    number_index = BlindIndexField(_("index of the number"))
    name_index = BlindIndexField(_("index of the name"))
    subject = models.ForeignKey(
        Subject, verbose_name=_("person"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey(Agency, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="+")
    entry = models.ForeignKey(CatalogueEntry, verbose_name=_("entry"), on_delete=models.PROTECT, related_name="+")
    document_number = models.CharField(_("document number"), max_length=128, blank=True)
    case_number = models.CharField(_("case number"), max_length=LONGEST_CASE, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=PriorNoticeState, default=PriorNoticeState.ANNOUNCED)
    intended = SealedTextField(_("what is intended"), null=True)
    reply_until = models.DateField(_("reply until"))
    announced_at = models.DateTimeField(_("announced"), default=timezone.now)
    announced_by = models.ForeignKey(
        User, verbose_name=_("announced by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    client = models.ForeignKey(
        ApiClient, verbose_name=_("machine client"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    reply = SealedTextField(_("statement and defence"), null=True)
    replied_at = models.DateTimeField(_("replied"), null=True)
    considered = SealedTextField(_("how the reply was taken into account"), null=True)
    record = models.ForeignKey(
        CreditRecord, verbose_name=_("record"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(_("ended"), null=True)
    cleared_at = models.DateTimeField(_("words removed"), null=True)

    objects = PriorNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        ordering: ClassVar = ["-announced_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["number_index", "-announced_at"], name="prior_notice_of_person"),
            models.Index(fields=["agency", "-id"], name="prior_notice_of_unit"),
            models.Index(fields=["reply_until"], name="prior_notice_open", condition=Q(state__in=OPEN)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agency", "entry", "number_index", "document_number"],
                condition=Q(state__in=OPEN),
                name="prior_notice_once",
                violation_error_message=_("This is announced to the person already."),
            ),
            models.CheckConstraint(
                condition=Q(announced_by__isnull=False) ^ Q(client__isnull=False),
                name="prior_notice_by_one",
                violation_error_message=_("A record is announced by a member of the unit or by its system."),
            ),
            models.CheckConstraint(
                condition=Q(state=PriorNoticeState.FOLLOWED, record__isnull=False)
                | (~Q(state=PriorNoticeState.FOLLOWED) & Q(record=None)),
                name="prior_notice_followed_by_record",
                violation_error_message=_("The record that follows an announcement is named, and no other."),
            ),
            models.CheckConstraint(
                condition=Q(replied_at__isnull=False, subject__isnull=False)
                | Q(
                    ~Q(state=PriorNoticeState.REPLIED), replied_at=None, reply__isnull=True, considered__isnull=True
                ),
                name="prior_notice_reply_is_dated",
                violation_error_message=_("A reply has its day, and comes before what the unit says of it."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, ended_at=None) | (~Q(state__in=OPEN) & Q(ended_at__isnull=False)),
                name="prior_notice_end_is_dated",
                violation_error_message=_("An announcement that has ended says when."),
            ),
            models.CheckConstraint(
                condition=Q(cleared_at=None, intended__isnull=False)
                | Q(cleared_at__isnull=False, ended_at__isnull=False, intended__isnull=True, reply__isnull=True,
                    considered__isnull=True),
                name="prior_notice_forgets",
                violation_error_message=_("The words of an announcement are kept until some time after its end."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"#{self.pk} · {self.get_state_display()}"

    @property
    def number(self) -> str:
        """The number of the announcement: 128 bits, not to be guessed."""
        return public_token(PRIOR_NOTICE_KIND, self.pk)

    @property
    def is_open(self) -> bool:
        """Whether the record may still come."""
        return self.state in OPEN

    @property
    def takes_reply(self) -> bool:
        """Whether the person may still reply: once, and up to the end of the last day."""
        return self.state == PriorNoticeState.ANNOUNCED and timezone.localdate() <= self.reply_until

    @property
    def came_early(self) -> bool:
        """Whether the record came while the person had not replied and could have."""
        if self.state != PriorNoticeState.FOLLOWED or self.replied_at or self.ended_at is None:
            return False
        return timezone.localdate(self.ended_at) <= self.reply_until
