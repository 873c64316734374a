"""Key groups and the members of the own organisation: figures for everybody concerned, persons by exact number."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from creditplatform.core.identity import PERSON_KINDS, IdentifierKind, check, normalise
from creditplatform.core.permissions import rule, staff
from creditplatform.core.unstored import unstored
from records import tie_selectors as selectors
from records.feeds.problems import sentence


class NumberForm(forms.Form):
    """The exact number of one document; a name finds nobody."""

    kind = forms.ChoiceField(
        label=_("Document"),
        choices=[(kind.value, kind.label) for kind in IdentifierKind if kind in PERSON_KINDS],
        initial=IdentifierKind.RESIDENT_ID.value,
    )
    number = forms.CharField(
        label=_("Number of the document"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def clean(self) -> dict[str, Any]:
        """A mistyped number is nobody's, and no look is written for it."""
        given = super().clean() or {}
        kind, number = given.get("kind"), given.get("number")
        if kind and number and (problem := check(IdentifierKind(kind), normalise(number))):
            self.add_error("number", sentence(problem.value))
        return given


@rule(staff)
def key_groups(request: HttpRequest) -> HttpResponse:
    """The key groups of the plans with their figures and units."""
    user: Any = request.user
    groups = selectors.groups_of(user)
    context = {"groups": selectors.group_figures(groups), "members": selectors.own_organisations(user)}
    return render(request, "desk/key_groups.html", context)


@rule(staff)
def key_group(request: HttpRequest, group_code: str) -> HttpResponse:
    """One key group, and whether one person belongs to it."""
    user: Any = request.user
    group = next((one for one in selectors.groups_of(user) if one.pk == group_code), None)
    if group is None:
        raise Http404
    form, found = NumberForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        found = selectors.find_member(user=user, group=group, **form.cleaned_data)
    context = {
        "figures": selectors.group_figures([group])[0],
        "form": form,
        "found": found,
        "shared": selectors.openness_sentence_applies(group),
    }
    return unstored(render(request, "desk/key_group.html", context))


@rule(staff)
def members(request: HttpRequest) -> HttpResponse:
    """Whom the own organisation has put on file as its members, students, volunteers."""
    user: Any = request.user
    if not (agencies := selectors.own_organisations(user)):
        raise PermissionDenied
    chosen = next((one for one in agencies if one.code == request.GET.get("unit")), agencies[0])
    before = request.GET.get("before", "")
    key = int(before) if before.isdecimal() and len(before) < 19 else None
    page = selectors.members_of(user=user, agency=chosen, before=key)
    context = {
        "agency": chosen,
        "agencies": agencies,
        "ties": page[: selectors.PAGE],
        "before": page[selectors.PAGE - 1].pk if len(page) > selectors.PAGE else None,
    }
    return unstored(render(request, "desk/members.html", context))
