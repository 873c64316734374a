"""The demonstration's peer: a fictitious provincial platform that was told, has confirmed, and owes a confirmation."""

import datetime

from django.utils import timezone

from creditplatform.core.enums import Door, Scope
from creditplatform.core.models import Agency, ApiClient, Site, User
from records.enums import Direction, PeerKind
from records.exchange.giving import MOST, confirm, hand_over
from records.models import CatalogueEntry, ExchangePeer, LegalBasis, PeerEntry, PeerReceipt, PeerState
from records.services.peers import approve_peer

CODE, AGENCY, SITE, BASIS = "gd-province", "gd-platform", "huizhou", "guangdong-credit-regulation"
ENTRIES = ("administrative-penalty", "administrative-licence")
LEFT_OPEN = 2
OVERDUE_SINCE = datetime.timedelta(days=6)


def begin() -> int:
    """Set the peer up and tell it of everything on file, before anything becomes of it; 1 if it was not there yet."""
    if ExchangePeer.objects.filter(code=CODE).exists():
        return 0
    agency = Agency.objects.get(code=AGENCY)
    peer = ExchangePeer.objects.create(
        code=CODE, name="广东省平台（虚构演示）", name_en="Platform of Guangdong (fictitious, demonstration)",
        kind=PeerKind.PROVINCIAL, agency=agency, site=Site.objects.get(code=SITE), client=_client(agency),
        legal_basis=LegalBasis.objects.get(code=BASIS), proposed_by=User.objects.get(username="centre"),
    )  # fmt: skip
    for entry in CatalogueEntry.objects.filter(code__in=ENTRIES):
        PeerEntry.objects.create(peer=peer, entry=entry, direction=Direction.GIVEN)
    approve_peer(user=User.objects.get(username="centre-second"), peer=peer)
    _tell(peer)
    return 1


def follow() -> int:
    """Tell the peer what became of the records and let it confirm all but the last few; returns how many it owes."""
    peer = ExchangePeer.objects.select_related("agency", "legal_basis").get(code=CODE)
    _tell(peer)
    told = PeerReceipt.objects.filter(peer=peer, confirmed_at=None, sent_at__isnull=False)
    numbers = list(told.order_by("number").values_list("number", flat=True))
    upto = PeerState.objects.get(peer=peer).handed_over
    proof = "演示 / demonstration"
    confirm(peer=peer, upto=upto, numbers=numbers[:-LEFT_OPEN], proof=proof, door=Door.COMMAND)
    for late in PeerReceipt.objects.filter(peer=peer, number__in=numbers[-LEFT_OPEN:][:1]):
        late.ended_at, late.due_on = late.ended_at - OVERDUE_SINCE, late.due_on - OVERDUE_SINCE
        late.sent_at = late.ended_at + datetime.timedelta(minutes=3)
        late.save()
    return len(numbers[-LEFT_OPEN:])


def _client(agency: Agency) -> ApiClient:
    """A client whose secret nobody knows: the platform it stands for does not exist."""
    return ApiClient.objects.create(
        name="演示对端 / demonstration peer", agency=agency, scopes=[Scope.EXCHANGE_READ.value],
        client_type=ApiClient.CLIENT_CONFIDENTIAL, authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS,
    )  # fmt: skip


def _tell(peer: ExchangePeer) -> None:
    state, more = PeerState.objects.get(peer=peer), True
    upto = state.handed_over
    while more:
        page = hand_over(peer=peer, after=upto, limit=MOST, door=Door.COMMAND)
        upto, more = page.upto, page.more
    PeerState.objects.filter(peer=peer).update(last_contact_at=timezone.now())
