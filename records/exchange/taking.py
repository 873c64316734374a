"""Taking changes from a peer: each delivery is a batch of a feed whose unit is the one that decided.

Contents go through the one pipeline, withdrawals end the record at once and are confirmed in the answer. A block is one
transaction with its answer: one that comes again, after whatever crash, gets the same answer and changes nothing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

import msgspec
import structlog
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import NotPermitted, wants_room
from creditplatform.core.models import Agency
from records.enums import Direction, KeyField
from records.exchange.endings import follow, foreign, restore
from records.exchange.giving import served
from records.exchange.incoming import Group, Incoming, Outcome
from records.exchange.wire import Answer, Block, Confirmation, Item, Refusal
from records.models import (
    CatalogueEntry,
    CreditRecord,
    ExchangePeer,
    PeerEntry,
    PeerState,
    ReceivedBlock,
    ReceivedRecord,
)
from records.services.machines import KeyUsed

LOCK_SPACE = 0x45585449
log = structlog.get_logger(__name__)


def take(*, peer: ExchangePeer, block: Block, key: str, digest: str = "") -> Answer:
    """Take a block of changes; `key` is the same for the same block, `digest` that of its bytes.

    Raises NotPermitted, or KeyUsed where the key stands for a block of other bytes.
    """
    if not served(peer):
        raise NotPermitted
    with audit.context(actor=None, door=Door.API, reason=f"exchange from {peer.code}", agency_id=peer.agency_id):
        with connection.cursor() as cursor:  # blocks of one peer one after another
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, peer.pk])
        known = ReceivedBlock.objects.filter(peer=peer, key=key).first()
        if known and known.digest and known.digest != digest:
            raise KeyUsed
        if known:
            return msgspec.convert(known.answer, Answer)
        answer = _Taking(peer).take(block.changes)
        ReceivedBlock.objects.create(peer=peer, key=key, digest=digest, answer=msgspec.to_builtins(answer))
        PeerState.objects.update_or_create(peer=peer, defaults={"last_contact_at": timezone.now()})
    return answer


def key_of(body: bytes) -> str:
    """The digest of a block, and its key where its sender gave none."""
    return hashlib.sha256(body).hexdigest()


class _Taking:
    """Works off one block of one peer."""

    def __init__(self, peer: ExchangePeer) -> None:
        self.peer = peer
        taken = PeerEntry.objects.filter(peer=peer, direction=Direction.TAKEN).select_related("entry")
        self._entries = {item.entry.code: item for item in taken}
        self._refused: list[Refusal] = []
        self._counts = {"accepted": 0, "unchanged": 0, "set_aside": 0}

    def take(self, items: list[Item]) -> Answer:
        links = {
            link.token: link
            for link in ReceivedRecord.objects.filter(peer=self.peer, token__in={item.token for item in items})
        }
        latest = {item.token: item for item in items}  # only where a record has got to counts, not by which way
        news = [item for item in latest.values() if item.token not in links or links[item.token].number < item.number]
        fresh = {item.number for item in news}
        self._counts["unchanged"] = sum(item.number not in fresh and not item.ends for item in items)
        for group in self._groups([item for item in news if not item.ends]):
            self._take_group(group)
        self._end([item for item in news if item.ends], links)
        refused = {refusal.number for refusal in self._refused}
        ends = [item for item in items if item.ends and item.number not in refused]
        confirmed = [Confirmation(item.number, self._proof(item)) for item in ends]
        upto = items[-1].number if items else 0
        return Answer(upto=upto, confirmed=confirmed, refused=sorted(self._refused, key=_number), **self._counts)

    def _groups(self, items: Iterable[Item]) -> list[Group]:
        """Contents by the unit that decided and the entry; what the peer may not hand in is refused."""
        units = self._units(items)
        entries = {entry.code: entry for entry in CatalogueEntry.objects.filter(code__in=self._entries)}
        grouped: dict[tuple[int, str, str], list[Item]] = defaultdict(list)
        agencies: dict[int, Agency] = {}
        for item in items:
            unit = units.get((item.unit.code, item.unit.credit_code)) if item.unit else None
            if item.entry not in self._entries:
                self._refuse(item, "entry_not_agreed")
            elif item.field and item.field not in KeyField.values:
                self._refuse(item, "field_unknown")
            elif unit is None or (self.peer.site_id and unit.site_id != self.peer.site_id):
                self._refuse(item, "unit_unknown")
            else:
                agencies[unit.pk] = unit
                grouped[unit.pk, item.entry, item.field].append(item)
        return [Group(agencies[pk], entries[code], field, found) for (pk, code, field), found in grouped.items()]

    def _units(self, items: Iterable[Item]) -> dict[tuple[str, str], Agency]:
        """Units by their credit code, or by their code where none is stated; an exact match or none."""
        said = {(item.unit.code, item.unit.credit_code) for item in items if item.unit}
        by_credit = {
            unit.credit_code: unit for unit in Agency.objects.filter(credit_code__in={c for _, c in said if c})
        }
        by_code = {unit.code: unit for unit in Agency.objects.filter(code__in={code for code, c in said if not c})}
        found = {pair: by_credit.get(pair[1]) if pair[1] else by_code.get(pair[0]) for pair in said}
        return {pair: unit for pair, unit in found.items() if unit is not None and unit.active}

    def _take_group(self, group: Group) -> None:
        """Take a group; of one that fails, whatever the cause, all that does not cause it."""
        try:
            with transaction.atomic():
                outcome = self._written(group)
        except OperationalError:  # a lock or a full disk passes; the whole block comes again
            raise
        except Exception as error:
            if wants_room(error):
                raise
            log.warning("exchange_change_failed", peer=self.peer.code, kind=type(error).__name__)
            self._take_halves(group)
            return
        self._refused += outcome.refused
        for name, count in outcome.counts.items():
            self._counts[name] += count

    def _take_halves(self, group: Group) -> None:
        if len(group.items) == 1:
            self._refuse(group.items[0], "internal")
            return
        middle = len(group.items) // 2
        for items in (group.items[:middle], group.items[middle:]):
            self._take_group(group._replace(items=items))

    def _written(self, group: Group) -> Outcome:
        outcome = Incoming(self.peer, self._entries[group.entry.code]).take(group)
        self._link([*outcome.found, *outcome.ended])
        restore(self.peer, {pk: item for item, pk in outcome.found})
        return outcome

    def _link(self, found: list[tuple[Item, int]]) -> None:
        ReceivedRecord.objects.bulk_create(
            [ReceivedRecord(peer=self.peer, token=i.token, record_id=pk, number=i.number) for i, pk in found],
            update_conflicts=True, unique_fields=["peer", "token"], update_fields=["record", "number"],
        )  # fmt: skip

    def _end(self, items: list[Item], links: dict[str, ReceivedRecord]) -> None:
        """End the records that were withdrawn; one that never came is remembered, so that it cannot come later."""
        known = {token: link.record_id for token, link in links.items() if link.record_id}
        not_ours = foreign(self.peer, (known[item.token] for item in items if item.token in known))
        for item in items:
            if known.get(item.token) in not_ours:
                self._refuse(item, "delivered_by_the_unit")
        items = [item for item in items if known.get(item.token) not in not_ours]
        follow(self.peer, {known[item.token]: item.cause for item in items if item.token in known})
        ReceivedRecord.objects.bulk_create(
            [
                ReceivedRecord(
                    peer=self.peer, token=i.token, number=i.number,
                    record_id=links[i.token].record_id if i.token in links else None,
                )
                for i in items
            ],
            update_conflicts=True, unique_fields=["peer", "token"], update_fields=["number"],
        )  # fmt: skip

    def _proof(self, item: Item) -> str:
        link = ReceivedRecord.objects.filter(peer=self.peer, token=item.token).first()
        if link is None or link.record_id is None:
            return "nothing on file"
        return f"ended: {CreditRecord(pk=link.record_id).token}"

    def _refuse(self, item: Item, code: str) -> None:
        self._refused.append(Refusal(item.number, code))


def _number(refusal: Refusal) -> int:
    return refusal.number
