"""Show what a grant allows about a person; nothing leaves before its line stands in the access log."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from django.db import transaction
from django.utils import timezone

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.models import Agency, User
from records.enums import FieldRole
from records.models import CreditRecord, EntryField, Subject
from records.queries.grants import Grant
from records.querysets import CreditRecordQuerySet

NOBODY = 0  # the person of a line of the access log where nobody is on file under the number that was asked for
NONE_GIVEN = "none"  # what the log names where no valid authorisation was brought
DISCLOSED = "eligibility"  # what a line of the access log says was shown by a yes or no
REPEATED = "repeated-answer"  # what a line says beside that where an answer was given again as it was
LISTED_AGAIN = "list-again"  # what a line says beside that where the answers of a list were fetched again
RELATED = ("entry", "version__legal_basis", "agency", "site")


@dataclass(frozen=True)
class Asker:
    """Who is shown something, through which door, for which case; `agency` is None for the person's own share."""

    agency: Agency | None
    user: User | None
    door: Door
    case_number: str = ""


@dataclass(frozen=True)
class Shown:
    """One record as far as a grant opens it: name and text of each field, and what the person says about it."""

    record: CreditRecord
    fields: list[tuple[EntryField, str]]
    statement: str


@dataclass(frozen=True)
class Disclosed:
    """Records that were shown, and the number of their line in the access log."""

    shown: list[Shown]
    access: int


def open_records(subject_id: int, grant: Grant, *, on: datetime.date | None = None) -> CreditRecordQuerySet:
    """The records a grant opens, newest decision first; nothing is registered yet, so nothing may be shown yet."""
    rows = CreditRecord.objects.disclosable(on=on or timezone.localdate(), openness=grant.openness)
    return rows.filter(subject=subject_id, entry__code__in=grant.scope.entries).order_by("-decided_on", "-pk")


def disclose(subject: Subject | None, grant: Grant, asker: Asker, *, about: int = NOBODY) -> list[Shown]:
    """What a grant opens of a person, registered in the access log; four queries, whatever the length.

    `about` is whose line it is where nothing is shown: somebody asked for a number that is theirs, under another name.
    """
    return disclose_noted(subject, grant, asker, about=about).shown


def disclose_noted(subject: Subject | None, grant: Grant, asker: Asker, *, about: int = NOBODY) -> Disclosed:
    """The same with the number of its line in the access log."""
    with transaction.atomic():
        rows = open_records(subject.pk, grant).select_related(*RELATED) if subject else ()
        records = list(rows.prefetch_related("version__fields")) if rows else []
        seen = {record.entry.code for record in records}
        access = register(subject.pk if subject else about, grant, asker, seen)
        return Disclosed([shown(record, grant) for record in records], access)


def register(subject_id: int, grant: Grant, asker: Asker, seen: Iterable[str]) -> int:
    """Write the line of the access log; `seen` are the kinds of record that were found. Gives the line's number."""
    found = sorted(set(seen))
    return record_disclosure(
        subject_ref=subject_id,
        actor=asker.user,
        agency=asker.agency,
        purpose=grant.purpose,
        authority=grant.authority,
        reference=grant.reference,
        case_number=asker.case_number,
        fields=found or grant.scope.entries,
        door=asker.door,
        result=AccessResult.SHOWN if found else AccessResult.NOTHING,
    ).pk


def register_answer(subject_id: int, grant: Grant, asker: Asker, kinds: Iterable[str], *, seen: bool = True) -> int:
    """Write that somebody learnt whether the record is clean, and of which kinds the records are that count.

    `seen` is false where the number is somebody's but was asked for under another name, and nothing was told of them.
    """
    return record_disclosure(
        subject_ref=subject_id,
        actor=asker.user,
        agency=asker.agency,
        purpose=grant.purpose,
        authority=grant.authority,
        reference=grant.reference,
        case_number=asker.case_number,
        fields=[DISCLOSED, *kinds],
        door=asker.door,
        result=AccessResult.SHOWN if subject_id != NOBODY and seen else AccessResult.NOTHING,
    ).pk


def register_refusal(subject_id: int, asker: Asker, *, purpose: str, authority: Authority, reference: str) -> int:
    """Write that somebody asked and was refused; the person can read it."""
    return record_disclosure(
        subject_ref=subject_id,
        actor=asker.user,
        agency=asker.agency,
        purpose=purpose,
        authority=authority,
        reference=reference,
        case_number=asker.case_number,
        fields=[],
        door=asker.door,
        result=AccessResult.REFUSED,
    ).pk


def shown(record: CreditRecord, grant: Grant) -> Shown:
    """A record as far as the grant opens it; the person's statement goes wherever the record goes."""
    texts = dict(record.payload)
    allowed = grant.scope.fields_of(record)
    if record.sealed_payload and any(field.personal for field in allowed):
        texts |= msgspec.json.decode(record.sealed_payload, type=dict[str, str])
    columns = {
        FieldRole.DOCUMENT_NUMBER.value: record.document_number,
        FieldRole.DECIDED_ON.value: record.decided_on.isoformat(),
    }
    fields = [(one, str(text)) for one in allowed if (text := texts.get(one.code) or columns.get(one.role))]
    return Shown(record, fields, record.statement or "")
