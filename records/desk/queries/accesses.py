"""Reviews of accesses on the desk: who looked, for what and why it is looked at; never the data of the person."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.labels import Kind, label
from creditplatform.core.masking import hide_numbers
from creditplatform.core.models import AccessLog, Agency, User
from creditplatform.core.permissions import has_role, rule, staff
from creditplatform.core.unstored import unstored
from records.desk.figures import month_asked, months_offered
from records.figures import query_review
from records.look_selectors import field_labels
from records.models import AccessReview, Purpose
from records.querysets import SUPERVISING, sites_led, units_of
from records.services import access_reviews
from records.workflows.access_review import ACCESS_REVIEW, finder

PAGE = 50
LISTED = ("agency", "actor")


def reviewing(request: HttpRequest) -> bool:
    """Supervisors, the credit centre, auditors."""
    user = cast(User, request.user)
    return user.is_authenticated and has_role(Role.SUPERVISOR, Role.CENTRE, Role.AUDITOR)(user)


@rule(staff)
def index(request: HttpRequest) -> HttpResponse:
    """What waits for a review, and what this person is asked to explain."""
    user = cast(User, request.user)
    ended = request.GET.get("ended") == "1"
    seen = AccessReview.objects.visible_to(user).select_related(*LISTED)
    rows = seen.exclude(ended_at=None).order_by("-ended_at") if ended else seen.open().order_by("due_on", "pk")
    page = request.GET.get("page", "")
    at = int(page) * PAGE if page.isascii() and page.isdecimal() and len(page) < 5 else 0
    found = list(rows[at : at + PAGE + 1])
    context = {
        "reviews": found[:PAGE],
        "ended": ended,
        "next": at // PAGE + 1 if len(found) > PAGE else None,
        "asked": AccessReview.objects.all().asked_of(user).select_related(*LISTED),
        "reviewing": reviewing(request),
    }
    return render(request, "desk/queries/accesses.html", context)


@rule(staff)
def show(request: HttpRequest, access_review_id: int) -> HttpResponse:
    """One access under review; an auditor sees that somebody looked, not at what."""
    user = cast(User, request.user)
    review = _found(access_review_id, user)
    if request.method == "POST":
        return _act(request, review, user)
    line = AccessLog.objects.filter(pk=review.access_id, at=review.access_at).first()
    steps = {step.name for step in ACCESS_REVIEW.available(review, user)}
    auditor = Role.AUDITOR in user.roles
    context = {
        "review": review,
        "line": line,
        "purpose": _purpose(line.purpose) if line else "",
        "fields": [] if auditor or line is None else _kinds(line.fields),
        "words": hide_numbers(review.words or "") if finder(review, user) and not auditor else "",
        "explanation": hide_numbers(review.explanation or ""),
        "grounds": hide_numbers(review.grounds or "") if review.actor_id != user.pk else "",
        "steps": steps,
    }
    return unstored(render(request, "desk/queries/access.html", context))


def _found(key: int, user: User) -> AccessReview:
    rows = AccessReview.objects.select_related("agency__site", "actor", "reviewed_by", "explained_by")
    seen = AccessReview.objects.visible_to(user) | AccessReview.objects.all().asked_of(user)
    return get_object_or_404(rows.filter(pk__in=seen.values("pk")), pk=key)


def _kinds(codes: list[str]) -> list[str]:
    labels = field_labels(set(codes))
    return [labels[code] for code in codes]


def _purpose(code: str) -> str:
    purpose = Purpose.objects.filter(code=code).first()
    return purpose.label if purpose else label(Kind.PURPOSE, code)


def _act(request: HttpRequest, review: AccessReview, user: User) -> HttpResponse:
    act, words = request.POST.get("act", ""), request.POST.get("words", "")
    try:
        if act == "ask":
            access_reviews.ask(review=review, user=user)
        elif act == "explain":
            access_reviews.explain(review=review, user=user, words=words)
        elif act in ("right", "wrong"):
            access_reviews.find(review=review, user=user, right=act == "right", words=words)
        else:
            raise Http404
        messages.success(request, _("Noted."))
    except Invalid as error:
        messages.error(request, " ".join(str(one.message) for one in error.problems) or str(error))
        return redirect("desk:access-review", review.pk)
    except CreditError as error:
        messages.error(request, str(error))
    return redirect("desk:access-reviews")


@rule(reviewing)
def report(request: HttpRequest) -> HttpResponse:
    """The monthly review report, unit by unit."""
    month = month_asked(request)
    rows = query_review.monthly(units_reviewed(cast(User, request.user)), month)
    context: dict[str, Any] = {"rows": rows, "month": month, "months": months_offered()}
    return render(request, "desk/queries/report.html", context)


@rule(reviewing)
def report_book(request: HttpRequest) -> HttpResponse:
    """The same as a workbook."""
    month = month_asked(request)
    rows = query_review.monthly(units_reviewed(cast(User, request.user)), month)
    content = query_review.workbook(rows, month)
    response = HttpResponse(content, content_type=query_review.CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="queries-{month:%Y-%m}.xlsx"'
    return response


def units_reviewed(user: User) -> set[int]:
    """Units whose queries this person reviews: own ones, those of the place for the centre, all for an auditor."""
    if Role.AUDITOR in user.roles:
        return set(Agency.objects.values_list("pk", flat=True))
    led = Agency.objects.filter(site__in=sites_led(user)).values_list("pk", flat=True)
    return {*units_of(user, SUPERVISING), *led}
