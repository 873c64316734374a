"""Feeds, batches and rows set aside in the staff admin; files are delivered on the desk."""

import json
from typing import Any, cast

from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from creditplatform.core.enums import Role
from creditplatform.core.models import User
from creditplatform.core.staff import LabelledAdmin, ReadOnlyAdmin, RoleAdmin
from creditplatform.core.wording import after_one_another, explained
from records.feeds.not_accepted import fields_of, in_words
from records.models import Feed, FeedBatch, QuarantinedRow
from records.querysets import sites_led, units_of
from records.services.setaside import note_look

SENDING = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR)
DIGEST_SHOWN = 12


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
        """Batches of one's own units; the centre sees the counts of all units of its place."""
        user: Any = request.user
        own = Q(feed__agency__in=units_of(user))
        rows: QuerySet[FeedBatch] = super().get_queryset(request).annotate(own=ExpressionWrapper(own, BooleanField()))
        return rows.filter(own | Q(feed__agency__site__in=sites_led(user)))

    @admin.display(description=_("File"))
    def file(self, batch: Any) -> str:
        """The name the sending unit gave the file, often that of a person; others see number and digest."""
        if batch.rerun:
            return gettext("rows set aside, checked once more")
        return str(batch.file_name) if batch.own else f"#{batch.pk} · {batch.file_digest[:DIGEST_SHOWN]}"

    def get_urls(self) -> list[URLPattern]:
        """The old address of the upload page, which stands in letters and bookmarks, beside the stock ones."""
        upload = path("upload/", self.admin_site.admin_view(self.upload), name="records_feedbatch_upload")
        return [upload, *super().get_urls()]

    def upload(self, request: HttpRequest) -> HttpResponse:
        """Lead on to the desk, where files are delivered."""
        return HttpResponseRedirect(reverse("desk:deliver"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead on to the receipt on the desk."""
        key = object_id if object_id.isdecimal() else None
        batch = get_object_or_404(self.get_queryset(request), pk=key)
        return HttpResponseRedirect(reverse("desk:delivery", args=[batch.pk]))


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
        return rows.filter(feed__agency__in=units_of(user))

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
        found = in_words(row.problems, fields_of(row.batch))
        return after_one_another(explained(field, text) if field else text for field, text in found)

    @admin.display(description=_("As sent"))
    def cells_as_sent(self, row: QuarantinedRow) -> str:
        """The cells, one per line."""
        cells = json.loads(row.cells) if row.cells else {}
        return "\n".join(explained(column, value) for column, value in cells.items() if value) or "—"
