"""Records that a complete list no longer contains: proposed for withdrawal, and an officer decides each.

A list says by silence that something has ended, but so does half a file. So nothing is withdrawn by silence; a list
that lost more than a set share proposes nothing at all; and one with rows set aside neither, since the row that is
missing may be among them.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import User
from creditplatform.core.rules import load_rulebook
from records.enums import MissingState
from records.feeds.memory import MOST_ROWS
from records.models import FeedBatch, MissingRecord
from records.workflows.missing_record import MISSING_RECORD

SHARE = "feeds.complete_list.most_missing_percent"
OF_FEED = """
FROM records_creditrecord r JOIN records_feedbatch b ON b.id = r.batch_id AND b.feed_id = %(feed)s
WHERE r.site_id = %(site)s AND r.entry_id = %(entry)s AND r.agency_id = %(agency)s AND r.state = 'in_force'
"""
NOT_IN_LIST = " AND NOT EXISTS (SELECT 1 FROM unnest(%(seen)s::bigint[]) AS k WHERE k = r.id)"
COUNT = f"SELECT count(*), count(*) FILTER (WHERE true {NOT_IN_LIST}) {OF_FEED}"
PROPOSE = f"""
INSERT INTO records_missingrecord (record_id, feed_id, batch_id, state, proposed_at)
SELECT r.id, %(feed)s, %(batch)s, 'proposed', now() {OF_FEED} {NOT_IN_LIST}
ORDER BY r.id
ON CONFLICT (record_id) WHERE state IN ('proposed', 'kept') DO NOTHING
"""
RETURN = """
WITH due AS (
    SELECT id, state FROM records_missingrecord WHERE feed_id = %(feed)s AND state IN ('proposed', 'kept')
    AND record_id = ANY(%(seen)s) ORDER BY id FOR NO KEY UPDATE
), moved AS (
    UPDATE records_missingrecord m SET state = 'returned', decided_at = now() FROM due WHERE m.id = due.id
    RETURNING m.id, due.state AS before
)
INSERT INTO core_stepevent (workflow, case_ref, step, from_state, to_state, door, reason, at)
SELECT 'missing_record', id, 'return', before, 'returned', %(door)s, %(reason)s, now() FROM moved
"""


def propose(batch: FeedBatch, seen: Sequence[int]) -> dict[str, int]:
    """Note which records of the feed this delivery no longer contains; returns remarks for the receipt.

    Runs in the transaction that finishes the batch, for feeds whose deliveries are complete lists; `seen` are the
    records that the delivery named. Four statements.
    """
    feed = batch.feed
    if not feed.complete_list or batch.quarantined or batch.rejected or len(seen) >= MOST_ROWS:
        return {}
    where: dict[str, Any] = {
        "feed": feed.pk, "site": feed.agency.site_id, "entry": feed.entry_id, "agency": feed.agency_id,
        "batch": batch.pk, "seen": list(seen), "door": audit.current().get("door", ""),
        "reason": f"feed batch {batch.pk}",
    }  # fmt: skip
    most: int = load_rulebook().value(SHARE, timezone.localdate())
    with connection.cursor() as cursor:
        cursor.execute(RETURN, where)
        cursor.execute(COUNT, where)
        on_file, gone = cursor.fetchone()
        if gone * 100 > on_file * most:
            return {"missing_too_many": gone}
        if gone:
            cursor.execute(PROPOSE, where)
        return {"missing": gone} if gone else {}


def withdraw(*, item: MissingRecord, user: User) -> MissingRecord:
    """The officer confirms: the record is withdrawn. Raises NotPermitted or Conflict."""
    return _decide(item, user, "withdraw")


def keep(*, item: MissingRecord, user: User) -> MissingRecord:
    """The officer keeps the record on file although the list has lost it. Raises NotPermitted or Conflict."""
    return _decide(item, user, "keep")


def _decide(item: MissingRecord, user: User, step: str) -> MissingRecord:
    with (
        transaction.atomic(),
        audit.context(actor=user, door=Door.DESK, reason=f"missing record: {step}", agency_id=item.feed.agency_id),
    ):
        decided: MissingRecord = MISSING_RECORD.take(step, item, user=user)
    return decided


def waiting_for(user: User) -> int:
    """How many records wait for a decision of this person's units."""
    return MissingRecord.objects.visible_to(user).filter(state=MissingState.PROPOSED).count()
