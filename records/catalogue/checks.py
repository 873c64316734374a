"""What is wrong with a draft of the catalogue: everything at once, each problem beside its field."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem
from records.enums import FieldRole, FieldType, Openness, Polarity, Required
from records.feeds.vocabulary import effects
from records.models import CatalogueEntry, EntryField, EntryVersion

CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
# Names of inputs that the entry form needs for itself.
RESERVED = "act-"
# A repetition of what repeats already can take longer than the life of the universe on a text that nearly fits.
REPEATED_REPETITION = re.compile(r"(?<!\\)[*+}][^()]*\)[*+{]")
NUMBERS = frozenset(
    {
        FieldRole.CREDIT_CODE, FieldRole.ORGANISATION_CODE, FieldRole.REGISTRATION_NUMBER, FieldRole.TAX_NUMBER,
        FieldRole.INSTITUTION_NUMBER, FieldRole.SOCIAL_GROUP_NUMBER, FieldRole.IDENTITY_NUMBER,
    }
)  # fmt: skip
# Beside which input the sentence of a constraint belongs.
INPUT_OF = {
    "catalogue_entry_never_collected": "name",
    "entry_version_has_basis": "legal_basis",
    "entry_version_persons_by_law": "person_publication_basis",
    "entry_version_public_by_law": "publication_basis",
    "entry_version_one_direction": "polarity",
    "entry_version_ends_after_start": "valid_until",
    "entry_version_ties_persons": "subject_kinds",
    "entry_version_retention": "retention_years",
    "entry_field_once": "code",
    "entry_field_role_once": "role",
    "entry_field_personal_not_published": "published",
    "entry_field_never_collected": "name",
    "entry_field_condition_complete": "when_field",
}


def of_entry(entry: CatalogueEntry) -> list[FieldProblem]:
    """What is wrong with the names of an entry."""
    return _of_constraints(entry)


def of_version(version: EntryVersion) -> list[FieldProblem]:
    """What the law of the database refuses about a version, and a tier rule that does not fit together."""
    return [*_of_constraints(version), *_of_tier_rule(version)]


def of_field(item: EntryField, others: Sequence[EntryField]) -> list[FieldProblem]:
    """What is wrong with one field beside the others of its version."""
    return [
        *_of_constraints(item),
        *_of_code(item),
        *_of_pattern(item.pattern),
        *_of_choices(item),
        *_of_condition(item, others),
    ]


def of_draft(version: EntryVersion) -> list[FieldProblem]:
    """What is missing before a version can be reviewed: basis, words, whom it is about, fields that fit together."""
    fields = list(version.fields.order_by("position"))
    problems = [*of_version(version), *_missing_words(version), *_missing_roles(version, {f.role for f in fields})]
    for item in fields:
        others = [other for other in fields if other.pk != item.pk]
        problems += [
            FieldProblem("fields", problem.code, _told(item, problem.message)) for problem in of_field(item, others)
        ]
    return problems


def _told(item: EntryField, message: Any) -> str:
    return f"{item.label} ({item.code}): {message}"


def _of_constraints(row: models.Model) -> list[FieldProblem]:
    problems = []
    for constraint in row._meta.constraints:
        if constraint.name in INPUT_OF:
            try:
                constraint.validate(type(row), row)
            except ValidationError:
                told = constraint.violation_error_message or ""
                problems.append(FieldProblem(INPUT_OF[constraint.name], constraint.name, told))
    return problems


def _of_tier_rule(version: EntryVersion) -> Iterable[FieldProblem]:
    rule = version.tier_rule
    if version.polarity == Polarity.NEGATIVE and rule.get("rule", "none") == "none":
        yield FieldProblem("rule", "tier_rule", _("Unfavourable records have a tier: say how it is found."))
    if rule.get("rule") == "fixed" and not rule.get("tier"):
        yield FieldProblem("tier", "tier_rule", _("Say which tier every record has."))
    low, high = rule.get("min_months"), rule.get("max_months")
    if (low is None) != (high is None) or (low is not None and high is not None and low > high):
        yield FieldProblem("max_months", "tier_rule", _("Give both months, the longest not below the shortest."))


def _missing_words(version: EntryVersion) -> Iterable[FieldProblem]:
    if version.legal_basis_id is None:
        yield FieldProblem("legal_basis", "basis", _("An entry in force names its legal basis."))
    for name in ("meaning", "meaning_en"):
        if not getattr(version, name).strip():
            yield FieldProblem(name, "words", _("Say in plain words, in both languages, what such a record means."))
    if version.polarity == Polarity.NEGATIVE:
        for name in ("remedy", "remedy_en"):
            if not getattr(version, name).strip():
                yield FieldProblem(name, "words", _("Say in both languages what can be done against such a record."))


def _missing_roles(version: EntryVersion, roles: set[str]) -> Iterable[FieldProblem]:
    if FieldRole.SUBJECT_NAME not in roles:
        yield FieldProblem("fields", "no_name", _("No field holds the name of whom the record is about."))
    if not roles & NUMBERS:
        yield FieldProblem("fields", "no_number", _("No field holds a number by which the subject is known exactly."))
    if version.tier_rule.get("rule") == "effects" and FieldRole.EFFECTS not in roles:
        yield FieldProblem("fields", "no_effects", _("The tier follows from the effects, but no field holds them."))
    public = Openness.PUBLIC in (version.openness, version.person_openness)
    if public and not version.fields.filter(published=True).exists():
        yield FieldProblem("fields", "nothing_shown", _("Records are public, but no field of them is shown."))


def _of_code(item: EntryField) -> Iterable[FieldProblem]:
    if not CODE.fullmatch(item.code) or item.code.startswith(RESERVED):
        text = _("Letters, digits, hyphens and underscores, beginning with a letter.")
        yield FieldProblem("code", "code", text)


def _of_pattern(pattern: str) -> Iterable[FieldProblem]:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        yield FieldProblem("pattern", "pattern", _("This is not a regular expression."))
        return
    if REPEATED_REPETITION.search(pattern):
        yield FieldProblem(
            "pattern", "pattern_slow", _("A repetition within a repetition can take forever; rewrite it.")
        )


def _of_choices(item: EntryField) -> Iterable[FieldProblem]:
    if item.type in (FieldType.CHOICE, FieldType.EFFECTS) and not item.choices:
        yield FieldProblem("choices", "choices", _("Name what may be chosen, one per line."))
    if item.type == FieldType.EFFECTS:
        unknown = [code for code in item.choices if code not in effects().by_code]
        if unknown:
            text = _("These are no effects of the vocabulary: %s") % ", ".join(unknown)
            yield FieldProblem("choices", "effects", text)


def _of_condition(item: EntryField, others: Sequence[EntryField]) -> Iterable[FieldProblem]:
    if item.required != Required.WHEN:
        if item.when_field or item.when_any:
            yield FieldProblem("required", "condition", _("A condition is given, but the field is not required by it."))
        return
    asked = next((other for other in others if other.code == item.when_field), None)
    if asked is None:
        if item.when_field:
            yield FieldProblem("when_field", "condition", _("This version has no other field with this code."))
        return
    strange = [value for value in item.when_any if asked.choices and value not in asked.choices]
    if strange:
        text = _("The other field does not offer: %s") % ", ".join(strange)
        yield FieldProblem("when_any", "condition", text)
