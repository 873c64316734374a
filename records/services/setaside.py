"""Rows set aside: whom they name, so that a look at them stands in that person's access log."""

from collections.abc import Iterable

import msgspec

from creditplatform.core.audit.access import record_disclosures
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.models import AccessLog, User
from records.enums import FieldRole, OwnPurpose
from records.feeds.mapping import header_key, known_names
from records.feeds.subjects import resolve_person
from records.models import EntryField, Feed, QuarantinedRow, Subject

NOBODY_ON_FILE = 0
NAMING = (FieldRole.IDENTITY_KIND, FieldRole.IDENTITY_NUMBER)


def note_look(*, row: QuarantinedRow, user: User, door: Door = Door.ADMIN) -> None:
    """Write that a member of the sending unit is about to see the cells of a row about a person."""
    note_looks(feed=row.feed, rows=[row], user=user, door=door)


def note_looks(*, feed: Feed, rows: Iterable[QuarantinedRow], user: User, door: Door) -> int:
    """Write it for many rows of a feed at once; returns how many of them name a person. Three queries.

    Somebody who is not on file, or whose number is mistyped, has no ledger of their own: the look stands in the ledger
    under the row, so that it can be found when the row is mended.
    """
    naming = _Naming(feed)
    found = [(row, number) for row in rows if (number := naming.number_of(row))]
    indexes = {row.pk: index for row, number in found if (index := naming.index_of(row, number))}
    on_file = dict(Subject.objects.filter(number_index__in=set(indexes.values())).values_list("number_index", "pk"))
    subjects = {pk: on_file.get(index, NOBODY_ON_FILE) for pk, index in indexes.items()}
    record_disclosures(
        [
            AccessLog(
                subject_ref=subjects.get(row.pk, NOBODY_ON_FILE), actor=user, agency=feed.agency,
                purpose=OwnPurpose.UPKEEP, authority=Authority.DUTY, fields=["name", "number"],
                case_number=f"{row.batch_id}:{row.row_number}", door=door, result=AccessResult.SHOWN,
            )
            for row, _number in found
        ]
    )  # fmt: skip
    return len(found)


class _Naming:
    """Under which headers the rows of a feed name a person, by any version of its entry, the newest first."""

    def __init__(self, feed: Feed) -> None:
        self._headers: dict[str, list[str]] = {role: [] for role in NAMING}
        fields = EntryField.objects.filter(version__entry=feed.entry_id, role__in=NAMING).order_by("-version__number")
        for item in fields:
            self._headers[item.role] += known_names([item])
        for column, code in feed.mapping.items():
            roles = [item.role for item in fields if item.code == code]
            for role in roles[:1]:
                self._headers[role].append(header_key(column))

    def number_of(self, row: QuarantinedRow) -> str:
        """The document number in the cells of a row, as delivered."""
        return self._cell(row, FieldRole.IDENTITY_NUMBER)

    def index_of(self, row: QuarantinedRow, number: str) -> bytes | None:
        """The blind index under which that person would be on file, if the number can be read."""
        identifier = resolve_person(self._cell(row, FieldRole.IDENTITY_KIND), number).identifier
        return identifier.blind_index if identifier else None

    def _cell(self, row: QuarantinedRow, role: str) -> str:
        decoded = msgspec.json.decode(row.cells or "{}", type=dict[str, str])
        cells = {header_key(column): text for column, text in decoded.items()}
        return next((text for name in self._headers[role] if (text := cells.get(name, "").strip())), "")
