"""Whom records are about, and how persons belong to organisations and key groups."""

import datetime
from typing import ClassVar

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited
from creditplatform.core.identity import PERSON_KINDS, IdentifierKind
from creditplatform.core.models import User
from creditplatform.core.models.people import Bilingual, Period
from creditplatform.core.sealed import BlindIndexField, SealedTextField
from records.enums import AffiliationRole, SeenPapers, SubjectKind
from records.querysets import SubjectQuerySet, TieQuerySet

PERSONAL_KINDS = sorted(kind.value for kind in PERSON_KINDS)
WINDOW = "window"  # in place of an adapter's name, where an official has seen the papers
PLACEHOLDER = r"^0+[0X]?$"
# Records name their subject without a row-level foreign key. The lock waits for those that are just coming in and keeps
# others out until this transaction ends, so that none of them can slip between the question and the change.
ON_RECORD = """
LOCK TABLE records_creditrecord IN SHARE ROW EXCLUSIVE MODE;
IF EXISTS (SELECT 1 FROM records_creditrecord r WHERE r.subject_id = OLD.id) THEN
    RAISE EXCEPTION 'a subject on record is neither removed nor changed in kind' USING ERRCODE = 'CR006';
END IF;
"""


@audited
class Subject(models.Model):
    """A natural person, organisation or individual business, known by one document number.

    Number and name of a person are sealed and found by blind index alone; organisations keep
    `code` and `name` in clear, with the grams of the name for search and `codes` for every
    number they are known by. Rows bind by `number_index`, never by name.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=SubjectKind)
    identifier_kind = models.CharField(_("kind of document"), max_length=30, choices=IdentifierKind.choices())
    number_index = BlindIndexField(_("index of the number"))
    name_index = BlindIndexField(_("index of the name"))
    number_sealed = SealedTextField(_("number"), null=True)
    name_sealed = SealedTextField(_("name"), null=True)
    phone_sealed = SealedTextField(_("telephone"), null=True, blank=True)
    address_sealed = SealedTextField(_("address"), null=True, blank=True)
    code = models.CharField(_("code"), max_length=50, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    codes = ArrayField(models.CharField(max_length=50), verbose_name=_("all codes"), default=list, blank=True)
    grams = ArrayField(models.CharField(max_length=2), verbose_name=_("name grams"), default=list, blank=True)
    created_at = models.DateTimeField(_("first seen"), db_default=Now(), editable=False)

    objects = SubjectQuerySet.as_manager()

    class Meta:
        verbose_name = _("subject")
        verbose_name_plural = _("subjects")
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="stays_while_on_record",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=f"{ON_RECORD}RETURN OLD;",
            ),
            pgtrigger.Trigger(
                name="kind_stays_while_on_record",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("kind"),  # type: ignore[no-untyped-call]
                func=f"IF NEW.kind IS DISTINCT FROM OLD.kind THEN {ON_RECORD} END IF; RETURN NEW;",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["number_index"],
                name="subject_number_once",
                violation_error_message=_("A subject with this number exists already."),
            ),
            models.UniqueConstraint(
                fields=["id", "kind"],
                name="subject_with_its_kind",
                violation_error_message=_("A subject has one kind."),
            ),
            models.CheckConstraint(
                condition=~Q(kind=SubjectKind.PERSON)
                | Q(code="", name="", codes=[], grams=[], number_sealed__isnull=False, name_sealed__isnull=False),
                name="subject_person_sealed",
                violation_error_message=_("Number and name of a person are kept encrypted only."),
            ),
            models.CheckConstraint(
                condition=Q(kind=SubjectKind.PERSON)
                | (~Q(name="") & (~Q(code="") | Q(kind=SubjectKind.BUSINESS, number_sealed__isnull=False))),
                name="subject_organisation_named",
                violation_error_message=_("An organisation has a name and a code, or the sealed number of its owner."),
            ),
            models.CheckConstraint(
                condition=~Q(code__regex=PLACEHOLDER) | Q(kind=SubjectKind.PERSON),
                name="subject_code_no_placeholder",
                violation_error_message=_("A placeholder is no code."),
            ),
            models.CheckConstraint(
                condition=Q(kind=SubjectKind.PERSON, identifier_kind__in=PERSONAL_KINDS)
                | (~Q(kind=SubjectKind.PERSON) & ~Q(identifier_kind__in=PERSONAL_KINDS))
                | Q(kind=SubjectKind.BUSINESS),
                name="subject_kind_of_document",
                violation_error_message=_("The kind of document does not fit the kind of subject."),
            ),
        ]
        indexes: ClassVar = [
            GinIndex(fields=["grams"], name="subject_grams", opclasses=["array_ops"]),
            GinIndex(fields=["codes"], name="subject_codes", opclasses=["array_ops"]),
        ]

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"


class DatedTie(models.Model):
    """What holds from a day on and, where it ends, up to the day before another one."""

    valid_from = models.DateField(_("from"))
    valid_until = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def last_day(self) -> datetime.date | None:
        """The last day on which it holds; `valid_until` is the first day after it."""
        return self.valid_until and self.valid_until - datetime.timedelta(days=1)

    @property
    def holds_today(self) -> bool:
        """Whether the dates hold today; that the record stands is asked of the queryset."""
        return self.valid_from <= timezone.localdate() and not (
            self.valid_until and self.valid_until <= timezone.localdate()
        )


@audited
class Affiliation(DatedTie):
    """A person belongs to an organisation in a role, for a period."""

    person = models.ForeignKey(Subject, verbose_name=_("person"), on_delete=models.PROTECT, related_name="affiliations")
    organisation = models.ForeignKey(
        Subject, verbose_name=_("organisation"), on_delete=models.PROTECT, related_name="affiliated"
    )
    role = models.CharField(_("role"), max_length=30, choices=AffiliationRole)
    record = models.ForeignKey(
        "records.CreditRecord", verbose_name=_("record it rests on"), null=True, blank=True,
        on_delete=models.PROTECT, related_name="affiliations",
    )  # fmt: skip
    objects = TieQuerySet["Affiliation"].as_manager()

    class Meta:
        verbose_name = _("affiliation")
        verbose_name_plural = _("affiliations")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(person=F("organisation")),
                name="affiliation_two_subjects",
                violation_error_message=_("Nobody is affiliated with themselves."),
            ),
            models.UniqueConstraint(
                fields=["record"],
                name="affiliation_once_per_record",
                violation_error_message=_("This record has made its affiliation already."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="affiliation_ends_after_start",
                violation_error_message=_("An affiliation ends after it began."),
            ),
            ExclusionConstraint(
                name="affiliation_once_at_a_time",
                expressions=[
                    ("person", RangeOperators.EQUAL),
                    ("organisation", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (Period(), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("The person already has this role there at that time."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.person_id} → #{self.organisation_id} · {self.get_role_display()}"


@audited
class KeyGroup(Bilingual):
    """One of the key groups of persons of the plans (H1.2, G7)."""

    code = models.SlugField(_("code"), max_length=40, primary_key=True)
    licence_name = models.CharField(_("name of the licence"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("key group")
        verbose_name_plural = _("key groups")
        ordering: ClassVar = ["code"]


@audited
class KeyGroupMembership(DatedTie):
    """A person belongs to a key group, with licence and employer, for a period."""

    subject = models.ForeignKey(Subject, verbose_name=_("person"), on_delete=models.PROTECT, related_name="key_groups")
    group = models.ForeignKey(KeyGroup, verbose_name=_("key group"), on_delete=models.PROTECT)
    licence_number = SealedTextField(_("licence number"))
    employer = models.ForeignKey(
        Subject, verbose_name=_("employer"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    record = models.ForeignKey(
        "records.CreditRecord", verbose_name=_("record it rests on"), null=True, blank=True,
        on_delete=models.PROTECT, related_name="key_groups",
    )  # fmt: skip
    objects = TieQuerySet["KeyGroupMembership"].as_manager()

    class Meta:
        verbose_name = _("membership of a key group")
        verbose_name_plural = _("memberships of key groups")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="key_group_ends_after_start",
                violation_error_message=_("A membership ends after it began."),
            ),
            models.UniqueConstraint(
                fields=["record"],
                name="key_group_once_per_record",
                violation_error_message=_("This record has made its membership already."),
            ),
            ExclusionConstraint(
                name="key_group_once_at_a_time",
                expressions=[
                    ("subject", RangeOperators.EQUAL),
                    ("group", RangeOperators.EQUAL),
                    (Period(), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("The person already belongs to this key group at that time."),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.subject_id} · {self.group_id}"


@audited
class RealNameBinding(models.Model):
    """An account belongs to a person whose name and number were verified (H1.1, G6). No biometric is kept.

    A binding that ends is removed; who ended it, when and why stands in its history.
    """

    user = models.OneToOneField(User, verbose_name=_("account"), on_delete=models.PROTECT, related_name="real_name")
    subject = models.OneToOneField(Subject, verbose_name=_("person"), on_delete=models.PROTECT, related_name="binding")
    adapter = models.CharField(_("verified by"), max_length=100)
    bound_at = models.DateTimeField(_("bound"), default=timezone.now)
    bound_by = models.ForeignKey(
        User, verbose_name=_("bound at the window by"), null=True, editable=False, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    papers = models.CharField(_("papers seen"), max_length=20, choices=SeenPapers, blank=True, editable=False)

    class Meta:
        verbose_name = _("real-name binding")
        verbose_name_plural = _("real-name bindings")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(adapter=WINDOW, bound_by__isnull=False) & ~Q(papers=""))
                | (~Q(adapter=WINDOW) & Q(bound_by=None, papers="")),
                name="binding_at_window_by_official",
                violation_error_message=_("At the window an official binds, and says which papers were seen."),
            ),
            models.CheckConstraint(
                condition=Q(bound_by=None) | ~Q(bound_by=F("user")),
                name="binding_two_people",
                violation_error_message=_("Nobody binds their own account at the window."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} ↔ #{self.subject_id}"


class DemonstrationIdentity(models.Model):
    """A line of the demonstration register of fictitious persons; a real installation has none."""

    number_index = BlindIndexField(_("index of the number"), unique=True)
    name_index = BlindIndexField(_("index of the name"))

    class Meta:
        verbose_name = _("demonstration identity")
        verbose_name_plural = _("demonstration identities")

    def __str__(self) -> str:
        return f"#{self.pk}"
