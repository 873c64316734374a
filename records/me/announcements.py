"""Pages on which a person reads what a unit intends to record, and replies once."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.models import User
from creditplatform.core.vault import pk_of_token
from records import announcement_selectors, selectors
from records.enums import RepresentationScope
from records.me.acting import represented
from records.models import PriorNotice, Subject
from records.models.prior_notice import LONGEST_REPLY, PRIOR_NOTICE_KIND
from records.own_numbers import not_theirs
from records.services import announcements
from records.services.announcements import SHOWN_REPLY

SHOWN_ENDED = 50


class ReplyForm(forms.Form):
    """Statement and defence, given once."""

    words = forms.CharField(
        label=_("What I have to say"), max_length=LONGEST_REPLY,
        widget=forms.Textarea(attrs={"rows": 8, "maxlength": LONGEST_REPLY}),
        help_text=_(
            "At most 1000 characters, once. No numbers of documents, telephones or bank cards, and nothing about other"
            " persons."
        ),
        error_messages={
            "required": _("Please write what you have to say."),
            "max_length": _("Please use no more than 1000 characters."),
        },
    )  # fmt: skip


@represented(RepresentationScope.FILE)
def announcement_list(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """What may come, and what has come of earlier announcements."""
    cases = announcement_selectors.to_person(subject)
    waiting = list(cases.open())
    ended = list(cases.exclude(pk__in=[case.pk for case in waiting])[:SHOWN_ENDED])
    if waiting or ended:
        selectors.log_own_look(user, subject, [SHOWN_REPLY])
    return render(request, "me/announcements.html", {"waiting": waiting, "ended": ended})


@represented(RepresentationScope.FILE)
def announcement(request: HttpRequest, user: User, subject: Subject, announcement: str) -> HttpResponse:
    """One announcement: who intends what on which basis, until when to reply; the person alone replies."""
    case = _own(user, subject, announcement)
    form = ReplyForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _replied(request, user, case, form):
        return redirect("me:announcement", case.number)
    selectors.log_own_look(user, subject, [SHOWN_REPLY, case.entry.code])
    own = selectors.is_own(user, subject)
    context = {
        "case": case, "basis": announcement_selectors.basis_of(case), "form": form, "own": own,
        "may_reply": own and case.takes_reply,
    }  # fmt: skip
    return render(request, "me/announcement.html", context)


def _own(user: User, subject: Subject, number: str) -> PriorNotice:
    pk = pk_of_token(PRIOR_NOTICE_KIND, number)
    found = announcement_selectors.to_person(subject).filter(pk=pk).first() if pk is not None else None
    if found is None:
        raise not_theirs(PRIOR_NOTICE_KIND, user)
    return found


def _replied(request: HttpRequest, user: User, case: PriorNotice, form: ReplyForm) -> bool:
    try:
        announcements.reply(case=case, user=user, words=form.cleaned_data["words"])
    except Invalid as error:
        for problem in error.problems:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return False
    except CreditError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, _("Your reply is with the unit. It says how it has taken it into account."))
    return True
