"""The receipt of a consent in the fields of ISO/IEC TS 27560:2023, for the person to keep and for machines to read.

Header, processing, parties and events bear the names of the technical specification; what is ours alone stands under
`extension`. The person is named by a number that is another one for every unit and holds nothing of the person.
"""

import datetime
from typing import Any

from django.utils import timezone

from creditplatform.core.models import Agency, StepEvent
from creditplatform.core.vault import public_token
from records.enums import AuthorisationState
from records.models import Authorisation, CatalogueEntry, EntryField
from records.queries.scope import FieldScope
from records.workflows.authorisation import AUTHORISATION

SCHEMA = "ISO/IEC TS 27560:2023"
PRINCIPAL_KIND, PARTY_KIND, REPRESENTATIVE_KIND = "consent-principal:", "consent-party", "consent-representative:"
PLATFORM_PARTY = "public-credit-platform"
EXPLICIT = "explicit consent"
BY_THE_PERSON, BY_THE_UNIT = frozenset({"grant", "refuse", "revoke"}), frozenset({"use", "recall"})
FOR_THE_PERSON = frozenset(f"{step}_for" for step in BY_THE_PERSON)
GIVING = frozenset({"grant", "grant_for"})
JURISDICTION = "CN"
EVENT_STATES = {
    AuthorisationState.REQUESTED: "requested",
    AuthorisationState.GRANTED: "given",
    AuthorisationState.REFUSED: "refused",
    AuthorisationState.USED: "completed",
    AuthorisationState.EXPIRED: "expired",
    AuthorisationState.REVOKED: "withdrawn",
    AuthorisationState.RECALLED: "cancelled",
}


def receipt(case: Authorisation) -> dict[str, Any]:
    """The whole receipt, ready to be written as JSON; five queries. Dates are ISO 8601 with their offset."""
    steps = list(StepEvent.objects.filter(workflow=AUTHORISATION.name, case_ref=case.pk).order_by("at", "pk"))
    return {
        "schema_version": SCHEMA,
        "record_id": case.number,
        "receipt_id": case.number,
        "pii_principal_id": _principal(case),
        "record_created": _moment(case.requested_at),
        "pii_processing": _processing(case),
        "party_identification": [*_parties(case), *_representatives(case, steps)],
        "events": _events(case, steps),
        "extension": {
            "case_number": case.case_number,
            "uses_allowed": case.uses_allowed,
            "uses_made": case.uses,
            "answer_until": _moment(case.answer_until),
            "valid_from": _moment(case.valid_from),
            "expires_at": _moment(case.expires_at),
            "fields_asked_for": list(case.requested_fields),
        },
    }


def _principal(case: Authorisation) -> str:
    return public_token(f"{PRINCIPAL_KIND}{case.agency_id}", case.subject_id) if case.subject_id else ""


def _processing(case: Authorisation) -> dict[str, Any]:
    purpose, basis = case.purpose, case.purpose.legal_basis
    return {
        "privacy_notice": f"/me/authorisations/{case.number}/",
        "language": ["zh-Hans", "en"],
        "purposes": [
            {
                "purpose": purpose.code,
                "purpose_name": {"zh-Hans": purpose.name, "en": purpose.name_en},
                "purpose_description": {"zh-Hans": purpose.explanation, "en": purpose.explanation_en},
                "purpose_type": purpose.area,
                "lawful_basis": "consent (Personal Information Protection Law, article 13, item 1)",
                "legal_basis": {"code": basis.code, "citation": basis.original_citation} if basis else None,
                "pii_information": pii_information(case),
                "pii_controllers": [_party_id(case.agency)],
                "collection_method": "from the records of the public credit platform, by query of the unit",
                "processing_methods": _methods(case),
                "storage_locations": ["CN"],
                "retention_period": _retention(case),
                "processing_locations": ["CN"],
                "geographic_restrictions": ["CN"],
                "recipient_third_parties": [],
                "withdrawal_method": "at /me/authorisations/ or at the counter of the credit centre, at any time, free",
                "privacy_rights": "Personal Information Protection Law, articles 15, 16 and 44 to 50",
                "jurisdiction": JURISDICTION,
            }
        ],
    }


def _methods(case: Authorisation) -> list[str]:
    """What the unit may do with it; a yes or no only where all that the purpose looks at is allowed, or asked for."""
    purpose, allowed = case.purpose, FieldScope.of(case.granted_fields or case.requested_fields)
    whole = allowed.covers(FieldScope.of(purpose.fields))
    known = {"look at records": purpose.gives_records, "answer yes or no": purpose.gives_eligibility and whole}
    return [method for method, given in known.items() if given]


def pii_information(case: Authorisation) -> list[dict[str, Any]]:
    """Each kind of record that was allowed, or asked for while nothing is, with its fields where single ones are."""
    scope = FieldScope.of(case.granted_fields or case.requested_fields)
    entries = {one.code: one for one in CatalogueEntry.objects.filter(code__in=scope.entries)}
    fields = EntryField.objects.filter(version__entry__code__in=entries).select_related("version__entry")
    names = {(item.version.entry.code, item.code): item for item in fields.order_by("version_id")}
    found = []
    for name in scope.names:
        entry, _dot, code = name.partition(".")
        item = names.get((entry, code))
        found.append({
            "pii_type": entry,
            "pii_type_name": {"zh-Hans": entries[entry].name, "en": entries[entry].name_en} if entry in entries else {},
            "pii_attribute_id": name,
            "pii_attribute_name": {"zh-Hans": item.name, "en": item.name_en} if item else None,
            "pii_optional": True,
            "sensitive_pii_category": bool(item and item.personal),
        })  # fmt: skip
    return found


def _retention(case: Authorisation) -> str:
    """How long the consent opens anything: an ISO 8601 period of days begun, empty while nothing is allowed."""
    if not case.valid_from or not case.expires_at:
        return ""
    return f"P{-((case.valid_from - case.expires_at) // datetime.timedelta(days=1))}D"


def _parties(case: Authorisation) -> list[dict[str, Any]]:
    agency, site = case.agency, case.agency.site
    return [
        {
            "party_id": _party_id(agency), "party_name": {"zh-Hans": agency.name, "en": agency.name_en},
            "party_role": "PII controller", "party_type": agency.kind, "party_identifier": agency.credit_code,
            "party_address": agency.office, "party_phone": agency.phone,
        },
        {
            "party_id": PLATFORM_PARTY, "party_name": {"zh-Hans": site.name, "en": site.name_en},
            "party_role": "provider of the data", "party_type": "platform", "party_phone": site.phone,
        },
    ]  # fmt: skip


def _representatives(case: Authorisation, steps: list[StepEvent]) -> list[dict[str, Any]]:
    """Who answered for the person, by a number that is another one for every unit, as the person's own is."""
    found = sorted({_representative(case, step) for step in steps if step.step in FOR_THE_PERSON})
    return [{"party_id": one, "party_role": "representative of the PII principal"} for one in found]


def _representative(case: Authorisation, step: StepEvent) -> str:
    return public_token(f"{REPRESENTATIVE_KIND}{case.agency_id}", step.actor_id or 0)


def _party_id(agency: Agency) -> str:
    return agency.credit_code or public_token(PARTY_KIND, agency.pk)


def _events(case: Authorisation, steps: list[StepEvent]) -> list[dict[str, Any]]:
    """The history of states, oldest first: asked, answered, each use, end; each with the party that did it."""
    told = [_event(case.requested_at, "request", AuthorisationState.REQUESTED, _party_id(case.agency))]
    for step in steps:
        kind = EXPLICIT if step.step in GIVING else step.step.removesuffix("_for")
        event = _event(step.at, kind, AuthorisationState(step.to_state), _entity(case, step))
        told.append(event | ({"validity_duration": _retention(case)} if step.step in GIVING else {}))
    return told


def _entity(case: Authorisation, step: StepEvent) -> str:
    if step.step in BY_THE_PERSON:
        return _principal(case)
    if step.step in FOR_THE_PERSON:
        return _representative(case, step)
    return _party_id(case.agency) if step.step in BY_THE_UNIT else PLATFORM_PARTY


def _event(at: datetime.datetime, kind: str, state: AuthorisationState, entity: str) -> dict[str, Any]:
    return {"event_time": _moment(at), "event_type": kind, "event_state": EVENT_STATES[state], "entity_id": entity}


def _moment(at: datetime.datetime | None) -> str | None:
    return timezone.localtime(at).isoformat(timespec="seconds") if at else None
