"""Rows set aside: whom one names, so that a look at it stands in that person's access log."""

import json

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.models import User
from records.enums import FieldRole, Purpose
from records.feeds.mapping import header_key, known_names
from records.feeds.subjects import resolve_person
from records.models import EntryField, QuarantinedRow, Subject

NOBODY_ON_FILE = 0


def note_look(*, row: QuarantinedRow, user: User) -> None:
    """Write that a member of the sending unit is about to see the cells of a row about a person.

    Somebody who is not on file, or whose number is mistyped, has no ledger of their own: the look stands in the ledger
    under the row, so that it can be found when the row is mended.
    """
    number = _number(row)
    if number:
        subject = person_named_in(row)
        record_disclosure(
            subject_ref=subject.pk if subject else NOBODY_ON_FILE,
            actor=user,
            agency=row.feed.agency,
            purpose=Purpose.UPKEEP,
            authority=Authority.DUTY,
            fields=["name", "number"],
            case_number=f"{row.batch_id}:{row.row_number}",
            door=Door.ADMIN,
        )


def person_named_in(row: QuarantinedRow) -> Subject | None:
    """The person on file whose document number stands in the cells, if there is one."""
    number = _number(row)
    if not number:
        return None
    found = resolve_person(_cell(row, FieldRole.IDENTITY_KIND), number).identifier
    return Subject.objects.by_number(found.blind_index).first() if found else None


def _number(row: QuarantinedRow) -> str:
    return _cell(row, FieldRole.IDENTITY_NUMBER)


def _cell(row: QuarantinedRow, role: str) -> str:
    """The cell under any header of the field that has this role."""
    cells: dict[str, str] = {header_key(column): text for column, text in json.loads(row.cells or "{}").items()}
    fields = list(EntryField.objects.filter(version__entry=row.feed.entry_id, role=role).order_by("-version__number"))
    codes = {item.code for item in fields}
    confirmed = [header_key(header) for header, code in row.feed.mapping.items() if code in codes]
    for key in (*confirmed, *known_names(fields)):
        if text := cells.get(key, "").strip():
            return text
    return ""
