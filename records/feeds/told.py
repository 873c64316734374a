"""Persons are told of what is written against them in the transaction that writes it: before anybody can read it.

So nothing unfavourable about a person is on file, public or used without the notice being there (for credit reporting:
Regulation on the Credit Reporting Industry, article 15).
"""

import datetime
from functools import cache
from typing import Any

from creditplatform.core.notices import write_notices
from creditplatform.core.vault import public_token
from records.enums import RecordState, SubjectKind
from records.feeds.announced import Announced
from records.feeds.plan import Plan
from records.models import FeedBatch
from records.models.record import TOKEN_KIND
from records.selectors import ABOUT_RECORD
from records.services.telling import CORRECTED, RECEIVED, letter

# Not of what has ended by its date on arrival, and not of decisions on minors: neither is ever shown or used.
CONCERNED = """
SELECT r.id, s.number_index, r.decided_on FROM records_creditrecord r JOIN records_subject s ON s.id = r.subject_id
WHERE r.id = ANY(%(records)s) AND r.subject_kind = %(person)s AND r.state = %(in_force)s AND NOT r.minor_at_decision
    AND (r.publish_until IS NULL OR r.publish_until > %(today)s)
"""


class Told:
    """Notices about the records of one batch; organisations, and what speaks for its subjects, need none."""

    def __init__(self, plan: Plan, batch: FeedBatch) -> None:
        self._plan, self._batch = plan, batch
        self._letter = cache(self._write)
        self._announced = Announced(plan)

    def of_new(self, cursor: Any, records: list[int]) -> None:
        """Tell of records that have come in; two statements, one more where some may be announced, none without any."""
        self._tell(cursor, RECEIVED, records, stamp="")
        self._announced.follow(cursor, records)

    def of_changed(self, cursor: Any, records: list[int]) -> None:
        """Tell of records of which the source now says something else; once per batch."""
        self._tell(cursor, CORRECTED, records, stamp=f":batch {self._batch.pk}")

    def _tell(self, cursor: Any, code: str, records: list[int], *, stamp: str) -> None:
        if not records:
            return
        states = {"person": SubjectKind.PERSON.value, "in_force": RecordState.IN_FORCE.value}
        cursor.execute(CONCERNED, {"records": records, "today": self._plan.today, **states})
        write_notices(
            code=code,
            messages=[
                (bytes(addressee), f"{ABOUT_RECORD}{public_token(TOKEN_KIND, pk)}{stamp}", *self._letter(code, day))
                for pk, addressee, day in cursor.fetchall()
            ],
        )

    def _write(self, code: str, day: datetime.date) -> tuple[str, str]:
        return letter(code, self._plan.agency, self._plan.version.entry, day)
