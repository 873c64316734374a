"""What the interface says: answers, records, refusals; never more than the grant opens."""

import base64
from typing import Any

import msgspec
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from rest_framework.response import Response

from creditplatform.core import vault
from creditplatform.core.errors import CreditError, Invalid, VaultError
from creditplatform.core.unstored import unstored
from records import sentences
from records.enums import Reason
from records.models import CreditRecord, EntryField, HumanReview, Query
from records.queries.asking import Answered
from records.queries.disclosure import Shown
from records.queries.eligibility import Criteria
from records.services.machine_queries import Given

SEALED_AS = "records.api.answer"
MOST_RECORDS = 100


def private(body: dict[str, Any], status: int = 200) -> Response:
    """An answer about a person, which nothing on its way may keep."""
    return unstored(Response(body, status=status))


def refused(error: CreditError) -> Response:
    """A refusal that is answered and not raised, so that its line in the access log stays."""
    problems = error.problems if isinstance(error, Invalid) else []
    listed = [{"field": one.field, "code": one.code, "message": str(one.message)} for one in problems]
    return private({"code": error.code, "message": error.message, "problems": listed}, error.http_status)


def ticket_of(found: Answered) -> str:
    """An answer, sealed, for the client to bring back when a person is to look at it; it cannot be made or changed."""
    answer = found.answer
    given = Given(found.access, answer.outcome, answer.reasons, answer.records[:MOST_RECORDS], found.person)
    return base64.urlsafe_b64encode(vault.seal(msgspec.json.encode(given), SEALED_AS)).decode()


def given_of(ticket: str) -> Given | None:
    """The answer behind a ticket; nothing for one that is none of ours."""
    try:
        return msgspec.json.decode(vault.unseal(base64.urlsafe_b64decode(ticket), SEALED_AS), type=Given)
    except (ValueError, VaultError):
        return None


def eligibility(outcome: str, reasons: Any, criteria: Criteria, rests_on: list[CreditRecord]) -> dict[str, Any]:
    """Yes, no or a person decides, with the rule it was given by and the records it rests on; no score."""
    return {
        "outcome": outcome,
        "reasons": [{"code": str(reason), "message": str(Reason(reason).label)} for reason in reasons],
        "rule": {
            "decided_after": criteria.since.isoformat(),
            "decided_until": criteria.day.isoformat(),
            "years": criteria.years,
            "tiers": list(criteria.tiers),
            "legal_basis": criteria.legal_basis,
        },
        "records": [_named(record) for record in rests_on],
        "review": _("A person of your unit looks at this answer again where you or the person concerned ask for it."),
    }


def _named(record: CreditRecord) -> dict[str, Any]:
    return {
        "record": record.token,
        "entry": record.entry.code,
        "title": record.entry.label,
        "unit": record.agency.label,
        "decided_on": record.decided_on.isoformat(),
        "disputed": record.disputed,
        "statement": record.statement or "",
    }


def records(found: list[Shown]) -> list[dict[str, Any]]:
    """Records with the fields that are open, and what the person says about each."""
    return [
        {
            "record": one.record.token,
            "entry": one.record.entry.code,
            "title": one.record.entry.label,
            "disputed": one.record.disputed,
            "statement": one.statement,
            "fields": [_open_field(field, text) for field, text in one.fields],
        }
        for one in found
    ]


def _open_field(field: EntryField, text: str) -> dict[str, str]:
    """A field with its text as it is kept; of an amount with the unit it is counted in, which the name leaves out."""
    name, unit = sentences.shown_label(field), sentences.kept_unit(field)
    return {"code": field.code, "name": name, "value": text, "unit": unit}


def query(found: Query, address: str) -> dict[str, Any]:
    """Where a query stands that a second person has to approve."""
    return {
        "query": found.token,
        "state": found.state,
        "refusal": found.refusal,
        "asked_at": localtime(found.asked_at).isoformat(),
        "address": address,
    }


def review(found: HumanReview) -> dict[str, Any]:
    """Where an answer stands that was put before a person."""
    return {
        "review": found.token,
        "state": found.state,
        "due_on": found.due_on.isoformat() if found.due_on else None,
        "automatic_answer": found.outcome,
        "decision": found.decision,
        "grounds": found.grounds or "",
    }
