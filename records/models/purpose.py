"""For what, by whom and on what basis personal credit information may be used; and for how long consent lasts."""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited
from creditplatform.core.enums import AgencyKind
from creditplatform.core.models import Agency, Site
from creditplatform.core.models.people import Bilingual
from records.enums import PurposeState, UseArea
from records.models.catalogue import LegalBasis, chinese
from records.querysets.queries import PurposeQuerySet, PurposeUserQuerySet

BASIS_CONFIRMED = """
IF NEW.state = 'in_force' AND NOT EXISTS (
    SELECT 1 FROM records_legalbasis b WHERE b.code = NEW.legal_basis_id AND b.confirmed
) THEN
    RAISE EXCEPTION 'a purpose is in force only with a confirmed legal basis' USING ERRCODE = 'CR004';
END IF;
RETURN NEW;
"""


@audited
class Purpose(Bilingual):
    """A use of personal credit information (H2.2, H2.3, H3.1, G12, G13): basis, fields, whether consent is needed.

    `fields` names kinds of record, each as `entry` (its open fields) or `entry.field`. `statute` says that the
    legal basis itself allows the query, without consent of the person.
    """

    code = models.SlugField(_("code"), max_length=60, primary_key=True)
    area = models.CharField(_("area"), max_length=20, choices=UseArea)
    state = models.CharField(_("state"), max_length=10, choices=PurposeState, default=PurposeState.DRAFT)
    site = models.ForeignKey(
        Site, verbose_name=_("public site"), null=True, blank=True, on_delete=models.PROTECT,
        help_text=_("Empty: both places."),
    )  # fmt: skip
    legal_basis = models.ForeignKey(
        LegalBasis, verbose_name=_("legal basis"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    clause = models.CharField(_("clause of the plan"), max_length=20, blank=True)
    explanation = models.TextField(_("what it is for"))
    explanation_en = models.TextField(_("what it is for, in English"))
    fields = ArrayField(models.CharField(max_length=100), verbose_name=_("fields"))
    needs_consent = models.BooleanField(_("needs the person's consent"), default=True)
    needs_approval = models.BooleanField(_("a supervisor approves each query"), default=False)
    gives_records = models.BooleanField(_("shows records"), default=True)
    gives_eligibility = models.BooleanField(_("answers whether the record is clean"), default=False)
    longest_days = models.PositiveSmallIntegerField(_("longest consent (days)"), default=90)
    most_uses = models.PositiveSmallIntegerField(_("most uses of one consent"), default=3)
    asked_by_kinds = ArrayField(
        models.CharField(max_length=20, choices=AgencyKind), verbose_name=_("kinds of unit that may ask")
    )

    objects = PurposeQuerySet.as_manager()

    class Meta:
        verbose_name = _("purpose of use")
        verbose_name_plural = _("purposes of use")
        ordering: ClassVar = ["area", "code"]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="basis_confirmed",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=BASIS_CONFIRMED,
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state=PurposeState.DRAFT) | Q(legal_basis__isnull=False),
                name="purpose_has_basis",
                violation_error_message=_("A purpose in force names its legal basis."),
            ),
            models.CheckConstraint(
                condition=~Q(fields=[]) & ~Q(asked_by_kinds=[]),
                name="purpose_has_fields",
                violation_error_message=_("A purpose names what may be seen and who may ask."),
            ),
            models.CheckConstraint(
                condition=Q(gives_records=True) | Q(gives_eligibility=True),
                name="purpose_gives_something",
                violation_error_message=_("A purpose shows records, or answers whether the record is clean."),
            ),
        ]

    @property
    def explanation_label(self) -> str:
        """What the use is for, in the language of the page."""
        return self.explanation if chinese() else self.explanation_en


@audited
class PurposeUser(models.Model):
    """A unit may ask for a purpose."""

    purpose = models.ForeignKey(Purpose, verbose_name=_("purpose"), on_delete=models.PROTECT, related_name="users")
    agency = models.ForeignKey(Agency, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="purposes")
    valid_from = models.DateField(_("from"), default=timezone.localdate)
    valid_until = models.DateField(_("until"), null=True, blank=True)

    objects = PurposeUserQuerySet.as_manager()

    class Meta:
        verbose_name = _("unit that uses a purpose")
        verbose_name_plural = _("units that use purposes")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["purpose", "agency"],
                name="purpose_user_once",
                violation_error_message=_("The unit may use this purpose already."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="purpose_user_ends_after_start",
                violation_error_message=_("The use of a purpose ends after it began."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency} · {self.purpose}"
