"""Forms of the desk about deliveries."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from creditplatform.core.models import User
from records.enums import ColumnFate
from records.feeds.plan import Plan
from records.models import Feed, FeedBatch
from records.querysets import units_of

LEFT_OUT = "-"


class UploadForm(forms.Form):
    """A feed of one's own unit and a file."""

    feed = forms.ModelChoiceField(Feed.objects.none(), label=_("Feed"), empty_label=_("Choose a feed"))
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, XLSX, XLS, XML or JSON; the first row holds the column names. Any usual encoding is read."),
    )
    dated_on = forms.DateField(
        label=_("Date of the list"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Only for lists whose rows bear no date."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Feed.objects.of_units().filter(agency__in=units_of(user), active=True)
        self.fields["feed"].queryset = own.select_related("agency", "entry")  # type: ignore[attr-defined]


class ColumnsForm(forms.Form):
    """For every column of a file the field it is, or that it is not taken in; what is proposed is chosen already."""

    def __init__(self, *args: Any, batch: FeedBatch, plan: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = list(batch.columns)
        fields = [(item.code, f"{item.label} ({item.code})") for item in plan.fields]
        choices = [("", _("Choose a field")), (LEFT_OUT, _("Do not take this column in")), *fields]
        for at, column in enumerate(self.columns):
            left_out = column["fate"] == ColumnFate.IGNORED
            self.fields[f"column_{at}"] = forms.ChoiceField(
                label=column["header"],
                choices=choices,
                initial=LEFT_OUT if left_out else column["field"],
                error_messages={"required": _("Choose a field for this column, or say that it is not taken in.")},
            )

    def rows(self) -> list[tuple[dict[str, Any], str, forms.BoundField]]:
        """Each column with the words for its fate and its input."""
        return [
            (column, str(ColumnFate(column["fate"]).label), self[f"column_{at}"])
            for at, column in enumerate(self.columns)
        ]

    def choices(self) -> dict[str, str]:
        """Field by header, empty where the column is left out; what a name says by itself need not be remembered."""
        chosen = {}
        for at, column in enumerate(self.columns):
            code = self.cleaned_data[f"column_{at}"]
            if column["fate"] != ColumnFate.NAME or code != column["field"]:
                chosen[column["header"]] = "" if code == LEFT_OUT else code
        return chosen
