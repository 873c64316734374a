"""What a peer is told of a change: asked of entitlement, openness and law at the moment of telling."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.db.models import Q
from django.utils import timezone

from records.enums import ChangeCause, ChangeKind, Direction, FieldRole, PeerKind, RecordState, SubjectKind
from records.exchange.numbering import Change
from records.feeds.subjects import resolve_person
from records.models import CreditRecord, EntryField, ExchangePeer, PeerEntry, PeerReceipt, Subject
from records.services.correction import content_of
from records.services.entry import IDENTITY_ROLES, identity_value

# Without these nobody can tell which record is meant, so they go along whichever fields a peer was given.
ALWAYS = IDENTITY_ROLES | {FieldRole.DECIDED_ON}
Item = dict[str, Any]


@dataclass
class Told:
    """The items for a peer up to a number, and the keys of what they tell, withdraw, or disclose of persons.

    `numbers` are the blind indexes of persons named in records of others, with the entries that name them.
    """

    upto: int = 0
    items: list[Item] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    withdrawn: list[Change] = field(default_factory=list)
    persons: dict[int, set[str]] = field(default_factory=dict)
    numbers: dict[bytes, set[str]] = field(default_factory=dict)
    size: int = 0

    def takes(self, item: Item, most_bytes: int) -> bool:
        """Take an item in, unless the page would become too large; the first one always has room."""
        length = len(msgspec.json.encode(item)) if most_bytes else 0
        if self.items and self.size + length > most_bytes > 0:
            return False
        self.items.append(item)
        self.size += length
        return True


class Teller:
    """Tells one peer what it is entitled to today."""

    def __init__(self, peer: ExchangePeer, on: datetime.date) -> None:
        self.peer, self.on = peer, on
        self._entries = {item.entry_id: item for item in peer.entries.filter(direction=Direction.GIVEN)}
        self._fields: dict[int, list[EntryField]] = {}

    def tell(self, changes: Sequence[Change], known: Mapping[int, int], *, most_bytes: int = 0) -> Told:
        """Turn changes into items; `known` are the records the peer was told of, each with the number reached then.

        A record that may no longer be shared is never told of again; who was told of it is told of its end, and
        nobody else. A change that ends its sharing alone is told as the end of its publication. A peer that was never
        told of a record hears nothing at all. With `most_bytes` the page is closed before it is larger than that.
        """
        records = self._shareable({change.record_id for change in changes if change.kind != ChangeKind.WITHDRAWN})
        ends = self._ends(changes, known, records)
        papers = self._papers({change.record_id for change in ends.values()})
        told = Told()
        for change in changes:
            end, record = ends.get(change.number), records.get(change.record_id)
            if end and not told.takes(_withdrawal(end, papers[end.record_id]), most_bytes):
                break
            if end:
                told.withdrawn.append(end)
            elif record and change.kind != ChangeKind.WITHDRAWN:
                if not told.takes(self._content(change, record), most_bytes):
                    break
                told.given.append(record.pk)
                self._note_persons(told, record)
            told.upto = change.number
        _find_persons(told)
        return told

    def _ends(
        self, changes: Sequence[Change], known: Mapping[int, int], records: Mapping[int, CreditRecord]
    ) -> dict[int, Change]:
        """The ends that the peer has to hear of, by the number of the change."""
        ends = {c.number: c for c in changes if c.kind == ChangeKind.WITHDRAWN and c.record_id in known}
        hidden = [c for c in changes if c.kind != ChangeKind.WITHDRAWN and c.record_id not in records]
        narrowed = [change for change in hidden if known.get(change.record_id, change.number) < change.number]
        if not narrowed:
            return ends
        standing = CreditRecord.objects.filter(state=RecordState.IN_FORCE, withheld=False)
        in_force = set(standing.filter(pk__in=[c.record_id for c in narrowed]).values_list("pk", flat=True))
        receipts = PeerReceipt.objects.filter(peer=self.peer, record__in=in_force)
        said = set(receipts.values_list("record", "number"))
        for change in narrowed:
            earlier = (n for record, n in said if record == change.record_id and n > known[record])
            if change.record_id in in_force and min(earlier, default=change.number) >= change.number:
                ends[change.number] = change._replace(kind=ChangeKind.WITHDRAWN.value, cause=ChangeCause.EXPIRED.value)
                said.add((change.record_id, change.number))
        return ends

    def _note_persons(self, told: Told, record: CreditRecord) -> None:
        """Whose name and number go out: of the person it is about, and of one who stands for an organisation."""
        if record.subject_kind == SubjectKind.PERSON:
            told.persons.setdefault(record.subject_id, {"name", "number"}).add(record.entry.code)
        elif self._entries[record.entry_id].persons:
            for index in self._representatives(record):
                told.numbers.setdefault(index, set()).add(record.entry.code)

    def _representatives(self, record: CreditRecord) -> Iterator[bytes]:
        by_role, values = {item.role: item.code for item in self._fields_of(record.version_id)}, self._values(record)
        number = values.get(by_role.get(FieldRole.LEGAL_REPRESENTATIVE_NUMBER, ""), "")
        kind = content_of(record).get(by_role.get(FieldRole.LEGAL_REPRESENTATIVE_KIND, ""), "")
        if number and (found := resolve_person(kind, number).identifier):
            yield found.blind_index

    def _shareable(self, keys: Iterable[int]) -> dict[int, CreditRecord]:
        """The records among these that the peer may be told of today, by key."""
        with_persons = [pk for pk, item in self._entries.items() if item.persons]
        found = CreditRecord.objects.shareable(on=self.on, publicly=self.peer.kind == PeerKind.CREDIT_AGENCY).filter(
            Q(entry__in=with_persons) | ~Q(subject_kind=SubjectKind.PERSON), pk__in=list(keys), entry__in=self._entries
        )
        if self.peer.site_id:
            found = found.filter(site=self.peer.site_id)
        return {record.pk: record for record in found.select_related("subject", "entry", "version", "agency")}

    def _papers(self, keys: Iterable[int]) -> dict[int, CreditRecord]:
        found = CreditRecord.objects.filter(pk__in=list(keys)).select_related("entry")
        return {record.pk: record for record in found.only("document_number", "entry__code")}

    def _content(self, change: Change, record: CreditRecord) -> Item:
        return {
            **_head(change, record),
            "unit": {
                "code": record.agency.code,
                "credit_code": record.agency.credit_code,
                "name": record.agency.name,
            },
            "decided_on": record.decided_on.isoformat(),
            "field": record.field,
            "disputed": record.disputed,
            "statement": record.statement or "",
            "values": self._values(record),
        }

    def _values(self, record: CreditRecord) -> dict[str, str]:
        """The fields the peer is entitled to, by code; empty ones are left out."""
        entitled, content = self._entries[record.entry_id], content_of(record)
        values = {
            item.code: _value(record, item, content)
            for item in self._fields_of(record.version_id)
            if _covers(entitled, item, record.subject_kind)
        }
        return {code: text for code, text in values.items() if text}

    def _fields_of(self, version_id: int) -> list[EntryField]:
        if version_id not in self._fields:
            self._fields[version_id] = list(EntryField.objects.filter(version=version_id).order_by("position"))
        return self._fields[version_id]


def _find_persons(told: Told) -> None:
    """Those among the persons named beside who are on file; of others there is nobody to write it down for."""
    if told.numbers:
        found = Subject.objects.filter(number_index__in=list(told.numbers), kind=SubjectKind.PERSON)
        for pk, index in found.values_list("pk", "number_index"):
            told.persons.setdefault(pk, {"name", "number"}).update(told.numbers[bytes(index)])


def _covers(entitled: PeerEntry, item: EntryField, kind: str) -> bool:
    identifies = item.role in ALWAYS and (kind == SubjectKind.PERSON or not item.personal)
    if item.personal and not entitled.persons:
        return identifies
    return identifies or not entitled.fields or item.code in entitled.fields


def _value(record: CreditRecord, item: EntryField, content: dict[str, str]) -> str:
    if item.role == FieldRole.DECIDED_ON:
        return record.decided_on.isoformat()
    return identity_value(record, item) or content.get(item.code, "")


def _head(change: Change, record: CreditRecord) -> Item:
    return {
        "number": change.number,
        "kind": change.kind,
        "cause": change.cause,
        "at": timezone.localtime(change.at).isoformat(timespec="seconds"),
        "token": record.token,
        "entry": record.entry.code,
        "document_number": record.document_number,
    }


def _withdrawal(change: Change, record: CreditRecord) -> Item:
    """Number, entry, document, cause and time: nothing of what was decided, nothing about whom."""
    return _head(change, record)
