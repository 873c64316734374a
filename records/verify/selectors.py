"""What anybody who holds the number of a report may know about it."""

import datetime
from dataclasses import dataclass
from enum import StrEnum

import structlog
from django.utils import timezone
from redis.exceptions import RedisError

from creditplatform.core import limits, masking
from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority
from creditplatform.core.rules import recent_rulebook
from records.enums import CreditReportState, OwnPurpose
from records.models import CreditReport
from records.reports.checking import changed_since
from records.reports.content import grouped

TOLD_DAYS = "report.changes_told_days"
CHECKS_A_DAY = "report.checks_a_day"
DAY_SECONDS = 24 * 60 * 60
log = structlog.get_logger(__name__)


class Standing(StrEnum):
    """Whether a genuine report is in force; only of one that is, is it told whether the records have changed since."""

    IN_FORCE = "in_force"
    WITHDRAWN = "withdrawn"
    CONSENT_ENDED = "consent_ended"
    OVERDUE = "overdue"
    OLD = "old"


class Limit(StrEnum):
    """Why a report shows less than everything on file; told without what it leaves out."""

    CONSENT = "consent"
    PERIOD = "period"
    KINDS = "kinds"


@dataclass(frozen=True)
class Answer:
    """Genuine for certain; whether in force, and then whether behind what is on file. The name is masked.

    `changed` is None of a report that is no longer in force: a print of it must be no window on the person's file.
    """

    report: CreditReport
    number: str
    name: str
    standing: Standing
    overdue: bool
    changed: bool | None
    historic: bool
    limits: tuple[Limit, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against relying on it."""
        return self.standing == Standing.IN_FORCE and not self.changed


def checked_too_often(report: CreditReport) -> bool:
    """Count one check of a report; whether it was checked more often today than the rule `report.checks_a_day` lets.

    While the cache does not answer it is not. Raises RuleMissing.
    """
    most: int = recent_rulebook().value(CHECKS_A_DAY, timezone.localdate(), report.site.code)
    try:
        return limits.count(f"report-check:{limits.hidden(report.code)}", DAY_SECONDS) > most
    except RedisError as error:
        log.warning("limits_down", error=error)
        return False


def standing_of(report: CreditReport, at: datetime.datetime) -> Standing:
    """Whether a report is in force at that moment. Raises RuleMissing."""
    day = timezone.localdate(at)
    told: int = recent_rulebook().value(TOLD_DAYS, day, report.site.code)
    if report.state != CreditReportState.ISSUED:
        return Standing.WITHDRAWN
    if report.authorisation and not report.authorisation.lasts_at(at):
        return Standing.CONSENT_ENDED
    if _overdue(report, day):
        return Standing.OVERDUE
    return Standing.OLD if timezone.localdate(report.issued_at) + datetime.timedelta(told) < day else Standing.IN_FORCE


def limits_of(report: CreditReport) -> tuple[Limit, ...]:
    """What narrows a report down: the consent under which a unit got it, a period, chosen kinds of record."""
    narrowed = {
        Limit.CONSENT: report.agency_id or report.authorisation_id,
        Limit.PERIOD: report.period_from or report.period_until,
        Limit.KINDS: report.fields,
    }
    return tuple(limit for limit, why in narrowed.items() if why)


def _overdue(report: CreditReport, day: datetime.date) -> bool:
    return report.valid_until is not None and report.valid_until < day


def answer_about(report: CreditReport) -> Answer:
    """The answer about a report; that it was given is written where the person can read it. Raises RuleMissing."""
    record_disclosure(
        subject_ref=report.subject_id, actor=None, purpose=OwnPurpose.REPORT_CHECK, authority=Authority.CONSENT,
        reference=grouped(report.code), fields=["name"],
    )  # fmt: skip
    now = timezone.now()
    standing = standing_of(report, now)
    return Answer(
        report=report,
        number=grouped(report.code),
        name=masking.mask("name", report.subject.name_sealed or ""),
        standing=standing,
        overdue=_overdue(report, timezone.localdate(now)),
        changed=changed_since(report) if standing == Standing.IN_FORCE else None,
        historic=report.as_of < timezone.localdate(report.issued_at),
        limits=limits_of(report),
    )
