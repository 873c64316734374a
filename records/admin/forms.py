"""The entry form, drawn from the field list of a catalogue entry."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import Conflict, CreditError, Invalid
from records.enums import FieldRole, FieldType, Required
from records.feeds.vocabulary import effects
from records.models import CreditRecord, EntryField, EntryVersion, Feed
from records.services.correction import REASON, ChangedMeanwhile, content_of, mark_of, retired_fields
from records.services.entry import FEED, IDENTITY_ROLES, AlreadyOnFile, identity_value

SEEN = "act-seen"
KEEP, GIVE_UP = "keep", "give_up"
LONG_TEXT = 300


class EntryForm(forms.Form):
    """One field per field of the version; what is wrong is said by the pipeline, once, for all doors.

    Where the unit has several feeds of the entry, the first question is which key field the decision belongs to.
    """

    def __init__(self, *args: Any, version: EntryVersion, feeds: Sequence[Feed] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items = self.fields_of(version)
        self.feeds = {str(feed.pk): feed for feed in feeds}
        if len(feeds) > 1:
            self.fields[FEED] = _feed_field(feeds)
        for item in self.items:
            self.fields[item.code] = _form_field(item, self.initial.get(item.code))

    def fields_of(self, version: EntryVersion) -> list[EntryField]:
        """The fields that are asked for, in their order."""
        return list(version.fields.order_by("position"))

    @property
    def feed(self) -> Feed | None:
        """The feed that was chosen; None where there was nothing to choose, or nothing was chosen."""
        return self.feeds.get(self.cleaned_data.get(FEED, ""))

    def values(self) -> dict[str, str]:
        """What was entered, as the text a file would hold."""
        codes = [item.code for item in self.items]
        return {code: self._as_text(code, self.cleaned_data[code]) for code in codes}

    def refuse(self, error: CreditError) -> int:
        """Put what was refused beside its field; returns the HTTP status of the page."""
        if isinstance(error, Invalid):
            for problem in error.problems:
                self.add_error(problem.field if problem.field in self.fields else None, str(problem.message))
        elif isinstance(error, AlreadyOnFile):
            self.add_error(None, ValidationError(_with_link(error)))
        else:
            self.add_error(None, str(error))
        return error.http_status if isinstance(error, Conflict) else 200

    def _as_text(self, code: str, value: Any) -> str:
        if isinstance(value, list):
            return ";".join(effects().by_code[code].name for code in value)
        return "" if value is None else str(value)


class CorrectionForm(EntryForm):
    """The form of a record on file, with the reason; whom it is about and which decision it is stay as they are."""

    def __init__(self, *args: Any, record: CreditRecord, version: EntryVersion, **kwargs: Any) -> None:
        self.record, self.content = record, content_of(record)
        super().__init__(*args, version=version, initial=_said_by(record, version, self.content), **kwargs)
        for item in self.items:
            self.fields[item.code].disabled = item.role in IDENTITY_ROLES
        self.retired = retired_fields(record, {item.code for item in self.items})
        for item in self.retired:
            self.fields[_keeping(item.code)] = _retired_field(item, self.content[item.code])
        self.fields[REASON] = forms.CharField(
            label=_("Reason of the correction"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
            help_text=_("Kept encrypted beside the history; seen by your unit alone."),
        )  # fmt: skip
        self.fields[SEEN] = forms.CharField(required=False, widget=forms.HiddenInput, initial=mark_of(record))

    @property
    def given_up(self) -> set[str]:
        """Codes of retired fields whose content the officer gives up."""
        return {item.code for item in self.retired if self.cleaned_data[_keeping(item.code)] == GIVE_UP}

    def refuse(self, error: CreditError) -> int:
        """As any form; after somebody else's change, what is on file now stands beside what was typed."""
        status = super().refuse(error)
        if isinstance(error, ChangedMeanwhile):
            self._look_again()
        return status

    def _look_again(self) -> None:
        """Show what is on file where it differs from what was typed; the next sending is one that knows it."""
        for item in self.items:
            field, now = self.fields[item.code], self.initial.get(item.code) or ""
            typed = self.cleaned_data.get(item.code) or ""
            if not field.disabled and _plain(typed) != _plain(now):
                self.add_error(item.code, _("On file now: %s") % (_in_words(field, now) or "—"))
        data: Any = self.data
        self.data = data.copy()
        self.data[SEEN] = mark_of(self.record)  # type: ignore[index]

    def _as_text(self, code: str, value: Any) -> str:
        said = self.content.get(code, "")
        if isinstance(value, list) and said and sorted(value) == effects().find(said, ";；、", frozenset(value)):
            return said  # the same effects: keep the words of the decision
        return super()._as_text(code, value)


def _said_by(record: CreditRecord, version: EntryVersion, content: dict[str, str]) -> dict[str, Any]:
    """What the record says, field by field, for the form."""
    initial: dict[str, Any] = {}
    for item in version.fields.all():
        if item.type == FieldType.EFFECTS:
            initial[item.code] = list(record.effects)
        elif item.role == FieldRole.DECIDED_ON:
            initial[item.code] = record.decided_on.isoformat()
        else:
            initial[item.code] = identity_value(record, item) or content.get(item.code, "")
    return initial


def _feed_field(feeds: Sequence[Feed]) -> forms.Field:
    """Which feed of the unit the decision counts for, named by key field."""
    named = [(str(feed.pk), " · ".join(filter(None, (feed.get_field_display(), feed.label)))) for feed in feeds]
    field = forms.ChoiceField(
        label=_("Key field"), choices=[("", "—"), *named], required=False,
        help_text=_("Required. The periods of the record follow from it, and a correction does not change it."),
    )  # fmt: skip
    field.widget.attrs["aria-required"] = "true"
    return field


def _retired_field(item: EntryField, text: str) -> forms.Field:
    """What becomes of content whose field the present version of the entry no longer has."""
    told = _("On file: %(text)s. The present version of the entry no longer has this field.") % {"text": text}
    choices = [(KEEP, _("Keep it")), (GIVE_UP, _("Give it up"))]
    return forms.ChoiceField(label=item.label, choices=choices, widget=forms.RadioSelect, help_text=told)


def _keeping(code: str) -> str:
    return f"act-keep-{code}"


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else str(value).strip()


def _in_words(field: forms.Field, value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    words = dict(getattr(field, "choices", ()))
    return "、".join(str(words.get(code, code)) for code in value)


def _with_link(error: AlreadyOnFile) -> SafeString:
    address = reverse("admin:records_creditrecord_change", args=[error.record_id])
    return format_html('{} <a href="{}">{}</a>', error, address, _("Correct the record on file, with the reason"))


def _form_field(item: EntryField, said: Any) -> forms.Field:
    """The input for one field; `required` is only a mark here, since the pipeline checks every condition.

    What the record says stays a choice even where this version no longer offers it: it is shown, and refused.
    """
    options: dict[str, Any] = {"label": item.label, "required": False, "help_text": _hint(item), "initial": None}
    if item.type == FieldType.EFFECTS:
        codes = [*item.choices, *(code for code in said or () if code not in item.choices)]
        return forms.MultipleChoiceField(choices=_effect_choices(codes), widget=forms.CheckboxSelectMultiple, **options)
    if item.choices:
        texts = [*item.choices, *([said] if said and said not in item.choices else [])]
        return forms.ChoiceField(choices=[("", "—"), *((text, text) for text in texts)], **options)
    field = forms.CharField(max_length=item.length, widget=_widget(item), **options)
    field.widget.attrs["aria-required"] = "true" if item.required == Required.ALWAYS else "false"
    return field


def _widget(item: EntryField) -> forms.Widget:
    if item.type == FieldType.DATE:
        return forms.DateInput(attrs={"type": "date"})
    if item.type == FieldType.TEXT and item.length > LONG_TEXT:
        return forms.Textarea(attrs={"rows": 3})
    return forms.TextInput(attrs={"autocomplete": "off"})


def _effect_choices(codes: Sequence[str]) -> list[tuple[str, str]]:
    chinese = (get_language() or "zh").startswith("zh")
    known = effects().by_code
    return [(code, known[code].name if chinese else known[code].name_en) for code in codes if code in known]


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
