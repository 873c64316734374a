"""Mend rows set aside: corrected in place, discarded and taken back, or checked once more after something changed."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.models import User
from records.enums import BatchState, RowState
from records.feeds.consequences import compare_names
from records.feeds.mapping import find_columns, is_needed, map_columns
from records.feeds.mended import settle, still_to_confirm
from records.feeds.mending import BEYOND, NOTED, ROW_HEADERS, Mends, row_token, seen_as
from records.feeds.plan import Plan, plan_for
from records.feeds.prepare import Preparer
from records.feeds.prepared import Prepared, Setaside, delivered_cells
from records.feeds.problems import NEEDS_CONFIRMATION, SHAPE
from records.feeds.readers import Chunk
from records.feeds.store import Store
from records.models import Feed, FeedBatch, QuarantinedRow
from records.models.feed import OPEN_STATES
from records.querysets import QuarantinedRowQuerySet, units_of
from records.services.entry import open_batch
from records.services.feeds import receive_file
from records.services.setaside_table import SetAsideTable, day_of
from records.workflows.feed_batch import FEED_BATCH

REASON = "reason"
LONGEST_REASON = 500
ROWS_TO_A_BLOCK = 500


class RowChanged(Conflict):
    """Somebody mended, discarded or took in the row after the page that is handed in was opened."""

    default_code = "row_changed"
    default_message = _(
        "Somebody else has worked on this row in the meantime, so nothing was changed. What you typed is still below:"
        " compare it with the row as it is now."
    )


class RerunBusy(Conflict):
    """The rows of this feed are being checked once more already."""

    default_code = "rerun_busy"
    default_message = _("The rows of this feed are being checked once more already. Wait until that has ended.")


class BatchClosed(Conflict):
    """The delivery the row belongs to is closed."""

    default_code = "batch_closed"
    default_message = _("The delivery of this row is closed, so the row cannot wait again. Deliver it anew.")


class _StillWrong(Exception):
    """The mended row is set aside again; takes back the batch that was opened for it.

    `other_name` is the index of the number of a person whom the row names otherwise than the one on file.
    """

    def __init__(self, row: Setaside, other_name: bytes | None) -> None:
        super().__init__()
        self.row, self.other_name = row, other_name


def mend_row(
    *, user: User, row: QuarantinedRow, values: Mapping[str, str], seen: int, confirmed: bool = False
) -> QuarantinedRow:
    """Check a row again with these values by field code, and take it in if nothing is wrong with it any more.

    Goes through the pipeline as a batch of its own. Otherwise the row goes on waiting with the new cells and problems;
    either way history keeps the old ones, sealed, and names who mended which fields. `seen` is the revision that was
    looked at; `confirmed` says that the decision itself was looked at. Raises NotPermitted, RowChanged, NotCollected.
    """
    if row.feed.agency_id not in units_of(user):
        raise NotPermitted
    who: dict[str, Any] = {"actor": user, "door": Door.DESK, "agency_id": row.feed.agency_id}
    with audit.context(reason="mend a row set aside", **who):
        held = held_row(row.pk, seen)
        plan = plan_for(held.feed, dated_on=day_of(held.batch))
        before = msgspec.json.decode(held.cells or "{}", type=dict[str, str])
        cells = mended_cells(before, values, plan, held.feed)
        with audit.context(reason=f"row set aside mended: {_changed(before, cells) or 'no cell'}"[:1000], **who):
            try:
                with transaction.atomic():
                    _take_in(held, plan, cells, user, confirmed=confirmed)
            except _StillWrong as wrong:
                _keep(held, wrong)
    held.refresh_from_db()
    return held


def take_in_again(row: QuarantinedRow, user: User, *, reason: str | None = None) -> QuarantinedRow:
    """Check a held row once more as it stands and take it in; one that is still wrong goes on waiting with the reason.

    Must run in an audit context and a transaction. `reason` is why this was done, and is kept sealed with the batch.
    """
    plan = plan_for(row.feed, dated_on=day_of(row.batch))
    cells = msgspec.json.decode(row.cells or "{}", type=dict[str, str])
    try:
        with transaction.atomic():
            _take_in(row, plan, cells, user, confirmed=False, reason=reason)
    except _StillWrong as wrong:
        _keep(row, wrong)
    row.refresh_from_db()
    return row


def mended_cells(cells: Mapping[str, str], values: Mapping[str, str], plan: Plan, feed: Feed) -> dict[str, str]:
    """The cells with these values in the columns of their fields; a field without a column gets one.

    Cells that had no column are given up: what they held was in front of whoever mended the row.
    """
    header = [name for name in cells if not BEYOND.fullmatch(name)]
    found = find_columns(header, plan.fields, remembered=feed.mapping).positions
    mended = {name: cells[name] for name in header}
    for item in plan.fields:
        text = values.get(item.code, "")
        if item.code in found:
            if item.code in values:
                mended[header[found[item.code]]] = text
        elif text or is_needed(item, plan.constants, plan.dated_on is not None):
            mended[item.name if item.name not in mended else item.code] = text
    return mended


def held_row(pk: int, seen: int) -> QuarantinedRow:
    """The row, held until the end of the transaction. Raises RowChanged."""
    rows = QuarantinedRow.objects.select_for_update(of=("self",), no_key=True)
    held = rows.select_related("feed__agency", "feed__entry", "batch__feed").get(pk=pk)
    if held.state != RowState.OPEN or held.revision != seen:
        raise RowChanged
    return held


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Names of the columns that say something else, never what they say."""
    return ", ".join(name for name in {**before, **after} if before.get(name, "") != after.get(name, ""))


def _take_in(
    row: QuarantinedRow, plan: Plan, cells: dict[str, str], user: User, *, confirmed: bool, reason: str | None = None
) -> None:
    """Bring the row in as a batch of one. Raises _StillWrong, WrongHeader."""
    batch = open_batch(row.feed, user, cells, Door.DESK, reason)
    prepared = prepared_row(row, plan, cells)
    store = Store(plan, batch, confirmed=confirmed)
    outcome = store.write(prepared)
    if prepared.setaside:
        raise _StillWrong(prepared.setaside[0], store.other_names.get(1))
    FeedBatch.objects.filter(pk=batch.pk).update(
        received=1, accepted=outcome.accepted, unchanged=outcome.unchanged, notes={NOTED: True}
    )
    FEED_BATCH.take("apply", batch, user=None)
    settle(row.feed_id)


def prepared_row(row: QuarantinedRow, plan: Plan, cells: dict[str, str]) -> Prepared:
    """A row set aside with these cells, checked as one row of a file is. Raises WrongHeader."""
    header = list(cells)
    columns = map_columns(
        header, plan.fields, remembered=row.feed.mapping, constants=plan.constants,
        dated_elsewhere=plan.dated_on is not None,
    )  # fmt: skip
    chunk = Chunk(1, 1, [[text] for text in cells.values()], [1], [row.line_number])
    prepared = Preparer(plan, columns, header).prepare(chunk)
    prepared.mends, prepared.delivered = {1: Mends(row.pk, seen_as(row.revision))}, delivered_cells(chunk, header)
    return prepared


def _keep(row: QuarantinedRow, found: _StillWrong) -> None:
    """Let a row that is still wrong go on waiting with what was typed, or drop it where it may not be kept.

    Where it names a person otherwise than another unit did, both are asked.
    """
    wrong = found.row
    QuarantinedRow.objects.filter(pk=row.pk).update(
        state=RowState.REJECTED if wrong.rejected else RowState.OPEN,
        cells=None if wrong.rejected else msgspec.json.encode(wrong.cells).decode(),
        problems=[{"field": name, "code": code} for name, code in still_to_confirm(row.problems, wrong.problems)],
        decision=wrong.decision,
        revision=F("revision") + 1,
    )
    if found.other_name is not None:
        compare_names(row.feed, {row.pk: found.other_name})
    if wrong.rejected:
        settle(row.feed_id)


def discard_rows(*, user: User, rows: QuarantinedRowQuerySet, reason: str) -> int:
    """Say that these rows are not to be taken in, and why; returns how many there were. Rows of other units stay.

    A discarded row that is delivered once more just so is not set aside again. Raises Invalid without a reason.
    """
    if not reason.strip():
        raise Invalid.in_field(REASON, "required", _("Please give the reason."))
    with audit.context(actor=user, door=Door.DESK, reason="rows set aside discarded"):
        wanted = rows.sent_by(user).waiting()
        feeds = set(wanted.order_by().values_list("feed", flat=True).distinct())
        count = QuarantinedRow.objects.filter(pk__in=wanted.order_by().values("pk")).update(
            state=RowState.DISCARDED, reason=reason.strip()[:LONGEST_REASON], closed_at=timezone.now(), closed_by=user,
            revision=F("revision") + 1,
        )  # fmt: skip
        for feed in feeds:
            settle(feed)
    return count


def take_back(*, user: User, row: QuarantinedRow) -> None:
    """Let a discarded row wait again. Raises NotPermitted, RowChanged, BatchClosed."""
    if row.feed.agency_id not in units_of(user):
        raise NotPermitted
    with audit.context(actor=user, door=Door.DESK, reason="discarded row waits again", agency_id=row.feed.agency_id):
        held = (
            QuarantinedRow.objects.select_for_update(of=("self",), no_key=True).select_related("batch").get(pk=row.pk)
        )
        if held.state != RowState.DISCARDED:
            raise RowChanged
        if held.batch.state == BatchState.CLOSED:
            raise BatchClosed
        if held.batch.state == BatchState.CORRECTED:
            FEED_BATCH.take("reopen", held.batch, user=user)
        QuarantinedRow.objects.filter(pk=held.pk).update(
            state=RowState.OPEN, reason=None, closed_at=None, closed_by=None, revision=F("revision") + 1
        )


def rerun_rows(*, user: User, feed: Feed, rows: QuarantinedRowQuerySet) -> FeedBatch:
    """Hand the open rows of a feed in once more, after the catalogue, the mapping or the unit's codes have changed.

    They make a batch like any other: worked off by a worker in chunks, resumed after a crash, its receipt shows how far
    it is. Left out are rows whose cells fit no columns and those that somebody has to confirm. At most 100,000 rows.
    Raises NotPermitted, NotCollected, RerunBusy, Invalid where there is nothing to check.
    """
    if feed.agency_id not in units_of(user):
        raise NotPermitted
    wanted = rows.filter(feed=feed).waiting().exclude(_for_people_alone())
    if FeedBatch.objects.filter(feed=feed, rerun=True, state__in=OPEN_STATES).exists():
        raise RerunBusy
    if not wanted.exists():
        raise Invalid.in_field("", "nothing_to_rerun", _("None of these rows can be checked again by the platform."))
    with audit.context(actor=user, door=Door.DESK, reason="rows set aside checked again", agency_id=feed.agency_id):
        table = SetAsideTable(plan_for(feed), feed, wanted)
        try:
            return receive_file(
                feed=feed, blocks=_as_csv(table), file_name="rerun.csv", door=Door.DESK, user=user, rerun=True
            )
        except IntegrityError as error:
            raise RerunBusy from error


def _for_people_alone() -> Q:
    found = Q()
    for code in sorted(SHAPE | NEEDS_CONFIRMATION):
        found |= Q(problems__contains=[{"code": code}])
    return found


def _as_csv(table: SetAsideTable) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*table.header, ROW_HEADERS["en"]])
    for count, row in enumerate(table, start=1):
        writer.writerow([*row.texts, row_token(row.pk, row.revision)])
        if count % ROWS_TO_A_BLOCK == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
