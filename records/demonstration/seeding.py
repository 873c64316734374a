"""Make the demonstration world: every step may be repeated, and one that is done writes nothing again."""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from django.apps import apps
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.demonstration import refuse_real_installations
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, Invalid
from records.demonstration import (
    announcements,
    exchange,
    fates,
    months,
    people,
    public_words,
    queries,
    representation,
    ties,
    traces,
)
from records.demonstration.data import sources
from records.demonstration.delivery import deliver, make_feeds
from records.demonstration.world import World
from records.models import FeedBatch

SEED, SCALE = 2026, 1.0
YOUNG_DAYS = 300
WORLD_IN_NAME = re.compile(r"([a-z0-9-]+)_(\d+)_(\d{4}-\d\d-\d\d)_([0-9.e-]+)_\d+\.\w+")
Tell = Callable[[str], None]


@dataclass
class Seeded:
    """What a run wrote, by kind; `rows` holds the counts of the batches."""

    world: World
    written: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def anything(self) -> bool:
        """Whether the run wrote anything at all."""
        return any(self.written.values())


def first_of_month(day: datetime.date) -> datetime.date:
    """The first day of the month of a day: the anchor where none is given."""
    return day.replace(day=1)


def choose_world(seed: int | None, anchor: datetime.date | None, scale: float | None) -> World:
    """The world to make: the one that is begun already, else the one asked for, else the standard one.

    Raises Conflict where another world is there already, Invalid for an anchor in the future or so
    old that its decisions would come near their end of retention.
    """
    asked = {"seed": seed, "anchor": anchor, "scale": scale}
    known = world_on_file()
    if known is not None:
        differing = [name for name, value in asked.items() if value is not None and value != getattr(known, name)]
        if differing:
            raise Conflict(
                "another_world",
                _("This database holds another demonstration world (%(world)s). Start from an empty database."),
                world=known.name,
            )
        return known
    today = timezone.localdate()
    start = anchor or first_of_month(today)
    if not 0 <= (today - start).days <= YOUNG_DAYS:
        raise Invalid.in_field("anchor", "anchor", _("The anchor lies in the past, by 300 days at most."))
    if scale is not None and not 0 < scale <= 1:
        raise Invalid.in_field("scale", "scale", _("The scale is greater than 0 and at most 1."))
    return World(SEED if seed is None else seed, start, SCALE if scale is None else scale)


def world_on_file() -> World | None:
    """The world whose files were delivered to this database, as their names tell; None if there is none."""
    feeds = [source.feed for source in sources()]
    batches = FeedBatch.objects.filter(feed__code__in=feeds, submitted_by__isnull=False).order_by("pk")
    for feed, name in batches.values_list("feed__code", "file_name"):
        found = WORLD_IN_NAME.fullmatch(name)
        if found and found[1] == feed:
            return World(int(found[2]), datetime.date.fromisoformat(found[3]), float(found[4]))
    return None


def complete() -> bool:
    """Whether the last step was done: history keeps the rows it replaced under its reason."""
    events = apps.get_model("records", "CreditRecordEvent")
    done: bool = events._default_manager.filter(pgh_context__reason=fates.REASON).exists()
    return done


def seed_world(
    *,
    seed: int | None = None,
    anchor: datetime.date | None = None,
    scale: float | None = None,
    tell: Tell = lambda sentence: None,
) -> Seeded:
    """Make the world, or finish one that was interrupted; raises NotADemonstration in a real installation.

    Each file is a transaction of its own, as with every delivery; fates come last and mark the end.
    """
    refuse_real_installations()
    result, done = Seeded(choose_world(seed, anchor, scale)), complete()
    _prepare(result, with_feeds=not done)
    if done:
        return result
    for batch in deliver(result.world):
        tell(f"{batch.file_name}: {batch.accepted} + {batch.quarantined} + {batch.rejected}")
        _count(result, batch)
    _finish(result)
    return result


def _prepare(result: Seeded, *, with_feeds: bool) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="prepare the demonstration"):
        result.written["unit_codes"] = people.give_codes_to_units()
        result.written["accounts"] = people.make_accounts(result.world.anchor)
        result.written["feeds"] = make_feeds() if with_feeds else 0
        result.written["grants"] = people.permit_entry()


def _count(result: Seeded, batch: FeedBatch) -> None:
    result.written["files"] = result.written.get("files", 0) + 1
    for name in ("received", "accepted", "unchanged", "quarantined", "rejected"):
        result.rows[name] = result.rows.get(name, 0) + getattr(batch, name)


def _finish(result: Seeded) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="complete the demonstration"):
        result.written["identities"] = ties.register_persons(result.world)
        result.written |= ties.tie(result.world)
        result.written["binding"] = int(people.bind_citizen())
        result.written["representations"] = representation.represent(result.world)
        result.written |= traces.leave_traces(result.world)
        result.written |= months.live_through_months(result.world)
        traces.date_received(result.world)
        result.written["peer"] = exchange.begin()
        result.written |= fates.set_fates(result.world)
        result.written["open_confirmations"] = exchange.follow()
        result.written |= queries.ask(result.world)
        result.written["announcements"] = announcements.announce()
        result.written["public_words"] = public_words.wish()
