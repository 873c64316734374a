"""Answers of a check of many persons handed out: none whose consent has ended or whose records have changed since.

A chunk costs a few statements, whatever its length. What is refused for one of these reasons and what is handed out
again each get their line in the access log, written before anything leaves. Must run in a transaction and an
audit context.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from creditplatform.core.enums import AccessResult, Authority
from creditplatform.core.vault import public_token
from records.enums import NotChecked
from records.feeds.copying import copy
from records.identifiers import name_index
from records.models import BatchCheck, BatchCheckRow, CreditRecord, Subject
from records.models.authorisation import AUTHORISATION_KIND
from records.queries.answered import fallen
from records.queries.batch import LINES, AskedRow, LogLine, log_line, number_index
from records.queries.disclosure import DISCLOSED, LISTED_AGAIN, NOBODY, NONE_GIVEN
from records.queries.eligibility import Person
from records.queries.grants import grant_of_purpose

# Of each person the consent that the check has used and that ends first; one given since covers no answer of before.
LASTING = """
SELECT DISTINCT ON (a.number_index) a.number_index, a.id
FROM records_authorisation a
JOIN unnest(%(numbers)s::bytea[], %(names)s::bytea[]) p(number_index, name_index)
    ON a.number_index = p.number_index AND a.name_index = p.name_index
WHERE a.agency_id = %(agency)s AND a.purpose_id = %(purpose)s AND a.state IN ('granted', 'used') AND a.uses > 0
    AND a.valid_from <= %(done_at)s AND a.expires_at > %(now)s AND a.valid_from <= %(now)s
ORDER BY a.number_index, a.expires_at, a.id
"""


@dataclass(frozen=True)
class RowGiven:
    """The answer of a row as it is handed out: an outcome with reasons and records, or why there is none."""

    row_number: int
    outcome: str = ""
    problem: str = ""
    reasons: list[str] = field(default_factory=list)
    records: list[int] = field(default_factory=list)


def still_covered(batch: BatchCheck, rows: Sequence[BatchCheckRow], asked: Iterable[AskedRow]) -> list[RowGiven]:
    """The answers of rows without those that stand no more; `asked` says whom the rows asked for."""
    over = _over(batch, rows, _receipts(batch, _people(rows, asked)))
    return [_given(row, over) for row in rows]


def give(batch: BatchCheck, rows: Sequence[BatchCheckRow], asked: Iterable[AskedRow], *, before: int) -> list[RowGiven]:
    """The same once it is registered: refusals, and the rows up to `before`, which were handed out before."""
    receipts = _receipts(batch, _people(rows, asked))
    over = _over(batch, rows, receipts)
    given = [_given(row, over) for row in rows]
    again = {one.row_number: one for one in given if one.outcome and one.row_number <= before}
    told = {person: text for person, text in receipts.items() if person.place in over or person.place in again}
    _register(batch, told, again)
    return given


def needs_asked(batch: BatchCheck, rows: Sequence[BatchCheckRow], *, before: int = 0) -> bool:
    """Whether it has to be known whom the rows asked for; otherwise their file need not be read."""
    return batch.purpose.needs_consent or any(row.row_number <= before for row in rows)


def _people(rows: Sequence[BatchCheckRow], asked: Iterable[AskedRow]) -> list[Person]:
    answered = {row.row_number for row in rows if row.outcome}
    named = [(one, number_index(one)) for one in asked if one.row_number in answered]
    return [Person(one.row_number, index, name_index(one.name)) for one, index in named if index is not None]


def _receipts(batch: BatchCheck, people: Sequence[Person]) -> Mapping[Person, str | None]:
    """What the answer about each person rests on today: the statute, a receipt, or nothing any more."""
    if not batch.purpose.needs_consent:
        return dict.fromkeys(people, grant_of_purpose(batch.purpose, batch.agency).reference)
    now = timezone.now()
    words: dict[str, Any] = {
        "numbers": [one.number_index for one in people], "names": [one.name_index for one in people],
        "agency": batch.agency_id, "purpose": batch.purpose_id, "done_at": batch.done_at or now, "now": now,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(LASTING, words)
        lasting = {bytes(number): public_token(AUTHORISATION_KIND, pk) for number, pk in cursor.fetchall()}
    return {one: lasting.get(one.number_index) for one in people}


def _over(
    batch: BatchCheck, rows: Sequence[BatchCheckRow], receipts: Mapping[Person, str | None]
) -> dict[int, NotChecked]:
    """Which rows are given no more, and why: a record they name is not what it was, or nothing covers them today."""
    changed = fallen({key for row in rows for key in row.records}, batch.begun_at)
    over = {row.row_number: NotChecked.OUTDATED for row in rows if changed.intersection(row.records)}
    return over | {person.place: NotChecked.CONSENT_ENDED for person, text in receipts.items() if text is None}


def _given(row: BatchCheckRow, over: Mapping[int, NotChecked]) -> RowGiven:
    if row.row_number in over:
        return RowGiven(row.row_number, problem=over[row.row_number])
    return RowGiven(row.row_number, row.outcome, row.problem, row.reasons, row.records)


def _register(batch: BatchCheck, told: Mapping[Person, str | None], again: Mapping[int, RowGiven]) -> None:
    """One line for each person, in one COPY; three queries."""
    if not told:
        return
    subjects = Subject.objects.filter(number_index__in=[one.number_index for one in told])
    known = {bytes(number): (pk, bytes(name)) for number, pk, name in subjects.values_list(
        "number_index", "pk", "name_index"
    )}  # fmt: skip
    keys = {pk for one in again.values() for pk in one.records}
    kinds = dict(CreditRecord.objects.filter(pk__in=keys).values_list("pk", "entry__code"))
    lines = []
    for person, reference in told.items():
        subject, name = known.get(person.number_index, (NOBODY, b""))
        fields, result = [LISTED_AGAIN], AccessResult.REFUSED
        if reference is not None and person.place in again:
            found = {kinds[pk] for pk in again[person.place].records if pk in kinds}
            fields = [DISCLOSED, LISTED_AGAIN, *sorted(found)]
            result = AccessResult.SHOWN if name == person.name_index else AccessResult.NOTHING
        lines.append(LogLine(subject, reference or NONE_GIVEN, fields, result))
    authority = Authority.CONSENT if batch.purpose.needs_consent else Authority.STATUTE
    with connection.cursor() as cursor:
        copy(cursor, LINES, b"".join(log_line(batch, authority, one) for one in lines))
