"""The contents of one unit and entry that a peer hands in: a batch of a feed of that unit, through the one pipeline."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

import msgspec

from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError
from creditplatform.core.models import Agency
from records.enums import BatchState, FieldRole, Required, Rhythm, SubjectKind
from records.exchange.contents import ALWAYS
from records.exchange.wire import Item, Refusal
from records.feeds.mapping import ColumnMap
from records.feeds.plan import Plan, plan_for
from records.feeds.prepare import Preparer
from records.feeds.prepared import Prepared
from records.feeds.readers import Chunk
from records.feeds.store import Store
from records.models import CatalogueEntry, CreditRecord, EntryField, ExchangePeer, Feed, FeedBatch, PeerEntry
from records.workflows.feed_batch import FEED_BATCH

FORM = "exchange"
Place = tuple[bytes, str]


class Group(NamedTuple):
    """What one unit decided under one entry and key field."""

    agency: Agency
    entry: CatalogueEntry
    field: str
    items: list[Item]


@dataclass
class Outcome:
    """Which record each item became, what was not taken, and how many of which."""

    found: list[tuple[Item, int]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: {"accepted": 0, "unchanged": 0, "set_aside": 0})


class Incoming:
    """Takes the contents that one peer may hand in of one entry. Must run in an audit context."""

    def __init__(self, peer: ExchangePeer, agreed: PeerEntry) -> None:
        self.peer, self.agreed = peer, agreed

    def take(self, group: Group) -> Outcome:
        """Write a group; nothing of it where the entry is not in force here."""
        outcome, feed = Outcome(), self._feed(group)
        try:
            plan = plan_for(feed)
        except CreditError as error:
            outcome.refused += [Refusal(item.number, error.code) for item in group.items]
            return outcome
        for suited, items in _suited(self._agreed_fields_only(plan), group.items):
            self._write(suited, feed, items, outcome)
        return outcome

    def _agreed_fields_only(self, plan: Plan) -> Plan:
        """What is not agreed to come cannot be missing: such fields were required of the unit, at the source."""

        def relaxed(item: EntryField) -> EntryField:
            left_out = item.personal and not self.agreed.persons
            left_out |= bool(self.agreed.fields) and item.code not in self.agreed.fields
            if not left_out or item.role in ALWAYS:
                return item
            other = copy(item)
            other.required = Required.NEVER
            return other

        return replace(plan, fields=[relaxed(item) for item in plan.fields])

    def _feed(self, group: Group) -> Feed:
        """The feed of the unit that decided, by way of this peer."""
        words = f"{self._beginning}{group.agency.code}-{group.entry.code}-{group.field}"
        code = f"{words[:47]}-{hashlib.sha256(words.encode()).hexdigest()[:12]}"
        names = {"name": group.entry.name, "name_en": group.entry.name_en}
        found, _created = Feed.objects.get_or_create(
            code=code,
            defaults={
                **names, "agency": group.agency, "entry": group.entry, "field": group.field, "rhythm": Rhythm.ONCE
            },
        )  # fmt: skip
        return Feed.objects.select_related("agency", "entry").get(pk=found.pk)

    @property
    def _beginning(self) -> str:
        return f"from-{self.peer.code}-"

    def _write(self, plan: Plan, feed: Feed, items: list[Item], outcome: Outcome) -> None:
        prepared = _prepared(plan, items)
        unfit = self._unfit(plan, prepared)
        if unfit:
            outcome.refused += [Refusal(items[number - 1].number, code) for number, code in unfit.items()]
            items = [item for number, item in enumerate(items, 1) if number not in unfit]
            if not items:
                return
            prepared = _prepared(plan, items)
        batch = self._batch(feed, items)
        self._store(plan, batch, prepared, outcome)
        places = {row.number: (row.subject, row.document) for row in prepared.rows}
        aside = {row.row_number: row.problems[0][1] for row in prepared.setaside}
        on_file = _on_file(plan, places)
        for number, item in enumerate(items, 1):
            if number in aside:
                outcome.refused.append(Refusal(item.number, aside[number]))
            else:
                outcome.found.append((item, on_file[places[number]][0]))

    def _unfit(self, plan: Plan, prepared: Prepared) -> dict[int, str]:
        """Rows that are not the peer's to hand in, by number: of persons without agreement, or the unit's own."""
        places = {row.number: (row.subject, row.document) for row in prepared.rows}
        own = {place for place, (_pk, feed) in _on_file(plan, places).items() if not feed.startswith(self._beginning)}
        unfit = {number: "delivered_by_the_unit" for number, place in places.items() if place in own}
        if not self.agreed.persons:
            persons = {index for index, key in prepared.subjects.items() if key.kind == SubjectKind.PERSON}
            unfit |= {number: "persons_not_agreed" for number, place in places.items() if place[0] in persons}
        return unfit

    def _batch(self, feed: Feed, items: list[Item]) -> FeedBatch:
        content = msgspec.json.encode(items)
        batch = FeedBatch.objects.create(
            feed=feed, file_name=f"{self.peer.code} {items[0].number}-{items[-1].number}", size=len(content),
            file_digest=hashlib.sha256(content).hexdigest(), door=Door.API, state=BatchState.RECEIVED,
        )  # fmt: skip
        taken: FeedBatch = FEED_BATCH.take("check", batch, user=None, format=FORM)
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


def _prepared(plan: Plan, items: list[Item]) -> Prepared:
    """The items checked as rows of a file are, numbered from 1."""
    numbers, codes = list(range(1, len(items) + 1)), [each.code for each in plan.fields]
    cells = [[item.values.get(code, "").strip() for item in items] for code in codes]
    positions = ColumnMap({code: at for at, code in enumerate(codes)})
    return Preparer(plan, positions, codes).prepare(Chunk(1, len(items), cells, numbers, numbers))


def _on_file(plan: Plan, places: Mapping[int, Place]) -> dict[Place, tuple[int, str]]:
    """Records on file by subject and document number, each with the code of the feed that brought it."""
    if not places:
        return {}
    found = CreditRecord.objects.filter(
        agency=plan.agency, entry=plan.version.entry_id,
        subject__number_index__in={place[0] for place in places.values()},
        document_number__in={place[1] for place in places.values()},
    ).values_list("subject__number_index", "document_number", "pk", "batch__feed__code")  # fmt: skip
    return {(bytes(index), document): (pk, code or "") for index, document, pk, code in found}
