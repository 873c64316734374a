"""Deliveries of the own unit on the desk: template, upload, receipt, columns to confirm, cancelling."""

from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from creditplatform.core.enums import Door, Role
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.models import User
from creditplatform.core.permissions import rule
from creditplatform.core.staff import CappedPaginator
from records.desk.access import sending, working
from records.desk.delivery_filter import WAYS, DeliveryFilter
from records.desk.forms import ColumnsForm, UploadForm
from records.desk.receipts import mark_of, name_of_file, receipt_page
from records.feeds.plan import plan_for
from records.feeds.selectors import missing_fields
from records.feeds.template import WORKBOOK, template_of
from records.models import Feed, FeedBatch
from records.models.feed import OPEN_STATES
from records.querysets import sites_led, units_of
from records.services.columns import confirm_columns
from records.services.feeds import cancel_batch, receive_file
from records.tasks import queue_batch

PER_PAGE = 50


def _visible(user: Any) -> QuerySet[FeedBatch]:
    batches = FeedBatch.objects.select_related("feed__agency", "feed__entry", "client")
    return batches.filter(feed__agency__site__in=sites_led(user)) if Role.CENTRE in user.roles else _own(user)


def _own(user: Any) -> QuerySet[FeedBatch]:
    batches = FeedBatch.objects.select_related("feed__agency", "feed__entry")
    return batches.filter(feed__agency__in=units_of(user))


@rule(working)
def listed(request: HttpRequest) -> HttpResponse:
    """Deliveries, the latest first, and the feeds of the own unit with their templates; forms only on request."""
    user: Any = request.user
    asked = DeliveryFilter.of(request.GET)
    found = asked.apply(_visible(user)).order_by("-received_at", "-pk")
    pages: Paginator[FeedBatch] = CappedPaginator(found, PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    feeds = Feed.objects.of_units().filter(agency__in=units_of(user), active=True).select_related("entry")
    rows = [(batch, name_of_file(batch, user), mark_of(batch)) for batch in page]
    led = Feed.objects.filter(agency__site__in=sites_led(user)) | Feed.objects.filter(agency__in=units_of(user))
    context = {
        "rows": rows,
        "page": page,
        "feeds": feeds,
        "asked": asked,
        "chosen": led.filter(code=asked.feed).select_related("agency").first() if asked.feed else None,
        "all_feeds": asked.address(feed=""),
        "ways": [(way, label, asked.address(way=way)) for way, label in WAYS.items()],
    }
    return render(request, "desk/deliveries/list.html", context)


@rule(sending)
def deliver(request: HttpRequest) -> HttpResponse:
    """Take in a file; a worker works it off while the receipt shows the progress."""
    user = cast(User, request.user)
    wanted = Feed.objects.filter(code=request.GET.get("feed", "").replace("\x00", "")).first()
    form = UploadForm(request.POST or None, request.FILES or None, user=user, initial={"feed": wanted})
    if request.method == "POST" and form.is_valid():
        try:
            return _received(form, user)
        except CreditError as error:
            messages.error(request, str(error))
            return redirect("desk:deliver")
    feeds = Feed.objects.of_units().filter(agency__in=units_of(user), active=True).select_related("entry")
    return render(request, "desk/deliveries/new.html", {"form": form, "feeds": feeds})


def _received(form: UploadForm, user: User) -> HttpResponse:
    file = form.cleaned_data["file"]
    batch = receive_file(
        feed=form.cleaned_data["feed"], blocks=file.chunks(), file_name=file.name, door=Door.DESK,
        user=user, dated_on=form.cleaned_data["dated_on"],
    )  # fmt: skip
    queue_batch(batch.pk)
    return redirect("desk:delivery", batch.pk)


@rule(working)
def receipt(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The receipt: counts, what is wrong in which row and how to mend it, never the values themselves."""
    batch = get_object_or_404(_visible(request.user), pk=batch_id)
    return render(request, "desk/deliveries/receipt.html", receipt_page(batch, cast(User, request.user)))


@rule(sending)
def columns(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Say once which column of a feed's files is which field; a file that waited for it goes on."""
    batch = get_object_or_404(_own(request.user), pk=batch_id)
    if batch.state in OPEN_STATES or not batch.columns:
        return redirect("desk:delivery", batch.pk)
    try:
        plan = plan_for(batch.feed, dated_on=batch.dated_on)
    except CreditError as error:
        messages.error(request, str(error))
        return redirect("desk:delivery", batch.pk)
    form = ColumnsForm(request.POST or None, batch=batch, plan=plan)
    if request.method == "POST" and form.is_valid():
        try:
            return _confirmed(request, batch, form)
        except Invalid as error:
            for problem in error.problems:
                form.add_error(None, str(problem.message))
        except CreditError as error:
            messages.error(request, str(error))
            return redirect("desk:delivery", batch.pk)
    context = {"form": form, "batch": batch, "missing": [item.label for item in missing_fields(batch, plan)]}
    return render(request, "desk/deliveries/columns.html", context)


def _confirmed(request: HttpRequest, batch: FeedBatch, form: ColumnsForm) -> HttpResponse:
    going_on = confirm_columns(feed=batch.feed, choices=form.choices(), user=cast(User, request.user), batch=batch)
    for one in going_on:
        queue_batch(one.pk)
    messages.success(request, _("The columns are remembered; later files with these headers pass without a question."))
    return redirect("desk:delivery", batch.pk)


@rule(sending)
@require_POST
def cancel(request: HttpRequest, batch_id: int) -> HttpResponse:
    """End a delivery that waits or is worked off."""
    batch = get_object_or_404(_own(request.user), pk=batch_id)
    try:
        cancel_batch(batch=batch, user=cast(User, request.user))
        messages.success(request, _("The delivery is cancelled. What was applied before stays."))
    except CreditError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(reverse("desk:delivery", args=[batch.pk]))


@rule(sending)
def template(request: HttpRequest, feed: str) -> HttpResponse:
    """The template workbook of a feed of the own unit."""
    own = (
        Feed.objects.of_units().select_related("agency", "entry").filter(agency__in=units_of(cast(User, request.user)))
    )
    found = get_object_or_404(own, code=feed)
    try:
        content = template_of(found)
    except CreditError as error:
        messages.error(request, str(error))
        return redirect("desk:deliveries")
    response = HttpResponse(content, content_type=WORKBOOK)
    response["Content-Disposition"] = f'attachment; filename="{found.code}.xlsx"'
    return response
