"""The form of a row set aside: every field of the entry, open to whatever was delivered, so that it can be mended."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from records.admin.forms import EntryForm
from records.enums import FieldType
from records.feeds.delivery import deliverable
from records.feeds.problems import NEEDS_CONFIRMATION
from records.feeds.vocabulary import effects
from records.models import EntryField, EntryVersion, QuarantinedRow

SEEN, CONFIRMED = "act-seen", "act-confirmed"


class MendingForm(EntryForm):
    """An entry form that takes any text: what is wrong with it is said by the pipeline, as for every other door."""

    def __init__(
        self, *args: Any, row: QuarantinedRow, version: EntryVersion, delivered: Mapping[str, str], **kwargs: Any
    ) -> None:
        self.delivered = dict(delivered)
        super().__init__(*args, version=version, initial=_initial(deliverable(version), delivered), **kwargs)
        wrong = {problem["field"] for problem in row.problems}
        for item in self.items:
            _loosen(self.fields[item.code], item)
            if item.code in wrong:
                self.fields[item.code].widget.attrs |= {
                    "aria-invalid": "true", "aria-describedby": f"id_{item.code}_problem",
                }  # fmt: skip
        self.fields[SEEN] = forms.IntegerField(widget=forms.HiddenInput, initial=row.revision)
        if any(problem["code"] in NEEDS_CONFIRMATION for problem in row.problems):
            self.fields[CONFIRMED] = forms.BooleanField(
                label=_(
                    "I have looked at the decision itself: this row is right, and the record on file is to follow it"
                ),
                required=False,
            )

    def fields_of(self, version: EntryVersion) -> list[EntryField]:
        """Whatever a file may have said, the state of the datum too."""
        return deliverable(version)

    @property
    def seen(self) -> int:
        """The revision of the row that was looked at."""
        return int(self.cleaned_data[SEEN])

    @property
    def confirmed(self) -> bool:
        """Whether somebody says that the decision itself was looked at."""
        return bool(self.cleaned_data.get(CONFIRMED))

    def _as_text(self, code: str, value: Any) -> str:
        """What was chosen; words of the decision stay where they mean the same, or where nothing was chosen."""
        said = self.delivered.get(code, "")
        if isinstance(value, list) and said and (not value or sorted(value) == _effects(said, self._item(code))):
            return said
        return super()._as_text(code, value)

    def _item(self, code: str) -> EntryField:
        return next(item for item in self.items if item.code == code)


def _effects(text: str, item: EntryField) -> list[str]:
    return (effects().find(text, item.separators or ";；、", frozenset(item.choices)) or []) if text else []


def _initial(fields: Sequence[EntryField], delivered: Mapping[str, str]) -> dict[str, Any]:
    return {
        item.code: _effects(delivered.get(item.code, ""), item)
        if item.type == FieldType.EFFECTS
        else delivered.get(item.code, "")
        for item in fields
    }


def _loosen(field: forms.Field, item: EntryField) -> None:
    """Let a field show and take what was delivered, be it too long or no date."""
    if not isinstance(field, forms.CharField):
        return
    if item.type == FieldType.DATE:
        field.widget = forms.TextInput(attrs={"autocomplete": "off", "placeholder": "2018-05-03"})
    field.max_length = None
    field.validators = [one for one in field.validators if not isinstance(one, MaxLengthValidator)]
    field.widget.attrs.pop("maxlength", None)
