"""Forms of queries: about one person, about many; the purposes offered are those open to the person's units."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from creditplatform.core.identity import PERSON_KINDS, IdentifierKind
from creditplatform.core.models import Agency, User
from creditplatform.core.wording import bracketed
from records.enums import QueryKind
from records.models import Purpose
from records.querysets import units_of
from records.services.batch_checks import AGAIN
from records.services.check_files import KIND_HEADER, NAME_HEADER, NUMBER_HEADER

KEPT_OFF = {"autocomplete": "off"}


@dataclass(frozen=True)
class Offer:
    """A purpose that a unit of the person may use."""

    agency: Agency
    purpose: Purpose

    @property
    def code(self) -> str:
        """How a form names it."""
        return f"{self.agency.code}:{self.purpose.code}"


def offers_of(user: User, *, eligibility: bool = False) -> list[Offer]:
    """What this person may ask for today, unit by unit; `eligibility`: only what says whether a record is clean."""
    agencies = Agency.objects.filter(pk__in=units_of(user), active=True).select_related("site").order_by("code")
    found = [(agency, Purpose.objects.open_to(agency).select_related("legal_basis")) for agency in agencies]
    return [
        Offer(agency, purpose)
        for agency, purposes in found
        for purpose in purposes
        if purpose.gives_eligibility or not eligibility
    ]


def _choices(offers: list[Offer]) -> list[tuple[str, Any]]:
    several = len({offer.agency.pk for offer in offers}) > 1
    named = [
        (one.code, f"{one.purpose.label}{bracketed(one.agency.label)}" if several else one.purpose.label)
        for one in offers
    ]
    return [("", _("Choose a purpose")), *named]


class CaseForm(forms.Form):
    """Purpose and case, which every query names."""

    purpose = forms.ChoiceField(label=_("Purpose"))
    case_number = forms.CharField(
        label=_("Case number"), max_length=60, widget=forms.TextInput(attrs=KEPT_OFF),
        help_text=_("Of the application or file this is needed for. The person can read it in the list of looks."),
    )  # fmt: skip

    def __init__(self, *args: Any, offers: list[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offers = {offer.code: offer for offer in offers}
        self.fields["purpose"].choices = _choices(offers)  # type: ignore[attr-defined]


class QueryForm(CaseForm):
    """One person."""

    kind = forms.ChoiceField(label=_("What is asked"), choices=[("", _("Choose what is asked")), *QueryKind.choices])
    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput(attrs=KEPT_OFF))
    document = forms.ChoiceField(
        label=_("Document"),
        choices=[(kind.value, kind.label) for kind in IdentifierKind if kind in PERSON_KINDS],
        initial=IdentifierKind.RESIDENT_ID.value,
    )
    number = forms.CharField(label=_("Number of the document"), max_length=40, widget=forms.TextInput(attrs=KEPT_OFF))
    field_order = ("purpose", "case_number", "kind", "name", "document", "number")


class CheckForm(CaseForm):
    """Many persons by a file; `again` matters for a list that was checked for the same case alone."""

    file = forms.FileField(
        label=_("File"),
        help_text=format_lazy(
            _(
                "XLSX, XLS or CSV with up to 100,000 rows. The first row names the columns: “{name}”, “{number}” and,"
                " where a number is no resident identity number, “{kind}”."
            ),
            name=NAME_HEADER, number=NUMBER_HEADER, kind=KIND_HEADER,
        ),
    )  # fmt: skip
    again = forms.BooleanField(
        label=AGAIN, required=False,
        help_text=_("Only for a list that was sent for this case before; it takes another use of every consent."),
    )  # fmt: skip
