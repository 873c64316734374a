"""The answers of a check handed out, page by page or as a whole: whoever asked fetches them, and each time is noted.

All of it must run in an audit context.
"""

from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import Max

from creditplatform.core.models import User
from records.models import BatchCheck, BatchCheckRow
from records.queries.batch import AskedRow
from records.queries.batch_again import RowGiven, give, needs_asked, still_covered
from records.queries.grants import permitted_purpose
from records.services import check_files
from records.workflows.batch_check import BATCH_CHECK


def fetch(batch: BatchCheck, *, user: User | None, up_to: int | None = None) -> int:
    """Note that the rows up to a number are fetched, all where none is named; up to which they had been before.

    Must run in the transaction in which they are given. Raises NotPermitted, Conflict, PurposeNotOpen.
    """
    locked = BatchCheck.objects.select_for_update(of=("self",), no_key=True).get(pk=batch.pk)
    last = batch.results.aggregate(last=Max("row_number"))["last"] or 0 if up_to is None else up_to
    BATCH_CHECK.take("fetch", batch, user=user, up_to=last)
    permitted_purpose(batch.purpose_id, batch.agency)
    return locked.fetched_up_to


def page(batch: BatchCheck, *, after: int, limit: int) -> tuple[list[RowGiven], bool]:
    """So many rows after a number, for the system that sent the list, and whether more follow. Raises as `fetch`."""
    rows = list(batch.results.filter(row_number__gt=after).order_by("row_number")[: limit + 1])
    wanted = rows[:limit]
    with transaction.atomic():
        before = fetch(batch, user=None, up_to=wanted[-1].row_number if wanted else 0)
        asked = _asked(batch, wanted) if needs_asked(batch, wanted, before=before) else ()
        return give(batch, wanted, asked, before=before), len(rows) > limit


def overview(batch: BatchCheck, rows: Sequence[BatchCheckRow]) -> list[RowGiven]:
    """Rows as their answers may still be shown to whoever asked, by their number alone."""
    return still_covered(batch, rows, _asked(batch, rows) if needs_asked(batch, rows) else ())


def _asked(batch: BatchCheck, rows: Sequence[BatchCheckRow]) -> Iterator[AskedRow]:
    """Whom these rows asked for; the file is read no further than the last of them."""
    wanted = {row.row_number for row in rows}
    for one in check_files.asked_rows(batch) if wanted else ():
        if one.row_number in wanted:
            wanted.discard(one.row_number)
            yield one
        if not wanted:
            return
