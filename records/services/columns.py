"""Confirm once for a feed which column is which field; files that waited for it go on."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import FieldProblem, Invalid
from creditplatform.core.models import User
from creditplatform.core.wording import joined
from records.enums import BatchState
from records.feeds.mapping import find_columns, header_key, is_needed
from records.feeds.plan import Plan, plan_for
from records.models import Feed, FeedBatch
from records.workflows.feed_batch import FEED_BATCH


@transaction.atomic
def confirm_columns(
    *, feed: Feed, choices: Mapping[str, str], user: User | None, batch: FeedBatch | None = None
) -> list[FeedBatch]:
    """Remember for a feed the field of each column, or that it is not taken in (empty), and let waiting files go on.

    `batch` is the one that the person has before their eyes; without it at least one waiting file must be answered.
    Without a user it is the machine client of the unit; whoever calls has asked whose feed it is. Returns the batches
    that a worker may take up; one that was cancelled or given up meanwhile is not among them. Raises NotPermitted, or
    Invalid naming unknown fields, a field for two columns, and required fields that are still without one; then nothing
    is remembered.
    """
    locked = Feed.objects.select_for_update(no_key=True, of=("self",)).select_related("agency", "entry").get(pk=feed.pk)
    plan = plan_for(locked, dated_on=batch.dated_on if batch else None)
    _check(choices, plan)
    locked.mapping = merged(locked.mapping, choices)
    batches = FeedBatch.objects.select_for_update(no_key=True, of=("self",))
    waiting = list(batches.filter(feed=locked, state=BatchState.MAPPING).order_by("pk"))
    looked_at = [batch] if batch else waiting
    unanswered = [problem for one in looked_at if (problem := _still_missing(one, locked, plan))]
    if unanswered and len(unanswered) == len(looked_at):
        raise unanswered[0]
    locked.save(update_fields=["mapping"])
    return [
        FEED_BATCH.take("confirm_columns", one, user=user) for one in waiting if not _still_missing(one, locked, plan)
    ]


def merged(remembered: Mapping[str, str], choices: Mapping[str, str]) -> dict[str, str]:
    """What is remembered for a feed with these choices, the later ones instead of earlier ones for the same header."""
    anew = {header_key(header) for header in choices}
    kept = {header: code for header, code in remembered.items() if header_key(header) not in anew}
    return {**kept, **choices}


def _check(choices: Mapping[str, str], plan: Plan) -> None:
    codes = {item.code for item in plan.fields}
    if wrong := sorted({code for code in choices.values() if code and code not in codes}):
        text = _("The catalogue entry has no field of this code: %(codes)s.") % {"codes": ", ".join(wrong)[:200]}
        raise Invalid.in_field("columns", "field_unknown", text)
    twice = _twice([code for code in choices.values() if code])
    if twice:
        names = joined(item.label for item in plan.fields if item.code in twice)
        raise Invalid.in_field(
            "columns", "field_twice", _("Two columns were given to the same field: %(fields)s.") % {"fields": names}
        )


def _twice(codes: Sequence[str]) -> set[str]:
    return {code for code in codes if codes.count(code) > 1}


def _still_missing(batch: FeedBatch, feed: Feed, plan: Plan) -> Invalid | None:
    """Why a file could not go on with what the feed remembers now; None if it can."""
    header: list[Any] = [column["header"] for column in batch.columns]
    positions = find_columns(header, plan.fields, remembered=feed.mapping).positions
    dated = bool(batch.dated_on or plan.dated_on)
    missing = [f for f in plan.fields if f.code not in positions and is_needed(f, plan.constants, dated)]
    if not missing:
        return None
    names = joined(item.label for item in missing)
    text = _("These required fields have no column yet: %(fields)s.") % {"fields": names}
    return Invalid([FieldProblem("columns", "required_without_column", text)])
