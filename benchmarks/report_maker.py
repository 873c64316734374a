"""Makes reports in a process of its own: `python -m benchmarks.report_maker START COUNT`; prints what it measured."""

import datetime
import json
import sys
import time
from typing import Any

import django

WARM = 3  # the first reports of a process read the font; they are made, and not counted
RECORDS = 15


def prepare(persons: int) -> None:
    """Persons with accounts and records of several kinds, and somebody who looked at them."""
    from django.utils import timezone

    from benchmarks.contest import context, make_feed
    from records.enums import SubjectKind
    from records.models import EntryVersion

    make_feed()
    versions = EntryVersion.objects.collecting(on=timezone.localdate()).filter(subject_kinds=[SubjectKind.PERSON])
    kinds = list(versions.exclude(polarity="negative").select_related("entry").order_by("pk")[:RECORDS])
    with context():
        for number in range(persons):
            person = _person(number)
            _records(person, number, [kinds[at % len(kinds)] for at in range(RECORDS)])
            _looks(person)


def _person(number: int) -> Any:
    from creditplatform.core.identity import IdentifierKind, make_resident_id
    from creditplatform.core.models import User
    from records.enums import SubjectKind
    from records.identifiers import identifier, name_index
    from records.models import RealNameBinding, Subject

    name, born = f"示例{number}", datetime.date(1980, 1, 1) + datetime.timedelta(days=number)
    found = identifier(IdentifierKind.RESIDENT_ID, make_resident_id("441300", born, number % 999))
    subject = Subject.objects.create(
        kind=SubjectKind.PERSON, identifier_kind=found.kind, number_index=found.blind_index,
        name_index=name_index(name), number_sealed=found.number, name_sealed=name,
    )  # fmt: skip
    user = User.objects.create(username=f"person-{number}")
    RealNameBinding.objects.create(user=user, subject=subject, adapter="benchmark")
    return subject


def _records(person: Any, number: int, versions: list[Any]) -> None:
    from django.utils import timezone

    from creditplatform.core.models import Agency
    from records.models import CreditRecord

    agency, today = Agency.objects.get(code="benchmark"), timezone.localdate()
    CreditRecord.objects.bulk_create(
        CreditRecord(
            subject=person, subject_kind=person.kind, entry=version.entry, version=version, agency=agency,
            site_id=agency.site_id, polarity=version.polarity, document_number=f"示例〔2026〕{number}-{at}号",
            decided_on=today - datetime.timedelta(days=30 + at), tier="none", digest=bytes(16),
            payload={field.code: "示例内容" for field in version.fields.all()},
        )
        for at, version in enumerate(versions)
    )  # fmt: skip


def _looks(person: Any) -> None:
    from creditplatform.core.audit.access import record_disclosures
    from creditplatform.core.enums import AccessResult, Authority, Door
    from creditplatform.core.models import AccessLog, Agency

    line = {
        "subject_ref": person.pk, "agency": Agency.objects.get(code="benchmark"), "door": Door.DESK,
        "purpose": "upkeep of own records", "authority": Authority.DUTY, "fields": ["name"],
        "result": AccessResult.SHOWN,
    }  # fmt: skip
    record_disclosures([AccessLog(**line) for _look in range(5)])


def make(start: int, count: int) -> dict[str, Any]:
    """Full reports of persons from `start` on, as a page orders them, each in its transaction; milliseconds of each."""
    from django.utils import timezone

    from benchmarks.contest import context
    from benchmarks.delivery import peak_mb
    from creditplatform.core.models import Site, User
    from records.reports import store
    from records.reports.order import Order
    from records.services.reports import issue_report

    site, measured, size = Site.objects.get(code="huizhou"), [], 0
    users = User.objects.filter(username__startswith="person-").select_related("real_name__subject").order_by("pk")
    for user in users[start : start + count]:
        began = time.perf_counter()
        with context():
            report = issue_report(
                user=user, subject=user.real_name.subject, site=site, order=Order(as_of=timezone.localdate()),
                address="https://credit.example.org/",
            )  # fmt: skip
        measured.append(round((time.perf_counter() - began) * 1000, 2))
        size = len(store.fetch(report.pdf))
    return {"milliseconds": measured[WARM:], "bytes": size, "peak_mb": peak_mb()}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(make(int(sys.argv[1]), int(sys.argv[2]))))
