"""What ends once the right of an heir is confirmed: whatever the dead person can no longer want.

Requests that wait for an answer end by their own day. Must run in the transaction of the confirmation.
"""

from django.db.models import Q
from django.utils import timezone

from records.enums import AuthorisationState, RepresentationKind, RepresentationState
from records.models import Authorisation, Representation, ShareLink, Subject
from records.services.representation_notices import tell_both
from records.workflows.authorisation import AUTHORISATION
from records.workflows.representation import REPRESENTATION, STANDS

DIED = "the person has died"


def close(person: Subject) -> None:
    """Withdraw consents and open links of a person, and end who acted for them and for whom they acted."""
    given = Authorisation.objects.filter(
        subject=person, state__in=[AuthorisationState.GRANTED, AuthorisationState.USED]
    )
    for consent in given.order_by("pk"):
        AUTHORISATION.take("lapse", consent, user=None, reason=DIED)
    now = timezone.now()
    links = ShareLink.objects.filter(subject=person, opened_at=None, revoked_at=None, expires_at__gt=now)
    links.update(revoked_at=now)
    _end_representations(person)


def _end_representations(person: Subject) -> None:
    """Guardianships and powers of attorney on either side, and what the person wanted to be; heirs of theirs stay."""
    acted_for = Q(person=person) & ~Q(kind=RepresentationKind.HEIR)
    lasting = Representation.objects.exclude(state__in=[RepresentationState.REFUSED, RepresentationState.ENDED])
    for case in lasting.filter(acted_for | Q(representative=person)).order_by("pk"):
        stood = case.state in STANDS
        ended = REPRESENTATION.take("lapse", case, user=None, reason=DIED)
        if stood:
            tell_both(ended, "end")
