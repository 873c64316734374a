"""What a receipt shows of a batch: counts, columns, what is wrong in which row and how to mend it; never the values."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext

from creditplatform.core import probes
from creditplatform.core.models import User
from creditplatform.core.permissions import has_role
from records.desk.navigation import SENDING
from records.enums import BatchState, ColumnFate, RowState
from records.feeds.mapping import OPEN
from records.feeds.not_accepted import NotAccepted, fields_of, not_accepted
from records.feeds.problems import sentence
from records.models import FeedBatch, QuarantinedRow
from records.models.feed import OPEN_STATES
from records.querysets import QuarantinedRowQuerySet, units_of
from records.workflows.feed_batch import FEED_BATCH

ROWS_SHOWN = 200
DIGEST_SHOWN = 12
# State of a batch: the look of its mark and the sign in it, which also says it without colour.
MARKS = {
    BatchState.RECEIVED: ("info", "…"),
    BatchState.CHECKING: ("info", "…"),
    BatchState.MAPPING: ("warn", "?"),
    BatchState.APPLIED: ("good", "✓"),
    BatchState.PARTLY_QUARANTINED: ("warn", "!"),
    BatchState.CORRECTED: ("good", "✓"),
    BatchState.CLOSED: ("good", "✓"),
    BatchState.REFUSED: ("bad", "✕"),
    BatchState.CANCELLED: ("bad", "✕"),
}


@dataclass(frozen=True)
class RowList:
    """Rows of one fate with what is wrong in each; `more` where not all of them are shown."""

    rejected: bool
    rows: list[tuple[NotAccepted, list[tuple[str, str]]]]
    more: bool


def mark_of(batch: FeedBatch) -> tuple[str, str]:
    """Look and sign of a batch's state."""
    return MARKS[BatchState(batch.state)]


def name_of_file(batch: FeedBatch, user: User) -> str:
    """The name the sending unit gave the file, often that of a person; others see number and digest."""
    if batch.format == "form":
        return gettext("one record by form")
    if batch.rerun:
        return gettext("rows set aside, checked once more")
    own = batch.feed.agency_id in units_of(user)
    return batch.file_name if own else f"#{batch.pk} · {batch.file_digest[:DIGEST_SHOWN]}"


def receipt_page(batch: FeedBatch, user: User) -> dict[str, Any]:
    """Everything the page of a receipt shows."""
    own = batch.feed.agency_id in units_of(user)
    lists = [_rows(batch, rejected=False), _rows(batch, rejected=True)]
    steps = {step.name for step in FEED_BATCH.available(batch, user)}
    fates = _fates(batch) if batch.quarantined else {}
    unknown = [column["header"] for column in batch.columns if column["fate"] in OPEN]
    return {
        "batch": batch,
        "own": own,
        "may_template": own and batch.state == BatchState.REFUSED and has_role(*SENDING)(user),
        "file": name_of_file(batch, user),
        "mark": mark_of(batch),
        "open": batch.state in OPEN_STATES,
        "may_cancel": "cancel" in steps,
        "asks_columns": batch.state == BatchState.MAPPING,
        "unknown": unknown or batch.notes.get("unknown_columns", []),
        "left_out": [column["header"] for column in batch.columns if column["fate"] == ColumnFate.IGNORED],
        "may_map": own and bool(unknown) and batch.state not in OPEN_STATES,
        "example_line": batch.notes.get("example_line"),
        "agency_unchecked": batch.notes.get("agency_unchecked", False),
        "worker_stopped": "worker" in probes.stopped_timers(),
        "problems": [(code, sentence(code), count) for code, count in sorted(batch.problems.items())],
        "waiting": fates.get(RowState.OPEN, 0),
        "fates": [(str(state.label), fates[state.value]) for state in RowState if state.value in fates],
        "lists": [row_list for row_list in lists if row_list.rows],
        "set_aside_url": set_aside_url(batch),
    }


def set_aside_url(batch: FeedBatch) -> str:
    """Where rows of this batch are mended."""
    return f"{reverse('desk:setaside')}?batch={batch.pk}"


def rows_of(batch: FeedBatch) -> QuarantinedRowQuerySet:
    """Rows set aside that the batch brought, and those of earlier ones that it repeated."""
    return QuarantinedRow.objects.of_batch(batch.pk)


def _fates(batch: FeedBatch) -> dict[str, int]:
    """How many of its rows set aside wait, were corrected or discarded; the counts of the batch stay what they were."""
    states = rows_of(batch).exclude(state=RowState.REJECTED).order_by().values_list("state")
    return dict(states.annotate(number=Count("pk")))


def _rows(batch: FeedBatch, *, rejected: bool) -> RowList:
    """Rows set aside, which can be corrected, or rejected ones, of which nothing is kept but their place."""
    shown, fields = not_accepted(batch, limit=ROWS_SHOWN + 1, rejected=rejected), fields_of(batch)
    return RowList(rejected, [(row, row.in_words(fields)) for row in shown[:ROWS_SHOWN]], len(shown) > ROWS_SHOWN)
