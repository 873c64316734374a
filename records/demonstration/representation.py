"""Who acts for whom in the demonstration: a guardian with a child, a representative, and a request that waits."""

import datetime

from django.utils import timezone

from creditplatform.core.demonstration import ATTORNEY, GUARDIAN
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import User
from records.demonstration.citizens import BOUND
from records.demonstration.parties import Party
from records.demonstration.world import World
from records.enums import RepresentationKind, RepresentationPapers, RepresentationScope
from records.identifiers import identifier
from records.models import RealNameBinding, Representation, Subject
from records.services import representations
from records.services.realname import first_seen

FIRST, SECOND = "centre", "centre-second"
DAYS = 180
# One empty page; a real request brings a scan.
PAPERS = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)

ATTORNEY_SCOPE = [RepresentationScope.FILE, RepresentationScope.REPORT, RepresentationScope.CONSENT]


def represent(world: World) -> int:
    """Bind both accounts and let them act; returns how many representations were new."""
    if Representation.objects.exists():
        return 0
    adults = [one for one in world.adults if one.identifier_kind == IdentifierKind.RESIDENT_ID]
    for username, party in zip((GUARDIAN, ATTORNEY), adults, strict=False):
        _bind(username, party)
    child, other = world.minors[0], world.minors[1]
    _confirm(_asked(GUARDIAN, child, RepresentationKind.GUARDIAN))
    _confirm(_asked(ATTORNEY, BOUND, RepresentationKind.ATTORNEY))
    _asked(GUARDIAN, other, RepresentationKind.GUARDIAN)
    return 3


def _confirm(case: Representation) -> None:
    """By two officials, each for themselves."""
    first, second = (User.objects.get(username=name) for name in (FIRST, SECOND))
    representations.confirm(case=representations.check(case=case, user=first), user=second)


def _bind(username: str, party: Party) -> None:
    user, number = User.objects.get(username=username), identifier(party.identifier_kind, party.number)
    if RealNameBinding.objects.filter(user=user).exists():
        return
    subject = Subject.objects.by_number(number.blind_index).first() or first_seen(party.name, number)
    RealNameBinding.objects.create(user=user, subject=subject, adapter="demonstration register")


def _asked(username: str, party: Party, kind: RepresentationKind) -> Representation:
    attorney = kind == RepresentationKind.ATTORNEY
    return representations.ask(
        user=User.objects.get(username=username),
        kind=kind,
        name=party.name,
        document=party.identifier_kind,
        number=party.number,
        scope=ATTORNEY_SCOPE if attorney else [RepresentationScope.FILE],
        papers=PAPERS,
        papers_kind=RepresentationPapers.ATTORNEY if attorney else RepresentationPapers.BIRTH,
        valid_until=timezone.localdate() + datetime.timedelta(days=DAYS) if attorney else None,
    )
