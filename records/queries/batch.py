"""Whether the record is clean, for many persons at once: a few statements for thousands of rows.

The same rule and the same statement as for one person. Each row gets its line in the access log and, where the purpose
needs it, takes one use of that person's consent. A chunk is one transaction: after a crash only what is missing is
answered, and no consent is used twice for one row.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.identity import IdentifierKind, check, normalise
from creditplatform.core.rules import load_rulebook
from creditplatform.core.vault import public_token
from records.enums import NotChecked
from records.feeds import copytext
from records.feeds.copying import copy
from records.identifiers import OLD_LENGTH, identifier, name_index
from records.models import BatchCheck, Purpose
from records.models.authorisation import AUTHORISATION_KIND
from records.queries.disclosure import DISCLOSED, NOBODY, NONE_GIVEN
from records.queries.eligibility import Answer, Criteria, Person, answers
from records.queries.grants import Grant, PurposeNotOpen, grant_of_purpose
from records.queries.uses import use_of_persons

CHUNK = 5000
RESULTS = "records_batchcheckrow (batch_id, row_number, outcome, problem, reasons, records)"
LINE_COLUMNS = "actor_id, agency_id, door, purpose, authority, reference, case_number, subject_ref, fields, result"
LINES = f"core_accesslog ({LINE_COLUMNS})"
ANSWERED = "SELECT row_number FROM records_batchcheckrow WHERE batch_id = %s AND row_number = ANY(%s)"
COUNT = "UPDATE records_batchcheck SET checked = checked + %s WHERE id = %s"


class AskedRow(NamedTuple):
    """A row as it was sent: its number in the file, name, number, and the kind of document where it says one."""

    row_number: int
    name: str
    number: str
    kind: str = ""


@dataclass(frozen=True)
class Terms:
    """On what terms a batch is answered: its grant, the criteria of the day, the purpose."""

    batch: BatchCheck
    purpose: Purpose
    grant: Grant
    criteria: Criteria
    door: Door


class LogLine(NamedTuple):
    """What a line of the access log says of one person of a batch."""

    subject: int
    reference: str
    fields: list[str]
    result: AccessResult


def run_check(batch: BatchCheck, rows: Iterable[AskedRow], *, door: Door) -> None:
    """Answer every row that has no answer yet, chunk by chunk, each in a transaction and context of its own.

    Raises PurposeNotOpen for a purpose that does not answer whether a record is clean; RuleMissing.
    """
    terms, seen = _terms(batch, door), set[bytes]()
    waiting = iter(rows)
    while chunk := list(islice(waiting, CHUNK)):
        with audit.context(actor=batch.asked_by, door=door, reason="batch check", agency_id=batch.agency_id):
            _answer_chunk(terms, chunk, seen)


def _terms(batch: BatchCheck, door: Door) -> Terms:
    purpose = batch.purpose
    if not purpose.gives_eligibility:
        raise PurposeNotOpen
    grant = grant_of_purpose(purpose, batch.agency)
    criteria = Criteria.on(timezone.localdate(), load_rulebook(), batch.agency.site.code)
    return Terms(batch, purpose, grant, criteria, door)


def _answer_chunk(terms: Terms, chunk: list[AskedRow], seen: set[bytes]) -> None:
    people, problems = _people(chunk, seen)
    with connection.cursor() as cursor:
        done = _done(cursor, terms.batch, chunk)
        people = [person for person in people if person.place not in done]
        references = _references(cursor, terms, people)
        asked = [person for person in people if person.number_index in references]
        refused = [person for person in people if person.number_index not in references]
        found = answers(asked, terms.grant, terms.criteria) if asked else []
        numbers = {person.place: person.number_index for person in asked}
        lines = [_log_line(terms, one, references[numbers[one.place]]) for one in found]
        copy(cursor, LINES, b"".join([*lines, *_refusal_lines(cursor, terms, refused)]))
        problems |= dict.fromkeys((person.place for person in refused), NotChecked.CONSENT)
        results = [_answer_line(terms.batch.pk, one) for one in found]
        results += [_problem_line(terms.batch.pk, *item) for item in problems.items() if item[0] not in done]
        copy(cursor, RESULTS, b"".join(results))
        cursor.execute(COUNT, [len(results), terms.batch.pk])


def _done(cursor: Any, batch: BatchCheck, chunk: list[AskedRow]) -> set[int]:
    """Rows of a chunk that have their answer; two workers on one batch take turns, the second finds them answered."""
    cursor.execute("SELECT 1 FROM records_batchcheck WHERE id = %s FOR NO KEY UPDATE", [batch.pk])
    cursor.execute(ANSWERED, [batch.pk, [row.row_number for row in chunk]])
    return {number for (number,) in cursor.fetchall()}


def _people(chunk: Iterable[AskedRow], seen: set[bytes]) -> tuple[list[Person], dict[int, NotChecked]]:
    """Persons that can be asked for, and what is wrong with the other rows; `seen` are the numbers of earlier rows."""
    people, problems = [], {}
    for row in chunk:
        index = number_index(row)
        if index is None:
            problems[row.row_number] = NotChecked.NUMBER if kind_of(row) else NotChecked.KIND
        elif not row.name.strip():
            problems[row.row_number] = NotChecked.NAME
        elif index in seen:
            problems[row.row_number] = NotChecked.TWICE
        else:
            seen.add(index)
            people.append(Person(row.row_number, index, name_index(row.name)))
    return people, problems


def kind_of(row: AskedRow) -> IdentifierKind | None:
    """The kind of document of a row, that of a resident where it says none; None for one that is not known."""
    try:
        return IdentifierKind(row.kind or IdentifierKind.RESIDENT_ID)
    except ValueError:
        return None


def number_index(row: AskedRow) -> bytes | None:
    """The blind index of a row's number; None where it cannot be the number of a person."""
    text, kind = normalise(row.number), kind_of(row)
    if kind is None:
        return None
    if kind == IdentifierKind.RESIDENT_ID and len(text) == OLD_LENGTH:
        kind = IdentifierKind.RESIDENT_ID_15
    return identifier(kind, text).blind_index if kind.personal and check(kind, text) is None else None


def _references(cursor: Any, terms: Terms, people: list[Person]) -> Mapping[bytes, str]:
    """What each line of the log names, by the index of the number: the statute, or the receipt of a use just taken."""
    if terms.grant.authority == Authority.STATUTE or not people:
        return dict.fromkeys((person.number_index for person in people), terms.grant.reference)
    return _use_consents(terms, people)


def _use_consents(terms: Terms, people: list[Person]) -> dict[bytes, str]:
    used = use_of_persons(
        numbers=[person.number_index for person in people], names=[person.name_index for person in people],
        agency=terms.batch.agency_id, purpose=terms.purpose, fields=terms.grant.scope.names, door=terms.door,
    )  # fmt: skip
    return {index: public_token(AUTHORISATION_KIND, pk) for index, pk in used.items()}


def _log_line(terms: Terms, found: Answer, reference: str) -> bytes:
    result = AccessResult.SHOWN if found.subject is not None and found.seen else AccessResult.NOTHING
    said = LogLine(found.subject or NOBODY, reference, [DISCLOSED, *found.kinds], result)
    return log_line(terms.batch, terms.grant.authority, said)


def _refusal_lines(cursor: Any, terms: Terms, refused: list[Person]) -> list[bytes]:
    """Lines on questions that no consent covers, for the persons to read; one query."""
    if not refused:
        return []
    numbers = [person.number_index for person in refused]
    cursor.execute("SELECT number_index, id FROM records_subject WHERE number_index = ANY(%s)", [numbers])
    known = {bytes(index): pk for index, pk in cursor.fetchall()}
    lines = [LogLine(known.get(number, NOBODY), NONE_GIVEN, [], AccessResult.REFUSED) for number in numbers]
    return [log_line(terms.batch, terms.grant.authority, one) for one in lines]


def log_line(batch: BatchCheck, authority: Authority, said: LogLine) -> bytes:
    """A line of the access log about one person of a batch, in the text form of COPY into `LINES`."""
    values = (
        str(batch.asked_by_id or copytext.NULL), str(batch.agency_id), door_of(batch), batch.purpose_id, authority,
        copytext.text(said.reference), copytext.text(batch.case_number), str(said.subject),
        copytext.array(said.fields), said.result,
    )  # fmt: skip
    return copytext.line(values) + b"\n"


def door_of(batch: BatchCheck) -> Door:
    """Through which door a batch came."""
    return Door.API if batch.client_id else Door.DESK


def _answer_line(batch: int, found: Answer) -> bytes:
    records = "{" + ",".join(map(str, found.records)) + "}"
    values = (str(batch), str(found.place), found.outcome, "", copytext.array(found.reasons), records)
    return copytext.line(values) + b"\n"


def _problem_line(batch: int, row: int, problem: NotChecked) -> bytes:
    return copytext.line((str(batch), str(row), "", problem, "{}", "{}")) + b"\n"
