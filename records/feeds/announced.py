"""Records that were announced: the announcement is followed by its record in the transaction that brings it in."""

from functools import cached_property
from typing import Any

from django.utils import timezone

from creditplatform.core import audit
from records.enums import RecordState, SubjectKind
from records.feeds.plan import Plan
from records.models import PriorNotice

# A record takes the announcement of its document number before one of none; an announcement takes its first record.
FOLLOW = """
WITH due AS (
    SELECT p.id, p.state, p.document_number, r.id AS record_id, r.subject_id
    FROM records_creditrecord r JOIN records_subject s ON s.id = r.subject_id
    JOIN records_priornotice p ON p.number_index = s.number_index AND p.name_index = s.name_index
        AND p.entry_id = r.entry_id AND p.agency_id = r.agency_id AND p.document_number IN ('', r.document_number)
    WHERE r.id = ANY(%(records)s) AND r.subject_kind = %(person)s AND r.state = %(in_force)s
        AND p.state IN ('announced', 'replied')
    ORDER BY p.id FOR NO KEY UPDATE OF p
), nearest AS (
    SELECT DISTINCT ON (record_id) * FROM due ORDER BY record_id, document_number = '', id
), taken AS (
    SELECT DISTINCT ON (id) * FROM nearest ORDER BY id, record_id
), followed AS (
    UPDATE records_priornotice p SET state = 'followed', record_id = t.record_id, subject_id = t.subject_id,
        ended_at = %(at)s FROM taken t WHERE p.id = t.id
    RETURNING p.id, t.state AS before
)
INSERT INTO core_stepevent (workflow, case_ref, step, from_state, to_state, door, reason, at)
SELECT 'prior_notice', id, 'follow', before, 'followed', %(door)s, '', clock_timestamp() FROM followed
"""


class Announced:
    """Announcements of the unit and entry of one batch."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def follow(self, cursor: Any, records: list[int]) -> None:
        """Let open announcements be followed by records that have come in; one statement, none without either."""
        if records and self._any_open:
            cursor.execute(
                FOLLOW,
                {
                    "records": records,
                    "person": SubjectKind.PERSON.value,
                    "in_force": RecordState.IN_FORCE.value,
                    "at": timezone.now(),
                    "door": audit.current().get("door", ""),
                },
            )

    @cached_property
    def _any_open(self) -> bool:
        """Whether the unit has announced such a record to anybody; asked once per batch."""
        open_ones = PriorNotice.objects.open()
        return open_ones.filter(agency=self._plan.agency, entry=self._plan.version.entry_id).exists()
