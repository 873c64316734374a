"""Uses of consents, taken in one statement, for one person as for thousands.

What the steps `use` and `use_up` of `records.workflows.authorisation` say: only a consent that holds at that moment
and has a use left; each use noted as a step; the last one ends it. Of two that want the last use one gets it, since
the row is asked again once it is free. Must run in an audit context.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.models import Authorisation, Purpose
from records.queries.grants import NotAuthorised
from records.services.consent_notices import tell_first_uses, tell_used

ONE = "SELECT %(id)s::bigint AS id"
# Of each person the consent that ends first, or the one that is named.
OF_PERSONS = """
SELECT DISTINCT ON (a.number_index) a.id
FROM records_authorisation a
JOIN unnest(%(numbers)s::bytea[], %(names)s::bytea[]) p(number_index, name_index)
    ON a.number_index = p.number_index AND a.name_index = p.name_index
WHERE a.agency_id = %(agency)s AND a.purpose_id = %(purpose)s AND a.state = 'granted'
    AND a.valid_from <= %(now)s AND a.expires_at > %(now)s AND a.uses < a.uses_allowed
    AND a.granted_fields @> %(fields)s::varchar[] AND a.id = coalesce(%(named)s::bigint, a.id)
ORDER BY a.number_index, a.expires_at, a.id
"""
TAKE = """
WITH usable AS ({chosen}), used AS (
    UPDATE records_authorisation a SET uses = a.uses + 1,
        state = CASE WHEN a.uses + 1 = a.uses_allowed THEN 'used' ELSE a.state END,
        ended_at = CASE WHEN a.uses + 1 = a.uses_allowed THEN %(now)s ELSE a.ended_at END
    FROM usable
    WHERE a.id = usable.id AND a.state = 'granted' AND a.uses < a.uses_allowed
        AND a.valid_from <= %(now)s AND a.expires_at > %(now)s
    RETURNING a.id, a.number_index, a.state, a.uses, a.ended_at
), noted AS (
    INSERT INTO core_stepevent (workflow, case_ref, step, from_state, to_state, door, reason, at)
    SELECT 'authorisation', id, s.step, 'granted', s.reached, %(door)s, '', %(now)s
    FROM used CROSS JOIN LATERAL (VALUES ('use', 'granted'), ('use_up', 'used')) s(step, reached)
    WHERE s.step = 'use' OR used.state = 'used'
)
SELECT id, number_index, state, uses, ended_at FROM used
"""


def use(authorisation: Authorisation, *, at: datetime.datetime | None = None) -> Authorisation:
    """Take one use of this consent; the person is told of the first. Raises NotAuthorised."""
    door = audit.current().get("door", "")
    taken = _take(ONE, {"id": authorisation.pk, "now": at or timezone.now(), "door": door})
    if not taken:
        raise NotAuthorised
    ((_pk, _number, authorisation.state, authorisation.uses, authorisation.ended_at),) = taken
    if authorisation.uses == 1:
        tell_used(authorisation)
    return authorisation


def use_of_persons(
    *,
    numbers: list[bytes],
    names: list[bytes],
    agency: int,
    purpose: Purpose,
    fields: list[str],
    door: Door,
    named: int | None = None,
) -> Mapping[bytes, int]:
    """Take one use of one consent of each person, the one that ends first, of those that cover these fields.

    `named`: of this consent alone. Gives the keys of the consents by the indexes of the numbers; persons without a
    usable one are not among them.
    """
    chosen = {"numbers": numbers, "names": names, "agency": agency, "purpose": purpose.pk, "fields": fields}
    taken = _take(OF_PERSONS, {**chosen, "named": named, "now": timezone.now(), "door": door})
    if first := [pk for pk, _number, _state, uses, _ended in taken if uses == 1]:
        tell_first_uses(first)
    return {bytes(number): pk for pk, number, _state, _uses, _ended in taken}


def _take(chosen: str, words: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(TAKE.format(chosen=chosen), words)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
