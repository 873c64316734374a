"""The contents of one unit and entry that a peer hands in: a batch of a feed of that unit, through the one pipeline."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

import msgspec

from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError
from creditplatform.core.models import Agency
from records.enums import EXCHANGED, BatchState, FieldRole, Required, Rhythm, SubjectKind
from records.exchange.contents import ALWAYS
from records.exchange.wire import Item, Refusal
from records.feeds.columns import Findings, clean
from records.feeds.mapping import ColumnMap
from records.feeds.plan import Plan, plan_for
from records.feeds.prepare import Preparer
from records.feeds.prepared import Prepared, delivered_cells
from records.feeds.readers import Chunk
from records.feeds.store import Store
from records.feeds.subjects import SubjectReader
from records.models import CatalogueEntry, CreditRecord, EntryField, ExchangePeer, Feed, FeedBatch, PeerEntry
from records.workflows.feed_batch import FEED_BATCH

LONGEST_NUMBER = CreditRecord._meta.get_field("document_number").max_length or 0
Place = tuple[bytes, str]
Unfit = dict[int, str]


class Group(NamedTuple):
    """What one unit decided under one entry and key field."""

    agency: Agency
    entry: CatalogueEntry
    field: str
    items: list[Item]


@dataclass
class Outcome:
    """Which record each item became or ended, what was not taken, and how many of which."""

    found: list[tuple[Item, int]] = field(default_factory=list)
    ended: list[tuple[Item, int]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"accepted": 0, "unchanged": 0, "set_aside": 0})


class Incoming:
    """Takes the contents that one peer may hand in of one entry. Must run in an audit context."""

    def __init__(self, peer: ExchangePeer, agreed: PeerEntry) -> None:
        self.peer, self.agreed = peer, agreed

    def take(self, group: Group) -> Outcome:
        """Write a group; nothing of it where the entry is not in force here or not the unit's to send."""
        outcome, feed = Outcome(), self._feed(group)
        try:
            plan = plan_for(feed)
        except CreditError as error:
            outcome.refused += [Refusal(item.number, error.code) for item in group.items]
            return outcome
        if feed._state.adding:
            feed.save()
        items = _without(group.items, _misstated(plan, group.items), outcome)
        for suited, alike in _suited(plan, items):
            self._write(suited, feed, alike, outcome)
        return outcome

    def _feed(self, group: Group) -> Feed:
        """The feed of the unit that decided, by way of this peer and the peer's alone; a new one is not saved yet."""
        pair = {"peer": self.peer, "agency": group.agency, "entry": group.entry, "field": group.field}
        known = Feed.objects.select_related("agency", "entry").filter(**pair).first()
        words = f"from-{self.peer.code}-{group.agency.code}-{group.entry.code}"
        keys = f"{self.peer.pk}/{group.agency.pk}/{group.entry.pk}/{group.field}"
        code = f"{words[:47]}-{hashlib.sha256(keys.encode()).hexdigest()[:12]}"
        names = {"name": group.entry.name, "name_en": group.entry.name_en}
        return known or Feed(**pair, **names, code=code, rhythm=Rhythm.ONCE)

    def _write(self, plan: Plan, feed: Feed, items: list[Item], outcome: Outcome) -> None:
        items = _without(items, self._persons(plan, items), outcome)
        plan = self._agreed_fields_only(plan)
        items = _without(items, self._foreign(plan, self._prepared(plan, items)), outcome)
        if not items:
            return
        prepared = self._prepared(plan, items)
        self._store(plan, self._batch(feed, items), prepared, outcome)
        self._sort(plan, items, prepared, outcome)

    def _sort(self, plan: Plan, items: list[Item], prepared: Prepared, outcome: Outcome) -> None:
        """What each item came to: a record, the end of one, or nothing."""
        aside = {row.row_number: row.problems[0][1] for row in prepared.setaside}
        ends = {row.number for row in prepared.withdrawn}
        places = _places(prepared)
        on_file = _on_file(plan, places.values())
        for number, item in enumerate(items, 1):
            record = on_file.get(places[number]) if number in places else None
            if number in aside:
                outcome.refused.append(Refusal(item.number, aside[number]))
            elif record is None:
                outcome.refused.append(Refusal(item.number, "not_taken"))
            else:
                (outcome.ended if number in ends else outcome.found).append((item, record[0]))

    def _agreed_fields_only(self, plan: Plan) -> Plan:
        """What is not agreed to come cannot be missing: such fields were required of the unit, at the source."""

        def relaxed(item: EntryField) -> EntryField:
            if not self._left_out(item):
                return item
            other = copy(item)
            other.required = Required.NEVER
            return other

        return replace(plan, fields=[relaxed(item) for item in plan.fields])

    def _left_out(self, item: EntryField) -> bool:
        """Whether a field is not agreed to come; of persons nothing is, where they are not."""
        if item.personal and not self.agreed.persons:
            return True
        return item.role not in ALWAYS and bool(self.agreed.fields) and item.code not in self.agreed.fields

    def _persons(self, plan: Plan, items: list[Item]) -> Unfit:
        """Rows about natural persons where those are not agreed, by number; nothing of them is kept anywhere.

        A row that leaves open whom it is about may be one of them.
        """
        if self.agreed.persons or not items:
            return {}
        columns = {each.code: clean(_column(items, each)) for each in plan.fields}
        kinds = SubjectReader(plan).kinds(columns, len(items), Findings())
        codes = {SubjectKind.PERSON.value: "persons_not_agreed", "": "kind_unknown"}
        return {number: codes[kind] for number, kind in enumerate(kinds, 1) if kind in codes}

    def _prepared(self, plan: Plan, items: list[Item]) -> Prepared:
        """The items checked as rows of a file are, numbered from 1; fields that were not agreed stay empty."""
        numbers, codes = list(range(1, len(items) + 1)), [each.code for each in plan.fields]
        cells = [[""] * len(items) if self._left_out(each) else _column(items, each) for each in plan.fields]
        chunk = Chunk(1, len(items), cells, numbers, numbers)
        prepared = Preparer(plan, ColumnMap({code: at for at, code in enumerate(codes)}), codes).prepare(chunk)
        prepared.delivered = delivered_cells(chunk, codes)
        prepared.unstated = []  # content is told of a record only while its source stands by it
        return prepared

    def _foreign(self, plan: Plan, prepared: Prepared) -> Unfit:
        """Rows by number whose record is on file and did not come by this peer."""
        places = _places(prepared)
        foreign = {place for place, (_pk, own) in self._owned(plan, places).items() if not own}
        return {number: "delivered_by_the_unit" for number, place in places.items() if place in foreign}

    def _owned(self, plan: Plan, places: Mapping[int, Place]) -> dict[Place, tuple[int, bool]]:
        on_file = _on_file(plan, places.values())
        return {place: (pk, way == (self.peer.pk, EXCHANGED)) for place, (pk, way) in on_file.items()}

    def _batch(self, feed: Feed, items: list[Item]) -> FeedBatch:
        content = msgspec.json.encode(items)
        batch = FeedBatch.objects.create(
            feed=feed, file_name=f"{self.peer.code} {items[0].number}-{items[-1].number}", size=len(content),
            file_digest=hashlib.sha256(content).hexdigest(), door=Door.API, state=BatchState.RECEIVED,
        )  # fmt: skip
        taken: FeedBatch = FEED_BATCH.take("check", batch, user=None, format=EXCHANGED)
        return taken

    def _store(self, plan: Plan, batch: FeedBatch, prepared: Prepared, outcome: Outcome) -> None:
        """Write the rows with their counts and finish the batch, as with every delivery."""
        result = Store(plan, batch).write(prepared)
        FeedBatch.objects.filter(pk=batch.pk).update(
            received=result.received, accepted=result.accepted, unchanged=result.unchanged,
            quarantined=result.quarantined, rejected=result.rejected, problems=dict(prepared.problems),
        )  # fmt: skip
        FEED_BATCH.take("apply_partly" if prepared.setaside else "apply", batch, user=None)
        outcome.counts["accepted"] += result.accepted
        outcome.counts["unchanged"] += result.unchanged
        outcome.counts["set_aside"] += len(prepared.setaside)


def _column(items: list[Item], described: EntryField) -> list[str]:
    return [item.values.get(described.code, "").strip() for item in items]


def _without(items: list[Item], unfit: Unfit, outcome: Outcome) -> list[Item]:
    """The items but for those that are unfit, by their place from 1; those are refused."""
    outcome.refused += [Refusal(items[number - 1].number, code) for number, code in unfit.items()]
    return [item for number, item in enumerate(items, 1) if number not in unfit]


def _misstated(plan: Plan, items: list[Item]) -> Unfit:
    """Items whose day or number cannot be, where the entry has no field for it, by their place from 1."""
    dated, numbered = FieldRole.DECIDED_ON in plan.by_role, FieldRole.DOCUMENT_NUMBER in plan.by_role
    found = {}
    for number, item in enumerate(items, 1):
        code = "" if dated else _why_no_day(item.decided_on, plan.today)
        if not numbered and len(item.document_number) > LONGEST_NUMBER:
            code = "too_long"
        if code:
            found[number] = code
    return found


def _why_no_day(text: str, today: date) -> str:
    if not text:
        return "required"
    try:
        return "date_in_future" if date.fromisoformat(text) > today else ""
    except ValueError:
        return "not_a_date"


def _suited(plan: Plan, items: list[Item]) -> Iterator[tuple[Plan, list[Item]]]:
    """The plan for items whose entry states no date or no number in a field of its own: both come beside the values."""
    dated, numbered = FieldRole.DECIDED_ON in plan.by_role, FieldRole.DOCUMENT_NUMBER in plan.by_role
    alike: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        alike["" if dated else item.decided_on, "" if numbered else item.document_number].append(item)
    for (day, number), found in alike.items():
        constants = plan.constants if numbered else {**plan.constants, FieldRole.DOCUMENT_NUMBER: number}
        stated = {} if dated else {"dated_by_receipt": True, "dated_on": date.fromisoformat(day)}
        yield replace(plan, constants=constants, **stated), found  # type: ignore[arg-type]


def _places(prepared: Prepared) -> dict[int, Place]:
    """Where the decisions of rows stand, those that a row takes back too: subject and document, by number."""
    return {row.number: (row.subject, row.document) for row in [*prepared.rows, *prepared.withdrawn]}


def _on_file(plan: Plan, places: Iterable[Place]) -> dict[Place, tuple[int, tuple[int | None, str]]]:
    """Records on file by subject and document number, each with the peer, if any, and the form it came in."""
    wanted = set(places)
    if not wanted:
        return {}
    found = CreditRecord.objects.filter(
        agency=plan.agency, entry=plan.version.entry_id,
        subject__number_index__in={subject for subject, _document in wanted},
        document_number__in={document for _subject, document in wanted},
    ).values_list("subject__number_index", "document_number", "pk", "batch__feed__peer", "batch__format")  # fmt: skip
    return {(bytes(index), document): (pk, (peer, form)) for index, document, pk, peer, form in found}
