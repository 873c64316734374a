"""The catalogue: what may be collected, on what basis, with which fields. Nothing is collected without it."""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast
from django.db.models.lookups import IRegex
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit import audited
from creditplatform.core.enums import AgencyKind
from creditplatform.core.models import User
from creditplatform.core.models.people import Bilingual, Period
from records.articles import article_in_english
from records.enums import (
    AffiliationRole,
    BasisLevel,
    Edition,
    FieldRole,
    FieldType,
    InformationClass,
    KeyField,
    Openness,
    Polarity,
    Required,
    SubjectKind,
    VersionState,
)
from records.models import catalogue_guards as guards
from records.querysets import EntryVersionQuerySet

NEVER_COLLECTED = _("This kind of data is never collected (credit-reporting regulation, art. 14).")


def never_names(*columns: str) -> Q:
    """That none of these columns, arrays included, names a kind of data that is never collected."""
    named = Q()
    for column in columns:
        named |= Q(IRegex(Cast(column, models.TextField()), guards.FORBIDDEN_DATA))
    return ~named


def chinese() -> bool:
    """Whether the page is in Chinese."""
    return (get_language() or "zh").startswith("zh")


@audited
class LegalBasis(models.Model):
    """A statute or rule, down to its article where the article is certain."""

    code = models.SlugField(_("code"), max_length=60, primary_key=True)
    title = models.CharField(_("title"), max_length=200)
    title_en = models.CharField(_("title in English"), max_length=300)
    article = models.CharField(_("article"), max_length=60, blank=True)
    level = models.CharField(_("rank"), max_length=30, choices=BasisLevel)
    issuer = models.CharField(_("issued by"), max_length=200, blank=True)
    number = models.CharField(_("number"), max_length=100, blank=True)
    in_force_from = models.DateField(_("in force from"), null=True, blank=True)
    in_force_until = models.DateField(_("in force until"), null=True, blank=True)
    confirmed = models.BooleanField(_("confirmed against the text"), default=False)
    entered_by = models.ForeignKey(
        User, verbose_name=_("entered by"), null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_by = models.ForeignKey(
        User, verbose_name=_("confirmed by"), null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("legal basis")
        verbose_name_plural = _("legal bases")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | (Q(entered_by__isnull=False) & ~Q(entered_by=F("confirmed_by"))),
                name="legal_basis_two_people",
                violation_error_message=_("A legal basis is confirmed by a second person."),
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="stays_confirmed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=guards.BASIS_STAYS_CONFIRMED,
            ),
        ]

    def __str__(self) -> str:
        return self.citation

    @property
    def citation(self) -> str:
        """Title and article in the language of the page."""
        if chinese():
            return self.original_citation
        return f"{self.title_en}, {article_in_english(self.article)}".rstrip(", ")

    @property
    def original_citation(self) -> str:
        """Title and article as the law has them, whatever the language of the page."""
        return f"《{self.title}》{self.article}"


@audited
class CatalogueEntry(Bilingual):
    """A kind of information that may be collected; its content stands in its versions."""

    code = models.SlugField(_("code"), max_length=60, unique=True)

    class Meta:
        verbose_name = _("catalogue entry")
        verbose_name_plural = _("catalogue entries")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=never_names("code", "name", "name_en"),
                name="catalogue_entry_never_collected",
                violation_error_message=NEVER_COLLECTED,
            ),
        ]


@audited
class EntryVersion(models.Model):
    """One immutable edition of a catalogue entry: basis, openness, tiers, retention, fields.

    `legal_basis` says that it may be collected, the other two that records about organisations, individual
    businesses included, or about persons are public.
    """

    entry = models.ForeignKey(
        CatalogueEntry, verbose_name=_("entry"), on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveSmallIntegerField(_("version"))
    state = models.CharField(
        _("state"), max_length=10, choices=VersionState, default=VersionState.DRAFT, editable=False
    )
    valid_from = models.DateField(_("from"))
    valid_until = models.DateField(_("until"), null=True, blank=True)
    information_class = models.CharField(_("class of information"), max_length=30, choices=InformationClass)
    act = models.CharField(_("administrative act"), max_length=20, blank=True)
    field = models.CharField(_("key field"), max_length=30, choices=KeyField, blank=True)
    polarity = models.CharField(_("direction"), max_length=10, choices=Polarity)
    edition = models.CharField(_("catalogue"), max_length=10, choices=Edition)
    legal_basis = models.ForeignKey(
        LegalBasis, verbose_name=_("legal basis"), null=True, blank=True, on_delete=models.PROTECT
    )
    openness = models.CharField(_("openness for organisations"), max_length=10, choices=Openness)
    person_openness = models.CharField(
        _("openness for natural persons"), max_length=10, choices=Openness, default=Openness.AUTHORISED
    )
    publication_basis = models.ForeignKey(
        LegalBasis,
        verbose_name=_("law that publishes organisations"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    person_publication_basis = models.ForeignKey(
        LegalBasis,
        verbose_name=_("law that publishes persons"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    subject_kinds = ArrayField(models.CharField(max_length=20, choices=SubjectKind), verbose_name=_("kinds of subject"))
    tier_rule = models.JSONField(_("tier rule"), default=dict)
    retention_years = models.PositiveSmallIntegerField(_("retention (years)"), null=True, blank=True)
    key_group = models.CharField(_("key group"), max_length=40, blank=True)
    affiliation = models.CharField(
        _("makes the person"), max_length=30, choices=AffiliationRole, blank=True,
        help_text=_("What a person becomes of the organisation that the record names: member, student, volunteer."),
    )  # fmt: skip
    min_age = models.PositiveSmallIntegerField(
        _("youngest age (years)"), null=True, blank=True,
        help_text=_("Persons younger than this on the day of the decision are not recorded."),
    )  # fmt: skip
    source_kinds = ArrayField(
        models.CharField(max_length=20, choices=AgencyKind), verbose_name=_("kinds of unit that may send it"),
        default=list, blank=True, help_text=_("Empty: every kind."),
    )  # fmt: skip
    meaning = models.TextField(_("what it means"), blank=True)
    meaning_en = models.TextField(_("what it means, in English"), blank=True)
    remedy = models.TextField(_("remedies"), blank=True)
    remedy_en = models.TextField(_("remedies, in English"), blank=True)
    delivered = models.BooleanField(_("delivered with a release"), default=False, editable=False)
    content_digest = models.CharField(max_length=64, blank=True, editable=False)
    editors = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    entered_by = models.ForeignKey(
        User, verbose_name=_("entered by"), null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    approved_by = models.ForeignKey(
        User, verbose_name=_("approved by"), null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(_("approved"), null=True, editable=False)

    objects = EntryVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of a catalogue entry")
        verbose_name_plural = _("versions of catalogue entries")
        ordering: ClassVar = ["entry", "-number"]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="immutable",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=guards.VERSION_IMMUTABLE,
                declare=guards.VERSION_IMMUTABLE_KNOWS,
            ),
            pgtrigger.Trigger(
                name="basis_confirmed",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=guards.BASIS_CONFIRMED,
            ),
            pgtrigger.Trigger(
                name="published_by_another",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=guards.PUBLISHED_BY_ANOTHER,
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["entry", "number"],
                name="entry_version_once",
                violation_error_message=_("This version exists already."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=[VersionState.DRAFT, VersionState.WITHDRAWN]) | Q(legal_basis__isnull=False),
                name="entry_version_has_basis",
                violation_error_message=_("An entry in force names its legal basis."),
            ),
            models.CheckConstraint(
                condition=~Q(person_openness=Openness.PUBLIC) | Q(person_publication_basis__isnull=False),
                name="entry_version_persons_by_law",
                violation_error_message=_("Natural persons are published only where a law says so; name it."),
            ),
            models.CheckConstraint(
                condition=~Q(openness=Openness.PUBLIC) | Q(publication_basis__isnull=False),
                name="entry_version_public_by_law",
                violation_error_message=_("Records are published only where a law says so; name it."),
            ),
            ExclusionConstraint(
                name="entry_version_one_direction",
                expressions=[("entry", RangeOperators.EQUAL), ("polarity", RangeOperators.NOT_EQUAL)],
                violation_error_message=_("The direction of an entry never changes; make another entry."),
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="entry_version_ends_after_start",
                violation_error_message=_("A version ends after it began."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=[VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.WITHDRAWN])
                | Q(delivered=True)
                | (Q(entered_by__isnull=False) & Q(approved_by__isnull=False) & ~Q(entered_by=F("approved_by"))),
                name="entry_version_two_people",
                violation_error_message=_("A version needs the approval of a second person."),
            ),
            models.CheckConstraint(
                condition=Q(affiliation="", min_age=None) | Q(subject_kinds=[SubjectKind.PERSON]),
                name="entry_version_ties_persons",
                violation_error_message=_("Only natural persons belong to organisations or have an age."),
            ),
            models.CheckConstraint(
                condition=~Q(polarity=Polarity.NEGATIVE) | Q(retention_years__isnull=False),
                name="entry_version_retention",
                violation_error_message=_("Unfavourable information has a retention period."),
            ),
            ExclusionConstraint(
                name="entry_version_one_at_a_time",
                expressions=[("entry", RangeOperators.EQUAL), (Period(), RangeOperators.OVERLAPS)],
                condition=Q(state=VersionState.IN_FORCE),
                violation_error_message=_("Another version of this entry is in force at that time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry} v{self.number}"

    @property
    def meaning_label(self) -> str:
        """What such a record means, in the language of the page."""
        return self.meaning if chinese() else self.meaning_en

    @property
    def remedy_label(self) -> str:
        """What can be done against it, in the language of the page."""
        return self.remedy if chinese() else self.remedy_en

    def publication_basis_for(self, kind: str) -> LegalBasis | None:
        """The law that makes a record about a subject of this kind public; none where it is not."""
        return self.person_publication_basis if kind == SubjectKind.PERSON else self.publication_basis


@audited
class EntryField(Bilingual):
    """One field of a version: drives entry form, feed check, page and interface."""

    version = models.ForeignKey(
        EntryVersion, verbose_name=_("version"), on_delete=models.PROTECT, related_name="fields"
    )
    position = models.PositiveSmallIntegerField(_("position"))
    code = models.CharField(_("code"), max_length=40)
    type = models.CharField(_("type"), max_length=20, choices=FieldType)
    length = models.PositiveIntegerField(_("longest length"), default=200)
    required = models.CharField(_("required"), max_length=20, choices=Required, default=Required.NEVER)
    when_field = models.CharField(_("required when this field"), max_length=40, blank=True)
    when_any = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("has one of these values"),
        default=list,
        blank=True,
        help_text=_("Empty: as soon as the other field is filled in at all."),
    )
    one_of = models.CharField(_("at least one of group"), max_length=40, blank=True)
    pattern = models.CharField(_("pattern"), max_length=300, blank=True)
    choices = ArrayField(models.CharField(max_length=100), verbose_name=_("choices"), default=list, blank=True)
    separators = models.CharField(_("separators of several values"), max_length=10, default=";；、")
    role = models.CharField(_("role"), max_length=40, choices=FieldRole, blank=True)
    personal = models.BooleanField(_("personal"), default=False)
    mask = models.CharField(_("mask"), max_length=20, default="none")
    published = models.BooleanField(_("published"), default=False)
    aliases = ArrayField(models.CharField(max_length=100), verbose_name=_("other headers"), default=list, blank=True)

    class Meta:
        verbose_name = _("field of a catalogue entry")
        verbose_name_plural = _("fields of catalogue entries")
        ordering: ClassVar = ["version", "position"]
        triggers: ClassVar = [
            pgtrigger.Trigger(
                name="drafts_only",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=guards.FIELDS_OF_DRAFTS_ONLY,
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["version", "code"],
                name="entry_field_once",
                violation_error_message=_("This field exists already."),
            ),
            models.UniqueConstraint(
                fields=["version", "role"],
                condition=~Q(role=""),
                name="entry_field_role_once",
                violation_error_message=_("Another field has this role already."),
            ),
            models.CheckConstraint(
                condition=~Q(personal=True, published=True),
                name="entry_field_personal_not_published",
                violation_error_message=_("A personal field is never published."),
            ),
            models.CheckConstraint(
                condition=never_names("code", "name", "name_en", "aliases"),
                name="entry_field_never_collected",
                violation_error_message=NEVER_COLLECTED,
            ),
            models.CheckConstraint(
                condition=~Q(required=Required.WHEN) | ~Q(when_field=""),
                name="entry_field_condition_complete",
                violation_error_message=_("Say which field makes this field required."),
            ),
        ]
