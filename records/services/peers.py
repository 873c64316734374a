"""Peers of the exchange: proposed by one person, approved by another, paused, told again.

Whoever acts is staff of the centre that looks after the site whose records the peer gets, see `may_act`.
"""

import hashlib
import json
from typing import Any

from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import Conflict, NotPermitted
from creditplatform.core.models import User
from records.models import ExchangePeer, PeerReceipt, PeerState
from records.querysets import sites_led

SETTLED = (
    "code", "name", "name_en", "kind", "agency_id", "client_id", "client__name", "site_id", "legal_basis_id",
    "push_url", "push_client_id", "proposed_by_id", "active",
)  # fmt: skip
OF_AN_ENTRY = ("entry_id", "direction", "persons", "fields")


class NoLegalBasis(Conflict):
    """A peer without a confirmed legal basis, or with nothing to exchange, is not approved."""

    default_code = "no_legal_basis"
    default_message = _("The peer has no legal basis that is confirmed and in force, or no entry to exchange.")


class OwnProposal(Conflict):
    """Whoever proposed a peer, or changed it last, does not approve it."""

    default_code = "own_proposal"
    default_message = _("You proposed this peer yourself. A second person approves it.")


def may_act(user: User, site_id: int | None) -> bool:
    """Whether a person sets up and approves peers of a site: its centre; for peers of every site, either centre."""
    led = sites_led(user)
    return bool(led) if site_id is None else site_id in led


def mark_of(peer: ExchangePeer) -> str:
    """A digest of what is approved: the peer as it stands, where data goes, and its entries."""
    rows = [
        list(ExchangePeer.objects.filter(pk=peer.pk).values_list(*SETTLED)),
        list(peer.entries.order_by("pk").values_list(*OF_AN_ENTRY)),
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


@transaction.atomic
def approve_peer(*, user: User, peer: ExchangePeer, seen: str | None = None) -> ExchangePeer:
    """Begin the exchange with a peer; `seen` is the mark of what a person has had before their eyes.

    Must run in an audit context; raises NotPermitted, Conflict where it has changed since, OwnProposal, NoLegalBasis.
    """
    held = _held(user, peer)
    if seen is not None and seen != mark_of(held):
        raise Conflict
    if held.proposed_by_id in (None, user.pk):
        raise OwnProposal
    basis, today = held.legal_basis, timezone.localdate()
    lawful = basis is not None and basis.confirmed and (basis.in_force_until is None or basis.in_force_until > today)
    begun = basis is not None and (basis.in_force_from is None or basis.in_force_from <= today)
    if not (lawful and begun) or not held.entries.exists():
        raise NoLegalBasis
    held.active, held.paused, held.approved_by = True, False, user
    held.save()
    PeerState.objects.get_or_create(peer=held)
    return held


@transaction.atomic
def pause_peer(*, user: User, peer: ExchangePeer, paused: bool) -> ExchangePeer:
    """Stop telling a peer for a while, or go on; withdrawals it owes run on. Must run in an audit context."""
    held = _held(user, peer)
    held.paused = paused
    held.save()
    return held


@transaction.atomic
def end_peer(*, user: User, peer: ExchangePeer) -> ExchangePeer:
    """Take the approval back, so that the peer can be changed; another person approves it anew."""
    held = _held(user, peer)
    held.active, held.approved_by, held.proposed_by = False, None, user
    held.save()
    return held


@transaction.atomic
def tell_again(*, user: User, peer: ExchangePeer) -> int:
    """Push from before the oldest withdrawal that is not confirmed, at once; returns the number begun after.

    A new turn begins: what is on its way does not count any more, and no answer from before is given once more.
    """
    held = _held(user, peer)
    oldest = PeerReceipt.objects.filter(peer=held, confirmed_at=None).aggregate(number=Min("number"))["number"]
    PeerState.objects.get_or_create(peer=held)
    state = PeerState.objects.select_for_update().get(peer=held)
    changes: dict[str, Any] = {"next_attempt_at": timezone.now(), "attempts": 0, "turn": state.turn + 1}
    if oldest is not None and oldest <= state.confirmed:
        changes["confirmed"] = oldest - 1
    PeerState.objects.filter(peer=held).update(**changes)
    return int(changes.get("confirmed", state.confirmed))


def _held(user: User, peer: ExchangePeer) -> ExchangePeer:
    held = ExchangePeer.objects.select_for_update(of=("self",)).get(pk=peer.pk)
    if not may_act(user, held.site_id):
        raise NotPermitted
    return held
