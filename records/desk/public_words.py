"""Words that persons want shown on the public page of a record, looked over on the desk."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door, Role
from creditplatform.core.errors import CreditError
from creditplatform.core.models import User
from creditplatform.core.permissions import rule
from creditplatform.core.unstored import unstored
from records.desk.access import centre
from records.enums import OwnPurpose, WordsRefusal
from records.models import PublicWords
from records.services import public_words
from records.workflows.public_words import PUBLIC_WORDS

PAGE = 50
RELATED = ("record__entry", "record__agency", "record__subject")


@rule(centre)
def index(request: HttpRequest) -> HttpResponse:
    """What waits, oldest first; without the words, since each is about one person."""
    user: Any = request.user
    waiting = PublicWords.objects.visible_to(user).waiting().select_related(*RELATED).defer("text", "record__statement")
    found = list(waiting[: PAGE + 1])
    return render(request, "desk/words.html", {"waiting": found[:PAGE], "more": len(found) > PAGE})


@rule(centre)
def show(request: HttpRequest, words_id: int) -> HttpResponse:
    """One record with the words about it: show them to the public, or refuse with a reason. The look is registered."""
    user: Any = request.user
    seen = PublicWords.objects.visible_to(user).select_related(*RELATED, "decided_by")
    words = get_object_or_404(seen, pk=words_id)
    if request.method == "POST":
        return _decide(request, user, words)
    return _page(request, user, words)


def _page(request: HttpRequest, user: User, words: PublicWords, *, status: int = 200) -> HttpResponse:
    _note_look(words, user)
    steps = {step.name for step in PUBLIC_WORDS.available(words, user)}
    context = {
        "words": words, "record": words.record, "steps": steps, "reasons": WordsRefusal.choices,
        "public": public_words.is_public(words.record), "given": request.POST,
    }  # fmt: skip
    return unstored(render(request, "desk/words_one.html", context, status=status))


def _decide(request: HttpRequest, user: User, words: PublicWords) -> HttpResponse:
    """What was typed stands on the page again where something was wrong with it."""
    act, given = request.POST.get("act", ""), request.POST
    try:
        if act == "show":
            public_words.show(words=words, user=user)
        elif act == "refuse":
            refusal, grounds = given.get("refusal", ""), given.get("grounds", "")
            public_words.refuse(words=words, user=user, refusal=refusal, grounds=grounds)
        else:
            raise Http404
    except CreditError as error:
        problems = getattr(error, "problems", [])
        messages.error(request, " ".join(str(one.message) for one in problems) or str(error))
        words.refresh_from_db()
        return _page(request, user, words, status=error.http_status)
    messages.success(request, _("Decided. The person is told."))
    return redirect("desk:words")


def _note_look(words: PublicWords, user: User) -> None:
    centre_of = next(m.agency for m in user.memberships_in_force if m.role == Role.CENTRE)
    record_disclosure(
        subject_ref=words.record.subject_id, actor=user, agency=centre_of, purpose=OwnPurpose.UPKEEP,
        authority=Authority.DUTY, fields=["statement", words.record.entry.code], door=Door.DESK,
    )  # fmt: skip
