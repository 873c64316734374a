"""Uses of consents, taken in one statement, for one person as for thousands.

What the steps `use` and `use_up` of `records.workflows.authorisation` say: only a consent that holds at that moment
and has a use left; each use noted as a step; the last one ends it. Of two that want the last use one gets it, since
the row is asked again once it is free; the other is given another consent of the same person where there is one. Must
run in an audit context.
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

ONE = "SELECT %(id)s::bigint AS id, NULL::bytea AS number_index"
# Of each person the consent that ends first, or the one that is named.
OF_PERSONS = """
SELECT DISTINCT ON (a.number_index) a.id, a.number_index
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
    RETURNING a.id, a.state, a.uses, a.ended_at
), noted AS (
    INSERT INTO core_stepevent (workflow, case_ref, step, from_state, to_state, door, reason, at)
    SELECT 'authorisation', id, s.step, 'granted', s.reached, %(door)s, '', %(now)s
    FROM used CROSS JOIN LATERAL (VALUES ('use', 'granted'), ('use_up', 'used')) s(step, reached)
    WHERE s.step = 'use' OR used.state = 'used'
)
SELECT used.id, usable.number_index, used.state, used.uses, used.ended_at FROM usable LEFT JOIN used USING (id)
"""


def use(authorisation: Authorisation, *, at: datetime.datetime | None = None) -> Authorisation:
    """Take one use of this consent; the person is told of the first. Raises NotAuthorised."""
    door = audit.current().get("door", "")
    ((pk, _number, state, uses, ended_at),) = _take(
        ONE, {"id": authorisation.pk, "now": at or timezone.now(), "door": door}
    )
    if pk is None:
        raise NotAuthorised
    authorisation.state, authorisation.uses, authorisation.ended_at = state, uses, ended_at
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
    wanted = list(zip(numbers, names, strict=True))
    words = {"agency": agency, "purpose": purpose.pk, "fields": fields, "named": named}
    words |= {"now": timezone.now(), "door": door}
    used, first = dict[bytes, int](), list[int]()
    while wanted:  # each turn is for those whose consent somebody else used up or ended while its row was waited for
        people = {"numbers": [number for number, _name in wanted], "names": [name for _number, name in wanted]}
        taken = _take(OF_PERSONS, {**words, **people})
        used |= {bytes(number): pk for pk, number, *_rest in taken if pk is not None}
        first += [pk for pk, _number, _state, uses, _ended in taken if uses == 1]
        lost = {bytes(number) for pk, number, *_rest in taken if pk is None}
        wanted = [(number, name) for number, name in wanted if bytes(number) in lost]
    if first:
        tell_first_uses(first)
    return used


def _take(chosen: str, words: dict[str, Any]) -> list[tuple[Any, ...]]:
    """A row for each consent chosen; without its key where somebody else was first."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE.format(chosen=chosen), words)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
