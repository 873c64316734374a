"""Feeds that were expected and did not come, and deliveries of an unexpected size."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from creditplatform.core.calendars import load_calendar
from creditplatform.core.deadlines import Calendar, YearNotAnnounced, working_days_between
from creditplatform.core.models import CalendarDay
from creditplatform.core.wording import joined
from records.enums import BatchState, Rhythm
from records.figures.access import of_the_centre, units_seen_by
from records.figures.rules import expected_by, silent_before
from records.models import Feed, FeedBatch
from records.querysets import units_of

TAKEN_IN = (BatchState.APPLIED, BatchState.PARTLY_QUARANTINED, BatchState.CORRECTED, BatchState.CLOSED)
NAMED, LISTED, LOOKED_BACK = 3, 200, datetime.timedelta(days=31)


@dataclass(frozen=True)
class Silence:
    """A feed that owes a delivery: since when, and for how many working days.

    `last_on` is None where none ever came; `owed` is False while its first one is still to come. `since` and
    `working_days` are None where the year's working days are not announced.
    """

    feed: Feed
    last_on: datetime.date | None
    owed: bool = False
    since: datetime.date | None = None
    working_days: int | None = None


def all_expected_feeds() -> QuerySet[Any]:
    """Feeds with a rhythm that are switched on, with the time of their last delivery as `last_at`.

    `counted_from` is that time, or where none ever came the time from which the feed is expected.
    """
    taken_in = FeedBatch.objects.filter(feed=OuterRef("pk"), state__in=TAKEN_IN).delivered()
    last = taken_in.order_by("-received_at").values("received_at")[:1]
    feeds = Feed.objects.filter(active=True, agency__active=True).exclude(rhythm=Rhythm.ONCE)
    return feeds.annotate(last_at=Subquery(last)).annotate(counted_from=Coalesce("last_at", "since"))


def expected_feeds(user: Any) -> QuerySet[Any]:
    """Those of the units the person may see."""
    return all_expected_feeds().filter(agency__in=units_seen_by(user).values("pk"))


def silent_feeds(feeds: QuerySet[Any], *, today: datetime.date | None = None) -> QuerySet[Any]:
    """Those that let a whole expected period pass, since their last delivery or since they are expected at all.

    Asks the calendar one small question.
    """
    day = today or timezone.localdate()
    late = Q(pk=None)
    for rhythm in (Rhythm.DAILY, Rhythm.WEEKLY, Rhythm.MONTHLY):
        if before := silent_before(rhythm, day, _last_worked(day) if rhythm == Rhythm.DAILY else None):
            midnight = timezone.make_aware(datetime.datetime.combine(before, datetime.time()))
            late |= Q(rhythm=rhythm, counted_from__lt=midnight)
    return feeds.filter(late)


def _last_worked(today: datetime.date) -> datetime.date | None:
    """The last working day before today; None where the calendar does not reach yesterday."""
    found = CalendarDay.objects.filter(day__lt=today, day__gte=today - datetime.timedelta(days=31)).order_by("-day")
    days = list(found.values_list("day", "working"))
    if not days or days[0][0] != today - datetime.timedelta(days=1):
        return None
    return next((day for day, working in days if working), None)


def silences(user: Any, *, today: datetime.date | None = None) -> list[Silence]:
    """Feeds that owe a delivery, the longest silent first, then those whose first delivery is still to come."""
    day = today or timezone.localdate()
    feeds, calendar = expected_feeds(user).select_related("agency", "entry"), load_calendar()
    stopped = list(silent_feeds(feeds, today=day).order_by("counted_from")[:LISTED])
    owing = {feed.pk for feed in stopped}
    never = list(feeds.filter(last_at=None).exclude(pk__in=owing).order_by("agency__code", "code")[:LISTED])
    found = [_silence(feed, calendar, day) for feed in stopped]
    return [*sorted(found, key=_since), *(Silence(feed, None) for feed in never)]


def _since(silence: Silence) -> datetime.date:
    return silence.since or datetime.date.max


def _silence(feed: Any, calendar: Calendar, today: datetime.date) -> Silence:
    last_on = timezone.localdate(feed.last_at) if feed.last_at else None
    try:
        since = expected_by(feed.rhythm, timezone.localdate(feed.counted_from), calendar)
    except YearNotAnnounced:
        return Silence(feed, last_on, owed=True)
    try:
        days = working_days_between(since, today, calendar) if since else None
    except YearNotAnnounced:
        days = None
    return Silence(feed, last_on, owed=True, since=since, working_days=days)


def odd_batches(user: Any) -> list[FeedBatch]:
    """Deliveries of the last month with fewer or more rows than the feed promised, newest first."""
    since = timezone.now() - LOOKED_BACK
    batches = FeedBatch.objects.filter(received_at__gte=since, state__in=TAKEN_IN).delivered()
    odd = batches.filter(Q(received__lt=F("feed__expected_min")) | Q(received__gt=F("feed__expected_max")))
    mine = odd.filter(feed__agency__in=units_seen_by(user).values("pk"))
    return list(mine.select_related("feed__agency").order_by("-received_at")[:LISTED])


def alarm_of(user: Any) -> str | None:
    """One sentence about feeds that have stopped or never came, with a way to the list; None while all come.

    Two queries.
    """
    if not of_the_centre(user) and not units_of(user):
        return None
    names = [feed.label for feed in silent_feeds(expected_feeds(user)).order_by("counted_from", "code")[: LISTED + 1]]
    if not names:
        return None
    count = f"{LISTED}+" if len(names) > LISTED else str(len(names))
    text = ngettext("A feed does not come: %(names)s.", "%(count)s feeds do not come: %(names)s.", len(names))
    shown = joined(names[:NAMED]) + (_(" and others") if len(names) > NAMED else "")
    link = format_html('<a href="{}">{}</a>', reverse("desk:figures_feeds"), _("See since when"))
    return format_html("{} {}", text % {"names": shown, "count": count}, link)


def stopped_feeds() -> int:
    """How many feeds have stopped or never came, for the probe of the operators; counted no further than the list."""
    return len(silent_feeds(all_expected_feeds())[:LISTED])
