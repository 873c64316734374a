"""Announcements on the desk: a unit tells a person what it intends to record, and reads what the person replied.

Nothing here says whether the person is on file; when the letter was shown and read is the proof of its delivery.
"""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.identity import PERSON_KINDS, IdentifierKind
from creditplatform.core.models import User
from creditplatform.core.permissions import rule
from creditplatform.core.unstored import unstored
from creditplatform.core.vault import pk_of_token
from records import announcement_selectors
from records.desk.access import sending
from records.identifiers import checked_person
from records.models import Entitlement, PriorNotice
from records.models.prior_notice import LONGEST_ANSWER, LONGEST_CASE, LONGEST_INTENDED, PRIOR_NOTICE_KIND
from records.own_numbers import not_theirs
from records.person_forms import NamesPerson
from records.services import announcements
from records.workflows.prior_notice import PRIOR_NOTICE

PAGE = 50
LONGEST_KEY = 19


class AnnouncementForm(NamesPerson):
    """Whom to tell what; the number and the name are kept as keyed indexes alone."""

    entitlement = forms.ChoiceField(label=_("Kind of record"))
    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    kind = forms.ChoiceField(
        label=_("Document"), initial=IdentifierKind.RESIDENT_ID.value,
        choices=[(kind.value, kind.label) for kind in IdentifierKind if kind in PERSON_KINDS],
    )  # fmt: skip
    number = forms.CharField(
        label=_("Number of the document"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    intended = forms.CharField(
        label=_("What is intended, and why"), max_length=LONGEST_INTENDED,
        widget=forms.Textarea(attrs={"rows": 5, "maxlength": LONGEST_INTENDED}),
        help_text=_("In plain words, at most 500 characters. Kept encrypted; the person reads it."),
    )  # fmt: skip
    document_number = forms.CharField(
        label=_("Number of the decision"), max_length=announcements.LONGEST_DOCUMENT, required=False,
        help_text=_("Where there is one already: then only the record of this number counts as the announced one."),
    )  # fmt: skip
    case_number = forms.CharField(
        label=_("Case number"), max_length=LONGEST_CASE, required=False,
        help_text=_("By it you find the case again: the page of an announcement names nobody."),
    )  # fmt: skip
    reply_until = forms.DateField(
        label=_("Reply until"), required=False, widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Left empty, the usual number of working days."),
    )  # fmt: skip

    def __init__(self, *args: Any, held: list[Entitlement], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = {str(one.pk): one for one in held}
        units = {one.agency_id for one in held}
        named = [
            (key, f"{one.entry.label} · {one.agency.label}" if len(units) > 1 else one.entry.label)
            for key, one in self.held.items()
        ]
        self.fields["entitlement"].choices = [("", _("Choose a kind of record")), *named]  # type: ignore[attr-defined]


@rule(sending)
def announcement_list(request: HttpRequest) -> HttpResponse:
    """The announcements of the own units and entries, newest first, and how many records came before a reply could."""
    user: Any = request.user
    seen = announcement_selectors.of_unit(user)
    rows, before = seen.order_by("-pk"), request.GET.get("before", "")
    if before.isascii() and before.isdecimal() and len(before) < LONGEST_KEY:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    context = {
        "announced": announcement_selectors.with_delivery(found[:PAGE]),
        "before": found[PAGE - 1].pk if len(found) > PAGE else None,
        "counts": seen.followed(),
        "today": timezone.localdate(),
    }
    return unstored(render(request, "desk/announcements.html", context))


@rule(sending)
def new(request: HttpRequest) -> HttpResponse:
    """Announce a record to a person."""
    user: Any = request.user
    form = AnnouncementForm(request.POST or None, held=announcements.announceable(user))
    if request.method == "POST" and form.is_valid() and (case := _announced(user, form)):
        messages.success(request, _("Announced. When the person has seen it, and what they reply, will stand here."))
        return redirect("desk:announcement", case.number)
    return unstored(render(request, "desk/announcement_new.html", {"form": form}))


@rule(sending)
def announcement(request: HttpRequest, announcement: str) -> HttpResponse:
    """One announcement: when it was shown and read, and the reply, which is a look; what the unit says of it."""
    user: Any = request.user
    pk = pk_of_token(PRIOR_NOTICE_KIND, announcement)
    case = announcement_selectors.of_unit(user).filter(pk=pk).first() if pk is not None else None
    if case is None:
        raise not_theirs(PRIOR_NOTICE_KIND, user)
    if request.method == "POST":
        _act(request, user, case)
        return redirect("desk:announcement", case.number)
    context = {
        "case": case,
        "letter": announcement_selectors.with_delivery([case])[0].letter,
        "reply": announcements.read_reply(case, user=user, door=Door.DESK),
        "steps": {step.name for step in PRIOR_NOTICE.available(case, user)},
        "may_answer": case.is_open and case.replied_at is not None and not case.considered,
        "longest": LONGEST_ANSWER,
    }
    return unstored(render(request, "desk/announcement.html", context))


def _announced(user: User, form: AnnouncementForm) -> PriorNotice | None:
    given = form.cleaned_data
    try:
        draft = announcements.Draft(
            person=checked_person(given["name"], given["kind"], given["number"]), name=given["name"],
            intended=given["intended"], reply_until=given["reply_until"], document_number=given["document_number"],
            case_number=given["case_number"],
        )  # fmt: skip
        return announcements.announce(draft, entitlement=form.held[given["entitlement"]], user=user)
    except Invalid as error:
        for problem in error.problems:
            field = "entitlement" if problem.field == "entry" else problem.field
            form.add_error(field if field in form.fields else None, str(problem.message))
    except CreditError as error:
        form.add_error(None, str(error))
    return None


STEPS: dict[str, tuple[Callable[..., PriorNotice], Any]] = {
    "consider": (announcements.consider, _("Noted. The person reads it beside the reply.")),
    "withdraw": (announcements.withdraw, _("Not pursued. The person is told.")),
}


def _act(request: HttpRequest, user: User, case: PriorNotice) -> None:
    if (chosen := STEPS.get(request.POST.get("act", ""))) is None:
        return
    step, done = chosen
    try:
        step(case=case, user=user, words=request.POST.get("words", ""))
        messages.success(request, done)
    except Invalid as error:
        messages.error(request, " ".join(str(one.message) for one in error.problems) or str(error))
    except CreditError as error:
        messages.error(request, str(error))
