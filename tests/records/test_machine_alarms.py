"""A unit's systems are watched by their volume, unit by unit; they work at night as by day."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from creditplatform.core.enums import Authority, Door
from creditplatform.core.models import AccessLog, Agency, RuleValue
from records.enums import OwnPurpose
from records.models import AccessReview
from tests.cast import Cast
from tests.records.queries_world import CASE, batch_check, purpose
from tests.records.test_access_reviews import DAY, TODAY, at, drawn, reviews

pytestmark = pytest.mark.django_db
BANK, TAX = "hz-bank", "hz-tax"


def lines(number: int, agency: str, day: datetime.date = DAY, **changes: Any) -> None:
    """Calls of a unit's systems over a whole day, evenly, each about somebody else and for a case of its own."""
    start, step = at(0, day=day), datetime.timedelta(days=1) / (number + 1)
    words = {
        "agency": Agency.objects.get(code=agency), "actor": None, "door": Door.API, "purpose": "loan",
        "authority": Authority.CONSENT, "reference": "r", "result": "shown", "fields": ["eligibility"], **changes,
    }  # fmt: skip
    AccessLog.objects.bulk_create(
        AccessLog(
            **{"case_number": f"{CASE}-{day:%d}-{place}", "subject_ref": 900 + place, **words}, at=start + place * step
        )
        for place in range(number)
    )


def usual(number: int, agency: str, **changes: Any) -> None:
    for back in range(1, 6):
        lines(number, agency, DAY - datetime.timedelta(days=back), **changes)


def alarms() -> list[tuple[str, int]]:
    return [(review.agency.code, review.number) for review in reviews("volume") if review.agency]


def test_a_day_of_several_units_raises_one_review_for_the_unit_whose_systems_ask_unusually_much(cast: Cast) -> None:
    usual(60, BANK)
    usual(150, TAX)
    lines(400, BANK)
    lines(300, TAX, authority=Authority.STATUTE)
    lines(90, "hz-market")
    lines(40, "hz-market", actor=cast.clerk, door=Door.DESK)
    assert drawn()["volume"] == 1 and alarms() == [(BANK, 400)]
    (review,) = AccessReview.objects.filter(cause="volume")
    assert review.actor is None
    last = AccessLog.objects.filter(agency__code=BANK, at__date=DAY).latest("at")
    assert (review.access_id, timezone.localdate(review.access_at)) == (last.pk, DAY)
    assert drawn() == {}, "the same day gone through again opens none"


def test_a_machine_works_at_night_and_on_days_off(cast: Cast) -> None:
    lines(50, BANK)
    assert set(drawn()) == {"sample"}


def test_more_than_the_ceiling_is_always_looked_at(cast: Cast) -> None:
    RuleValue.objects.filter(key="review.machine_volume.ceiling").update(value=500)
    usual(480, TAX)
    lines(501, TAX)
    assert drawn()["volume"] == 1 and alarms() == [(TAX, 501)]


@pytest.mark.parametrize(("before", "unusual"), [(40, True), (60, False)])
def test_measured_by_the_own_usual_day(cast: Cast, before: int, unusual: bool) -> None:
    usual(before, BANK)
    lines(150, BANK)
    assert ("volume" in drawn()) is unusual


def test_few_calls_and_a_new_system_raise_none(cast: Cast) -> None:
    usual(5, TAX)
    lines(100, TAX)
    lines(900, BANK)
    assert "volume" not in drawn(), "at the floor; and no usual day to measure by"


@pytest.mark.parametrize("asked_by", [None, "clerk"])
def test_a_list_is_one_act_today_and_does_not_count_as_usual_before(cast: Cast, asked_by: str | None) -> None:
    """The list of a machine neither hides today's calls nor raises what counts as usual by more than one."""
    listed = {"case_number": CASE, "purpose": "green-channel"}
    for back in range(6):
        day = DAY - datetime.timedelta(days=back)
        batch_check(
            purpose("green-channel"), getattr(cast, asked_by) if asked_by else None, 300, state="done",
            asked_at=at(0, day=day), decided_at=at(0, day=day), done_at=at(23, day=day, minute=59), keep_until=TODAY,
        )  # fmt: skip
        lines(300, "hz-market", day, **listed)
    if asked_by:
        assert "volume" not in drawn(), "as much as on every day, but calls and not the list of a clerk"
        return
    assert "volume" not in drawn()
    usual(40, "hz-market")
    lines(150, "hz-market")
    assert drawn()["volume"] == 1 and alarms() == [("hz-market", 151)]


def test_what_staff_and_exchange_and_duty_look_at_is_no_call_of_a_machine(cast: Cast) -> None:
    for other in ({"door": Door.TIMER}, {"authority": Authority.DUTY}, {"purpose": OwnPurpose.EXCHANGE}):
        usual(10, BANK, **other)
        lines(150, BANK, **other)
    assert "volume" not in drawn()
