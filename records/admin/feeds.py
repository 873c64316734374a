"""Feeds and batches in the staff admin: upload, progress, what is wrong with which row."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from creditplatform.core import probes
from creditplatform.core.enums import Door, Role
from creditplatform.core.errors import CreditError
from creditplatform.core.models import User
from creditplatform.core.staff import LabelledAdmin, ReadOnlyAdmin, RoleAdmin
from creditplatform.core.wording import after_one_another, explained
from records.enums import RowState
from records.feeds.problems import sentence
from records.models import EntryField, Feed, FeedBatch, QuarantinedRow
from records.models.feed import OPEN_STATES
from records.querysets import sending_units
from records.services.feeds import receive_file
from records.services.setaside import note_look
from records.tasks import process_batch

SENDING = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR)
ROWS_SHOWN = 200
DIGEST_SHOWN = 12


def own_agencies(user: Any) -> set[int]:
    """Units for which the person sends or decides."""
    return sending_units(user)


class UploadForm(forms.Form):
    """A feed of one's own unit and a file."""

    feed = forms.ModelChoiceField(Feed.objects.none(), label=_("Feed"), empty_label=_("Choose a feed"))
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, XLSX, XLS or XML; the first row holds the column names. Any usual encoding is read."),
    )
    dated_on = forms.DateField(
        label=_("Date of the list"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Only for lists whose rows bear no date."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Feed.objects.filter(agency__in=own_agencies(user), active=True)
        self.fields["feed"].queryset = own.select_related("agency", "entry")  # type: ignore[attr-defined]


@admin.register(Feed)
class FeedAdmin(LabelledAdmin, RoleAdmin):
    """What each unit promised to send."""

    viewers = SENDING
    changers = (Role.CENTRE,)
    list_display = ("label_shown", "agency", "entry", "rhythm", "active", "code")
    list_filter = ("rhythm", "active", "agency__site")
    list_select_related = ("agency", "entry")
    search_fields = ("code", "name", "name_en")
    autocomplete_fields = ("agency", "entry")


@admin.register(FeedBatch)
class FeedBatchAdmin(ReadOnlyAdmin):
    """Delivered files of one's own unit, each with its receipt."""

    viewers = (*SENDING, Role.CENTRE)
    change_list_template = "admin/records/batches.html"
    list_display = (
        "feed", "received_at", "state", "received", "accepted", "quarantined", "rejected",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("feed",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeedBatch]:
        """Batches of one's own units; the centre sees the counts of all."""
        user: Any = request.user
        own = Q(feed__agency__in=own_agencies(user))
        rows: QuerySet[FeedBatch] = super().get_queryset(request).annotate(own=ExpressionWrapper(own, BooleanField()))
        return rows if Role.CENTRE in user.roles else rows.filter(own)

    @admin.display(description=_("File"))
    def file(self, batch: Any) -> str:
        """The name the sending unit gave the file, often that of a person; others see number and digest."""
        if batch.rerun:
            return gettext("rows set aside, checked once more")
        return str(batch.file_name) if batch.own else f"#{batch.pk} · {batch.file_digest[:DIGEST_SHOWN]}"

    def get_urls(self) -> list[URLPattern]:
        """The upload page beside the stock ones."""
        upload = path("upload/", self.admin_site.admin_view(self.upload), name="records_feedbatch_upload")
        return [upload, *super().get_urls()]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Take in a file; a worker works it off while the receipt shows the progress."""
        user: Any = request.user
        if not own_agencies(user):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None, user=user)
        if request.method == "POST" and form.is_valid():
            return self._receive(request, form)
        context = {**self.admin_site.each_context(request), "title": _("Deliver a file"), "form": form}
        return TemplateResponse(request, "admin/records/upload.html", context)

    def _receive(self, request: HttpRequest, form: UploadForm) -> HttpResponse:
        file, user = form.cleaned_data["file"], cast(User, request.user)
        try:
            batch = receive_file(
                feed=form.cleaned_data["feed"], blocks=file.chunks(), file_name=file.name, door=Door.ADMIN,
                user=user, dated_on=form.cleaned_data["dated_on"],
            )  # fmt: skip
        except CreditError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:records_feedbatch_upload"))
        transaction.on_commit(_queue(batch.pk), robust=True)
        return HttpResponseRedirect(reverse("admin:records_feedbatch_change", args=[batch.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The receipt: counts, what is wrong in which row and how to mend it, never the values themselves."""
        key = object_id if object_id.isdecimal() else None
        batch = get_object_or_404(self.get_queryset(request).select_related("feed__agency"), pk=key)
        kept, dropped = _rows(batch, rejected=False), _rows(batch, rejected=True)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Receipt of batch %s") % batch.pk,
            "batch": batch,
            "file": self.file(batch),
            "open": batch.state in OPEN_STATES,
            "worker_stopped": "worker" in probes.stopped_timers(),
            "problems": [(code, sentence(code), count) for code, count in sorted(batch.problems.items())],
            "fates": _fates(batch) if batch.quarantined else [],
            "lists": [row_list for row_list in (kept, dropped) if row_list.rows],
        }
        return TemplateResponse(request, "admin/records/batch.html", context)


def _queue(batch_id: int) -> Callable[[], None]:
    """Hand the batch to a worker once it is committed; the resuming timer finds it if the broker is down."""

    def queue() -> None:
        process_batch.delay(batch_id)

    return queue


@dataclass(frozen=True)
class RowList:
    """Rows of one fate with what is wrong in each; `more` where not all of them are shown."""

    rejected: bool
    rows: list[tuple[QuarantinedRow, list[tuple[str, str]]]]
    more: bool


def _rows(batch: FeedBatch, *, rejected: bool) -> RowList:
    """Rows set aside, which can be corrected, or rejected ones, of which nothing is kept but their place."""
    found = batch.rows.filter(state=RowState.REJECTED) if rejected else batch.rows.exclude(state=RowState.REJECTED)
    rows, labels = list(found[: ROWS_SHOWN + 1]), _labels(batch)
    return RowList(rejected, [(row, _sentences(row, labels)) for row in rows[:ROWS_SHOWN]], len(rows) > ROWS_SHOWN)


def _fates(batch: FeedBatch) -> list[tuple[str, int]]:
    """How many rows that the batch set aside wait, were corrected or discarded; its own counts stay what they were."""
    states = batch.rows.exclude(state=RowState.REJECTED).order_by().values_list("state")
    counted = dict(states.annotate(number=Count("pk")))
    return [(str(state.label), counted[state.value]) for state in RowState if state.value in counted]


def _labels(batch: FeedBatch) -> dict[str, str]:
    """Names of the fields of the batch's entry in the language of the page, newest version last."""
    fields = EntryField.objects.filter(version__entry=batch.feed.entry_id).order_by("version__number")
    return {item.code: item.label for item in fields}


def _sentences(row: QuarantinedRow, labels: dict[str, str]) -> list[tuple[str, str]]:
    return [(labels.get(problem["field"], problem["field"]), sentence(problem["code"])) for problem in row.problems]


@admin.register(QuarantinedRow)
class QuarantinedRowAdmin(ReadOnlyAdmin):
    """Rows of one's own unit that were set aside, with their cells."""

    viewers = SENDING
    list_display = ("line_shown", "batch", "state", "what_is_wrong")
    list_filter = ("state",)
    list_select_related = ("batch__feed",)
    fields = ("batch", "line_shown", "state", "what_is_wrong", "cells_as_sent", "set_aside_at")
    readonly_fields = ("line_shown", "what_is_wrong", "cells_as_sent", "set_aside_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuarantinedRow]:
        """Rows of one's own units only: they hold what the unit itself sent."""
        user: Any = request.user
        rows: QuerySet[QuarantinedRow] = super().get_queryset(request)
        return rows.filter(feed__agency__in=own_agencies(user))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The row with its cells; that somebody looked is written first."""
        row = self.get_object(request, object_id)
        if row is not None:
            note_look(row=row, user=cast(User, request.user))
        return super().change_view(request, object_id, form_url, extra_context)

    @admin.display(description=_("Line of the file"), ordering="line_number")
    def line_shown(self, row: QuarantinedRow) -> str:
        """Where the row stands in the file."""
        return gettext("Line %(number)s") % {"number": row.line_number}

    @admin.display(description=_("Set aside on"))
    def set_aside_at(self, row: QuarantinedRow) -> str:
        """When the check set the row aside, in local time."""
        return date_format(timezone.localtime(row.created_at), "DATETIME_FORMAT")

    @admin.display(description=_("What is wrong"))
    def what_is_wrong(self, row: QuarantinedRow) -> str:
        """Every problem with its field, in words."""
        found = _sentences(row, _labels(row.batch))
        return after_one_another(explained(field, text) if field else text for field, text in found)

    @admin.display(description=_("As sent"))
    def cells_as_sent(self, row: QuarantinedRow) -> str:
        """The cells, one per line."""
        cells = json.loads(row.cells) if row.cells else {}
        return "\n".join(explained(column, value) for column, value in cells.items() if value) or "—"
