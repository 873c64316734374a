"""A person with records, the authority that signs, and reports, for tests."""

import base64
import datetime
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import Site, User
from records.models import CreditReport, RealNameBinding, Subject
from records.reports import store
from records.reports.authority import make_demonstration_authority
from records.reports.order import Order
from records.services.reports import issue_report

ADDRESS = "https://credit.example.org/"


def has_authority() -> None:
    """The demonstration authority that set-up makes."""
    make_demonstration_authority(Path(settings.REPORT_AUTHORITY))


def person_of(user: User) -> Subject:
    return RealNameBinding.objects.select_related("subject").get(user=user).subject


def issued(user: User, *, subject: Subject | None = None, **words: Any) -> CreditReport:
    """A report of this person of the cast; `words` go into the order."""
    has_authority()
    order = Order(**{"as_of": timezone.localdate(), **words})
    site = Site.objects.get(code="huizhou")
    with audit.context(actor=user, door=Door.WEB, reason="test"):
        return issue_report(user=user, subject=subject or person_of(user), site=site, order=order, address=ADDRESS)


def said(report: CreditReport) -> dict[str, Any]:
    """What a report says."""
    found: dict[str, Any] = json.loads(report.content or "")
    return found


def records_in(report: CreditReport) -> list[dict[str, Any]]:
    """The records a report shows, whatever their section."""
    return [item for section in said(report)["sections"] for item in section["items"]]


def pdf_of(report: CreditReport) -> bytes:
    return store.fetch(report.pdf)


def jws_of(report: CreditReport) -> bytes:
    return store.fetch(report.signed)


def payload(jws: bytes) -> dict[str, Any]:
    """The content of a compact JWS, unchecked."""
    part = jws.split(b".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    return found


def days_ago(days: int) -> datetime.date:
    return timezone.localdate() - datetime.timedelta(days=days)
