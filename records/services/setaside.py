"""Rows set aside: whom one names, so that a look at it stands in that person's access log."""

import json

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.models import User
from records.enums import FieldRole, Purpose
from records.feeds.mapping import header_key
from records.feeds.subjects import resolve_person
from records.models import EntryField, QuarantinedRow, Subject


def note_look(*, row: QuarantinedRow, user: User) -> None:
    """Write that a member of the sending unit is about to see the cells of a row about a person on file."""
    subject = person_named_in(row)
    if subject:
        record_disclosure(
            subject_ref=subject.pk,
            actor=user,
            agency=row.feed.agency,
            purpose=Purpose.UPKEEP,
            authority=Authority.DUTY,
            fields=["name", "number"],
            door=Door.ADMIN,
        )


def person_named_in(row: QuarantinedRow) -> Subject | None:
    """The person on file whose document number stands in the cells, if there is one."""
    cells = {header_key(column): text for column, text in json.loads(row.cells or "{}").items()}
    kind, number = (_cell(row, cells, role) for role in (FieldRole.IDENTITY_KIND, FieldRole.IDENTITY_NUMBER))
    if not number:
        return None
    found = resolve_person(kind, number).identifier
    return Subject.objects.by_number(found.blind_index).first() if found else None


def _cell(row: QuarantinedRow, cells: dict[str, str], role: str) -> str:
    """The cell under any header of the field that has this role."""
    fields = EntryField.objects.filter(version__entry=row.feed.entry_id, role=role).order_by("-version__number")
    for item in fields:
        for name in (item.code, item.name, item.name_en, *item.aliases):
            if text := cells.get(header_key(name), "").strip():
                return text
    return ""
