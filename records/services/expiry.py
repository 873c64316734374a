"""Close what has run out. Publication ended by itself at its date; this closes the books and tells."""

import datetime
from collections.abc import Callable
from functools import partial

from django.db import connection
from django.utils import timezone

from creditplatform.core import audit, outbox
from creditplatform.core.enums import Door
from records.enums import RecordState
from records.services import announcements, authorisations, window_requests

BATCH = 2000
# Set-based and bounded: it costs what expires, not what exists; rows somebody holds wait for the next run.
CLOSE = """
WITH due AS (
    SELECT id, state FROM records_creditrecord WHERE {due}
    ORDER BY {date} LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
), closed AS (
    UPDATE records_creditrecord r SET state = %(state)s, changed_at = now() FROM due WHERE r.id = due.id
    RETURNING r.id, due.state AS before
)
INSERT INTO core_stepevent (workflow, case_ref, step, from_state, to_state, door, reason, at)
SELECT 'credit_record', id, %(step)s, before, %(state)s, %(door)s, '', now() FROM closed RETURNING case_ref
"""
EXPIRE = CLOSE.format(due="state = 'in_force' AND publish_until <= %(on)s", date="publish_until")
ARCHIVE = CLOSE.format(due="state <> 'archived' AND retain_until <= %(on)s", date="retain_until")


def run_all(*, on: datetime.date, door: Door) -> dict[str, int]:
    """Close everything due on or before that day, batch by batch, each in a transaction of its own; counts by kind."""
    jobs = {
        "expired": (expire_due, "publication ended"),
        "archived": (archive_due, "retention ended"),
        "consents": (end_consents, "consent ended"),
        "announcements": (end_announcements, "announcement ended without a record"),
        "window_requests": (end_window_requests, "request at the window ended"),
    }
    return {name: sum(iter(partial(_one_batch, job, on, door, why), 0)) for name, (job, why) in jobs.items()}


def _one_batch(job: Callable[..., int], on: datetime.date, door: Door, reason: str) -> int:
    with audit.context(actor=None, door=door, reason=reason):
        return job(on=on)


def expire_due(*, on: datetime.date) -> int:
    """Close one batch of records whose publication ended on or before that day, and publish the news of it.

    Must run in an audit context; call again until it returns 0.
    """
    ids = _close(EXPIRE, "expire", RecordState.EXPIRED, on)
    if ids:
        outbox.publish("records.expired", records=ids, on=on.isoformat())
    return len(ids)


def archive_due(*, on: datetime.date) -> int:
    """Archive one batch of records that may be kept no longer than that day: nobody sees or uses them any more.

    Must run in an audit context; call again until it returns 0. What is shown is asked of the date, not of this.
    """
    ids = _close(ARCHIVE, "archive", RecordState.ARCHIVED, on)
    if ids:
        outbox.publish("records.archived", records=ids, on=on.isoformat())
    return len(ids)


def end_consents(*, on: datetime.date) -> int:
    """Close one batch of consents and of requests nobody answered whose time has come by that day, today by now.

    Must run in an audit context; call again until it returns 0. Whether a consent may be used is asked of its bounds.
    """
    return authorisations.expire_due(at=moment_of(on))


def end_window_requests(*, on: datetime.date) -> int:
    """Close one batch of requests at the window that nobody has confirmed by that day, today by now.

    Must run in an audit context; call again until it returns 0.
    """
    return window_requests.lapse_due(at=moment_of(on))


def end_announcements(*, on: datetime.date) -> int:
    """Close one batch of announcements whose record has not come by that day; the persons are told.

    Must run in an audit context; call again until it returns 0.
    """
    return announcements.lapse_due(on=on)


def moment_of(on: datetime.date) -> datetime.datetime:
    """The moment by which something is over on a day: now on this day, the beginning of any other."""
    morning = datetime.datetime.combine(on, datetime.time.min, timezone.get_default_timezone())
    return timezone.now() if on == timezone.localdate() else morning


def _close(statement: str, step: str, state: RecordState, on: datetime.date) -> list[int]:
    door = audit.current().get("door", "")
    with connection.cursor() as cursor:
        cursor.execute(statement, {"on": on, "most": BATCH, "state": state.value, "step": step, "door": door})
        return [row[0] for row in cursor.fetchall()]
