"""The monthly report: what is declared, what is counted, who submits and who answers, and how it is read back."""

import datetime
import io
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from creditplatform.core.enums import Scope
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.models import Agency, StepEvent
from records.enums import RecordState, ReportState
from records.figures.counting import COUNTS, count_month
from records.figures.declared import held, owing, report_due_on, view_of
from records.models import CreditRecord, MonthlyReport
from records.services.monthly_report import Declared, save_report, take_step
from tests.cast import Cast
from tests.deliveries import ingest, penalty, quick_passwords  # noqa: F401
from tests.machines import bearer, machine
from tests.records.figures_world import OCTOBER, arrived, in_force, market

PAGE = "/desk/figures/reports/hz-market/2026-10/"
ADDRESS = "https://example.org/penalties"


@pytest.fixture(autouse=True)
def _november() -> Iterator[None]:
    with time_machine.travel(datetime.datetime(2026, 11, 5, 4, tzinfo=datetime.UTC), tick=False):
        yield


@pytest.fixture
def three(cast: Cast) -> Cast:
    """Three decisions of October reported, one of them withdrawn since, and one of September."""
    days = ["2026-10-08", "2026-10-20", "2026-10-31", "2026-09-30"]
    ingest(*(penalty(number, CF_JDRQ=day) for number, day in enumerate(days, 1)), penalty(9, CF_JDRQ="never"))
    CreditRecord.objects.filter(document_number="惠市监罚〔2026〕2号").update(state=RecordState.REVOKED)
    return cast


def declared(produced: int = 5, **values: Any) -> dict[str, Declared]:
    nothing = Declared(0, 0)
    penalties = Declared(**{"produced": produced, "published": 4, "address": ADDRESS, "reason": "not served", **values})
    return {**dict.fromkeys(held(market(), OCTOBER), nothing), "penalty": penalties}


def saved(cast: Cast, **values: Any) -> MonthlyReport:
    return save_report(user=cast.clerk, agency=market(), month=OCTOBER, lines=declared(**values))


def submitted(cast: Cast) -> MonthlyReport:
    return take_step(user=cast.officer, report=saved(cast), step="submit")


def penalties(report: MonthlyReport) -> Any:
    return report.lines.get(act="penalty")


# --- counts ------------------------------------------------------------------------------------------


def test_reported_stored_and_shown_are_counted_by_the_month_of_the_decision(three: Cast) -> None:
    found = held(market(), OCTOBER)["penalty"]
    assert (found.reported, found.stored, found.shown, found.set_aside) == (3, 2, 2, 1)
    assert held(market(), datetime.date(2026, 9, 1))["penalty"].reported == 1
    assert held(Agency.objects.get(code="hz-eco"), OCTOBER)["penalty"].reported == 0


def test_figures_freeze_at_the_submission_and_todays_stand_beside(three: Cast) -> None:
    report = submitted(three)
    line = penalties(report)
    assert (line.reported, line.stored, line.shown, line.not_reported) == (3, 2, 2, 2)
    ingest(penalty(7, CF_JDRQ="2026-10-21"))
    line.refresh_from_db()
    assert line.reported == 3
    client = Client()
    client.force_login(three.officer, "django.contrib.auth.backends.ModelBackend")
    text = client.get(PAGE).content.decode()
    assert "目前4" in text


# --- the procedure -----------------------------------------------------------------------------------


def test_a_draft_may_be_kept_again_and_again_and_is_submitted_once(three: Cast) -> None:
    saved(three, produced=4)
    report = submitted(three)
    assert (report.state, report.submitted_by, MonthlyReport.objects.count()) == ("submitted", three.officer, 1)
    with pytest.raises(Conflict):
        saved(three)
    with pytest.raises(Conflict):
        take_step(user=three.officer, report=report, step="submit")


def test_a_report_returned_with_its_reason_is_counted_anew(three: Cast) -> None:
    report = submitted(three)
    with pytest.raises(Invalid):
        take_step(user=three.centre, report=report, step="return")
    take_step(user=three.centre, report=report, step="return", reason="The address does not open.")
    again = saved(three)
    assert (again.state, penalties(again).reported) == ("returned", None)
    ingest(penalty(7, CF_JDRQ="2026-10-21"))
    again = take_step(user=three.supervisor, report=again, step="submit")
    assert penalties(again).reported == 4
    accepted = take_step(user=three.centre, report=again, step="accept")
    assert (accepted.state, accepted.answered_by) == (ReportState.ACCEPTED, three.centre)
    steps = StepEvent.objects.filter(workflow="monthly_report").values_list("step", flat=True)
    assert list(steps) == ["submit", "return", "submit", "accept"]


@pytest.mark.parametrize("name", ["clerk", "other_clerk", "centre", "auditor", "editor"])
def test_only_officers_and_supervisors_of_the_unit_submit(three: Cast, name: str) -> None:
    with pytest.raises(NotPermitted):
        take_step(user=getattr(three, name), report=saved(three), step="submit")


@pytest.mark.parametrize("name", ["clerk", "officer", "supervisor", "other_clerk", "auditor"])
def test_only_the_centre_answers(three: Cast, name: str) -> None:
    with pytest.raises(NotPermitted):
        take_step(user=getattr(three, name), report=submitted(three), step="accept")


def test_others_cannot_declare_for_a_unit(three: Cast) -> None:
    for name in ("other_clerk", "centre", "auditor"):
        with pytest.raises(NotPermitted):
            save_report(user=getattr(three, name), agency=market(), month=OCTOBER, lines=declared())


def problems_of_submitting(cast: Cast, **values: Any) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        take_step(user=cast.officer, report=saved(cast, **values), step="submit")
    return {(problem.field, problem.code) for problem in caught.value.problems}


def test_every_gap_is_told_at_once(three: Cast) -> None:
    assert problems_of_submitting(three, reason="") == {("penalty-reason", "required")}
    assert problems_of_submitting(three, produced=2, published=2) == {("penalty-produced", "fewer_than_reported")}
    lines = {act: Declared() for act in held(market(), OCTOBER)}
    report = save_report(user=three.clerk, agency=market(), month=OCTOBER, lines=lines)
    with pytest.raises(Invalid) as caught:
        take_step(user=three.officer, report=report, step="submit")
    assert {problem.field for problem in caught.value.problems} == {f"{act}-produced" for act in lines}


def test_more_published_than_produced_and_published_nowhere_are_refused(three: Cast) -> None:
    with pytest.raises(Invalid) as caught:
        saved(three, published=6, address="")
    assert {(p.field, p.code) for p in caught.value.problems} == {
        ("penalty-published", "more_than_produced"), ("penalty-address", "required"),
    }  # fmt: skip


def test_a_month_that_is_not_over_is_not_submitted_and_one_to_come_not_begun(three: Cast) -> None:
    november, december = datetime.date(2026, 11, 1), datetime.date(2026, 12, 1)
    report = save_report(user=three.clerk, agency=market(), month=november, lines=declared())
    with pytest.raises(Invalid) as caught:
        take_step(user=three.officer, report=report, step="submit")
    assert "month_not_over" in {problem.code for problem in caught.value.problems}
    with pytest.raises(Invalid):
        save_report(user=three.clerk, agency=market(), month=december, lines=declared())


# --- the last day --------------------------------------------------------------------------------------


def test_there_is_a_last_day_only_once_a_rule_says_so(three: Cast) -> None:
    assert report_due_on(OCTOBER, "huizhou") is None
    in_force("report.monthly.day", 10)
    assert report_due_on(OCTOBER, "huizhou") == datetime.date(2026, 11, 10)
    assert report_due_on(datetime.date(2026, 12, 1), "gansu") == datetime.date(2027, 1, 10)


def test_a_report_after_the_last_day_is_late(three: Cast) -> None:
    in_force("report.monthly.day", 5)
    assert not submitted(three).late, "the last day itself is in time"
    MonthlyReport.objects.update(due_on=datetime.date(2026, 11, 4))
    assert MonthlyReport.objects.get().late


def test_the_worklist_reminds_until_it_is_handed_in(three: Cast) -> None:
    in_force("report.monthly.day", 10)
    client = Client()
    client.force_login(three.clerk, "django.contrib.auth.backends.ModelBackend")
    assert PAGE in client.get("/desk/").content.decode() and "2026-11-10" in client.get("/desk/").content.decode()
    assert [unit.code for unit in owing(Agency.objects.filter(pk=market().pk), OCTOBER)] == ["hz-market"]
    submitted(three)
    assert PAGE not in client.get("/desk/").content.decode()


# --- pages ---------------------------------------------------------------------------------------------


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def form(step: str, **cells: str) -> dict[str, str]:
    filled = {f"{act}-{name}": "0" for act in held(market(), OCTOBER) for name in ("produced", "published")}
    filled |= {"step": step, "seen": view_of(market(), OCTOBER).mark}
    return {**filled, **{f"penalty-{name}": value for name, value in cells.items()}}


def test_the_form_keeps_submits_and_says_what_is_wrong_beside_the_field(three: Cast) -> None:
    clerk, officer, centre = browser(three.clerk), browser(three.officer), browser(three.centre)
    good = {"produced": "5", "published": "4", "address": ADDRESS, "reason": "not served"}
    assert clerk.post(PAGE, form("save", **{**good, "published": "9"})).status_code == 400
    assert clerk.post(PAGE, form("save", **{**good, "produced": "-1"})).status_code == 400
    assert clerk.post(PAGE, form("save", **good)).status_code == 302
    wrong = officer.post(PAGE, form("submit", **{**good, "reason": ""}))
    assert wrong.status_code == 400 and 'id="id_penalty-reason_error"' in wrong.content.decode()
    assert officer.post(PAGE, form("submit", **good)).status_code == 302
    assert MonthlyReport.objects.get().state == ReportState.SUBMITTED
    assert "penalty-produced" not in officer.get(PAGE).content.decode(), "no form once it is submitted"
    centre.post(PAGE, {"step": "return", "reason": ""})
    assert MonthlyReport.objects.get().state == ReportState.SUBMITTED
    centre.post(PAGE, {"step": "return", "reason": "Address does not open"})
    assert "Address does not open" in officer.get(PAGE).content.decode()


def test_a_clerk_keeps_and_cannot_submit(three: Cast) -> None:
    clerk = browser(three.clerk)
    assert 'value="submit"' not in clerk.get(PAGE).content.decode()
    good = {"produced": "5", "published": "4", "address": ADDRESS, "reason": "not served"}
    clerk.post(PAGE, form("submit", **good))
    assert MonthlyReport.objects.get().state == ReportState.DRAFT


def test_the_page_of_another_unit_is_not_there(three: Cast) -> None:
    submitted(three)
    assert browser(three.other_clerk).get(PAGE).status_code == 404
    assert browser(three.auditor).get(PAGE).status_code == 403
    assert browser(three.centre).get(PAGE).status_code == 200
    assert browser(three.other_clerk).get(PAGE + "workbook/").status_code == 404
    assert browser(three.clerk).get("/desk/figures/reports/workbook/").status_code == 403
    assert browser(three.clerk).get("/desk/figures/board/").status_code == 403
    listing = browser(three.other_clerk).get("/desk/figures/reports/?month=2026-10").content.decode()
    assert market().name not in listing


def test_the_chart_has_its_numbers_in_words_and_a_table_behind(three: Cast) -> None:
    submitted(three)
    text = browser(three.clerk).get(PAGE).content.decode()
    chart = text[text.index("<figure") : text.index("</figure>")]
    assert 'role="img"' in chart and "style=" not in chart and "<script" not in chart
    for number in ("5", "4", "3", "2"):
        assert f">{number}</text>" in chart
    assert text.index("<table") > text.index("</figure>")


def test_every_page_costs_the_same_however_much_there_is(three: Cast) -> None:
    submitted(three)
    arrived([(datetime.date(2026, 10, 8), datetime.date(2026, 10, 9))], first=900)
    count_month(OCTOBER)
    addresses = [PAGE, "/desk/figures/units/hz-market/?month=2026-10", "/desk/figures/feeds/",
                 "/desk/figures/units/hz-market/administrative-penalty/?month=2026-10"]  # fmt: skip
    pages = [(three.officer, address) for address in addresses]
    pages += [
        (three.centre, "/desk/figures/board/?month=2026-10"),
        (three.centre, "/desk/figures/reports/?month=2026-10"),
    ]
    few = [statements(user, address) for user, address in pages]
    arrived([(datetime.date(2026, 10, 8), datetime.date(2026, 10, 9))] * 20)
    for feed in ("hz-food-penalty", "hz-eco-penalty", "hz-traffic-penalty"):
        arrived([(datetime.date(2026, 10, 8), datetime.date(2026, 10, 9))] * 2, feed=feed, first=400)
    count_month(OCTOBER)
    assert [statements(user, address) for user, address in pages] == few
    assert max(few) < 30


def statements(user: Any, address: str) -> int:
    client = browser(user)
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


# --- workbook and interface ----------------------------------------------------------------------------


def cells(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def test_the_workbook_is_read_back_and_a_formula_stays_a_text(three: Cast) -> None:
    report = saved(three, reason='=HYPERLINK("http://example.org","x")')
    take_step(user=three.officer, report=report, step="submit")
    answer = browser(three.clerk).get(PAGE + "workbook/")
    assert "attachment" in answer["Content-Disposition"]
    rows = cells(answer.content)
    (row,) = [row for row in rows if '=HYPERLINK("http://example.org","x")' in row]
    assert row[1:] == [5, 4, ADDRESS, 3, 2, '=HYPERLINK("http://example.org","x")', 2, 2, 3, 2, 2, 1]
    month = cells(browser(three.centre).get("/desk/figures/reports/workbook/?month=2026-10").content)
    assert [row[5:] for row in month if ADDRESS in row] == [
        [5, 4, ADDRESS, 3, 2, '=HYPERLINK("http://example.org","x")', 2, 2]
    ]


def get(client: Any, address: str) -> Any:
    return Client().get(f"/api/v1/statistics/{address}", headers=bearer(client))


def test_the_interface_gives_counts_and_nothing_else(three: Cast) -> None:
    submitted(three)
    arrived([(datetime.date(2026, 10, 8), datetime.date(2026, 10, 9))])
    count_month(OCTOBER)
    client = machine(Scope.STATISTICS_READ)
    answer = get(client, "timeliness/?month=2026-10").json()
    (figure,) = answer["figures"]
    assert set(answer) == {"month", "figures"}
    assert set(figure) == {
        "unit", "entry", *COUNTS, "problems", "timeliness", "compliance", "completeness", "computed_at",
    }  # fmt: skip
    assert (figure["unit"], figure["entry"], figure["timeliness"]) == ("hz-market", "administrative-penalty", 100.0)
    answer = get(client, "reports/").json()
    (report,) = answer["reports"]
    assert (answer["month"], set(report)) == (
        "2026-10", {"unit", "state", "due_on", "submitted_on", "late", "lines"},
    )  # fmt: skip
    line = next(line for line in report["lines"] if line["act"] == "penalty")
    assert line == {
        "act": "penalty", "produced": 5, "published": 4, "address": ADDRESS, "reported": 3, "not_reported": 2,
        "reason": "not served", "stored": 2, "shown": 2,
    }  # fmt: skip


def test_a_unit_reads_its_own_and_centre_and_upper_platform_their_site(three: Cast) -> None:
    submitted(three)
    upper = Agency.objects.filter(kind="upper_platform", site=market().site)[0]
    seen = {}
    for code in ("hz-market", "hz-eco", "hz-drc", upper.code, "gs-market"):
        client = machine(Scope.STATISTICS_READ, agency=code, name=code)
        seen[code] = len(get(client, "reports/?month=2026-10").json()["reports"])
    assert seen == {"hz-market": 1, "hz-eco": 0, "hz-drc": 1, upper.code: 1, "gs-market": 0}


def test_another_scope_opens_no_figures_and_nonsense_is_said(three: Cast) -> None:
    assert get(machine(Scope.FEEDS_READ, name="other"), "timeliness/").status_code == 403
    for month in ("2026-13", "x", "%00", ""):
        answer = get(machine(Scope.STATISTICS_READ, name=f"m{month}"), f"reports/?month={month}")
        assert answer.status_code == 400 and answer.json()["problems"][0]["field"] == "month"
