"""Reports and whoever acts for a person: nobody loses one to a representative, and withdrawing one is told."""

from pathlib import Path
from typing import Any

import pytest

from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import Notice
from records.enums import CreditReportState
from records.services.reports import revoke_report
from tests.accounts.representation_world import attorney, confirmed
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
