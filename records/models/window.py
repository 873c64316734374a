"""What officials do at the window for a person who cannot get into the own account."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited_without, guarded
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import Agency, User
from creditplatform.core.sealed import SealedTextField
from creditplatform.core.vault import public_token
from records.enums import SeenPapers, WindowAct, WindowRequestState
from records.models.subject import Subject
from records.querysets.queries import WindowRequestQuerySet

MOST_WRONG = 5
WINDOW_KIND = "window-request"


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


@audited_without("asked_number", "asked_name")
class WindowRequest(models.Model):
    """An act that opens an account to whoever holds it, entered by one official and decided on by another.

    What the first has read from the papers stands in the `asked_` columns until it is decided, and in no history; the
    second compares it with the same papers. `person` is empty while nobody is on file under the number.
    """

    act = models.CharField(_("act"), max_length=10, choices=WindowAct)
    user = models.ForeignKey(User, verbose_name=_("account"), on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(
        Subject, verbose_name=_("person"), null=True, on_delete=models.PROTECT, related_name="+"
    )  # fmt: skip
    agency = models.ForeignKey(Agency, verbose_name=_("credit centre"), on_delete=models.PROTECT, related_name="+")
    asked_kind = models.CharField(max_length=30, blank=True, choices=IdentifierKind.choices(), editable=False)
    asked_number = SealedTextField(_("number as read"), null=True, editable=False)
    asked_name = SealedTextField(_("name as read"), null=True, editable=False)
    papers = models.CharField(_("papers seen"), max_length=20, choices=SeenPapers)
    requested_by = models.ForeignKey(User, verbose_name=_("entered by"), on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("entered"), default=timezone.now)
    expires_at = models.DateTimeField(_("until"))
    state = models.CharField(
        _("state"), max_length=10, choices=WindowRequestState, default=WindowRequestState.REQUESTED
    )
    decided_by = models.ForeignKey(
        User, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    refusal = SealedTextField(_("reason of the refusal"), null=True, blank=True)

    objects = WindowRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request at the window")
        verbose_name_plural = _("requests at the window")
        ordering: ClassVar = ["-requested_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(act__in=[WindowAct.MOVE, WindowAct.CODE]),
                name="window_request_act",
                violation_error_message=_("One official alone binds a new account."),
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("requested_at")),
                name="window_request_ends",
                violation_error_message=_("A request at the window ends after it was entered."),
            ),
            models.CheckConstraint(
                condition=(Q(decided_by=None) | ~Q(decided_by=F("requested_by"))),
                name="window_request_two_officials",
                violation_error_message=_("Nobody confirms what they have entered."),
            ),
            models.CheckConstraint(
                condition=~Q(user=F("requested_by")) & (Q(decided_by=None) | ~Q(decided_by=F("user"))),
                name="window_request_not_own",
                violation_error_message=_("Nobody serves themselves at the window."),
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[WindowRequestState.CONFIRMED, WindowRequestState.REFUSED],
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                )
                | Q(
                    state__in=[
                        WindowRequestState.REQUESTED,
                        WindowRequestState.WITHDRAWN,
                        WindowRequestState.LAPSED,
                    ],
                    decided_by=None,
                ),
                name="window_request_decided_by_second",
                violation_error_message=_("A second official confirms or refuses, and nobody else."),
            ),
            models.CheckConstraint(
                condition=Q(state=WindowRequestState.REQUESTED, asked_number__isnull=False, asked_name__isnull=False)
                | (
                    ~Q(state=WindowRequestState.REQUESTED)
                    & Q(asked_kind="", asked_number__isnull=True, asked_name__isnull=True)
                ),
                name="window_request_forgets",
                violation_error_message=_("What was read from the papers is kept until it is decided, and no longer."),
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(state=WindowRequestState.REQUESTED),
                name="window_request_one_open",
                violation_error_message=_("For this account something waits for a second official already."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.get_act_display()}"

    @property
    def token(self) -> str:
        """The number of the request: 128 bits, not to be guessed."""
        return public_token(WINDOW_KIND, self.pk)
