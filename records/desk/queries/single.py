"""Queries about one person on the desk: the page of a query shows no data of the person, opening its result does."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.masking import Mask, mask
from creditplatform.core.models import User
from creditplatform.core.permissions import rule
from creditplatform.core.unstored import unstored
from creditplatform.core.vault import pk_of_token
from records import sentences
from records.desk.access import sending
from records.desk.queries.forms import Offer, QueryForm, offers_of
from records.enums import Outcome, Reason
from records.models import CreditRecord, HumanReview, Query
from records.models.query import QUERY_KIND
from records.queries.asking import refuse
from records.queries.disclosure import Shown
from records.queries.grants import NotAuthorised
from records.sentences import OUTCOME_MARKS
from records.services import queries
from records.services.queries import Draft, Result
from records.workflows.human_review import consent_stands
from records.workflows.query import QUERY, open_until

PAGE = 50
LISTED = ("agency", "purpose", "asked_by")


@rule(sending)
def index(request: HttpRequest) -> HttpResponse:
    """Own queries, the latest first, and those of the unit that wait for this person's approval."""
    user = cast(User, request.user)
    before = request.GET.get("before", "")
    own = Query.objects.filter(asked_by=user).select_related(*LISTED)
    key = pk_of_token(QUERY_KIND, before)
    found = list((own.filter(pk__lt=key) if key else own).order_by("-pk")[: PAGE + 1])
    context = {
        "own": found[:PAGE],
        "before": found[PAGE - 1].token if len(found) > PAGE else "",
        "waiting": Query.objects.all().to_approve(user).select_related(*LISTED).order_by("pk")[:PAGE],
        "offers": offers_of(user),
    }
    return render(request, "desk/queries/index.html", context)


@rule(sending)
def new(request: HttpRequest) -> HttpResponse:
    """Ask about one person: everything that is wrong is said at once, and a refusal is registered too."""
    user = cast(User, request.user)
    offers = offers_of(user)
    form, status = QueryForm(request.POST or None, offers=offers), 200
    refusal: CreditError | None = None
    if request.method == "POST":
        query, refusal = _submitted(form, user)
        if query is not None:
            return redirect("desk:query", query.token)
        status = 400 if refusal is None else refusal.http_status
    context = {"form": form, "offers": offers, "refusal": refusal}
    return unstored(render(request, "desk/queries/new.html", context, status=status))


def _submitted(form: QueryForm, user: User) -> tuple[Query | None, CreditError | None]:
    """The query, or what is to be said above the form; problems of fields stand beside them."""
    offer = form.offers.get(form.data.get("purpose", ""))
    if offer is None:
        form.is_valid()
        return None, None
    draft = _draft(form, offer, user)
    try:
        if form.is_valid():
            return queries.submit(draft), None
        raise Invalid(queries.problems_of(draft, offer.purpose))
    except Invalid as error:
        queries.note_refused(draft, error)
        for problem in error.problems:
            if problem.field not in form.errors:
                form.add_error(problem.field, str(problem.message))
    except CreditError as error:
        queries.note_refused(draft, error)
        return None, error
    return None, None


def _draft(form: QueryForm, offer: Offer, user: User) -> Draft:
    typed = {name: str(form.data.get(name, "")) for name in ("kind", "name", "document", "number", "case_number")}
    return Draft(
        agency=offer.agency,
        user=user,
        purpose=offer.purpose.code,
        kind=typed["kind"],
        name=typed["name"],
        document=typed["document"],
        number=typed["number"],
        case_number=typed["case_number"],
    )


@rule(sending)
def show(request: HttpRequest, query_token: str) -> HttpResponse:
    """One query: purpose, case, state, and what this person may do now."""
    user = cast(User, request.user)
    query = _found(query_token, user)
    if request.method == "POST":
        return _act(request, query, user)
    return _page(request, query, user)


def _found(token: str, user: User) -> Query:
    key = pk_of_token(QUERY_KIND, token)
    rows = Query.objects.visible_to(user).select_related("agency__site", "purpose__legal_basis", "asked_by")
    query = rows.filter(pk=key).first() if key is not None else None
    if query is None:
        raise Http404
    return query


def _page(request: HttpRequest, query: Query, user: User, *, status: int = 200, **more: Any) -> HttpResponse:
    _kind, _bar, number = (query.number_sealed or "").partition("|")
    steps = {step.name for step in QUERY.available(query, user)}
    context = {
        "query": query,
        "steps": steps,
        "own": query.asked_by_id == user.pk,
        "masked_name": mask(Mask.NAME, query.name_sealed or ""),
        "masked_number": mask(Mask.ID_NUMBER_LAST4, number),
        "until": open_until(query),
        "reviews": _reviews(query),
        **more,
    }
    return unstored(render(request, "desk/queries/query.html", context, status=status))


def _act(request: HttpRequest, query: Query, user: User) -> HttpResponse:
    act, words = request.POST.get("act", ""), request.POST.get("words", "")
    if act == "open":
        return _opened(request, query, user)
    try:
        _take(act, query, user, words)
        messages.success(request, _("Noted."))
    except Invalid as error:
        messages.error(request, " ".join(str(one.message) for one in error.problems) or str(error))
    except CreditError as error:
        messages.error(request, str(error))
    return redirect("desk:query", query.token)


def _take(act: str, query: Query, user: User, words: str) -> None:
    if act == "approve":
        queries.approve(query=query, user=user)
    elif act == "refuse":
        queries.turn_down(query=query, user=user, words=words)
    elif act == "close":
        queries.close(query=query, user=user)
    elif act == "person":
        queries.send_to_person(query=query, user=user, words=words)
    else:
        raise Http404


def _opened(request: HttpRequest, query: Query, user: User) -> HttpResponse:
    """The result: it stands on no other page, and each time it is shown the look is registered."""
    try:
        result = queries.open_result(query=query, user=user)
    except NotAuthorised as error:
        refuse(queries.question_of(query))
        return _page(request, query, user, status=error.http_status, refusal=error)
    except Invalid as error:
        messages.error(request, " ".join(str(one.message) for one in error.problems))
        return redirect("desk:query", query.token)
    except CreditError as error:
        messages.error(request, str(error))
        return redirect("desk:query", query.token)
    return unstored(render(request, "desk/queries/result.html", _result(result)))


def _result(result: Result) -> dict[str, Any]:
    query = result.query
    return {
        "query": query,
        "until": open_until(query),
        "tone": OUTCOME_MARKS[Outcome(query.outcome)] if query.outcome else None,
        "reasons": [Reason(reason).label for reason in query.reasons],
        "criteria": result.criteria,
        "rests_on": result.rests_on,
        "reviews": _reviews(query),
        "shown": [_told(one) for one in result.shown],
    }


def _reviews(query: Query) -> list[HumanReview]:
    """What became of the answer before a person, while the consent it rests on lasts."""
    found, now = query.reviews.select_related("authorisation").order_by("-pk"), timezone.now()
    return [one for one in found if consent_stands(one, now)]


def _told(one: Shown) -> dict[str, Any]:
    """A record in sentences, with the fields that may be seen."""
    return {
        "record": one.record,
        "happened": sentences.what_happened(one.record) if _whole(one) else "",
        "fields": [(sentences.shown_label(item), sentences.shown_value(item, text)) for item, text in one.fields],
        "statement": one.statement,
    }


def _whole(one: Shown) -> bool:
    """Whether more than single fields are open, so that the sentence tells nothing that is not."""
    record: CreditRecord = one.record
    open_fields = [item for item in record.version.fields.all() if not item.personal]
    return {item.pk for item in open_fields if record.payload.get(item.code)} <= {item.pk for item, _text in one.fields}
