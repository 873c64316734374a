"""Automatic answers before a person of the unit: the list, and one with what it rests on and the decision."""

from typing import cast

from django.contrib import messages
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import AccessResult, Authority, Door, Role
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.models import User
from creditplatform.core.permissions import has_role, rule
from creditplatform.core.unstored import unstored
from creditplatform.core.vault import pk_of_token
from records import sentences
from records.enums import HumanReviewState, Outcome, Reason
from records.models import CreditRecord, HumanReview
from records.models.query import REVIEW_KIND
from records.queries.disclosure import DISCLOSED, NOBODY
from records.sentences import OUTCOME_MARKS
from records.services import batch_checks, human_review
from records.services.queries import records_named
from records.workflows.human_review import HUMAN_REVIEW, asked_by_the_person, consent_stands

PAGE = 50
LISTED = ("agency", "purpose", "decided_by", "asked_by")


def deciding(request: HttpRequest) -> bool:
    """Officers and supervisors."""
    user = cast(User, request.user)
    return user.is_authenticated and has_role(Role.OFFICER, Role.SUPERVISOR)(user)


@rule(deciding)
def index(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, the most urgent first, and the last ones that ended."""
    seen = HumanReview.objects.visible_to(cast(User, request.user)).select_related(*LISTED)
    now, waiting = timezone.now(), seen.waiting().select_related("authorisation").order_by("due_on", "pk")[:PAGE]
    ended = Coalesce("decided_at", "ended_at").desc()
    context = {
        "waiting": [(review, consent_stands(review, now)) for review in waiting],
        "ended": seen.exclude(state=HumanReviewState.REQUESTED).order_by(ended)[:PAGE],
    }
    return render(request, "desk/queries/results.html", context)


@rule(deciding)
def show(request: HttpRequest, review_token: str) -> HttpResponse:
    """One answer with the records it rests on; whoever opens it to decide leaves a line in the access log."""
    user = cast(User, request.user)
    key = pk_of_token(REVIEW_KIND, review_token)
    seen = HumanReview.objects.visible_to(user).select_related(*LISTED, "subject", "authorisation", "query", "batch")
    review = seen.filter(pk=key).first() if key is not None else None
    if review is None:
        raise Http404
    if request.method == "POST":
        return _decided(request, review, user)
    stands = consent_stands(review, timezone.now())
    may_decide = stands and bool(HUMAN_REVIEW.available(review, user))
    person = _person(review) if may_decide else ""
    context = {
        "review": review,
        "stands": stands,
        "may_decide": may_decide,
        "tone": OUTCOME_MARKS[Outcome(review.decision or review.outcome)],
        "person": person,
        "reasons": [Reason(reason).label for reason in review.reasons],
        "records": _looked_at(review, user, ["name"] if person else []) if may_decide else [],
        "choices": [(one.value, one.label) for one in (Outcome.YES, Outcome.NO)],
    }
    return unstored(render(request, "desk/queries/result_review.html", context))


def _decided(request: HttpRequest, review: HumanReview, user: User) -> HttpResponse:
    given = request.POST
    try:
        human_review.decide(
            review=review, user=user, decision=given.get("decision", ""), grounds=given.get("grounds", "")
        )
        messages.success(request, _("Decided. The person is told."))
    except Invalid as error:
        messages.error(request, " ".join(str(one.message) for one in error.problems) or str(error))
    except CreditError as error:
        messages.error(request, str(error))
    return redirect("desk:result", review.token)


def _looked_at(review: HumanReview, user: User, more: list[str]) -> list[tuple[CreditRecord, str]]:
    """The records that still count, registered before that with what `more` is shown of the person.

    Each in a sentence where the purpose opens records or the person has asked; else what the automatic answer named of
    it: kind, unit and day.
    """
    records = records_named(review.records)
    record_disclosure(
        subject_ref=review.subject_id or NOBODY,
        actor=user,
        agency=review.agency,
        purpose=review.purpose_id,
        authority=Authority.STATUTE,
        reference=human_review.STATUTE,
        case_number=review.case_number,
        fields=[DISCLOSED, *more, *{record.entry.code for record in records}],
        door=Door.DESK,
        result=AccessResult.SHOWN if review.subject_id else AccessResult.NOTHING,
    )
    whole = review.purpose.gives_records or asked_by_the_person(review)
    return [
        (record, sentences.what_happened(record) if whole else f"{record.entry.label} · {record.agency.label}")
        for record in records
    ]


def _person(review: HumanReview) -> str:
    """Whom it is about, as whoever asked has written it; the name on file only where the person asked."""
    if review.query is not None:
        return review.query.name_sealed or ""
    if review.batch is not None:
        return batch_checks.name_in_row(review.batch, review.row_number or 0)
    known = review.subject is not None and asked_by_the_person(review)
    return (review.subject.name_sealed or "") if known and review.subject else ""
