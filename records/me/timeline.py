"""My records as a timeline: what comes, the nearest first, and what was, year by year, the newest first."""

import datetime
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from creditplatform.core.models import User
from records import selectors
from records.announcement_selectors import coming_for
from records.enums import Polarity, RecordState, RepresentationScope
from records.me.acting import represented
from records.me.views import after, cursor
from records.models import PriorNotice, Subject
from records.services.announcements import SHOWN_REPLY


class Event(NamedTuple):
    """Something on a day in the life of a record, or the last day to reply to one that may come."""

    day: datetime.date
    words: str
    line: selectors.Line | None = None
    announced: PriorNotice | None = None


@represented(RepresentationScope.FILE)
def timeline(request: HttpRequest, user: User, subject: Subject) -> HttpResponse:
    """The events of one page of records; it costs what the list costs, and one query for what was announced."""
    before = cursor(request)
    lines = selectors.own_records(user, subject, before=before)
    page, more = lines[: selectors.PAGE], len(lines) > selectors.PAGE
    today = timezone.localdate()
    announced = [] if before else [_announced(case) for case in coming_for(subject)]
    if announced:
        selectors.log_own_look(user, subject, [SHOWN_REPLY])
    events = sorted([*announced, *(event for line in page for event in _events(line))], key=lambda event: event.day)
    past = [event for event in reversed(events) if event.day <= today and event.line]
    context = {
        "coming": [event for event in events if event.day > today or event.announced],
        "years": [(year, list(found)) for year, found in groupby(past, key=lambda event: event.day.year)],
        "after": after(page[-1]) if more else "",
    }
    return render(request, "me/timeline.html", context)


def _announced(case: PriorNotice) -> Event:
    """A record that may come: nothing is on file yet."""
    if case.replied_at:
        return Event(timezone.localdate(case.replied_at), _("Announced, nothing on file yet; replied"), announced=case)
    return Event(case.reply_until, _("Announced, nothing on file yet; reply until this day"), announced=case)


def _events(line: selectors.Line) -> Iterator[Event]:
    """The decision, and what the law's dates bring while the record is in force."""
    record = line.record
    yield Event(record.decided_on, line.happened, line)
    ends = record.publish_until
    if record.state == RecordState.IN_FORCE:
        # Repair on the day on which it ends by itself would be nothing to wait for.
        if record.repairable_from and record.polarity == Polarity.NEGATIVE and record.repairable_from != ends:
            yield Event(record.repairable_from, _("Repair possible from this day"), line)
        if ends:
            yield Event(ends, _("No longer shown or used from this day"), line)
    elif record.state == RecordState.EXPIRED and ends:
        yield Event(ends, _("No longer shown or used from this day"), line)
