"""What anybody who holds the number of a report may know about it."""

import datetime
from dataclasses import dataclass

from django.utils import timezone

from creditplatform.core import masking
from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority
from records.enums import CreditReportState, OwnPurpose
from records.models import CreditReport
from records.reports.checking import changed_since
from records.reports.content import grouped


@dataclass(frozen=True)
class Answer:
    """Genuine for certain; whether withdrawn, past its validity, or behind what is on file. The name is masked."""

    report: CreditReport
    number: str
    name: str
    revoked: bool
    changed: bool
    overdue: bool
    historic: bool

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against relying on it."""
        return not (self.revoked or self.changed or self.overdue)


def answer_about(report: CreditReport) -> Answer:
    """The answer about a report; that it was given is written where the person can read it."""
    record_disclosure(
        subject_ref=report.subject_id, actor=None, purpose=OwnPurpose.REPORT_CHECK, authority=Authority.CONSENT,
        reference=grouped(report.code), fields=["name"],
    )  # fmt: skip
    today: datetime.date = timezone.localdate()
    return Answer(
        report=report,
        number=grouped(report.code),
        name=masking.mask("name", report.subject.name_sealed or ""),
        revoked=report.state == CreditReportState.REVOKED,
        changed=changed_since(report),
        overdue=report.valid_until is not None and report.valid_until < today,
        historic=report.as_of < timezone.localdate(report.issued_at),
    )
