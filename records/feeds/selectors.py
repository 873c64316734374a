"""Prepared answers about feeds and their batches, for the desk and the interface."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from creditplatform.core.models import Agency
from records.enums import BatchState
from records.feeds.delivery import with_state
from records.feeds.mapping import TAKEN, is_needed
from records.feeds.plan import Plan
from records.models import EntryField, EntryVersion, Feed, FeedBatch


def feeds_of(agency: Agency) -> list[dict[str, Any]]:
    """The feeds of a unit with the fields of the version in force; three queries."""
    feeds = list(Feed.objects.of_units().filter(agency=agency).select_related("entry").order_by("code"))
    versions = {
        version.entry_id: version
        for version in EntryVersion.objects.collecting(on=timezone.localdate())
        .filter(entry__in={feed.entry_id for feed in feeds})
        .prefetch_related("fields")
    }
    return [_feed(feed, versions.get(feed.entry_id)) for feed in feeds]


def _feed(feed: Feed, version: EntryVersion | None) -> dict[str, Any]:
    fields = with_state(sorted(version.fields.all(), key=lambda item: item.position)) if version else []
    own = ("code", "name", "name_en", "format", "rhythm", "active", "dated_by_receipt")
    return {
        **{name: getattr(feed, name) for name in own},
        "entry": feed.entry.code,
        "version": version.number if version else None,
        "fields": fields,
    }


def waiting_for_columns(feed: Feed) -> QuerySet[FeedBatch]:
    """Batches of a feed that wait until somebody says which column is which field, the oldest first."""
    return FeedBatch.objects.filter(feed=feed, state=BatchState.MAPPING).order_by("pk")


def missing_fields(batch: FeedBatch, plan: Plan) -> list[EntryField]:
    """Required fields for which no column of the batch is known yet."""
    known = {column["field"] for column in batch.columns if column["fate"] in TAKEN}
    dated = bool(batch.dated_on or plan.dated_on)
    return [item for item in plan.fields if item.code not in known and is_needed(item, plan.constants, dated)]
