"""Credit reports for units: made under a consent, one use for each, and handed out while the consent lasts.

All of it must run in an audit context. Every refusal for want of a consent reads alike.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.errors import Invalid, NotFoundHere
from creditplatform.core.masking import holds_number
from creditplatform.core.models import Agency, ApiClient, User
from creditplatform.core.vault import pk_of_token
from records.enums import CreditReportState
from records.models import Authorisation, CreditReport, KeptAnswer, Purpose
from records.models.authorisation import AUTHORISATION_KIND
from records.queries.disclosure import NOBODY, NONE_GIVEN, Asker, register_refusal
from records.queries.grants import NotAuthorised, PurposeNotOpen, grant_by_consent
from records.queries.uses import use
from records.reports import store
from records.reports.order import Order
from records.services import authorisations, kept_answers
from records.services.queries import case_problems
from records.services.reports import NOTHING, Issued, Requester, issue

LONGEST_CASE = 60


@dataclass(frozen=True)
class Asking:
    """Which consent a unit brings, for which case, and through which door; `user` is None for its system."""

    agency: Agency
    number: str
    case_number: str
    user: User | None
    door: Door
    language: str = "zh-hans"

    @property
    def asker(self) -> Asker:
        """Who asks; what is the number of a person goes into no log."""
        case = self.case_number.strip()
        return Asker(self.agency, self.user, self.door, "" if holds_number(case) else case[:LONGEST_CASE])


def covers_report(authorisation: Authorisation) -> bool:
    """Whether a unit gets a report with its consent now: in force, uses left, for a purpose that shows it records.

    A purpose for which a second person approves each look has its own way, see `records.services.queries`.
    """
    purpose = authorisation.purpose
    if not (purpose.gives_records and not purpose.needs_approval and authorisation.usable_at(timezone.now())):
        return False
    return Purpose.objects.open_to(authorisation.agency_id).filter(pk=purpose.pk).exists()


def issue_to_unit(asking: Asking, *, address: str = "") -> CreditReport:
    """Issue a report to a unit the person has authorised, see `issue_noted`."""
    return issue_noted(asking, address=address).report


def issue_noted(asking: Asking, *, address: str = "") -> Issued:
    """Issue a report to a unit the person has authorised, with its line in the access log; one use is taken.

    It holds what purpose, consent and openness have in common, of today. Raises Invalid for a case number that is none;
    NotAuthorised for every consent that does not cover it, see `note_refused`; NoReportOfMinors, NoReportAuthority.
    """
    if problems := case_problems(asking.case_number):
        raise Invalid(problems)
    consent = authorisations.by_number(asking.number, asking.agency)
    if consent.subject is None or not covers_report(consent):
        raise NotAuthorised
    grant = grant_by_consent(consent.purpose, asking.agency, consent)
    order = Order(as_of=timezone.localdate(), language=asking.language, grant=grant)
    asker = asking.asker
    requester = Requester(
        asking.user, Authority.CONSENT, consent.number, asking.agency, consent,
        case_number=asker.case_number, door=asking.door,
    )  # fmt: skip
    with transaction.atomic():
        use(consent)
        return issue(
            subject=consent.subject, site=asking.agency.site, order=order, requester=requester, address=address
        )


def note_refused(asking: Asking) -> int:
    """Register that no report was given; the person who was asked for the consent reads it, whoever brought its number.

    Call it wherever a refusal is answered. Gives the number of the line.
    """
    pk = pk_of_token(AUTHORISATION_KIND, asking.number)
    found = Authorisation.objects.filter(pk=pk).first() if pk is not None else None
    return register_refusal(
        (found and found.subject_id) or NOBODY,
        asking.asker,
        purpose=found.purpose_id if found else NONE_GIVEN,
        authority=Authority.CONSENT,
        reference=NONE_GIVEN,
    )


def told_again(kept: KeptAnswer, client: ApiClient) -> dict[str, Any]:
    """What a system was told of a report before, as long as its files are handed out; registered, no use is taken.

    Raises NotAuthorised, see `note_refused`, where consent or report was withdrawn or the purpose is open no more.
    """
    said = msgspec.json.decode(kept.answer or "", type=_Told)
    if not opens(report_of(said.report, [client.agency_id])):
        raise NotAuthorised
    try:
        return kept_answers.repeat(kept, client)
    except PurposeNotOpen:
        raise NotAuthorised from None


def report_of(code: str, agencies: Collection[int]) -> CreditReport:
    """The report of that number which one of these units got. Raises NotFoundHere for every other."""
    report = CreditReport.objects.with_code(code)
    if report is None or report.agency_id not in agencies:
        raise NotFoundHere
    return report


def opens(report: CreditReport) -> bool:
    """Whether its files are handed out now: neither the report nor the consent withdrawn, and its end not come."""
    consent = report.authorisation
    return report.state == CreditReportState.ISSUED and bool(consent and consent.lasts_at(timezone.now()))


def download(report: CreditReport, *, user: User | None, door: Door, signed: bool = False) -> bytes:
    """The PDF, or the signed JSON, of a report; written to the access log first.

    Raises NotAuthorised, registered, where it is not handed out any more; NotFoundHere where the file is gone.
    """
    consent, held = report.authorisation, opens(report)
    if consent is None or report.agency is None:
        raise NotFoundHere
    asker = Asker(report.agency, user, door, _case_of(report))
    if not held:
        register_refusal(
            report.subject_id, asker, purpose=consent.purpose_id, authority=Authority.CONSENT, reference=NONE_GIVEN
        )
        raise NotAuthorised
    record_disclosure(
        subject_ref=report.subject_id, actor=user, agency=report.agency, purpose=consent.purpose_id,
        authority=Authority.CONSENT, reference=consent.number, fields=[NOTHING], case_number=asker.case_number,
        door=door,
    )  # fmt: skip
    return store.fetch(report.signed if signed else report.pdf)


class _Told(msgspec.Struct):
    report: str


class _IssuedFor(msgspec.Struct):
    case: str


class _Said(msgspec.Struct):
    issued_for: _IssuedFor


def _case_of(report: CreditReport) -> str:
    """The case for which it was made, as it stands in the report."""
    return msgspec.json.decode(report.content or "", type=_Said).issued_for.case
