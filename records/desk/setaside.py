"""The desk of rows set aside: find them, mend them in place or in a workbook, discard them, have them checked again."""

import tempfile
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError, Invalid
from creditplatform.core.models import User
from creditplatform.core.permissions import rule
from creditplatform.core.unstored import unstored
from records.desk import setaside_pages as pages
from records.desk.access import sending, working
from records.desk.mending_form import MendingForm
from records.desk.setaside_filter import AGES, COUNTED, RowFilter, all_rows, chosen_feed, count_by_code, count_by_unit
from records.enums import RowState
from records.feeds.delivery import deliverable
from records.feeds.plan import NotCollected, version_in_force
from records.feeds.problems import sentence
from records.models import Feed, QuarantinedRow, UnitNotice
from records.querysets import QuarantinedRowQuerySet, sites_led, units_of
from records.services import mending, names, unit_notices
from records.services.feeds import folder, receive_file
from records.services.marked_workbook import write_marked_workbook
from records.services.setaside import note_look
from records.services.setaside_table import delivered_by_field
from records.tasks import queue_batch

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@rule(working)
@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """The rows of one's own units that wait, a page at a time; the centre sees how many each unit has of which kind."""
    user: Any = request.user
    asked = RowFilter.of(request.GET)
    if not sending(request):
        return _for_the_centre(request, asked)
    feeds = pages.feeds_of(user, units_of(user))
    found = asked.apply(all_rows().sent_by(user))
    shown = _page(found, request.GET.get("after", ""))
    codes, total = count_by_code(found)
    feed = chosen_feed(asked, feeds)
    context = {
        "asked": asked,
        "feeds": feeds,
        "feed": feed,
        "fields": pages.field_labels(feed.entry_id) if feed else {},
        "ages": AGES,
        "states": [(state.value, state.label) for state in RowState],
        "chips": [(code, sentence(code), number, asked.address(code=code)) for code, number in codes],
        "total": total,
        "capped": total >= COUNTED,
        "rows": pages.listed(shown[: pages.PAGE]),
        "next": f"{asked.address()}&after={shown[pages.PAGE - 1].pk}" if len(shown) > pages.PAGE else "",
        "first": asked.address() if request.GET.get("after") else "",
    }
    return render(request, "desk/setaside.html", context)


def _page(found: QuarantinedRowQuerySet, after: str) -> list[QuarantinedRow]:
    """One page and the row behind it; the cells stay where they are."""
    start = int(after) if after.isascii() and after.isdecimal() and len(after) <= 18 else 0
    wanted = found.filter(pk__gt=start).order_by("pk").select_related("batch", "feed__entry", "feed__agency")
    return list(wanted.defer("cells", "reason")[: pages.PAGE + 1])


def _for_the_centre(request: HttpRequest, asked: RowFilter) -> HttpResponse:
    user: Any = request.user
    led = Feed.objects.filter(agency__site__in=sites_led(user)).select_related("agency").order_by("agency", "code")
    feeds = {feed.pk: feed for feed in led}
    counts = count_by_unit(asked.apply(all_rows().filter(feed__in=list(feeds))))
    context = {
        "asked": asked,
        "agencies": {feed.agency_id: feed.agency for feed in feeds.values()}.values(),
        "ages": AGES,
        "counts": [(feeds[feed], code, sentence(code), number) for feed, code, number in counts],
    }
    return render(request, "desk/setaside_counts.html", context)


@rule(sending)
def row(request: HttpRequest, row_id: int) -> HttpResponse:
    """One row: every field with what was delivered and what is wrong with it; sent off, it is checked again at once."""
    user: Any = request.user
    found = _own_row(user, row_id)
    if found.cells:
        note_look(row=found, user=user, door=Door.DESK)
    form = _form_of(found, request)
    status = 200
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            mended = mending.mend_row(
                user=user, row=found, values=form.values(), seen=form.seen, confirmed=form.confirmed
            )
        except CreditError as error:
            status = form.refuse(error)
            found = _own_row(user, row_id)
        else:
            return _told(request, mended)
    asked = RowFilter.of(request.GET)
    may_name = names.may_correct(found, user)
    context = {"row": found, "form": form, "asked": asked, "may_correct_name": may_name, **_shown(found, form)}
    return render(request, "desk/setaside_row.html", context, status=status)


def _own_row(user: User, row_id: int) -> QuarantinedRow:
    related = ("batch__feed", "feed__entry", "feed__agency", "record__entry", "closed_by")
    return get_object_or_404(all_rows().sent_by(user).select_related(*related), pk=row_id)


def _form_of(found: QuarantinedRow, request: HttpRequest) -> MendingForm | None:
    """The form of an open row; none where nothing may be collected under the entry any more."""
    if request.method != "POST" and found.state != RowState.OPEN:
        return None
    try:
        version = version_in_force(found.feed.entry, timezone.localdate())
    except NotCollected as error:
        messages.error(request, str(error))
        return None
    delivered = delivered_by_field(pages.cells_of(found), deliverable(version), found.feed)
    return MendingForm(request.POST or None, row=found, version=version, delivered=delivered)


@rule(sending)
@require_POST
def correct_name(request: HttpRequest, row_id: int) -> HttpResponse:
    """The name in the row is right and the one on file is not; whoever decides for the unit says so, with a reason."""
    user: Any = request.user
    found = _own_row(user, row_id)
    seen = request.POST.get("seen", "")
    try:
        mended = names.correct_from_row(
            user=user, row=found, seen=int(seen) if seen.isdecimal() else -1, reason=request.POST.get("reason", "")
        )
    except Invalid as error:
        messages.error(request, " ".join(str(problem.message) for problem in error.problems))
    except CreditError as error:
        messages.error(request, str(error))
    else:
        return _told(request, mended)
    return HttpResponseRedirect(_page_of(row_id))


def _shown(found: QuarantinedRow, form: MendingForm | None) -> dict[str, Any]:
    wrong, others = pages.mended_fields(form, found) if form else ([], [])
    fields = pages.fields_of_entries({found.feed.entry_id})[found.feed.entry_id]
    columns = pages.columns_in_words(found.feed, fields)
    return {
        "wrong": wrong,
        "others": others,
        "of_the_whole": pages.problems_of_the_whole(form, found) if form else pages.in_words(found, fields),
        "cells": pages.cells_shown(found, columns),
        "story": pages.story_of(found, columns),
        "longest_reason": mending.LONGEST_REASON,
    }


def _told(request: HttpRequest, mended: QuarantinedRow) -> HttpResponse:
    """What became of the row, and on to the next one unless this one still waits."""
    if mended.state == RowState.OPEN:
        messages.warning(request, _("Something is still wrong. What you typed is kept; please look at what is marked."))
        return HttpResponseRedirect(_page_of(mended.pk, RowFilter.of(request.GET)))
    if mended.state == RowState.CORRECTED:
        messages.success(request, _record_link(mended))
    else:
        messages.warning(request, _("What the row says now may not be kept; its cells are gone."))
    return HttpResponseRedirect(_next_row(request, mended))


def _record_link(mended: QuarantinedRow) -> str:
    """That a row was taken in, with the way to the record it has become."""
    said = _("Line %(line)d is right now and was taken in.") % {"line": mended.line_number}
    if not mended.record_id:
        return said
    address = reverse("admin:records_creditrecord_change", args=[mended.record_id])
    return format_html('{} <a href="{}">{}</a>', said, address, _("Open the record"))


def _page_of(row_id: int, asked: RowFilter | None = None) -> str:
    return reverse("desk:setaside_row", args=[row_id]) + (asked.address() if asked and asked.values() else "")


def _next_row(request: HttpRequest, mended: QuarantinedRow) -> str:
    """The next row that waits under the same filter, the first one after the last; the list when none is left."""
    user: Any = request.user
    asked = replace(RowFilter.of(request.GET), state=RowState.OPEN.value)
    waiting = asked.apply(all_rows().sent_by(user)).exclude(pk=mended.pk).order_by("pk")
    left = len(waiting[:COUNTED].values_list("pk", flat=True))
    if not left:
        messages.info(request, _("No row waits under this filter any more."))
        return reverse("desk:setaside") + asked.address()
    following = waiting.filter(pk__gt=mended.pk).values_list("pk", flat=True).first() or waiting[0].pk
    told = ngettext("%(number)d row is left; this is it.", "%(number)d rows are left; this is the next.", left)
    messages.info(request, told % {"number": left})
    return _page_of(following, asked)


@rule(sending)
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """Discard rows, let them wait again, or have all that were asked for checked once more."""
    asked = RowFilter.of(request.POST)
    back = reverse("desk:setaside") + asked.address()
    try:
        return HttpResponseRedirect(_acted(request, asked) or back)
    except Invalid as error:
        messages.error(request, " ".join(str(problem.message) for problem in error.problems))
    except CreditError as error:
        messages.error(request, str(error))
    return HttpResponseRedirect(back)


def _acted(request: HttpRequest, asked: RowFilter) -> str:
    """Do what the button says; returns where to go on, if not back to the list."""
    user: Any = request.user
    chosen = [int(key) for key in request.POST.getlist("row") if key.isascii() and key.isdecimal() and len(key) <= 18]
    some, do = all_rows().sent_by(user).filter(pk__in=chosen), request.POST.get("do", "")
    if do in ("discard", "discard_all"):
        wanted = asked.apply(all_rows().sent_by(user)) if do == "discard_all" else some
        count = mending.discard_rows(user=user, rows=wanted, reason=request.POST.get("reason", ""))
        told = ngettext("%(number)d row was discarded.", "%(number)d rows were discarded.", count)
        messages.success(request, told % {"number": count})
    elif do == "take_back":
        for one in some.select_related("feed"):
            mending.take_back(user=user, row=one)
        messages.success(request, _("The chosen rows wait again."))
    elif do == "rerun":
        return _rerun(user, asked)
    return ""


def _rerun(user: User, asked: RowFilter) -> str:
    feed = chosen_feed(asked, pages.feeds_of(user, units_of(user)))
    if feed is None:
        raise Invalid.in_field("feed", "required", _("Choose a feed first."))
    batch = mending.rerun_rows(user=user, feed=feed, rows=asked.apply(all_rows().sent_by(user)))
    return _worked_off(batch.pk)


def _worked_off(batch_id: int) -> str:
    """Hand a batch to a worker once it is committed; returns the address of its receipt."""
    queue_batch(batch_id)
    return reverse("desk:delivery", args=[batch_id])


@rule(sending)
@require_GET
def workbook(request: HttpRequest) -> HttpResponseBase:
    """The rows of one feed that were asked for, as a workbook with every wrong cell marked and explained."""
    user: Any = request.user
    asked = RowFilter.of(request.GET)
    feed = chosen_feed(asked, pages.feeds_of(user, units_of(user)))
    if feed is None:
        raise Http404
    file = tempfile.TemporaryFile(dir=folder())  # noqa: SIM115 - closed by the answer once it is sent
    try:
        write_marked_workbook(user=user, feed=feed, rows=asked.apply(all_rows().sent_by(user)), target=file)
    except CreditError as error:
        file.close()
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("desk:setaside") + asked.address())
    file.seek(0)
    name = f"set-aside-{feed.code}-{timezone.localdate():%Y%m%d}.xlsx"
    return unstored(FileResponse(file, as_attachment=True, filename=name, content_type=WORKBOOK))


@rule(sending)
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Take the mended workbook in, as any delivery of the feed; its receipt shows what became of it."""
    user: Any = request.user
    asked = RowFilter.of(request.POST)
    feed = chosen_feed(asked, pages.feeds_of(user, units_of(user)))
    file = request.FILES.get("file")
    back = HttpResponseRedirect(reverse("desk:setaside") + asked.address())
    if feed is None or file is None or not file.size:
        messages.error(request, _("Choose the workbook you have mended."))
        return back
    try:
        batch = receive_file(feed=feed, blocks=file.chunks(), file_name=file.name or "", door=Door.DESK, user=user)
    except CreditError as error:
        messages.error(request, str(error))
        return back
    return HttpResponseRedirect(_worked_off(batch.pk))


@rule(sending)
@require_POST
def take_note(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Somebody of the unit has read a notice to it."""
    user: Any = request.user
    notice = get_object_or_404(UnitNotice.objects.filter(agency__in=units_of(user)), pk=notice_id)
    unit_notices.take_note(user=user, notice=notice)
    return HttpResponseRedirect(reverse("desk:home"))
