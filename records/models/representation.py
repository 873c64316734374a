"""Who acts for whom: guardians, representatives with a power of attorney, near relatives of the deceased."""

import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited_without
from creditplatform.core.enums import Authority
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import User
from creditplatform.core.sealed import BlindIndexField, SealedTextField
from creditplatform.core.vault import public_token
from records.enums import RepresentationKind, RepresentationPapers, RepresentationScope, RepresentationState
from records.models.subject import Subject
from records.querysets.queries import RepresentationQuerySet

REPRESENTATION_KIND = "representation"


@audited_without("asked_number", "asked_name")
class Representation(models.Model):
    """One person acts for another, within a scope, from a day on and up to the day before another one.

    `papers` names the file in the private store with the document that proves it, `papers_digest` its SHA-256.
    `checked_by` looked at the papers first, `decided_by` confirmed or refused. `contested_at` and `objection` are of
    the last time the person said that it is not right, the `settled_` columns and `grounds` of the decision on that.
    Until an official confirms it, nobody is looked up: what the representative wrote stands in the `asked_` columns,
    and its name and number in no history. From `cleared_at` on the papers are gone, their digest stays.
    """

    person = models.ForeignKey(
        Subject, verbose_name=_("person represented"), null=True, on_delete=models.PROTECT,
        related_name="represented_by",
    )  # fmt: skip
    asked_kind = models.CharField(max_length=30, blank=True, choices=IdentifierKind.choices(), editable=False)
    asked_number = SealedTextField(_("number of the person, as written"), null=True, editable=False)
    asked_name = SealedTextField(_("name of the person, as written"), null=True, editable=False)
    asked_index = BlindIndexField(null=True)  # type: ignore[misc]  # None once it is decided
    representative = models.ForeignKey(
        Subject, verbose_name=_("representative"), on_delete=models.PROTECT, related_name="represents"
    )
    kind = models.CharField(_("by what right"), max_length=10, choices=RepresentationKind)
    scope = ArrayField(models.CharField(max_length=10, choices=RepresentationScope), verbose_name=_("may"))
    valid_from = models.DateField(_("from"), default=timezone.localdate)
    valid_until = models.DateField(_("until"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=RepresentationState, default=RepresentationState.REQUESTED
    )
    papers = models.CharField(max_length=200, blank=True, editable=False)
    papers_digest = models.CharField(max_length=64, blank=True, editable=False)
    papers_kind = models.CharField(_("papers"), max_length=100, choices=RepresentationPapers)
    requested_by = models.ForeignKey(User, verbose_name=_("asked by"), on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("asked"), default=timezone.now)
    checked_by = models.ForeignKey(
        User, verbose_name=_("papers checked by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    checked_at = models.DateTimeField(_("papers checked"), null=True)
    decided_by = models.ForeignKey(
        User, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    refusal = SealedTextField(_("reason of the refusal"), null=True, blank=True)
    contested_at = models.DateTimeField(_("contested"), null=True)
    objection = SealedTextField(_("what the person says against it"), null=True, blank=True)
    settled_by = models.ForeignKey(
        User, verbose_name=_("decided on the objection by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    settled_at = models.DateTimeField(_("objection decided"), null=True)
    grounds = SealedTextField(_("grounds of that decision"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    cleared_at = models.DateTimeField(_("papers removed"), null=True)

    objects = RepresentationQuerySet.as_manager()

    class Meta:
        verbose_name = _("representation")
        verbose_name_plural = _("representations")
        ordering: ClassVar = ["-requested_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(person=F("representative")),
                name="representation_two_persons",
                violation_error_message=_("Nobody represents themselves."),
            ),
            models.CheckConstraint(
                condition=~Q(scope=[]),
                name="representation_has_scope",
                violation_error_message=_("A representation says what the representative may do."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="representation_ends_after_start",
                violation_error_message=_("A representation ends after it began."),
            ),
            models.CheckConstraint(
                condition=~Q(kind=RepresentationKind.ATTORNEY) | Q(valid_until__isnull=False),
                name="representation_attorney_has_end",
                violation_error_message=_("A power of attorney has an end."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=[RepresentationState.REQUESTED, RepresentationState.CHECKED])
                | Q(decided_at__isnull=False, decided_by__isnull=False)
                | Q(state=RepresentationState.ENDED),
                name="representation_decided_by_somebody",
                violation_error_message=_("An official decides on a representation, after seeing the papers."),
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                name="representation_two_people",
                violation_error_message=_("Nobody confirms a representation they asked for."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[RepresentationState.CHECKED, RepresentationState.CONFIRMED])
                | Q(checked_at__isnull=False, checked_by__isnull=False),
                name="representation_checked_first",
                violation_error_message=_("One official checks the papers before another one confirms."),
            ),
            models.CheckConstraint(
                condition=Q(checked_by=None)
                | ~Q(checked_by=F("requested_by"))
                & (Q(state=RepresentationState.REFUSED) | Q(decided_by=None) | ~Q(checked_by=F("decided_by"))),
                name="representation_two_officials",
                violation_error_message=_("Whoever checked the papers neither asked for it nor confirms it."),
            ),
            models.CheckConstraint(
                condition=~Q(state=RepresentationState.CONTESTED) | Q(contested_at__isnull=False),
                name="representation_contested_at_a_time",
                violation_error_message=_("What is contested says since when."),
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by=None, grounds__isnull=True)
                | Q(settled_at__isnull=False, settled_by__isnull=False, grounds__isnull=False)
                & ~Q(settled_by=F("decided_by")),
                name="representation_settled_by_another",
                violation_error_message=_("Somebody who had not confirmed it decides on an objection, with grounds."),
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False)
                | Q(cleared_at__isnull=False)
                | (
                    Q(asked_name__isnull=False)
                    & ~Q(state__in=[RepresentationState.CONFIRMED, RepresentationState.CONTESTED])
                ),
                name="representation_of_somebody",
                violation_error_message=_("A representation says whom it is about; once confirmed, by the file."),
            ),
            models.CheckConstraint(
                condition=Q(cleared_at=None)
                | Q(papers="", asked_name__isnull=True, asked_number__isnull=True)
                & Q(state__in=[RepresentationState.REFUSED, RepresentationState.ENDED]),
                name="representation_cleared_when_ended",
                violation_error_message=_("Papers are removed once the representation has ended."),
            ),
            models.UniqueConstraint(
                fields=["asked_index", "representative", "kind"],
                condition=Q(state__in=[RepresentationState.REQUESTED, RepresentationState.CHECKED]),
                name="representation_asked_once",
                violation_error_message=_("This representation exists already, or is being checked."),
            ),
            models.UniqueConstraint(
                fields=["person", "representative", "kind"],
                condition=~Q(state__in=[RepresentationState.REFUSED, RepresentationState.ENDED]),
                name="representation_once",
                violation_error_message=_("This representation exists already, or is being checked."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} · {self.get_kind_display()}"

    @property
    def last_day(self) -> datetime.date | None:
        """The last day on which it holds; `valid_until` is the first day after it."""
        return self.valid_until and self.valid_until - datetime.timedelta(days=1)

    @property
    def holds_today(self) -> bool:
        """Whether the representative may act today."""
        today = timezone.localdate()
        lasting = self.valid_until is None or today < self.valid_until
        return self.state == RepresentationState.CONFIRMED and self.valid_from <= today and lasting

    @property
    def authority(self) -> Authority:
        """On what the looks of the representative rest: the person's own word, or the law."""
        return Authority.CONSENT if self.kind == RepresentationKind.ATTORNEY else Authority.STATUTE

    @property
    def token(self) -> str:
        """The number of the representation: 128 bits, not to be guessed."""
        return public_token(REPRESENTATION_KIND, self.pk)
