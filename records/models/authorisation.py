"""Consent of a person, bounded and revocable, and links by which a person shows a part of the own file."""

import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited
from creditplatform.core.models import Agency, ApiClient, User
from creditplatform.core.sealed import BlindIndexField, SealedTextField
from creditplatform.core.vault import public_token
from records.enums import AuthorisationState
from records.models.purpose import Purpose
from records.models.subject import Subject
from records.querysets.queries import AuthorisationQuerySet

AUTHORISATION_KIND = "authorisation"
SHARE_KIND = "share-link"
UNANSWERED = [AuthorisationState.REQUESTED, AuthorisationState.REFUSED, AuthorisationState.RECALLED]
MOST_WRONG_CODES = 5


@audited
class Authorisation(models.Model):
    """What a unit asked to see for a purpose, and what the person allowed (ISO/IEC TS 27560).

    Times are instants: consent holds from `valid_from` until just before `expires_at`. Whether it may be used is asked
    of `objects.usable(at=...)`, never of the state alone. `uses` counts what was used of `uses_allowed`.

    The person is named by the indexes of number and name as they were asked, so that a request tells nobody whether
    the person is on file, and waits for somebody who has no account yet; `subject` is known once it is answered.
    """

    number_index = BlindIndexField(_("index of the number"))
    name_index = BlindIndexField(_("index of the name"))
    subject = models.ForeignKey(
        Subject, verbose_name=_("person"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    agency = models.ForeignKey(Agency, verbose_name=_("unit that asks"), on_delete=models.PROTECT, related_name="+")
    purpose = models.ForeignKey(Purpose, verbose_name=_("purpose"), on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        _("state"), max_length=10, choices=AuthorisationState, default=AuthorisationState.REQUESTED
    )
    case_number = models.CharField(_("case number"), max_length=60, blank=True)
    message = SealedTextField(_("message to the person"), null=True, blank=True)
    requested_fields = ArrayField(models.CharField(max_length=100), verbose_name=_("fields asked for"))
    granted_fields = ArrayField(models.CharField(max_length=100), verbose_name=_("fields allowed"), default=list)
    requested_at = models.DateTimeField(_("asked"), default=timezone.now)
    requested_by = models.ForeignKey(
        User, verbose_name=_("asked by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    client = models.ForeignKey(
        ApiClient, verbose_name=_("machine client"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    answer_until = models.DateTimeField(_("to be answered until"))
    decided_at = models.DateTimeField(_("answered"), null=True)
    decided_by = models.ForeignKey(
        User, verbose_name=_("answered by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    valid_from = models.DateTimeField(_("from"), null=True)
    expires_at = models.DateTimeField(_("until"), null=True)
    uses_allowed = models.PositiveSmallIntegerField(_("uses allowed"), default=1)
    uses = models.PositiveSmallIntegerField(_("uses made"), default=0)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = AuthorisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("authorisation")
        verbose_name_plural = _("authorisations")
        ordering: ClassVar = ["-requested_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["number_index", "-requested_at"], name="authorisation_of_person"),
            models.Index(fields=["agency", "-requested_at"], name="authorisation_of_unit"),
            models.Index(
                fields=["number_index", "agency", "purpose"],
                name="authorisation_usable",
                condition=Q(state=AuthorisationState.GRANTED),
            ),
            models.Index(
                fields=["answer_until"],
                name="authorisation_unanswered",
                condition=Q(state=AuthorisationState.REQUESTED),
            ),
            models.Index(
                fields=["expires_at"], name="authorisation_expiry", condition=Q(state=AuthorisationState.GRANTED)
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(uses__lte=F("uses_allowed")) & Q(uses_allowed__gte=1),
                name="authorisation_within_uses",
                violation_error_message=_("An authorisation is not used more often than the person allowed."),
            ),
            models.CheckConstraint(
                condition=Q(granted_fields__contained_by=F("requested_fields")),
                name="authorisation_within_request",
                violation_error_message=_("Only what was asked for can be allowed."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*UNANSWERED, AuthorisationState.EXPIRED])
                | (
                    Q(subject__isnull=False, decided_at__isnull=False)
                    & Q(valid_from__isnull=False, expires_at__isnull=False)
                    & ~Q(granted_fields=[])
                ),
                name="authorisation_granted_is_bounded",
                violation_error_message=_("An authorisation names its fields, its answer and its end."),
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("valid_from")),
                name="authorisation_ends_after_start",
                violation_error_message=_("An authorisation ends after it began."),
            ),
            models.CheckConstraint(
                condition=Q(requested_by__isnull=False) ^ Q(client__isnull=False),
                name="authorisation_asked_by_one",
                violation_error_message=_("An authorisation is asked for by a member of the unit or by its system."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.get_state_display()}"

    @property
    def number(self) -> str:
        """The number of the receipt: 128 bits, not to be guessed."""
        return public_token(AUTHORISATION_KIND, self.pk)

    def usable_at(self, at: datetime.datetime) -> bool:
        """Whether it may be used at that moment."""
        return bool(
            self.state == AuthorisationState.GRANTED
            and self.valid_from
            and self.expires_at
            and self.valid_from <= at < self.expires_at
            and self.uses < self.uses_allowed
        )

    def lasts_at(self, at: datetime.datetime) -> bool:
        """Whether it was granted and neither withdrawn nor ended at that moment, whether or not its uses are made."""
        standing = self.state in (AuthorisationState.GRANTED, AuthorisationState.USED)
        return bool(standing and self.valid_from and self.expires_at and self.valid_from <= at < self.expires_at)


@audited
class ShareLink(models.Model):
    """A link by which a person shows chosen parts of the own file once, to whoever has link and code.

    `reader_index` is a keyed digest of the mark that the reader's browser bears, by which a page sent twice or loaded
    anew within minutes is the same reading.
    """

    subject = models.ForeignKey(Subject, verbose_name=_("person"), on_delete=models.PROTECT, related_name="+")
    made_by = models.ForeignKey(User, verbose_name=_("made by"), on_delete=models.PROTECT, related_name="+")
    recipient = SealedTextField(_("for whom"), null=True, blank=True)
    fields = ArrayField(models.CharField(max_length=100), verbose_name=_("fields"))
    code_hash = models.CharField(max_length=128, editable=False)
    wrong_codes = models.PositiveSmallIntegerField(_("wrong codes"), default=0)
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    expires_at = models.DateTimeField(_("until"))
    opened_at = models.DateTimeField(_("opened"), null=True)
    reader_index = BlindIndexField(null=True)  # type: ignore[misc]  # None before it was opened
    revoked_at = models.DateTimeField(_("withdrawn"), null=True)

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        ordering: ClassVar = ["-made_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["subject", "-made_at"], name="share_link_of_person")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("made_at")) & ~Q(fields=[]),
                name="share_link_bounded",
                violation_error_message=_("A share link names what it shows and ends after it was made."),
            ),
            models.CheckConstraint(
                condition=Q(wrong_codes__lte=MOST_WRONG_CODES),
                name="share_link_guesses",
                violation_error_message=_("A share link is closed after five wrong codes."),
            ),
            models.CheckConstraint(
                condition=Q(opened_at=None) | Q(opened_at__lt=F("expires_at")),
                name="share_link_opened_in_time",
                violation_error_message=_("A share link is not opened after its end."),
            ),
            models.CheckConstraint(
                condition=Q(opened_at=None) | Q(revoked_at=None, wrong_codes__lt=MOST_WRONG_CODES),
                name="share_link_closed_stays_closed",
                violation_error_message=_("A share link that was withdrawn or closed is not opened."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def token(self) -> str:
        """The address of the link: 128 bits, not to be guessed."""
        return public_token(SHARE_KIND, self.pk)
