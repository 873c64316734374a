"""The forms of the catalogue; what does not fit is said by `records.catalogue.checks`, once for form and service."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.forms.models import construct_instance
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import AgencyKind
from creditplatform.core.errors import FieldProblem, Invalid
from creditplatform.core.masking import Mask
from records.catalogue import checks
from records.catalogue.words import mark_of
from records.enums import SubjectKind, Tier
from records.labels import ACTS
from records.models import CatalogueEntry, EntryField, EntryVersion, KeyGroup, LegalBasis

TIER_RULES = [
    ("none", _("Such records have no tier")),
    ("effects", _("The gravest effect of the decision gives the tier")),
    ("fixed", _("Every record has the same tier")),
]
MOST_LINES = 200


class LinesField(forms.Field):
    """Several texts, one per line."""

    widget = forms.Textarea

    def __init__(self, *, longest: int, **options: Any) -> None:
        self.longest = longest
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}), **options)

    def prepare_value(self, value: Any) -> Any:
        """One per line."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        """The lines that say something."""
        return [line.strip() for line in str(value or "").splitlines() if line.strip()]

    def validate(self, value: list[str]) -> None:
        """Not too many, none too long, none with a character the database cannot keep."""
        ProhibitNullCharactersValidator()("\n".join(value))
        if len(value) > MOST_LINES or any(len(line) > self.longest for line in value):
            text = _("At most %(lines)s lines of at most %(longest)s characters.")
            raise forms.ValidationError(text % {"lines": MOST_LINES, "longest": self.longest})

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the lines differ."""
        return self.to_python(data) != list(initial or [])


class CheckedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form of one row whose rules are those of the database, each told beside its input."""

    def problems(self) -> Iterable[FieldProblem]:
        """What is wrong with the row as filled in."""
        return ()

    def fill(self) -> None:
        """Carry into the row what has no input of its own."""

    def values(self) -> dict[str, Any]:
        """What the service is to write."""
        return {name: self.cleaned_data[name] for name in self._meta.fields if name in self.cleaned_data}  # type: ignore[union-attr]

    def refuse(self, error: Invalid) -> None:
        """Put every problem beside its input, each once."""
        self.tell(error.problems)

    def tell(self, problems: Iterable[FieldProblem]) -> None:
        """Each problem beside its input; one that has none stands above the form."""
        for problem in problems:
            name = problem.field if problem.field in self.fields else None
            if str(problem.message) not in self.errors.get(name or "__all__", []):
                self.add_error(name, str(problem.message))

    def _post_clean(self) -> None:
        self.instance = construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)
        self.fill()
        exclude = self._get_validation_exclusions()  # type: ignore[attr-defined]
        try:
            self.instance.full_clean(exclude=exclude, validate_unique=False, validate_constraints=False)
        except forms.ValidationError as error:
            self._update_errors(error)  # type: ignore[attr-defined]
        self.tell(self.problems())


class VersionForm(CheckedForm):
    """The attributes of a draft."""

    rule = forms.ChoiceField(label=_("How the tier is found"), choices=TIER_RULES)
    tier = forms.ChoiceField(label=_("Tier of every record"), required=False)
    min_months = forms.IntegerField(
        label=_("Shown at least (months)"), required=False, min_value=0, max_value=600,
        help_text=_("Only where a law sets a period of its own for this list."),
    )  # fmt: skip
    max_months = forms.IntegerField(label=_("Shown at most (months)"), required=False, min_value=0, max_value=600)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = EntryVersion
        fields: ClassVar = [
            "valid_from", "valid_until", "legal_basis", "information_class", "act", "field", "polarity", "edition",
            "subject_kinds", "openness", "publication_basis", "person_openness", "person_publication_basis",
            "retention_years", "key_group", "affiliation", "min_age", "source_kinds", "meaning", "meaning_en",
            "remedy", "remedy_en",
        ]  # fmt: skip
        widgets: ClassVar = {
            "valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "valid_until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            **{name: forms.Textarea(attrs={"rows": 3}) for name in ("meaning", "meaning_en", "remedy", "remedy_en")},
        }

    def __init__(self, *args: Any, instance: EntryVersion, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "instance": instance})
        given = instance.tier_rule or {}
        self.initial.update({name: given.get(name) for name in ("rule", "tier", "min_months", "max_months")})
        self.initial["seen"] = mark_of(instance) if instance.pk else ""
        self.fields["tier"].choices = [("", "—"), *((t.value, t.label) for t in Tier if t != Tier.NONE)]  # type: ignore[attr-defined]
        self.fields["act"] = _choice(_("administrative act"), list(ACTS.items()))
        groups = [(group.pk, group.label) for group in KeyGroup.objects.all()]
        self.fields["key_group"] = _choice(_("key group"), groups)
        self.fields["subject_kinds"] = _several(_("kinds of subject"), SubjectKind.choices, required=True)
        self.fields["source_kinds"] = _several(_("kinds of unit that may send it"), AgencyKind.choices)
        self.fields["source_kinds"].help_text = _("Empty: every kind.")
        if instance.pk and instance.entry.versions.exclude(pk=instance.pk).exists():
            self.fields["polarity"].disabled = True
            self.fields["polarity"].help_text = _("The direction of an entry never changes; make another entry.")

    def fill(self) -> None:
        """The tier rule is one value of several inputs."""
        given = self.cleaned_data
        rule: dict[str, Any] = {"rule": given.get("rule", "none")}
        if rule["rule"] == "fixed" and given.get("tier"):
            rule["tier"] = given["tier"]
        rule |= {name: given[name] for name in ("min_months", "max_months") if given.get(name) is not None}
        self.instance.tier_rule = rule

    def problems(self) -> Iterable[FieldProblem]:
        """The law of the database about versions."""
        return checks.of_version(self.instance)

    def values(self) -> dict[str, Any]:
        """The attributes, the tier rule among them."""
        return {**super().values(), "tier_rule": self.instance.tier_rule}


class NewEntryForm(VersionForm):
    """A new entry with the attributes of its first version."""

    code = forms.SlugField(
        label=_("code"), max_length=60,
        help_text=_("Small letters, digits and hyphens; stands in addresses and never changes."),
    )  # fmt: skip
    name = forms.CharField(label=_("Chinese name"), max_length=200)
    name_en = forms.CharField(label=_("English name"), max_length=200)
    field_order = ("code", "name", "name_en")

    def names(self) -> dict[str, str]:
        """Code and names of the entry."""
        return {name: self.cleaned_data.get(name, "") for name in ("code", "name", "name_en")}

    def problems(self) -> Iterable[FieldProblem]:
        """Also those of the entry: what is never collected, a code that is taken."""
        entry = CatalogueEntry(**self.names())
        if CatalogueEntry.objects.filter(code=entry.code).exists():
            yield FieldProblem("code", "taken", _("Another entry has this code."))
        yield from checks.of_entry(entry)
        yield from super().problems()


class FieldForm(CheckedForm):
    """One field of a draft."""

    when_any = LinesField(
        label=_("has one of these values"), longest=60,
        help_text=_("One per line. Empty: as soon as the other field is filled in at all."),
    )  # fmt: skip
    choices = LinesField(label=_("choices"), longest=100, help_text=_("One per line; for effects, their codes."))
    aliases = LinesField(
        label=_("other headers"), longest=100,
        help_text=_("One per line: other names of this column seen in files, older standards included."),
    )  # fmt: skip
    mask = forms.ChoiceField(label=_("mask"), choices=Mask.choices)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = EntryField
        fields: ClassVar = [
            "code", "name", "name_en", "type", "length", "required", "when_field", "when_any", "one_of", "pattern",
            "choices", "separators", "role", "personal", "mask", "published", "aliases",
        ]  # fmt: skip
        help_texts: ClassVar = {
            "pattern": _("A regular expression for the whole value."),
            "one_of": _("A name for the group; at least one of its fields is filled in."),
            "role": _("Which part of the record the field feeds; each part once."),
            "personal": _("Kept encrypted, never published."),
            "published": _("Shown on the public page of a record."),
        }

    def __init__(self, *args: Any, instance: EntryField, others: Sequence[EntryField], **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "instance": instance})
        self.others = others
        self.initial["seen"] = mark_of(instance.version)
        self.fields["when_field"] = _choice(_("required when this field"), [(o.code, str(o.label)) for o in others])
        self.fields["pattern"].strip = self.fields["separators"].strip = False  # type: ignore[attr-defined]

    def problems(self) -> Iterable[FieldProblem]:
        """Of the field beside the others of its version."""
        return checks.of_field(self.instance, self.others)


class BasisForm(forms.ModelForm):  # type: ignore[type-arg]
    """A legal basis, down to its article."""

    class Meta:
        model = LegalBasis
        fields: ClassVar = [
            "code", "title", "title_en", "article", "level", "issuer", "number", "in_force_from", "in_force_until",
        ]  # fmt: skip
        widgets: ClassVar = {
            name: forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            for name in ("in_force_from", "in_force_until")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["code"].disabled = True


def _choice(label: Any, choices: Sequence[tuple[str, Any]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=[("", "—"), *choices], required=False)


def _several(label: Any, choices: Any, *, required: bool = False) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, choices=choices, required=required, widget=forms.CheckboxSelectMultiple
    )
