"""The demonstration's past: its records came in week by week, by files of their units, and not all on one day.

What the pipeline has taken in is told as the deliveries of the months before: each feed has its day of the week, units
are prompt or not so prompt, and better in one month than in another. Everything follows from codes and numbers by the
dice, so that the same seed makes the same past.
"""

import datetime
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import connection
from django.utils import timezone

from creditplatform.core.deadlines import add_months
from records.demonstration.data import Source, dice, rests, sources
from records.demonstration.world import World
from records.enums import BatchState, Rhythm, RowState
from records.figures.rules import first_day
from records.models import CreditRecord, Feed, FeedBatch, QuarantinedRow

MONTHS_BACK = 6
RESTING_SINCE = 36  # days before the anchor after which a feed that has stopped delivered nothing more
HOUR, MINUTES_OF_WORK = datetime.time(9, 40), datetime.timedelta(minutes=1)
TELL = """
UPDATE records_creditrecord r SET received_at = u.at, batch_id = u.batch
FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[]) AS u (id, at, batch) WHERE r.id = u.id
"""
MOVE = """
UPDATE records_quarantinedrow q SET batch_id = u.batch, row_number = u.line, line_number = u.line + 1
FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS u (id, batch, line) WHERE q.id = u.id
"""


@dataclass
class Delivery:
    """What a feed delivered on one day: keys of records, rows set aside, and how many rows it only repeated."""

    day: datetime.date
    records: list[int] = field(default_factory=list)
    setaside: list[Any] = field(default_factory=list)
    repeats: int = 0

    @property
    def rows(self) -> int:
        """How many rows the file had."""
        return len(self.records) + len(self.setaside) + self.repeats


def receipt_day(source: Source, number: str, decided_on: datetime.date, anchor: datetime.date) -> datetime.date:
    """The day on which a decision reached the platform: soon after, or weeks late, on the feed's day of the week."""
    rng = dice(source.feed, number)
    prompt = rng.randrange(100) < _prompt(source.agency, first_day(decided_on))
    day = decided_on + datetime.timedelta(days=rng.randrange(4) if prompt else rng.randrange(12, 26))
    day += datetime.timedelta(days=(_weekday(source.feed) - day.weekday()) % 7)
    last = anchor - datetime.timedelta(days=RESTING_SINCE)
    return max(decided_on, min(day, last)) if rests(source.feed) else day


@cache
def _prompt(agency: str, month: datetime.date) -> int:
    """How many of a hundred decisions of a month a unit reports at once."""
    return 80 + dice(agency).randrange(19) - dice(agency, month).randrange(14)


@cache
def _weekday(feed: str) -> int:
    return dice("weekday", feed).randrange(5)


def tell_the_past(world: World) -> int:
    """Spread what was delivered over the months before; returns how many deliveries there are more, 0 if told before.

    Must run in an audit context.
    """
    feeds = {feed.code: feed for feed in Feed.objects.filter(code__in=[source.feed for source in sources()])}
    if FeedBatch.objects.filter(file_name__startswith=f"{sources()[0].feed}_{world.name}_on_").exists():
        return 0
    told = [_Past(world, source, feeds[source.feed]) for source in sources()]
    made = FeedBatch.objects.bulk_create(batch for past in told for batch in past.batches())
    _move(told)
    return len(made)


class _Past:
    """One feed's deliveries of the months before; what is older stays in the files of its beginning."""

    def __init__(self, world: World, source: Source, feed: Feed) -> None:
        self.world, self.source, self.feed = world, source, feed
        self.begun = add_months(first_day(world.anchor), -MONTHS_BACK)
        self.today = timezone.localdate()
        self.files = list(feed.batches.order_by("pk"))
        self.days: dict[int, tuple[datetime.date, int]] = {}
        self.rows = list(QuarantinedRow.objects.filter(feed=feed).order_by("pk").defer("cells", "reason"))
        self.deliveries = self._deliveries()
        self.made: dict[datetime.date, FeedBatch] = {}

    def batches(self) -> Iterable[FeedBatch]:
        """A batch for every delivery, not saved yet."""
        for delivery in self.deliveries.values():
            self.made[delivery.day] = self._batch(delivery)
        return self.made.values()

    def places(self) -> Iterable[tuple[int, datetime.datetime, int]]:
        """Every record with the instant at which it came in and the batch it belongs to."""
        for pk, (day, file) in self.days.items():
            yield pk, _at(day), self.made[day].pk if day in self.made else file

    def _deliveries(self) -> dict[datetime.date, Delivery]:
        found: dict[datetime.date, Delivery] = {}
        records = CreditRecord.objects.filter(batch__in=self.files).order_by("pk")
        for pk, number, decided_on, file in records.values_list("pk", "document_number", "decided_on", "batch"):
            day = min(receipt_day(self.source, number, decided_on, self.world.anchor), self.today)
            self.days[pk] = (day, file)
            if day >= self.begun:
                found.setdefault(day, Delivery(day)).records.append(pk)
        self._repeat(found)
        days = sorted(found)
        for row in self.rows if days else ():
            found[dice("aside", self.feed.code, row.row_number).choice(days)].setaside.append(row)
        return dict(sorted(found.items()))

    def _repeat(self, found: dict[datetime.date, Delivery]) -> None:
        """Some rows come twice; a month with nothing new brings some again, and a feed that lives came today."""
        for day, delivery in found.items():
            delivery.repeats = dice("again", self.feed.code, day).randrange(len(delivery.records) // 6 + 1)
        empty = {add_months(self.begun, n) for n in range(MONTHS_BACK)} - {first_day(day) for day in found}
        quiet = [month + datetime.timedelta(days=dice(self.feed.code, month).randrange(4, 26)) for month in empty]
        last = self.world.anchor - datetime.timedelta(days=RESTING_SINCE)
        if rests(self.feed.code):
            quiet = [day for day in quiet if day <= last]
        elif self.feed.rhythm in (Rhythm.DAILY, Rhythm.WEEKLY) and self.today not in found:
            quiet.append(self.today)
        for day in quiet:
            found[day] = Delivery(day, repeats=dice("quiet", self.feed.code, day).randrange(2, 7))

    def _batch(self, delivery: Delivery) -> FeedBatch:
        first, aside = self.files[0], Counter(row.state == RowState.REJECTED for row in delivery.setaside)
        name = f"{self.feed.code}_{self.world.name}_on_{delivery.day}.{first.file_name.rpartition('.')[2]}"
        at = _at(delivery.day)
        return FeedBatch(
            feed=self.feed, file_name=name, file_digest=hashlib.sha256(name.encode()).hexdigest(),
            size=delivery.rows * max(1, first.size // max(1, first.received)), format=first.format,
            encoding=first.encoding, state=_state(aside[False]), received=delivery.rows,
            accepted=len(delivery.records), unchanged=delivery.repeats, quarantined=aside[False],
            rejected=aside[True], problems=_problems(delivery.setaside), columns=first.columns, door=first.door,
            submitted_by=first.submitted_by, received_at=at, finished_at=at + MINUTES_OF_WORK, seconds=0.1,
        )  # fmt: skip

    def close_the_beginning(self) -> None:
        """The first files keep what came in before these months; they were delivered when the feed began."""
        began = self.begun - datetime.timedelta(days=max(1, self.begun.weekday() - 4) if self.begun.weekday() else 3)
        kept = Counter(file for day, file in self.days.values() if day not in self.made)
        for batch in self.files:
            rows = [] if self.made else [row for row in self.rows if row.batch_id == batch.pk]
            states = Counter(row.state == RowState.REJECTED for row in rows)
            FeedBatch.objects.filter(pk=batch.pk).update(
                received=kept[batch.pk] + states.total(), accepted=kept[batch.pk], quarantined=states[False],
                rejected=states[True], problems=_problems(rows), state=_state(states[False]),
                received_at=_at(began), finished_at=_at(began) + MINUTES_OF_WORK,
            )  # fmt: skip


def _at(day: datetime.date) -> datetime.datetime:
    """The hour at which files come; today's has come already."""
    return min(timezone.make_aware(datetime.datetime.combine(day, HOUR)), timezone.now())


def _state(quarantined: int) -> BatchState:
    return BatchState.PARTLY_QUARANTINED if quarantined else BatchState.APPLIED


def _problems(rows: Sequence[Any]) -> dict[str, int]:
    return dict(Counter(problem["code"] for row in rows for problem in row.problems))


def _move(told: Sequence[_Past]) -> None:
    """Let records and rows set aside belong to the deliveries that brought them; two statements for all feeds."""
    records = [place for past in told for place in past.places()]
    deliveries = [(past, at) for past in told for at in past.deliveries.values()]
    rows = [(row, past.made[at.day], line) for past, at in deliveries for row, line in _lines(at)]
    with connection.cursor() as cursor:
        cursor.execute(
            TELL, [[pk for pk, _, _ in records], [at for _, at, _ in records], [key for _, _, key in records]]
        )
        keys, batches = [row.pk for row, _batch, _line in rows], [batch.pk for _row, batch, _line in rows]
        cursor.execute(MOVE, [keys, batches, [line for _row, _batch, line in rows]])
    for past in told:
        past.close_the_beginning()


def _lines(delivery: Delivery) -> list[tuple[Any, int]]:
    """Where in the file its rows that were set aside stood."""
    count = len(delivery.setaside)
    places = dice("lines", delivery.day, count).sample(range(1, delivery.rows + 1), count)
    return list(zip(delivery.setaside, sorted(places), strict=True))
