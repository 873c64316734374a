"""Answers to machine clients under a key: one lost on its way is had again, and takes no further use of a consent.

The same client with the same key and the same question gets the same answer for some hours (rule `query.repeat_hours`),
as long as the purpose is open, the consent lasts and the records it names are what they were; each time is a look of
its own in the access log. Refusals are not kept: under the same key it may be asked anew. Must run in an audit context.
"""

import datetime
import hashlib
from typing import Any

import msgspec
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creditplatform.core import audit, vault
from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.models import AccessLog, ApiClient
from creditplatform.core.rules import recent_rulebook
from creditplatform.core.vault import pk_of_token
from records.models import KeptAnswer
from records.models.record import TOKEN_KIND
from records.queries.answered import must_stand
from records.queries.disclosure import NONE_GIVEN, REPEATED, Asker, register_refusal
from records.queries.grants import NotAuthorised, grant_again, permitted_purpose
from records.services import authorisations
from records.services.expiry import moment_of
from records.services.machines import KeyUsed, one_at_a_time

HOURS = "query.repeat_hours"
BOUND_TO = "records.KeptAnswer.request"
MOST = 1000


class AnotherQuestion(KeyUsed):
    """The key stands for another question (HTTP 409)."""

    default_message = _("This Idempotency-Key was used for another question. Ask every new question under a new key.")


def fingerprint(address: str, body: bytes) -> bytes:
    """What tells one question from another: a keyed digest, since a plain one of a number could be tried out."""
    return vault.blind_index(f"{address} {hashlib.sha256(body).hexdigest()}", BOUND_TO)


def find(client: ApiClient, key: str, request: bytes) -> KeptAnswer | None:
    """The answer kept under a key; a call that runs under the same key at this moment is waited for.

    Raises AnotherQuestion.
    """
    one_at_a_time(client, key)
    found = KeptAnswer.objects.filter(client=client, key=key, keep_until__gt=timezone.now()).first()
    if found and bytes(found.request) != request:
        raise AnotherQuestion
    return found


def keep(
    *, client: ApiClient, key: str, request: bytes, status: int, body: dict[str, Any], access: int | None
) -> KeptAnswer:
    """Keep an answer sealed, in place of one whose hours are over. Raises RuleMissing."""
    now = timezone.now()
    hours = recent_rulebook().value(HOURS, timezone.localdate(), client.agency.site.code)
    KeptAnswer.objects.filter(client=client, key=key, keep_until__lte=now).delete()
    return KeptAnswer.objects.create(
        client=client, key=key, request=request, access=access, status=status, kept_at=now,
        keep_until=now + datetime.timedelta(hours=hours), answer=msgspec.json.encode(body).decode(),
    )  # fmt: skip


def repeat(kept: KeptAnswer, client: ApiClient) -> dict[str, Any]:
    """The same answer again, after its line in the access log, which says that it is a repetition.

    Raises PurposeNotOpen; NotAuthorised where the consent has ended since, which is registered as a refusal;
    AnswerOutdated where a record it names has changed since.
    """
    body: dict[str, Any] = msgspec.json.decode(kept.answer or "{}")
    if kept.access is not None:
        _register(AccessLog.objects.get(pk=kept.access), client, body)
    return body


def _register(line: AccessLog, client: ApiClient, body: dict[str, Any]) -> None:
    purpose = permitted_purpose(line.purpose, client.agency)
    try:
        consent = authorisations.by_number(line.reference, client.agency) if purpose.needs_consent else None
        grant_again(purpose, client.agency, consent)
    except NotAuthorised:
        asker = Asker(client.agency, None, Door.API, line.case_number)
        reference = NONE_GIVEN if purpose.needs_consent else line.reference
        authority = Authority(line.authority)
        register_refusal(line.subject_ref, asker, purpose=line.purpose, authority=authority, reference=reference)
        raise
    tokens = [one["record"] for one in body.get("records", [])]
    must_stand([pk for token in tokens if (pk := pk_of_token(TOKEN_KIND, token)) is not None], line.at)
    record_disclosure(
        subject_ref=line.subject_ref,
        actor=None,
        agency=client.agency,
        purpose=line.purpose,
        authority=Authority(line.authority),
        reference=line.reference,
        case_number=line.case_number,
        fields=[*line.fields, REPEATED],
        door=Door.API,
        result=AccessResult(line.result),
    )


def remove_due(*, on: datetime.date, door: Door) -> int:
    """Remove answers whose hours are over by now, or by the beginning of another day; how many."""
    removed, until = 0, moment_of(on)
    while keys := list(KeptAnswer.objects.filter(keep_until__lte=until).values_list("pk", flat=True)[:MOST]):
        with audit.context(actor=None, door=door, reason="kept answers are over"):
            removed += KeptAnswer.objects.filter(pk__in=keys).delete()[0]
    return removed
