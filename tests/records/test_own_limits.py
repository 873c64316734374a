"""One account fills neither disk nor queue: so many requests being checked, so many asked and reports made a day."""

import datetime
import itertools
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.identity import make_resident_id
from creditplatform.core.models import RuleValue
from records.models import CreditReport, Representation
from records.services import representations
from records.services.own_limits import TooManyChecked, TooManyToday
from tests.accounts.test_representation import asked
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.report_world import issued
from tests.records.test_consent import outcomes, people  # noqa: F401
from tests.records.test_consent_pages import browser

pytestmark = pytest.mark.django_db
MOST_CHECKED, MOST_ASKED = 3, 10
numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def papers(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def child(cast: Cast, **changes: Any) -> Representation:
    """A request for one child more."""
    number = make_resident_id("441300", datetime.date(2018, 1, 1), next(numbers))
    return asked(cast, number=number, **changes)


def kept(place: Path) -> int:
    return sum(one.is_file() for one in place.rglob("*"))


def test_so_many_are_checked_at_a_time_and_what_is_refused_keeps_no_file(cast: Cast, papers: Path) -> None:
    first, *_rest = [child(cast) for _turn in range(MOST_CHECKED)]
    first = representations.check(case=first, user=cast.centre)  # waits for the second official, and counts still
    files = kept(papers)
    with pytest.raises(TooManyChecked):
        child(cast)
    assert (Representation.objects.count(), kept(papers)) == (MOST_CHECKED, files) and files
    assert child(cast, user=cast.stranger).pk, "another account has its own"
    representations.end(case=first, user=cast.person)
    assert child(cast).pk


def test_so_many_are_asked_on_one_day_whatever_becomes_of_them(cast: Cast) -> None:
    for _turn in range(MOST_ASKED):
        representations.end(case=child(cast), user=cast.person)
    with pytest.raises(TooManyToday):
        child(cast)
    with time_machine.travel(timezone.now() + datetime.timedelta(days=1), tick=False):
        assert child(cast).pk


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_are_counted_one_after_the_other(people: Cast) -> None:  # noqa: F811
    found = outcomes(lambda: child(people), 6)
    assert found == ["done"] * MOST_CHECKED + [TooManyChecked.default_code] * 3


def test_so_many_reports_a_day_and_the_page_says_so(cast: Cast) -> None:
    RuleValue.objects.filter(key="report.own_a_day.most").update(value=2)
    for _turn in range(2):
        report = issued(cast.person)
    with pytest.raises(TooManyToday):
        issued(cast.person)
    with audit.context(actor=cast.person, door=Door.WEB, reason="test"):
        page = browser(cast.person).post(
            reverse("me:report-order"), {"kind": "full", "language": "en", "site": report.site.code}
        )
    assert page.status_code == 200 and "You have asked 2 times today" in page.content.decode()
    assert CreditReport.objects.count() == 2
    assert issued(cast.stranger).pk
    with time_machine.travel(timezone.now() + datetime.timedelta(days=1), tick=False):
        assert issued(cast.person).pk
