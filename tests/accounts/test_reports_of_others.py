"""Reports and whoever acts for a person: nobody loses one to a representative, and withdrawing one is told."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import Notice
from records.enums import CreditReportState
from records.services import representations
from records.services.reports import download, own_reports, revoke_report
from tests.accounts.representation_world import attorney, confirmed, opened
from tests.cast import Cast
from tests.records.report_world import issued, person_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_a_representative_withdraws_only_reports_made_for_them_and_the_person_is_told(cast: Cast) -> None:
    confirmed(cast, attorney(cast, scope=["file", "report"]))
    theirs = issued(cast.stranger)
    with pytest.raises(NotPermitted):
        revoke_report(report=theirs, user=cast.person)
    made = issued(cast.person, subject=person_of(cast.stranger))
    assert revoke_report(report=made, user=cast.person).state == CreditReportState.REVOKED
    letter = Notice.objects.get(code="credit_report_revoked")
    assert bytes(letter.addressee) == bytes(theirs.subject.number_index)
    assert revoke_report(report=theirs, user=cast.stranger).state == CreditReportState.REVOKED
    assert Notice.objects.filter(code="credit_report_revoked").count() == 1


def test_a_representative_reads_only_what_was_made_for_them(cast: Cast) -> None:
    """Neither what the person had made, nor what was made under a power of attorney that has ended."""
    first = confirmed(cast, attorney(cast, scope=["file", "report"]))
    subject = person_of(cast.stranger)
    theirs, made = issued(cast.stranger), issued(cast.person, subject=subject)
    assert (theirs.representation, made.representation) == (None, first)
    acting = opened(cast, first)
    listed = acting.get(reverse("me:reports")).content.decode()
    assert made.code in listed.replace(" ", "") and theirs.code not in listed
    assert acting.get(reverse("me:report", args=[theirs.code])).status_code == 404
    assert acting.get(reverse("me:report-pdf", args=[made.code])).status_code == 200
    with pytest.raises(NotPermitted):
        download(report=theirs, user=cast.person)
    representations.end(case=first, user=cast.stranger)
    second = confirmed(cast, attorney(cast, scope=["file", "report"]))
    later = opened(cast, second)
    assert later.get(reverse("me:report", args=[made.code])).status_code == 404
    assert later.get(reverse("me:report-pdf", args=[made.code])).status_code == 404
    with pytest.raises(NotPermitted):
        revoke_report(report=made, user=cast.person)
    assert list(own_reports(cast.person, subject)) == []
    assert set(own_reports(cast.stranger, subject)) == {theirs, made}, "the person has all of them"
    assert download(report=made, user=cast.stranger)
