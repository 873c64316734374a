"""Close what has run out. Publication ended by itself at its date; this closes the books and tells."""

import datetime

from django.db import connection

from creditplatform.core import outbox
from records.enums import RecordState

BATCH = 2000
# Set-based and bounded: it costs what expires, not what exists; rows somebody holds wait for the next run.
CLOSE = """
UPDATE records_creditrecord r SET state = %s, changed_at = now()
FROM (
    SELECT id FROM records_creditrecord WHERE state = %s AND publish_until <= %s
    ORDER BY publish_until LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
) due
WHERE r.id = due.id RETURNING r.id
"""


def expire_due(*, on: datetime.date) -> int:
    """Close one batch of records whose publication ended on or before that day, and publish the news of it.

    Must run in an audit context; call again until it returns 0.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLOSE, [RecordState.EXPIRED, RecordState.IN_FORCE, on, BATCH])
        ids = [row[0] for row in cursor.fetchall()]
    if ids:
        outbox.publish("records.expired", records=ids, on=on.isoformat())
    return len(ids)
