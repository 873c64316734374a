"""The entry form, drawn from the field list of a catalogue entry."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from records.enums import FieldType, Required
from records.feeds.vocabulary import effects
from records.models import EntryField, EntryVersion
from records.services.entry import IDENTITY_ROLES

LONG_TEXT = 300


class EntryForm(forms.Form):
    """One field per field of the version; what is wrong is said by the pipeline, once, for all doors."""

    def __init__(
        self, *args: Any, version: EntryVersion, correcting: bool = False, said: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        self.said = said or {}
        for item in version.fields.order_by("position"):
            self.fields[item.code] = _form_field(item, locked=correcting and item.role in IDENTITY_ROLES)
        if correcting:
            self.fields["reason"] = forms.CharField(
                label=_("Reason of the correction"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
            )

    def values(self) -> dict[str, str]:
        """What was entered, as the text a file would hold."""
        return {code: self._as_text(code, value) for code, value in self.cleaned_data.items() if code != "reason"}

    def _as_text(self, code: str, value: Any) -> str:
        if not isinstance(value, list):
            return "" if value is None else str(value)
        said = self.said.get(code, "")
        if said and sorted(value) == effects().find(said, ";；、", frozenset(value)):
            return said  # the same effects: keep the words of the decision
        return ";".join(effects().by_code[code].name for code in value)


def _form_field(item: EntryField, *, locked: bool) -> forms.Field:
    """The input for one field; `required` is only a mark here, since the pipeline checks every condition."""
    options: dict[str, Any] = {
        "label": item.label,
        "required": False,
        "disabled": locked,
        "help_text": _hint(item),
        "initial": None,
    }
    if item.type == FieldType.EFFECTS:
        return forms.MultipleChoiceField(choices=_effect_choices(item), widget=forms.CheckboxSelectMultiple, **options)
    if item.choices:
        return forms.ChoiceField(choices=[("", "—"), *((text, text) for text in item.choices)], **options)
    field = forms.CharField(max_length=item.length, widget=_widget(item), **options)
    field.widget.attrs["aria-required"] = "true" if item.required == Required.ALWAYS else "false"
    return field


def _widget(item: EntryField) -> forms.Widget:
    if item.type == FieldType.DATE:
        return forms.DateInput(attrs={"type": "date"})
    if item.type == FieldType.TEXT and item.length > LONG_TEXT:
        return forms.Textarea(attrs={"rows": 3})
    return forms.TextInput(attrs={"autocomplete": "off"})


def _effect_choices(item: EntryField) -> list[tuple[str, str]]:
    chinese = (get_language() or "zh").startswith("zh")
    known = effects().by_code
    return [(code, known[code].name if chinese else known[code].name_en) for code in item.choices if code in known]


HINTS = {
    Required.ALWAYS: _("Required."),
    Required.PERSONS: _("Required for natural persons."),
    Required.ORGANISATIONS: _("Required for organisations."),
    Required.BUSINESSES: _("Required for organisations and individual businesses."),
    Required.WHEN: _("Required depending on another field."),
}


def _hint(item: EntryField) -> str:
    parts = [HINTS.get(Required(item.required)), _("Kept encrypted, never published.") if item.personal else None]
    parts.append(_("In 10,000 yuan.") if item.type == FieldType.AMOUNT else None)
    parts.append(_("At least one of these codes.") if item.one_of else None)
    return " ".join(str(part) for part in parts if part)
