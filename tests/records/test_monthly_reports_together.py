"""A monthly report on which several people work, and acts that change while it is being written."""

import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from creditplatform.core.errors import Conflict, Invalid
from creditplatform.core.models import StepEvent
from records.figures.declared import acts_of, held, view_of
from records.models import MonthlyReport
from records.services.monthly_report import Declared, save_report, take_step
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.figures_world import OCTOBER, market
from tests.records.versions import Centre, days

PAGE = "/desk/figures/reports/hz-market/2026-10/"


@pytest.fixture(autouse=True)
def _november() -> Iterator[None]:
    with time_machine.travel(datetime.datetime(2026, 11, 5, 4, tzinfo=datetime.UTC), tick=False):
        yield


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def mark_on(client: Client) -> str:
    found = re.search(r'name="seen" value="(\w+)"', client.get(PAGE).content.decode())
    assert found
    return found[1]


def produced() -> dict[str, int | None]:
    return dict(MonthlyReport.objects.get().lines.values_list("act", "produced"))


def save(cast: Cast, seen: str | None = None, **numbers: int) -> MonthlyReport:
    lines = {act: Declared(number, 0) for act, number in numbers.items()}
    return save_report(user=cast.clerk, agency=market(), month=OCTOBER, lines=lines, seen=seen)


def test_a_second_save_does_not_write_blanks_over_the_first(cast: Cast) -> None:
    clerk, officer = browser(cast.clerk), browser(cast.officer)
    first, second = mark_on(clerk), mark_on(officer)
    assert clerk.post(PAGE, {"step": "save", "seen": first, "penalty-produced": "5"}).status_code == 302
    late = {"step": "save", "seen": second, "licence-produced": "3"}
    answer = officer.post(PAGE, late)
    assert answer.status_code == 409 and 'value="3"' in answer.content.decode(), "what was typed stands there still"
    assert officer.post(PAGE, late).status_code == 409, "pressing again does not help"
    assert officer.post(PAGE, {"step": "save", "licence-produced": "3"}).status_code == 409
    assert produced()["penalty"] == 5
    again = {"step": "save", "seen": mark_on(officer), "penalty-produced": "5", "licence-produced": "3"}
    assert officer.post(PAGE, again).status_code == 302
    assert (produced()["penalty"], produced()["licence"]) == (5, 3)


def test_a_refused_submission_is_mended_on_the_page_it_came_back_with(cast: Cast) -> None:
    officer = browser(cast.officer)
    filled = {f"{act}-{name}": "0" for act in held(market(), OCTOBER) for name in ("produced", "published")}
    first = {"step": "submit", "seen": mark_on(officer), **filled, "penalty-produced": "5"}
    answer = officer.post(PAGE, first)
    found = re.search(r'name="seen" value="(\w+)"', answer.content.decode())
    assert answer.status_code == 400 and found
    assert officer.post(PAGE, {**first, "seen": found[1], "penalty-reason": "not served"}).status_code == 302
    assert MonthlyReport.objects.get().state == "submitted"


def test_the_service_refuses_what_was_declared_on_an_older_state(cast: Cast) -> None:
    seen = view_of(market(), OCTOBER).mark
    save(cast, seen, penalty=1)
    with pytest.raises(Conflict) as caught:
        save(cast, seen, penalty=2)
    assert (caught.value.code, produced()) == ("changed_meanwhile", {"penalty": 1})
    save(cast, view_of(market(), OCTOBER).mark, penalty=2)


def test_a_version_decides_the_act_once_it_is_published_and_has_begun(cast: Cast) -> None:
    centre = Centre.assemble(cast)
    version = centre.submitted(act="coercion")
    assert acts_of(market())[centre.entry.pk] == "penalty", "it is only in review"
    centre.step(version, "send_back", reason="x")
    centre.step(version, "withdraw", reason="x")
    assert acts_of(market())[centre.entry.pk] == "penalty"
    centre.published(act="coercion")
    assert acts_of(market())[centre.entry.pk] == "coercion"
    centre.published(act="ruling", valid_from=days(90))
    assert acts_of(market())[centre.entry.pk] == "coercion", "the next one has not begun"


def test_a_report_with_a_line_of_a_former_act_is_still_written(cast: Cast) -> None:
    save(cast, penalty=0).lines.create(act="reward", produced=4)
    assert "reward" not in acts_of(market()).values()
    save(cast, penalty=0, reward=1)
    assert produced() == {"penalty": 0, "reward": 1}
    with pytest.raises(Invalid):
        save(cast, penalty=0, invented=1)


def test_a_character_the_database_cannot_keep_is_left_out_of_the_reason(cast: Cast) -> None:
    lines = {act: Declared(0, 0) for act in held(market(), OCTOBER)}
    report = save_report(user=cast.clerk, agency=market(), month=OCTOBER, lines=lines)
    take_step(user=cast.officer, report=report, step="submit")
    assert browser(cast.centre).post(PAGE, {"step": "return", "reason": "look\x00again"}).status_code == 302
    assert StepEvent.objects.get(workflow="monthly_report", step="return").reason == "lookagain"
