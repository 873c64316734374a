"""Feeds and batches for machine clients: only those of the client's own unit; all others are not there (404)."""

import dataclasses
import datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core import audit
from creditplatform.core.api import ApiView
from creditplatform.core.enums import Door, Scope
from creditplatform.core.errors import Invalid, NotFoundHere
from records.api.deliveries import examples
from records.api.deliveries import serializers as forms
from records.api.deliveries.parsing import PARSERS, blocks_of, file_name_of, key_of
from records.api.errors import KEY_USED, NO_DATE, NO_NUMBER, answers, error_answers
from records.api.page_size import whole_number
from records.feeds.not_accepted import NotAccepted, fields_of, not_accepted
from records.feeds.problems import sentence
from records.feeds.readers import check_syntax
from records.feeds.selectors import feeds_of, waiting_for_columns
from records.feeds.template import WORKBOOK, template_of
from records.models import EntryField, Feed, FeedBatch
from records.models.feed import UNFINISHED_STATES
from records.own_numbers import not_of_client
from records.services.columns import confirm_columns
from records.services.feeds import cancel_batch, check_open, keep_file, receipt_of
from records.services.machines import receive_from_machine
from records.tasks import queue_batch

MOST_ROWS, USUAL_ROWS = 500, 100
TAGS = ["deliveries"]
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Name of this delivery, such as a UUID: sent again after a lost answer, it is taken in once.",
)
DATED = OpenApiParameter("dated_on", datetime.date, description="Date of rows that bear none (lists dated by receipt).")
AFTER = OpenApiParameter("after", int, description="Rows after this one.")
LIMIT = OpenApiParameter("limit", int, description=f"Rows per page, 1 to {MOST_ROWS}; {USUAL_ROWS} where not given.")


DELIVERY_KIND = "delivery"


class OwnUnit(ApiView):
    """What belongs to the unit of the client."""

    def own_feed(self, code: str) -> Feed:
        """The feed of that code. Raises NotFoundHere for one of another unit."""
        feed = Feed.objects.of_units().select_related("agency", "entry").filter(agency=self.agency, code=code).first()
        if feed is None:
            raise NotFoundHere
        return feed

    def own_batch(self, number: str) -> FeedBatch:
        """The batch of that number. Raises NotFoundHere for one of another unit."""
        batches = FeedBatch.objects.select_related("feed").filter(feed__agency=self.agency)
        batch = batches.filter(pk=int(number)).first()
        if batch is None:
            raise not_of_client(DELIVERY_KIND, self.client)
        return batch


def _receipt(batch: FeedBatch, *, status: int = 200) -> Response:
    body = forms.ReceiptForm(dataclasses.asdict(receipt_of(batch))).data
    return Response(body, status=status)


class Feeds(OwnUnit):
    """Feeds of the unit."""

    scopes = (Scope.FEEDS_READ,)

    @extend_schema(
        operation_id="feeds_list",
        tags=TAGS,
        responses={200: answers(forms.FeedsForm, "One feed", examples.FEEDS), **error_answers(401, 403, 429)},
    )
    def get(self, request: Request) -> Response:
        """The feeds of the client's unit with their fields, rhythm and template."""
        feeds = [
            {
                **feed,
                "template": request.build_absolute_uri(reverse("api:feed-template", args=[feed["code"]])),
                "batches": request.build_absolute_uri(reverse("api:feed-batches", args=[feed["code"]])),
            }
            for feed in feeds_of(self.agency)
        ]
        return Response(forms.FeedsForm({"feeds": feeds}).data)


class FeedTemplate(OwnUnit):
    """Template workbook of a feed."""

    scopes = (Scope.FEEDS_READ,)

    @extend_schema(
        operation_id="feed_template",
        tags=TAGS,
        responses={(200, WORKBOOK): bytes, **error_answers(401, 403, 404, 409, 429)},
    )
    def get(self, request: Request, feed: str) -> HttpResponse:
        """A workbook with the columns of the entry, drop-downs, notes and an example row; filled in, it can be sent."""
        return HttpResponse(template_of(self.own_feed(feed)), content_type=WORKBOOK)


class FeedBatches(OwnUnit):
    """Deliveries of a feed."""

    scopes = (Scope.FEEDS_WRITE,)
    takes_stream = True
    parser_classes = PARSERS

    @extend_schema(
        operation_id="batch_deliver",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY, DATED],
        request={
            "application/json": forms.DeliveryForm,
            "text/csv": str,
            "application/xml": str,
            WORKBOOK: bytes,
        },
        examples=[
            OpenApiExample("One penalty", value={"rows": [examples.ROW]}, media_type="application/json",
                           request_only=True),
            OpenApiExample("One penalty as CSV", value=examples.CSV, media_type="text/csv", request_only=True),
            OpenApiExample("One penalty as XML", value=examples.XML, media_type="application/xml", request_only=True),
        ],
        responses={202: answers(forms.ReceiptForm, "Taken in, at work", examples.TAKEN_IN),
                   200: answers(forms.ReceiptForm, "Sent before under this key, at its end", examples.RECEIPT),
                   **error_answers(400, 401, 403, 404, 409, 413, 415, 429, but={400: NO_DATE, 409: KEY_USED})},
    )  # fmt: skip
    def post(self, request: Request, feed: str) -> Response:
        """Deliver a file or rows. 202 with the address to poll; 200 where this key was answered before and has ended.

        The same file again changes nothing, with a key or without.
        """
        wanted, key = self.own_feed(feed), key_of(request)
        dated_on = _date(request.query_params.get("dated_on", ""))
        check_open(wanted, dated_on)
        kept, name = keep_file(blocks_of(request)), file_name_of(request)
        try:
            if kept.size <= settings.FEED_SYNTAX_AT_ONCE_BYTES:
                check_syntax(kept.place, name)
            with audit.context(
                actor=None, door=Door.API, reason="delivery of a machine client", agency_id=self.agency.pk
            ):
                batch, new = receive_from_machine(
                    client=self.client, feed=wanted, kept=kept, file_name=name, key=key,
                    dated_on=dated_on,
                )  # fmt: skip
                if new:
                    queue_batch(batch.pk)
        except BaseException:
            kept.remove()
            raise
        response = _receipt(batch, status=202 if batch.state in UNFINISHED_STATES else 200)
        response["Location"] = request.build_absolute_uri(reverse("api:batch", args=[batch.pk]))
        return response


class Batch(OwnUnit):
    """One batch."""

    scopes = (Scope.FEEDS_READ,)

    @extend_schema(
        operation_id="batch_receipt",
        tags=TAGS,
        responses={
            200: answers(forms.ReceiptForm, "Applied, some rows set aside", examples.RECEIPT),
            **error_answers(401, 403, 404, 429),
        },
    )
    def get(self, request: Request, batch: str) -> Response:
        """The receipt as it stands now; poll it until the state is none of `received` and `checking`."""
        return _receipt(self.own_batch(batch))


class BatchProblems(OwnUnit):
    """Rows of a batch that were not accepted."""

    scopes = (Scope.FEEDS_READ,)

    @extend_schema(
        operation_id="batch_problems",
        tags=TAGS,
        parameters=[AFTER, LIMIT],
        responses={
            200: answers(forms.ProblemsForm, "One row with a wrong date", examples.PROBLEMS),
            **error_answers(400, 401, 403, 404, 429, but={400: NO_NUMBER}),
        },
    )
    def get(self, request: Request, batch: str) -> Response:
        """Rows set aside or rejected, with line, field, code and how to mend it; never what stands in them.

        A row that an earlier delivery has set aside already is listed too, as it stands now.
        """
        own = self.own_batch(batch)
        limit = whole_number(request, "limit", usual=USUAL_ROWS, least=1, most=MOST_ROWS)
        after = whole_number(request, "after", usual=0, least=0, most=2**31 - 1)
        rows = not_accepted(own, after=after, limit=limit + 1)
        following = None
        if len(rows) > limit:
            page = f"{reverse('api:batch-problems', args=[own.pk])}?after={rows[limit - 1].number}&limit={limit}"
            following = request.build_absolute_uri(page)
        fields = fields_of(own)
        body = {"rows": [_row(row, fields) for row in rows[:limit]], "next": following}
        return Response(forms.ProblemsForm(body).data)


class BatchCancel(OwnUnit):
    """End a batch before its end."""

    scopes = (Scope.FEEDS_WRITE,)

    @extend_schema(
        operation_id="batch_cancel",
        tags=TAGS,
        request=None,
        responses={
            200: answers(forms.ReceiptForm, "Cancelled", examples.CANCELLED),
            **error_answers(401, 403, 404, 409, 429),
        },
    )
    def post(self, request: Request, batch: str) -> Response:
        """Cancel a batch that waits or is worked off: rows applied before stay and count. 409 where it has ended."""
        return _receipt(cancel_batch(batch=self.own_batch(batch), user=None))


class FeedMapping(OwnUnit):
    """Which column is which field."""

    @property
    def scopes(self) -> tuple[Scope, ...]:  # type: ignore[override]
        """Reading and confirming are two things."""
        return (Scope.FEEDS_WRITE,) if self.request.method == "PUT" else (Scope.FEEDS_READ,)

    @extend_schema(
        operation_id="mapping_read",
        tags=TAGS,
        responses={
            200: answers(forms.MappingForm, "A delivery waits", examples.WAITING),
            **error_answers(401, 403, 404, 429),
        },
    )
    def get(self, request: Request, feed: str) -> Response:
        """What was confirmed for the feed, and what is proposed for batches in the state `mapping`."""
        return self._answer(self.own_feed(feed))

    @extend_schema(
        operation_id="mapping_confirm",
        tags=TAGS,
        request=forms.ConfirmForm,
        responses={
            200: answers(forms.MappingForm, "Confirmed", examples.CONFIRMED),
            **error_answers(400, 401, 403, 404, 409, 415, 429),
        },
    )
    def put(self, request: Request, feed: str) -> Response:
        """Confirm columns once for the feed; batches that waited for it go on by themselves."""
        own, form = self.own_feed(feed), forms.ConfirmForm(data=request.data)
        form.is_valid(raise_exception=True)
        for batch in confirm_columns(feed=own, choices=form.validated_data["columns"], user=None):
            queue_batch(batch.pk)
        return self._answer(self.own_feed(feed))

    def _answer(self, feed: Feed) -> Response:
        waiting = [{"batch": one.pk, "columns": one.columns} for one in waiting_for_columns(feed)]
        return Response(forms.MappingForm({"feed": feed.code, "columns": feed.mapping, "waiting": waiting}).data)


def _row(one: NotAccepted, fields: dict[str, EntryField]) -> dict[str, Any]:
    problems = [
        {**problem, "message": sentence(problem["code"], fields.get(problem["field"]))} for problem in one.problems
    ]
    kept = {"state": one.row.state, "batch": one.row.batch_id}
    return {"row": one.number, "line": one.line, **kept, "problems": problems}


def _date(text: str) -> datetime.date | None:
    """The date, nothing where none was given. Raises Invalid for what is no date."""
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid.in_field("dated_on", "not_a_date", _("This is not a date; write it like 2018-05-03.")) from None
