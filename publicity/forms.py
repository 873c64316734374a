"""What visitors choose in the registers."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from creditplatform.core.models import Agency
from records.enums import KeyField, Polarity, Tier
from records.models import EntryVersion


class RegisterFilter(forms.Form):
    """Filters of a register: unit, tier where there are tiers, key field where the entry leaves it open."""

    agency = forms.ModelChoiceField(Agency.objects.none(), label=_("Unit"), required=False, to_field_name="code")
    tier = forms.ChoiceField(label=_("Tier"), required=False)
    field = forms.ChoiceField(label=_("Key field"), required=False)

    def __init__(self, data: Any, *, version: EntryVersion, units: list[Agency]) -> None:
        super().__init__(data)
        agency: Any = self.fields["agency"]
        agency.queryset = Agency.objects.filter(pk__in=[unit.pk for unit in units])
        agency.choices = [("", _("all units")), *((unit.code, unit.label) for unit in units)]
        self._offer("tier", _("all tiers"), Tier, version.polarity == Polarity.NEGATIVE)
        self._offer("field", _("all fields"), KeyField, not version.field)

    def _offer(self, name: str, everything: Any, choices: Any, useful: bool) -> None:
        field: Any = self.fields[name]
        if useful:
            field.choices = [("", everything), *choices.choices]
        else:
            del self.fields[name]

    @property
    def chosen(self) -> dict[str, object]:
        """What was chosen, as filters of the record; nothing while something chosen does not exist."""
        return {name: value for name, value in self.cleaned_data.items() if value} if self.is_valid() else {}
