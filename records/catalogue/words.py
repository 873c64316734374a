"""A version of the catalogue in words: its attributes, its fields, and what changed between two versions."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from creditplatform.core.enums import AgencyKind
from creditplatform.core.masking import Mask
from creditplatform.core.wording import joined
from records.enums import FieldType, Required, SubjectKind
from records.labels import ACTS, effect_label, tier_rule_sentence
from records.models import EntryField, EntryVersion, KeyGroup, LegalBasis

BASES = ("legal_basis", "publication_basis", "person_publication_basis")
ATTRIBUTES = (
    "information_class", "act", "field", "polarity", "edition", "legal_basis", "openness", "publication_basis",
    "person_openness", "person_publication_basis", "subject_kinds", "tier_rule", "retention_years", "key_group",
    "affiliation", "min_age", "source_kinds", "meaning", "meaning_en", "remedy", "remedy_en",
)  # fmt: skip
DATES = ("valid_from", "valid_until")
BASIS_ATTRIBUTES = (
    "code", "title", "title_en", "article", "level", "issuer", "number", "in_force_from", "in_force_until",
)  # fmt: skip
FIELD_ATTRIBUTES = (
    "name", "name_en", "type", "length", "required", "when_field", "when_any", "one_of", "pattern", "choices",
    "separators", "role", "personal", "mask", "published", "aliases",
)  # fmt: skip
NOTHING = "—"
MASKS = dict(Mask.choices())


@dataclass(frozen=True)
class Change:
    """One attribute that was one thing before and is another now, in words."""

    name: str
    label: str | Promise
    before: str
    after: str


@dataclass(frozen=True)
class FieldChange:
    """One field that stayed, with what changed of it."""

    item: EntryField
    changes: list[Change]


@dataclass(frozen=True)
class Difference:
    """What changed from one version to the next."""

    attributes: list[Change] = field(default_factory=list)
    added: list[EntryField] = field(default_factory=list)
    removed: list[EntryField] = field(default_factory=list)
    changed: list[FieldChange] = field(default_factory=list)
    reordered: bool = False

    @property
    def anything(self) -> bool:
        """Whether anything changed at all."""
        return bool(self.attributes or self.added or self.removed or self.changed or self.reordered)


def facts(version: EntryVersion) -> list[tuple[str, str]]:
    """Name and value of every attribute that says something; two queries where bases and group are not at hand."""
    shown = [(_label(version, name), text_of(version, name)) for name in ATTRIBUTES]
    return [(label, text) for label, text in shown if text != NOTHING]


def text_of(row: models.Model, name: str) -> str:
    """One attribute of a version or field as people read it."""
    value = getattr(row, name)
    if name in _SPECIAL:
        return _SPECIAL[name](value, row) or NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return joined(value) or NOTHING
    display = getattr(row, f"get_{name}_display", None)
    text = str(display()) if display and value != "" else str(value if value is not None else "")
    return text or NOTHING


def when_required(item: EntryField, others: Mapping[str, EntryField]) -> str:
    """When a field must be filled, as one sentence part, its group included."""
    parts = [str(Required(item.required).label)]
    if item.required == Required.WHEN:
        asked = others.get(item.when_field)
        name = asked.label if asked else item.when_field
        if item.when_any:
            parts = [_("when “%(field)s” is %(values)s") % {"field": name, "values": _values(item.when_any, asked)}]
        else:
            parts = [_("when “%(field)s” is filled in") % {"field": name}]
    if item.one_of:
        parts.append(_("at least one of group “%s”") % item.one_of)
    return joined(parts)


def between(old: EntryVersion, new: EntryVersion) -> Difference:
    """What changed from one version to another; two queries for the fields."""
    before, after = fields_of(old), fields_of(new)
    stayed = [code for code in before if code in after]
    changed = [FieldChange(after[code], _changes(before[code], after[code], FIELD_ATTRIBUTES)) for code in stayed]
    return Difference(
        attributes=_changes(old, new, ATTRIBUTES),
        added=[item for code, item in after.items() if code not in before],
        removed=[item for code, item in before.items() if code not in after],
        changed=[change for change in changed if change.changes],
        reordered=stayed != [code for code in after if code in before],
    )


def fields_of(version: EntryVersion) -> dict[str, EntryField]:
    """The fields of a version by code, in their order."""
    return {item.code: item for item in version.fields.order_by("position", "pk")}


def mark_of(version: EntryVersion) -> str:
    """A mark of what a version says now, so that nobody overwrites what they have not seen."""
    said = [_raw(version, (*DATES, *ATTRIBUTES))]
    said += [_raw(item, ("code", *FIELD_ATTRIBUTES)) for item in fields_of(version).values()]
    return _digest(said)


def mark_of_basis(basis: LegalBasis) -> str:
    """A mark of what a legal basis says now, so that nobody confirms what they have not seen."""
    return _digest([_raw(basis, BASIS_ATTRIBUTES)])


def _digest(said: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(said, cls=DjangoJSONEncoder, sort_keys=True).encode()).hexdigest()[:32]


def _raw(row: models.Model, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, f"{name}_id" if name in BASES else name) for name in names}


def _changes(old: models.Model, new: models.Model, names: tuple[str, ...]) -> list[Change]:
    before, after = _raw(old, names), _raw(new, names)
    return [
        Change(name, _label(new, name), text_of(old, name), text_of(new, name))
        for name in names
        if before[name] != after[name]
    ]


def _label(row: models.Model, name: str) -> str:
    found: Any = row._meta.get_field(name)
    return str(found.verbose_name)


def _values(values: list[str], asked: EntryField | None) -> str:
    if asked is not None and asked.type == FieldType.EFFECTS:
        return joined(map(effect_label, values))
    return joined(values)


def _basis(basis: LegalBasis | None, row: Any) -> str:
    return basis.citation if basis else ""


def _group(code: str, row: Any) -> str:
    group = KeyGroup.objects.filter(code=code).first() if code else None
    return group.label if group else code


_SPECIAL: Mapping[str, Any] = {
    **dict.fromkeys(BASES, _basis),
    "act": lambda code, row: str(ACTS.get(code, code)),
    "subject_kinds": lambda kinds, row: joined(SubjectKind(kind).label for kind in kinds),
    "source_kinds": lambda kinds, row: joined(AgencyKind(kind).label for kind in kinds),
    "tier_rule": lambda rule, row: tier_rule_sentence(rule),
    "key_group": _group,
    "choices": lambda codes, row: joined(map(effect_label, codes)) if row.type == FieldType.EFFECTS else joined(codes),
    "mask": lambda code, row: str(MASKS.get(code, code)),
}
