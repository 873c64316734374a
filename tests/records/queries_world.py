"""People, consents and questions for the tests of authorised queries."""

import datetime
from typing import Any

from django.utils import timezone

from creditplatform.core.enums import Door
from creditplatform.core.identity import IdentifierKind, make_resident_id
from creditplatform.core.models import Agency, User
from records.enums import QueryKind
from records.identifiers import identifier
from records.models import Authorisation, BatchCheck, CreditRecord, Purpose
from records.queries.asking import Question
from records.queries.disclosure import Asker
from records.services import authorisations
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER
from tests.deliveries import ingest, person_penalty

NAME, STRANGER_NAME = "林示例", "马示例"
ON_FILE = identifier(IdentifierKind.RESIDENT_ID, PERSON_NUMBER)
STRANGER = identifier(IdentifierKind.RESIDENT_ID, STRANGER_NUMBER)
UNKNOWN = identifier(IdentifierKind.RESIDENT_ID, make_resident_id("441300", datetime.date(1988, 1, 1), 1))
CASE = "惠市监核〔2026〕1号"


def fined(
    number: int = 1, *, days: int = 30, name: str = NAME, document: str = PERSON_NUMBER, **cells: str
) -> CreditRecord:
    """A fine of the general tier against a person, so many days old."""
    day = (timezone.localdate() - datetime.timedelta(days=days)).isoformat()
    batch = ingest(person_penalty(number, name, document, **{"CF_JDRQ": day, **cells}))
    assert batch.accepted == 1, batch.problems
    return CreditRecord.objects.select_related("entry", "version").get(batch_id=batch.pk)


def purpose(code: str = "green-channel", **changes: Any) -> Purpose:
    """A delivered purpose, changed for the test where it says so."""
    if changes:
        Purpose.objects.filter(code=code).update(**changes)
    return Purpose.objects.select_related("legal_basis").get(code=code)


def market() -> Agency:
    """The unit that asks."""
    return Agency.objects.select_related("site").get(code="hz-market")


def question(wanted: Purpose, *, user: User | None = None, **changes: Any) -> Question:
    """The market unit asks about the person of the cast."""
    words = {"purpose": wanted, "person": ON_FILE, "name": NAME, "asker": Asker(market(), user, Door.DESK, CASE)}
    return Question(**{**words, **changes})


def asked(wanted: Purpose, user: User, **changes: Any) -> Authorisation:
    """A request to the person of the cast."""
    words = {"agency": market(), "purpose": wanted, "person": ON_FILE, "name": NAME, "fields": (), "user": user}
    return authorisations.request_authorisation(**{**words, **changes})


def consent(wanted: Purpose, user: User, person: User, *, uses: int = 1, **changes: Any) -> Authorisation:
    """A consent of the person of the cast, of everything that was asked unless fields are named."""
    fields = changes.pop("granted", None)
    request = asked(wanted, user, **changes)
    end = timezone.now() + datetime.timedelta(days=7)
    return authorisations.grant(
        authorisation=request, user=person, fields=fields or request.requested_fields, expires_at=end, uses_allowed=uses
    )


def batch_check(wanted: Purpose, user: User, rows: int, **changes: Any) -> BatchCheck:
    """A batch ready to be worked off."""
    words = {
        "agency": market(), "asked_by": user, "purpose": wanted, "kind": QueryKind.ELIGIBILITY, "case_number": CASE,
        "state": "checking", "rows": rows, **changes,
    }  # fmt: skip
    return BatchCheck.objects.create(**words)
