"""What the rows of a chunk bring about beyond their records: withdrawals, returns, ties, differences between units.

Set-based like everything here: a few statements per chunk, none where a chunk has nothing of the kind.
"""

import datetime
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Min

from creditplatform.core import audit, outbox
from records.enums import EXCHANGED, CrossCheckKind
from records.feeds.keys import KeysSeen
from records.feeds.plan import Plan
from records.feeds.prepared import Prepared, Problems, Row
from records.feeds.standing import Withdrawal
from records.models import CrossCheck, Feed, FeedBatch, QuarantinedRow
from records.services.ties import Stated, end_ties, open_cross_checks, tie

# One step of many records at once, with its line in their procedure.
MOVE = """
WITH due AS ({due} ORDER BY r.id FOR NO KEY UPDATE OF r), moved AS (
    UPDATE records_creditrecord r SET state = {state}, changed_at = now() FROM due WHERE r.id = due.id
    RETURNING r.id, due.state AS before, r.state
)
INSERT INTO core_stepevent (workflow, case_ref, step, from_state, to_state, door, reason, at)
SELECT 'credit_record', id, {step}, before, state, %(door)s, %(reason)s, clock_timestamp() FROM moved RETURNING case_ref
"""
NAMED = """
SELECT r.id, r.state FROM records_creditrecord r JOIN records_subject s ON s.id = r.subject_id
JOIN unnest(%(subjects)s::bytea[], %(documents)s::text[]) AS t (number_index, document_number)
    ON t.number_index = s.number_index AND t.document_number = r.document_number
WHERE r.entry_id = %(entry)s AND r.agency_id = %(agency)s AND r.state IN ('in_force', 'expired', 'repaired')
"""
# Whatever became of a record: one that has ended in any other way is not unknown.
NOT_ON_FILE = """
SELECT t.number FROM unnest(%(numbers)s::bigint[], %(subjects)s::bytea[], %(documents)s::text[])
    AS t (number, number_index, document_number)
WHERE NOT EXISTS (
    SELECT 1 FROM records_creditrecord r JOIN records_subject s ON s.id = r.subject_id
    WHERE s.number_index = t.number_index AND r.document_number = t.document_number
        AND r.entry_id = %(entry)s AND r.agency_id = %(agency)s
)
"""
WITHDRAW = MOVE.format(due=NAMED, state="'revoked'", step="%(step)s")
REVOKED = """
SELECT r.id, e.step, e.at FROM records_creditrecord r CROSS JOIN LATERAL (
    SELECT step, at FROM core_stepevent e WHERE e.workflow = 'credit_record' AND e.case_ref = r.id
        AND e.to_state = 'revoked' ORDER BY e.at DESC, e.id DESC LIMIT 1
) e WHERE r.id = ANY(%(records)s) AND r.state = 'revoked'
"""
WITH_FORMER = """
SELECT r.id, r.state, (
    SELECT from_state FROM core_stepevent e WHERE e.workflow = 'credit_record' AND e.case_ref = r.id
        AND e.to_state = 'revoked' ORDER BY e.at DESC, e.id DESC LIMIT 1
) AS former FROM records_creditrecord r WHERE r.id = ANY(%(records)s) AND r.state = 'revoked'
"""
# Back to what it was: a repaired record stays repaired; one that had expired is closed again by its date.
REINSTATE = MOVE.format(
    due=WITH_FORMER,
    state="CASE WHEN due.former = 'repaired' THEN 'repaired' ELSE 'in_force' END",
    step="CASE WHEN state = 'repaired' THEN 'reinstate_repaired_by_source' ELSE 'reinstate_by_source' END",
)
# The unit that spoke of a person first: its statement is the one on file.
FIRST_RECORDS = """
SELECT DISTINCT ON (s.number_index) s.number_index, r.subject_id, r.id, r.agency_id
FROM records_creditrecord r JOIN records_subject s ON s.id = r.subject_id
WHERE s.number_index = ANY(%s) ORDER BY s.number_index, r.id
"""
SOURCE_STEP, PEER_STEP = "withdraw_by_source", "revoked_at_source"


class Consequences:
    """Of the chunks of one batch."""

    def __init__(self, plan: Plan, batch: FeedBatch) -> None:
        self.plan, self.batch = plan, batch
        self._gone = KeysSeen()
        self._any_gone = False
        self._keys = {"entry": plan.version.entry_id, "agency": plan.agency.pk}
        self._exchanged = batch.format == EXCHANGED
        self._step = PEER_STEP if self._exchanged else SOURCE_STEP  # what it takes back, and what it may undo

    def remember(self, prepared: Prepared) -> None:
        """On resuming: which decisions the rows worked off before have withdrawn."""
        self._keep(prepared.withdrawn)

    def withdrawn_earlier(self, prepared: Prepared) -> dict[int, Problems]:
        """Rows that name a decision which an earlier row of the same file has withdrawn."""
        if not self._any_gone and not prepared.withdrawn:
            return {}
        here: dict[int, int] = {}
        for one in prepared.withdrawn:
            here.setdefault(one.key, one.number)
        return {
            row.number: [("", "withdrawn_in_file")]
            for row in prepared.rows
            if here.get(row.key, row.number) < row.number or row.key in self._gone
        }

    def withdraw(self, cursor: Any, rows: list[Withdrawal]) -> tuple[int, dict[int, Problems]]:
        """End the records that the source takes back, their publication and ties with them.

        Returns how many, and the rows that take back what is not on file: a slip there leaves a record standing.
        """
        if not rows:
            return 0, {}
        self._keep(rows)
        named = {(one.subject, one.document) for one in rows}
        subjects, documents = zip(*sorted(named), strict=True)
        cursor.execute(
            WITHDRAW,
            {**self._keys, **self._why(), "subjects": list(subjects), "documents": list(documents), "step": self._step},
        )
        records = [row[0] for row in cursor.fetchall()]
        if records:
            end_ties(records)
            outbox.publish("records.withdrawn", records=records, cause="source", stamp=f"batch {self.batch.pk}")
        return len(records), self._not_on_file(cursor, rows) if len(records) < len(named) else {}

    def _not_on_file(self, cursor: Any, rows: list[Withdrawal]) -> dict[int, Problems]:
        numbers, subjects, documents = zip(*((one.number, one.subject, one.document) for one in rows), strict=True)
        places = {"numbers": list(numbers), "subjects": list(subjects), "documents": list(documents)}
        cursor.execute(NOT_ON_FILE, {**self._keys, **places})
        return {number: [("", "withdrawn_unknown")] for (number,) in cursor.fetchall()}

    def come_back(
        self, cursor: Any, unstated: list[int], on_file: dict[int, int]
    ) -> tuple[set[int], dict[int, Problems]]:
        """Rows whose record stands again because the source says so, and those it does not bring back.

        `on_file` are the records of rows by row number. A row that says nothing of the status, one of `unstated`,
        changes nothing.
        """
        cursor.execute(REVOKED, {"records": list(on_file.values())})
        revoked = {pk: (step, at) for pk, step, at in cursor.fetchall()}
        silent = set(unstated)
        back: dict[int, int] = {}
        refused: dict[int, Problems] = {}
        for number, record in on_file.items():
            if record in revoked and number not in silent:
                if code := self._refusal(*revoked[record]):
                    refused[number] = [("", code)]
                else:
                    back[number] = record
        if back:
            cursor.execute(REINSTATE, {**self._why(), "records": list(back.values())})
            outbox.publish("records.reinstated", records=sorted(back.values()), stamp=f"batch {self.batch.pk}")
        return set(back), refused

    def _refusal(self, step: str, at: datetime.datetime) -> str:
        """Why a withdrawn record does not come back: somebody else withdrew it, or the file is older than that.

        Changes of a peer bear numbers, so none that is older gets here.
        """
        if step != self._step:
            return "withdrawn_here"
        return "" if self._exchanged or at < self._first_seen else "withdrawn_before"

    @cached_property
    def _first_seen(self) -> datetime.datetime:
        """When the very same file was delivered for the first time."""
        same = FeedBatch.objects.filter(feed=self.batch.feed_id, file_digest=self.batch.file_digest)
        first: datetime.datetime | None = same.aggregate(first=Min("received_at"))["first"]
        return min(first or self.batch.received_at, self.batch.received_at)

    def tie(self, prepared: Prepared, rows: Iterable[tuple[Row, int]]) -> None:
        """Let key groups and affiliations follow what was written; rows come with the key of their record."""
        if prepared.ties:
            stated = [
                Stated(record, one.licence, one.code, one.name, _day(one.since), _day(one.until))
                for row, record in rows
                if (one := prepared.ties.get(row.number))
            ]
            if stated:
                tie(version=self.plan.version, feed=self.batch.feed, stated=stated)

    def compare_names(self, wrong: dict[int, bytes], mended: Mapping[int, int]) -> None:
        """See to the rows of a chunk that name a known person otherwise; they are set aside already.

        `wrong` are the indexes of the numbers by row, `mended` the keys of rows that an earlier batch set aside.
        """
        if not wrong:
            return
        rows = QuarantinedRow.objects.filter(batch=self.batch, row_number__in=wrong.keys() - mended.keys())
        keys = {**dict(rows.values_list("row_number", "pk")), **mended}
        compare_names(self.batch.feed, {keys[number]: wrong[number] for number in sorted(wrong) if number in keys})

    def _keep(self, rows: list[Withdrawal]) -> None:
        if rows:
            self._gone.add(one.key for one in rows)
            self._any_gone = True

    def _why(self) -> dict[str, str]:
        return {"door": audit.current().get("door", ""), "reason": f"feed batch {self.batch.pk}"}


def compare_names(feed: Feed, wrong: Mapping[int, bytes]) -> None:
    """Open a cross-check for rows set aside that name a known person otherwise, where another unit spoke of it first.

    `wrong` are the indexes of the numbers by the key of the row. Of the name itself nothing is noted: each unit finds
    its own in its record or row.
    """
    if not wrong:
        return
    with connection.cursor() as cursor:
        cursor.execute(FIRST_RECORDS, [list(set(wrong.values()))])
        first = {bytes(index): rest for index, *rest in cursor.fetchall()}
    items = []
    for pk, index in wrong.items():
        subject, record, agency = first.get(index, (0, 0, feed.agency_id))
        if agency != feed.agency_id:
            items.append(
                CrossCheck(
                    subject_id=subject, kind=CrossCheckKind.NAME, holder_id=agency, sender_id=feed.agency_id,
                    feed=feed, record_id=record, row_id=pk,
                )
            )  # fmt: skip
    open_cross_checks(items)


def _day(text: str) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
