"""Peers for tests, approved by two people, and changes of records as their units make them."""

from typing import Any

from creditplatform.core import audit
from creditplatform.core.enums import Door, Role, Scope
from creditplatform.core.models import Agency, ApiClient, User
from records.enums import Direction, PeerKind
from records.models import CatalogueEntry, CreditRecord, ExchangePeer, LegalBasis, PeerEntry
from records.services.peers import approve_peer
from records.workflows.credit_record import CREDIT_RECORD
from tests.cast import Cast, member
from tests.machines import machine

BASIS = "guangdong-credit-regulation"
PENALTY, DEFAULTER = "administrative-penalty", "judgment-defaulter"


def a_peer(cast: Cast, *entries: str, code: str = "province", persons: bool = False, **values: Any) -> ExchangePeer:
    """A peer that is given these entries. Must run in an audit context."""
    scopes = values.pop("scopes", (Scope.EXCHANGE_READ, Scope.EXCHANGE_WRITE))
    direction, fields = values.pop("direction", Direction.GIVEN), values.pop("fields", [])
    client: ApiClient = machine(*scopes, agency="gd-platform", name=code)
    words = {
        "name": "省级平台（虚构）", "name_en": "Provincial platform (fictitious)", "kind": PeerKind.PROVINCIAL,
        "agency": Agency.objects.get(code="gd-platform"), "client": client,
        "legal_basis": LegalBasis.objects.get(code=BASIS), "proposed_by": cast.centre,
    }  # fmt: skip
    peer = ExchangePeer.objects.create(code=code, **{**words, **values})
    for entry in entries:
        PeerEntry.objects.create(
            peer=peer, entry=CatalogueEntry.objects.get(code=entry), direction=direction, persons=persons, fields=fields
        )
    return approve_peer(user=second_person(), peer=peer)


def second_person() -> User:
    """Another member of the centre."""
    known = User.objects.filter(username="second-centre").first()
    return known or member("second-centre", Agency.objects.get(code="hz-drc"), Role.CENTRE)


def revoke(cast: Cast, record: CreditRecord) -> None:
    """The unit that decided withdraws a record."""
    with audit.context(actor=cast.officer, door=Door.ADMIN, reason="test"):
        CREDIT_RECORD.take("revoke", record, user=cast.officer, reason="test")
