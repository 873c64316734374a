"""Whether the own record is clean, who asked for that, and how to have a person decide (PIPL, article 24)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError
from creditplatform.core.models import User
from records.enums import Outcome, Reason, RepresentationScope
from records.me.acting import represented
from records.me.views import LONGEST_KEY
from records.models import Subject
from records.queries import own_eligibility
from records.sentences import OUTCOME_MARKS

LONGEST = 500


@represented(RepresentationScope.FILE)
def eligibility(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """The answer under the rule with its reasons, the answers units got, and those put before a person."""
    if request.method == "POST":
        return _asked(request, user, subject)
    context = {
        "answers": [
            (one, OUTCOME_MARKS[Outcome(one.answer.outcome)], [Reason(reason).label for reason in one.answer.reasons])
            for one in own_eligibility.own_answers(user, subject)
        ],
        "units": own_eligibility.unit_answers(subject),
        "reviews": own_eligibility.reviews_about(subject),
        "may_ask": own_eligibility.may_ask(user, subject),
    }
    return render(request, "me/eligibility.html", context)


def _asked(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    access, words = request.POST.get("access", ""), request.POST.get("words", "")[:LONGEST]
    try:
        known = access.isascii() and access.isdecimal() and len(access) < LONGEST_KEY
        own_eligibility.ask_for_person(user, subject, int(access) if known else 0, words)
        messages.success(request, _("Asked for. Somebody of the unit decides, and you are told."))
    except CreditError as error:
        messages.error(request, str(error))
    return redirect("me:eligibility")
