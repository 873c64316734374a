"""The exchange on the desk of the centre: every peer, how far it is, what it owes; and what can be done about it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import CreditError
from creditplatform.core.permissions import rule
from records.desk.access import centre
from records.exchange import overview
from records.models import ExchangePeer
from records.services import peers


@rule(centre)
def index(request: HttpRequest) -> HttpResponse:
    """Every peer."""
    lines = overview.lines()
    return render(request, "desk/exchange.html", {"lines": lines, "overdue": sum(line.overdue for line in lines)})


@rule(centre)
def peer(request: HttpRequest, code: str) -> HttpResponse:
    """One peer: what it is entitled to, what it has not confirmed, what it did not take."""
    # The mark first: what comes in between is shown, but not approved.
    mark = peers.mark_of(get_object_or_404(ExchangePeer, code=code))
    line = next((line for line in overview.lines() if line.peer.code == code), None)
    if line is None:
        raise Http404
    context = {
        "line": line,
        "entries": line.peer.entries.select_related("entry"),
        "receipts": overview.open_receipts(line.peer),
        "acts": overview.acts_for(line.peer) if peers.may_act(_user(request), line.peer.site_id) else [],
        "mark": mark,
    }
    return render(request, "desk/exchange_peer.html", context)


@rule(centre)
@require_POST
def act(request: HttpRequest, code: str, act: str) -> HttpResponse:
    """Do one of the acts the page of a peer offers."""
    found, user = get_object_or_404(ExchangePeer, code=code), _user(request)
    if act not in ACTS:
        raise Http404
    try:
        with audit.context(actor=user, door=Door.DESK, reason=f"exchange: {act}"):
            ACTS[act](user, found, request.POST.get("seen", ""))
    except CreditError as error:
        messages.error(request, str(error))
    return redirect("desk:exchange-peer", code)


def _user(request: HttpRequest) -> Any:
    return request.user


ACTS: dict[str, Callable[[Any, ExchangePeer, str], object]] = {
    "approve": lambda user, peer, seen: peers.approve_peer(user=user, peer=peer, seen=seen),
    "pause": lambda user, peer, _seen: peers.pause_peer(user=user, peer=peer, paused=True),
    "resume": lambda user, peer, _seen: peers.pause_peer(user=user, peer=peer, paused=False),
    "again": lambda user, peer, _seen: peers.tell_again(user=user, peer=peer),
    "end": lambda user, peer, _seen: peers.end_peer(user=user, peer=peer),
}
