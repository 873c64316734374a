"""The ordered feed: what triggers noted gets its numbers from one sequencer, so no number ever appears late.

A trigger writes one note per statement, whatever number of records that changed, within the transaction of the change.
The sequencer takes the notes it can see, which are those of committed transactions, and numbers them under a lock held
until it has committed itself. So a peer that has read up to a number has read everything below it. A record's own
changes keep their order: the second can only be made once the first has committed.
"""

import datetime
from collections import defaultdict
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.calendars import load_calendar
from creditplatform.core.enums import Door
from creditplatform.core.rules import load_rulebook
from records import rules
from records.enums import ChangeKind
from records.models import ChangeEvent, CreditRecord, PeerDelivery, PeerReceipt

LOCK = 0x45584348  # advisory lock of the one sequencer
NOTES = 500
NUMBER = """
WITH waiting AS (
    SELECT id FROM records_changenote ORDER BY id LIMIT %(notes)s
), taken AS (
    DELETE FROM records_changenote n USING waiting w WHERE n.id = w.id
    RETURNING n.id, n.kind, n.cause, n.record_ids, n.at
), counted AS (
    SELECT *, sum(cardinality(record_ids)) OVER (ORDER BY id) AS upto FROM taken
), reached AS (
    SELECT coalesce(max(last), 0) AS number FROM records_changeevent
)
INSERT INTO records_changeevent (first, last, kind, cause, record_ids, at)
SELECT r.number + c.upto - cardinality(c.record_ids) + 1, r.number + c.upto, c.kind, c.cause, c.record_ids, c.at
FROM counted c CROSS JOIN reached r ORDER BY c.id
RETURNING first, kind, cause, record_ids, at
"""
# By `last`, whose index finds the run that holds the first number after the cursor.
AFTER = """
SELECT u.number, e.kind, e.cause, e.at, u.record_id
FROM records_changeevent e CROSS JOIN LATERAL (
    SELECT e.first + o - 1 AS number, record_id FROM unnest(e.record_ids) WITH ORDINALITY AS ids (record_id, o)
    WHERE e.first + o - 1 > %(after)s
) u
WHERE e.last > %(after)s ORDER BY e.last, u.number LIMIT %(limit)s
"""


class Change(NamedTuple):
    """One numbered change of one record."""

    number: int
    kind: str
    cause: str
    at: datetime.datetime
    record_id: int


def number_changes() -> int:
    """Number what waits; returns the number of changes. One sequencer at a time, a second leaves at once."""
    numbered = 0
    while taken := _number_some():
        numbered += taken
    return numbered


def changes_after(after: int, limit: int) -> list[Change]:
    """The changes that follow a number, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(AFTER, {"after": after, "limit": limit})
        return [Change(*row) for row in cursor.fetchall()]


def newest_number() -> int:
    """The number of the newest change; 0 before the first one."""
    return ChangeEvent.objects.order_by("-last").values_list("last", flat=True).first() or 0


def told(record_ids: list[int]) -> dict[int, set[int]]:
    """Which of these records were ever told to which active peer: keys of records by key of the peer."""
    found: dict[int, set[int]] = defaultdict(set)
    wanted = set(record_ids)
    deliveries = PeerDelivery.objects.arrived().filter(records__overlap=record_ids, peer__active=True)
    for peer, records in deliveries.values_list("peer", "records").iterator():
        found[peer] |= wanted.intersection(records)
    return found


def told_upto(peer_id: int, record_ids: list[int]) -> dict[int, int]:
    """Which of these records were ever told to a peer, each with the number it was led to by the last telling."""
    deliveries = PeerDelivery.objects.arrived().filter(peer=peer_id, records__overlap=record_ids)
    wanted, found = set(record_ids), dict[int, int]()
    for records, upto in deliveries.order_by("pk").values_list("records", "upto").iterator():
        found |= {record: max(upto, found.get(record, 0)) for record in wanted.intersection(records)}
    return found


def _number_some() -> int:
    with (
        audit.context(actor=None, door=Door.TIMER, reason="number changes of records"),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(NUMBER, {"notes": NOTES})
        runs = cursor.fetchall()
        withdrawn = [
            Change(first + at, kind, cause, when, record)
            for first, kind, cause, records, when in runs
            if kind == ChangeKind.WITHDRAWN
            for at, record in enumerate(records)
        ]
        if withdrawn:
            _expect_confirmations(withdrawn)
    return sum(len(run[3]) for run in runs)


def _expect_confirmations(withdrawn: list[Change]) -> None:
    """Every peer that was told of a record owes a confirmation of its end, by a day that begins to run now."""
    by_record = told([change.record_id for change in withdrawn])
    for peer, records in by_record.items():
        expect(peer, [change for change in withdrawn if change.record_id in records])


def expect(peer_id: int, withdrawn: list[Change]) -> None:
    """Note that a peer owes confirmations of these withdrawals; repeated, it changes nothing."""
    records = CreditRecord.objects.filter(pk__in=[change.record_id for change in withdrawn])
    sites = {pk: (site, code) for pk, site, code in records.values_list("pk", "site_id", "site__code")}
    rulebook, calendar = load_rulebook(), load_calendar()

    def receipt(change: Change) -> PeerReceipt:
        site, code = sites[change.record_id]
        due_on = rules.confirmation_due(timezone.localdate(change.at), rulebook, calendar, code)
        return PeerReceipt(
            peer_id=peer_id, number=change.number, record_id=change.record_id, site_id=site, cause=change.cause,
            ended_at=change.at, due_on=due_on,
        )  # fmt: skip

    PeerReceipt.objects.bulk_create([receipt(change) for change in withdrawn], ignore_conflicts=True)
