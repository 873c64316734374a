"""What a peer is told of a change: asked of entitlement, openness and law at the moment of telling."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from records.enums import ChangeKind, Direction, FieldRole, PeerKind, SubjectKind
from records.exchange.numbering import Change
from records.models import CreditRecord, EntryField, ExchangePeer, PeerEntry
from records.services.correction import content_of
from records.services.entry import IDENTITY_ROLES, identity_value

# Without these nobody can tell which record is meant, so they go along whichever fields a peer was given.
ALWAYS = IDENTITY_ROLES | {FieldRole.DECIDED_ON}
Item = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """The items for a peer, and the keys of the records that they tell, withdraw, or disclose of persons."""

    items: list[Item]
    given: list[int]
    withdrawn: list[Change]
    persons: dict[int, set[str]]


class Teller:
    """Tells one peer what it is entitled to today."""

    def __init__(self, peer: ExchangePeer, on: datetime.date) -> None:
        self.peer, self.on = peer, on
        self._entries = {item.entry_id: item for item in peer.entries.filter(direction=Direction.GIVEN)}
        self._fields: dict[int, list[EntryField]] = {}

    def tell(self, changes: Sequence[Change], known: set[int]) -> Told:
        """Turn changes into items; `known` are the records the peer was told of before.

        A record that may no longer be shared is never told of again; who was told of it is told of its end, and
        nobody else. A peer that was never told of a record hears nothing at all.
        """
        records = self._shareable({change.record_id for change in changes if change.kind != ChangeKind.WITHDRAWN})
        ended = {change.record_id for change in changes if change.kind == ChangeKind.WITHDRAWN} & known
        papers = self._papers(ended)
        told = Told([], [], [], {})
        for change in changes:
            if change.kind == ChangeKind.WITHDRAWN:
                if change.record_id in known:
                    told.items.append(_withdrawal(change, papers[change.record_id]))
                    told.withdrawn.append(change)
            elif record := records.get(change.record_id):
                told.items.append(self._content(change, record))
                told.given.append(record.pk)
                self._note_person(told, record)
        return told

    def _note_person(self, told: Told, record: CreditRecord) -> None:
        if record.subject_kind == SubjectKind.PERSON:
            told.persons.setdefault(record.subject_id, {"name", "number"}).add(record.entry.code)

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
