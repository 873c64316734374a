"""Checks of many persons on the desk: send a workbook, watch the progress, fetch the answers."""

import tempfile
from typing import Any, cast

from django.contrib import messages
from django.db.models import Count
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from creditplatform.core import probes
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.models import User
from creditplatform.core.permissions import rule
from creditplatform.core.unstored import unstored
from creditplatform.core.vault import pk_of_token
from records.desk.access import sending
from records.desk.queries.forms import CheckForm, offers_of
from records.enums import BatchCheckState, NotChecked, Outcome
from records.models import BatchCheck, HumanReview
from records.models.query import BATCH_KIND
from records.services import batch_checks, check_files, check_results
from records.services.check_workbook import in_words, template, write_results
from records.services.feeds import folder
from records.tasks import queue_check
from records.workflows.batch_check import BATCH_CHECK

PAGE, ROWS_SHOWN = 50, 100
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LISTED = ("agency", "purpose", "asked_by")
MARKS = {
    BatchCheckState.SUBMITTED: ("info", "…"),
    BatchCheckState.CHECKING: ("info", "…"),
    BatchCheckState.DONE: ("good", "✓"),
    BatchCheckState.REFUSED: ("bad", "✕"),
    BatchCheckState.CLEARED: ("info", "○"),
}


@rule(sending)
def index(request: HttpRequest) -> HttpResponse:
    """Own checks, the latest first, and those of the unit that wait for this person's approval."""
    user = cast(User, request.user)
    own = BatchCheck.objects.filter(asked_by=user).select_related(*LISTED).order_by("-pk")[:PAGE]
    context = {
        "own": [(check, MARKS[BatchCheckState(check.state)]) for check in own],
        "waiting": BatchCheck.objects.all().to_approve(user).select_related(*LISTED).order_by("pk")[:PAGE],
        "offers": offers_of(user, eligibility=True),
    }
    return render(request, "desk/queries/checks.html", context)


@rule(sending)
def new(request: HttpRequest) -> HttpResponse:
    """Take a file in; a worker answers it while its page shows the progress."""
    user = cast(User, request.user)
    offers = offers_of(user, eligibility=True)
    form, status = CheckForm(request.POST or None, request.FILES or None, offers=offers), 200
    if request.method == "POST":
        batch = _submitted(form, user)
        if batch is not None:
            return redirect("desk:batch-check", batch.token)
        status = 400
    context = {"form": form, "offers": offers, "most": check_files.MOST_ROWS}
    return unstored(render(request, "desk/queries/check_new.html", context, status=status))


def _submitted(form: CheckForm, user: User) -> BatchCheck | None:
    if not form.is_valid():
        return None
    offer, file = form.offers[form.cleaned_data["purpose"]], form.cleaned_data["file"]
    try:
        batch = batch_checks.submit(
            agency=offer.agency, user=user, purpose=offer.purpose.code, case_number=form.cleaned_data["case_number"],
            blocks=file.chunks(), file_name=file.name or "", again=form.cleaned_data["again"],
        )  # fmt: skip
    except Invalid as error:
        for problem in error.problems:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return None
    except CreditError as error:
        form.add_error("file", str(error))
        return None
    if batch.state == BatchCheckState.CHECKING:
        queue_check(batch.pk)
    return batch


@rule(sending)
def blank(request: HttpRequest) -> HttpResponse:
    """The template workbook."""
    response = HttpResponse(template(), content_type=WORKBOOK)
    response["Content-Disposition"] = 'attachment; filename="batch-check.xlsx"'
    return response


@rule(sending)
def show(request: HttpRequest, check_token: str) -> HttpResponse:
    """One check: state and progress, counts, the rows that a person should look at; no value of anybody."""
    user = cast(User, request.user)
    batch = _found(check_token, user)
    if request.method == "POST":
        return _act(request, batch, user)
    own = batch.asked_by_id == user.pk
    counts = batch.results.values_list("outcome", "problem").annotate(number=Count("pk")).order_by()
    by_outcome = {outcome or problem: number for outcome, problem, number in counts}
    steps = {step.name for step in BATCH_CHECK.available(batch, user)}
    context = {
        "batch": batch,
        "own": own,
        "mark": MARKS[BatchCheckState(batch.state)],
        "open": batch.state == BatchCheckState.CHECKING,
        "worker_stopped": "worker" in probes.stopped_timers(),
        "steps": steps,
        "answers": [(one.label, by_outcome.get(one.value, 0)) for one in Outcome],
        "problems": [(one.label, by_outcome[one.value]) for one in NotChecked if one.value in by_outcome],
        "rows": _rows(batch) if own and batch.state == BatchCheckState.DONE else [],
        "answered": any(by_outcome.get(one.value) for one in Outcome),
    }
    return unstored(render(request, "desk/queries/check.html", context))


def _rows(batch: BatchCheck) -> list[tuple[int, str, str, HumanReview | None]]:
    """The first rows that are not a plain yes, by their number in the file, each with what became of it."""
    rows = batch.results.filter(outcome__in=[Outcome.PERSON, Outcome.NO]).order_by("-outcome", "row_number")
    found, decided = check_results.overview(batch, list(rows[:ROWS_SHOWN])), batch_checks.decisions(batch)
    return [(row.row_number, *in_words(row), None if row.problem else decided.get(row.row_number)) for row in found]


@rule(sending)
@require_POST
def results(request: HttpRequest, check_token: str) -> HttpResponseBase:
    """The answers as a workbook, for whoever asked; that they were fetched is noted."""
    user = cast(User, request.user)
    batch = _found(check_token, user)
    target = tempfile.TemporaryFile(dir=folder())  # noqa: SIM115 - the response closes it
    try:
        write_results(batch=batch, user=user, target=target)
    except CreditError as error:
        target.close()
        messages.error(request, str(error))
        return redirect("desk:batch-check", batch.token)
    target.seek(0)
    name = f"results-{timezone.localdate(batch.asked_at).isoformat()}-{batch.token[:4]}.xlsx"
    return unstored(FileResponse(target, as_attachment=True, filename=name, content_type=WORKBOOK))


def _found(token: str, user: User) -> BatchCheck:
    key = pk_of_token(BATCH_KIND, token)
    rows = BatchCheck.objects.visible_to(user).select_related("agency__site", "purpose__legal_basis", "asked_by")
    batch = rows.filter(pk=key).first() if key is not None else None
    if batch is None:
        raise Http404
    return batch


def _act(request: HttpRequest, batch: BatchCheck, user: User) -> HttpResponse:
    try:
        _take(request.POST, batch, user)
        messages.success(request, _("Noted."))
    except Invalid as error:
        messages.error(request, " ".join(str(one.message) for one in error.problems) or str(error))
    except CreditError as error:
        messages.error(request, str(error))
    return redirect("desk:batch-check", batch.token)


def _take(given: Any, batch: BatchCheck, user: User) -> None:
    act, words, row = given.get("act", ""), given.get("words", ""), given.get("row", "")
    if act == "approve":
        queue_check(batch_checks.approve(batch=batch, user=user).pk)
    elif act == "refuse":
        batch_checks.turn_down(batch=batch, user=user, words=words)
    elif act == "person":
        known = row.isascii() and row.isdecimal() and len(row) <= len(str(check_files.MOST_ROWS))
        batch_checks.send_to_person(batch=batch, user=user, row_number=int(row) if known else 0, words=words)
    else:
        raise Http404
