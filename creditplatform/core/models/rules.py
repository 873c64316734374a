"""Dated values of rules, and the calendar of working days."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited
from creditplatform.core.labels import counted
from creditplatform.core.models.people import Period, Site, User


@audited
class RuleValue(models.Model):
    """A number or word of the law with the time it holds; in force once a second person approved it.

    Values delivered with a release were reviewed there and carry `delivered`; every other value
    needs two different people.
    """

    key = models.CharField(_("key"), max_length=100)
    site = models.ForeignKey(Site, verbose_name=_("only for site"), null=True, blank=True, on_delete=models.PROTECT)
    value = models.JSONField(_("value"))
    unit = models.CharField(_("unit"), max_length=40, blank=True)
    valid_from = models.DateField(_("from"))
    valid_until = models.DateField(_("until"), null=True, blank=True)
    legal_basis = models.CharField(_("legal basis"), max_length=300)
    legal_basis_en = models.CharField(_("legal basis in English"), max_length=300, blank=True)
    source = models.CharField(_("source"), max_length=300, blank=True)
    confirmed = models.BooleanField(_("confirmed against the source"), default=False)
    delivered = models.BooleanField(_("delivered with a release"), default=False, editable=False)
    entered_by = models.ForeignKey(
        User, verbose_name=_("entered by"), null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        User, verbose_name=_("approved by"), null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    in_force = models.BooleanField(_("in force"), default=False, editable=False)

    class Meta:
        verbose_name = _("rule value")
        verbose_name_plural = _("rule values")
        ordering: ClassVar = ["key", "valid_from"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="rule_value_ends_after_start",
                violation_error_message=_("A rule value ends after it began."),
            ),
            models.CheckConstraint(
                condition=Q(in_force=False)
                | Q(delivered=True)
                | (Q(entered_by__isnull=False) & Q(approved_by__isnull=False) & ~Q(entered_by=F("approved_by"))),
                name="rule_value_two_people",
                violation_error_message=_("A rule value needs the approval of a second person."),
            ),
            models.CheckConstraint(
                condition=Q(in_force=False) | (Q(confirmed=True) & ~Q(legal_basis="")),
                name="rule_value_basis_confirmed",
                violation_error_message=_("A rule value is in force only with a confirmed legal basis."),
            ),
            ExclusionConstraint(
                name="rule_value_one_at_a_time",
                expressions=[
                    ("key", RangeOperators.EQUAL),
                    (Coalesce("site_id", 0), RangeOperators.EQUAL),
                    (Period(), RangeOperators.OVERLAPS),
                ],
                condition=Q(in_force=True),
                violation_error_message=_("Another value of this rule is in force at that time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} = {counted(self.value, self.unit)}"

    @property
    def basis_label(self) -> str:
        """The legal basis in the language of the page."""
        chinese = (get_language() or "zh").startswith("zh")
        return self.legal_basis if chinese else self.legal_basis_en or self.legal_basis


@audited
class CalendarDay(models.Model):
    """A day of an announced year: working or not, and why. Editable when the State Council changes it."""

    day = models.DateField(_("day"), primary_key=True)
    working = models.BooleanField(_("working day"))
    name = models.CharField(_("holiday"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("calendar day")
        verbose_name_plural = _("calendar days")
        ordering: ClassVar = ["day"]

    def __str__(self) -> str:
        return self.day.isoformat()
