"""A living person is safe from whoever says to act for them: ends it, is told, and loses no report to it."""

import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.models import Notice, RuleValue
from records.enums import CreditReportState
from records.models import Representation
from records.services import representations as service
from records.services.reports import revoke_report
from tests.accounts.test_representation import asked, attorney, browser
from tests.cast import STRANGER_NUMBER, Cast
from tests.records.report_world import issued, person_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def as_heir(cast: Cast) -> Representation:
    return asked(cast, kind="heir", papers_kind="kinship", name="马示例", number=STRANGER_NUMBER)


def test_whoever_signs_in_ends_what_a_relative_was_let_do(cast: Cast) -> None:
    case = service.confirm(case=as_heir(cast), user=cast.centre)
    own = browser(cast.stranger)
    assert reverse("me:represent-end", args=[case.token]) in own.get(reverse("me:represent")).content.decode()
    own.post(reverse("me:represent-end", args=[case.token]))
    case.refresh_from_db()
    assert case.state == "ended" and not Representation.objects.holding().exists()
    assert Notice.objects.filter(code="representation_end").count() == 2


def test_an_adult_ends_a_guardianship_that_was_confirmed_wrongly(cast: Cast) -> None:
    case = service.confirm(case=attorney(cast), user=cast.centre)
    Representation.objects.filter(pk=case.pk).update(kind="guardian")
    case.refresh_from_db()
    assert service.end(case=case, user=cast.stranger).state == "ended"


def test_nobody_is_taken_for_dead_whose_account_was_used_lately(cast: Cast) -> None:
    case = as_heir(cast)
    days = RuleValue.objects.get(key="representation.heir.quiet_days").value
    browser(cast.stranger).get(reverse("me:records"))
    with pytest.raises(Invalid) as caught:
        service.confirm(case=case, user=cast.centre)
    assert [problem.code for problem in caught.value.problems] == ["account_in_use"]
    with time_machine.travel(timezone.now() + datetime.timedelta(days=days + 1), tick=False):
        assert service.confirm(case=case, user=cast.centre).state == "confirmed"


def test_a_representative_withdraws_only_reports_made_for_them_and_the_person_is_told(cast: Cast) -> None:
    service.confirm(case=attorney(cast, scope=["file", "report"]), user=cast.centre)
    theirs = issued(cast.stranger)
    with pytest.raises(NotPermitted):
        revoke_report(report=theirs, user=cast.person)
    made = issued(cast.person, subject=person_of(cast.stranger))
    assert revoke_report(report=made, user=cast.person).state == CreditReportState.REVOKED
    letter = Notice.objects.get(code="credit_report_revoked")
    assert bytes(letter.addressee) == bytes(theirs.subject.number_index)
    assert revoke_report(report=theirs, user=cast.stranger).state == CreditReportState.REVOKED
    assert Notice.objects.filter(code="credit_report_revoked").count() == 1
