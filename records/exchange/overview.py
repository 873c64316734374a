"""The exchange at a glance: for the centre's desk, for the unit and the person concerned, and as a public figure."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Min, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from creditplatform.core.models import Site
from creditplatform.core.rules import RuleMissing, load_rulebook
from creditplatform.core.wording import joined
from records.exchange.numbering import newest_number
from records.models import ExchangePeer, PeerDelivery, PeerReceipt, PeerState

SILENT_AFTER = datetime.timedelta(hours=24)
FAILED_TOO_OFTEN = 5
SHOWN = 200
FIGURE_DAYS = 365


@dataclass(frozen=True)
class Line:
    """One peer: how far it is, how much it lacks, what it owes."""

    peer: ExchangePeer
    state: PeerState
    lag: int
    open: int
    overdue: int
    oldest: datetime.datetime | None

    @property
    def stopped(self) -> bool:
        """Whether it lacks changes and has not been heard of for a day, or failed several times in a row."""
        if not self.peer.active or self.peer.paused or not self.lag:
            return False
        heard = self.state.last_contact_at or self.peer_since
        return self.state.attempts >= FAILED_TOO_OFTEN or heard < timezone.now() - SILENT_AFTER

    @property
    def peer_since(self) -> datetime.datetime:
        """When a peer that was never heard of was due for the first time."""
        return self.state.next_attempt_at


@dataclass(frozen=True)
class Told:
    """A peer that was told of a record, and what became of it there."""

    peer: ExchangePeer
    at: datetime.datetime
    receipts: list[PeerReceipt]


@dataclass(frozen=True)
class Figures:
    """Withdrawals of a year that other systems had to confirm: how many did so in time; nothing about anybody."""

    days: int | None
    due: int
    in_time: int
    overdue: int

    @property
    def share(self) -> int | None:
        """Per cent confirmed in time, rounded down; None where nothing was due yet."""
        return 100 * self.in_time // self.due if self.due else None


def lines() -> list[Line]:
    """Every peer with its figures; four queries, however many there are."""
    today, newest = timezone.localdate(), newest_number()
    receipts = PeerReceipt.objects.filter(confirmed_at=None).values("peer")
    owed: dict[int, Any] = {
        row["peer"]: row
        for row in receipts.annotate(
            open=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=today)), oldest=Min("ended_at")
        )
    }
    states = {state.peer_id: state for state in PeerState.objects.all()}
    found = []
    for peer in ExchangePeer.objects.select_related("agency", "legal_basis", "site", "proposed_by"):
        state = states.get(peer.pk) or PeerState(peer=peer, next_attempt_at=timezone.now())
        row = owed.get(peer.pk, {"open": 0, "overdue": 0, "oldest": None})
        lag = max(0, newest - state.confirmed)
        found.append(Line(peer, state, lag, row["open"], row["overdue"], row["oldest"]))
    return found


def open_receipts(peer: ExchangePeer) -> list[PeerReceipt]:
    """Withdrawals that the peer has not confirmed, oldest first."""
    found = PeerReceipt.objects.filter(peer=peer, confirmed_at=None)
    return list(found.select_related("record__entry", "record__agency").order_by("due_on", "number")[:SHOWN])


def alarms() -> list[str]:
    """Peers that have stopped."""
    stopped = [line.peer.label for line in lines() if line.stopped]
    if not stopped:
        return []
    text = ngettext(
        "A system we exchange with no longer answers: %(names)s. Withdrawals wait to be confirmed there.",
        "Systems we exchange with no longer answer: %(names)s. Withdrawals wait to be confirmed there.",
        len(stopped),
    )
    return [text % {"names": joined(stopped)}]


def overdue_count() -> int:
    """Confirmations that are overdue, all peers together."""
    return PeerReceipt.objects.filter(confirmed_at=None, due_on__lt=timezone.localdate()).count()


def told_of(record_id: int) -> list[Told]:
    """Which peers were told of a record and when first, and what they confirmed of its end."""
    told = PeerDelivery.objects.arrived().filter(records__contains=[record_id])
    deliveries = told.values("peer").annotate(first=Min("at"))
    first = {row["peer"]: row["first"] for row in deliveries.order_by()}
    receipts = list(PeerReceipt.objects.filter(record=record_id).order_by("number"))
    peers = ExchangePeer.objects.filter(pk__in=[*first, *(receipt.peer_id for receipt in receipts)])
    return [
        Told(peer, first[peer.pk], [receipt for receipt in receipts if receipt.peer_id == peer.pk])
        for peer in peers
        if peer.pk in first
    ]


def figures(site: Site) -> Figures:
    """Confirmations of withdrawals of a site's records over a year; two queries."""
    today = timezone.localdate()
    since = today - datetime.timedelta(days=FIGURE_DAYS)
    in_time = Q(confirmed_at__date__lte=F("due_on"))
    found = PeerReceipt.objects.filter(site=site, due_on__gte=since).aggregate(
        due=Count("pk", filter=Q(due_on__lt=today) | Q(confirmed_at__isnull=False)),
        in_time=Count("pk", filter=in_time),
    )
    overdue = PeerReceipt.objects.filter(site=site, confirmed_at=None, due_on__lt=today).count()
    try:
        days = load_rulebook().value("clock.exchange.confirm.working_days", today, site.code)
    except RuleMissing:
        days = None
    return Figures(days, found["due"], found["in_time"], overdue)


ACTS = {
    "approve": _("Approve"),
    "pause": _("Pause"),
    "resume": _("Go on"),
    "again": _("Tell again"),
    "end": _("Take back the approval"),
}


def acts_for(peer: ExchangePeer) -> list[tuple[str, object]]:
    """What can be done with a peer as it stands."""
    if not peer.active:
        names = ["approve"]
    else:
        names = ["resume" if peer.paused else "pause", *(["again"] if peer.push_url else []), "end"]
    return [(name, ACTS[name]) for name in names]
