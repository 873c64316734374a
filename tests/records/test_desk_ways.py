"""The desk leads on: marks on the board, what is owed and whom to ask, lists kept apart, the next row, the way in."""

import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import Agency
from records.enums import ReportState
from records.figures.counting import count_month
from records.figures.declared import standings
from records.figures.rules import Punctuality, punctuality
from records.models import Feed, FeedBatch, MonthlyReport, QuarantinedRow
from tests.cast import PASSWORD, Cast
from tests.deliveries import FEED, ingest, penalty, quick_passwords  # noqa: F401
from tests.machines import machine
from tests.records.feedfiles import deliver, people_of_the_cast
from tests.records.figures_world import OCTOBER, arrived, came_on, in_force, market, noon

DAY = datetime.date
BOARD = "/desk/figures/board/?month=2026-10"
LONG_AFTER = datetime.datetime(2026, 11, 26, 4, tzinfo=datetime.UTC)


@pytest.fixture
def november() -> Iterator[None]:
    with time_machine.travel(LONG_AFTER, tick=False):
        yield


@pytest.fixture
def october(november: None, cast: Cast) -> Cast:
    """A month with one decision in time and one late, a last day for reports, and nothing since."""
    in_force("report.monthly.day", 10)
    on_time, late = (DAY(2026, 10, 8), DAY(2026, 10, 9)), (DAY(2026, 9, 1), DAY(2026, 10, 12))
    arrived([on_time, late], on=DAY(2026, 10, 12))
    count_month(OCTOBER)
    return cast


def browser(user: Any, language: str = "en") -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    return client


def page(user: Any, address: str) -> str:
    answer = browser(user).get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def report(unit: str, cast: Cast, day: DAY) -> MonthlyReport:
    agency = Agency.objects.get(code=unit)
    return MonthlyReport.objects.create(
        agency=agency, month=OCTOBER, due_on=DAY(2026, 11, 10), state=ReportState.SUBMITTED, submitted_at=noon(day),
        submitted_by=cast.officer,
    )  # fmt: skip


# --- how grave -----------------------------------------------------------------------------------------


def test_a_missing_report_is_graver_than_a_late_one_and_late_than_in_time() -> None:
    due, before, after = DAY(2026, 11, 10), DAY(2026, 11, 10), DAY(2026, 11, 11)
    assert punctuality(before, due, after) == Punctuality.ON_TIME
    assert punctuality(None, due, before) == Punctuality.WAITED_FOR
    assert punctuality(after, due, after) == Punctuality.LATE
    assert punctuality(None, due, after) == Punctuality.MISSING
    assert sorted(Punctuality) == [
        Punctuality.ON_TIME, Punctuality.WAITED_FOR, Punctuality.LATE, Punctuality.MISSING,
    ]  # fmt: skip
    assert punctuality(None, None, after) == Punctuality.WAITED_FOR, "no rule, nothing missing"


def test_reports_stand_in_the_order_of_gravity_with_a_tone_of_their_own(october: Cast) -> None:
    report("hz-eco", october, DAY(2026, 11, 5))
    report("hz-hrss", october, DAY(2026, 11, 20))
    found = standings(Agency.objects.filter(code__in=["hz-eco", "hz-hrss", "hz-market"]), OCTOBER)
    assert [(one.agency.code, one.code) for one in found] == [
        ("hz-market", "missing"), ("hz-hrss", "late"), ("hz-eco", "on_time"),
    ]  # fmt: skip
    html = page(october.centre, "/desk/figures/reports/?month=2026-10")
    missing = html.index('class="tag bad worst"')
    assert missing < html.index('class="tag warn"') < html.index('class="tag good"')
    assert "report missing, 16 days overdue" in text_of(html)
    own = page(october.officer, "/desk/figures/reports/hz-market/2026-10/")
    assert "report missing, 16 days overdue" in text_of(own) and 'class="tag bad worst"' in own


def test_a_report_that_came_back_is_not_called_on_time(october: Cast) -> None:
    back = report("hz-market", october, DAY(2026, 11, 5))
    MonthlyReport.objects.filter(pk=back.pk).update(state=ReportState.RETURNED)
    (standing,) = standings(Agency.objects.filter(code="hz-market"), OCTOBER)
    assert (standing.handed_in, standing.code) == (False, "waited_for")


# --- the board and the unit ----------------------------------------------------------------------------


def test_the_board_marks_stopped_feeds_and_missing_reports_beside_the_rank(october: Cast) -> None:
    html = page(october.centre, BOARD)
    (row,) = [one for one in re.findall(r"<tr>.*?</tr>", html, re.DOTALL) if "hz-market" in one]
    said = text_of(row)
    assert "1 feed does not come" in said and "report missing, 16 days overdue" in said
    assert 'href="/desk/figures/feeds/?unit=hz-market"' in row
    assert 'href="/desk/figures/reports/hz-market/2026-10/"' in row
    assert "overdue" in text_of(html[: html.index("<table")]) and 'class="note alarm"' in html
    unranked = html[html.index('id="unranked"') :]
    assert "hz-eco" in unranked and "hz-market" not in unranked  # units with nothing to rank are not lost


@pytest.mark.parametrize("address", ["feeds/?unit=hz-eco", "units/hz-eco/?month=2026-10"])
def test_a_feed_that_never_came_says_by_when_it_was_expected(october: Cast, address: str) -> None:
    feed = Feed.objects.filter(agency__code="hz-eco", active=True)[0]
    Feed.objects.filter(agency__code="hz-eco").exclude(pk=feed.pk).update(active=False)
    Feed.objects.filter(pk=feed.pk).update(since=noon(DAY(2026, 9, 10)), rhythm="monthly")
    html = page(october.centre, f"/desk/figures/{address}")
    assert re.search(r"has never delivered; first delivery was expected by [^,]*31", text_of(html))
    (banner,) = re.findall(r'<p class="note alarm" role="alert">.*?</p>', html)
    assert feed.name_en in banner or feed.name in banner
    rows = re.findall(r"<tr>.*?</tr>|<li>.*?</li>", page(october.centre, BOARD), re.DOTALL)
    (row,) = [one for one in rows if "feeds/?unit=hz-eco" in one]
    assert "1 feed does not come" in text_of(row)
    Feed.objects.filter(pk=feed.pk).update(active=False)
    assert "has never delivered" not in text_of(page(october.centre, f"/desk/figures/{address}"))


def test_a_feed_within_its_first_period_only_says_that_none_came(october: Cast) -> None:
    Feed.objects.filter(agency__code="hz-eco").update(since=timezone.now(), rhythm="monthly")
    said = text_of(page(october.centre, "/desk/figures/feeds/?unit=hz-eco"))
    assert "first delivery was expected by" not in said
    assert "feeds/?unit=hz-eco" not in page(october.centre, BOARD)


def test_the_unit_is_told_which_value_misses_which_threshold(october: Cast) -> None:
    address = "/desk/figures/units/hz-market/?month=2026-10"
    report("hz-market", october, DAY(2026, 11, 5))
    Feed.objects.filter(agency=market()).update(active=False)
    assert "The rates are not judged, since no thresholds are in force." in page(october.clerk, address)
    in_force("figures.threshold.timeliness", 95)
    said = text_of(page(october.clerk, address))
    assert "Timeliness is 50.0 %, below the 95 % asked." in said and "Nothing to mend" not in said
    in_force("figures.threshold.timeliness", 40)
    said = text_of(page(october.clerk, address))
    assert "Nothing to mend. This says that no feed owes a delivery" in said
    assert "Every rate that could be measured reaches its threshold: Timeliness 40" in said


# --- feeds that are owed -------------------------------------------------------------------------------


def test_a_feed_that_is_owed_says_whom_to_ask_and_what_to_do(october: Cast) -> None:
    Agency.objects.filter(code="hz-market").update(office="信用科", office_en="Credit office", phone="0752-1111111")
    feed = Feed.objects.get(code=FEED)
    centre = page(october.centre, "/desk/figures/feeds/?unit=hz-market")
    assert f'href="/desk/deliveries/?feed={FEED}"' in centre
    assert "Contact: Credit office 0752-1111111" in text_of(centre)
    assert f'href="/admin/records/feed/{feed.pk}/change/"' in centre and "Ask the unit" in centre
    assert "hz-eco" not in centre and 'href="/desk/figures/feeds/"' in centre
    clerk = page(october.clerk, "/desk/figures/feeds/")
    assert f'href="/desk/deliveries/new/?feed={FEED}"' in clerk
    assert "/admin/records/feed/" not in clerk
    chosen = browser(october.clerk).get(f"/desk/deliveries/new/?feed={FEED}").context["form"]["feed"]
    assert chosen.value() == feed.pk
    assert page(october.other_clerk, "/desk/figures/feeds/?unit=hz-market").count(FEED) == 0


# --- lists kept apart ----------------------------------------------------------------------------------


@pytest.fixture
def three_ways(cast: Cast) -> Cast:
    """A file, a delivery of a machine, a record by form."""
    ingest(penalty(1), user=cast.clerk)
    system = machine(name="Market supervision system")
    came_by_system = came_on(ingest(penalty(2), user=cast.clerk), OCTOBER)
    FeedBatch.objects.filter(pk=came_by_system.pk).update(client=system, submitted_by=None, door=Door.API)
    by_form = ingest(penalty(3), user=cast.clerk)
    FeedBatch.objects.filter(pk=by_form.pk).update(format="form", file_name="form")
    return cast


def listed(user: Any, address: str) -> list[int]:
    return [
        int(key)
        for key in re.findall(r'scope="row" class="wide"><a href="/desk/deliveries/(\d+)/"', page(user, address))
    ]


def test_records_by_form_do_not_fill_the_list_of_files(three_ways: Cast) -> None:
    file, system, form = FeedBatch.objects.order_by("pk").values_list("pk", flat=True)
    for user in (three_ways.clerk, three_ways.centre):
        assert sorted(listed(user, "/desk/deliveries/")) == [file, system]
        assert listed(user, "/desk/deliveries/?way=form") == [form]
        assert sorted(listed(user, "/desk/deliveries/?way=nothing")) == [file, system]
    assert listed(three_ways.clerk, "/desk/deliveries/?feed=hz-food-penalty") == []
    assert sorted(listed(three_ways.clerk, f"/desk/deliveries/?feed={FEED}")) == [file, system]
    assert "one record by form" in page(three_ways.clerk, "/desk/deliveries/?way=form")


def test_a_delivery_by_interface_names_the_system_it_came_from(three_ways: Cast) -> None:
    said = "by interface, from Market supervision system"
    assert text_of(page(three_ways.clerk, "/desk/deliveries/")).count(said) == 1
    system = FeedBatch.objects.get(client__isnull=False)
    assert said in text_of(page(three_ways.clerk, f"/desk/deliveries/{system.pk}/"))


# --- rows set aside ------------------------------------------------------------------------------------


@pytest.fixture
def clerk(settings: Any, tmp_path: Any, db: None) -> Client:
    settings.MEDIA_ROOT = tmp_path
    return browser(people_of_the_cast(settings).clerk)


def mended(client: Client, row: QuarantinedRow, asked: str, **values: str) -> Any:
    address = reverse("desk:setaside_row", args=[row.pk]) + asked
    form = client.get(address).context["form"]
    data = {field.name: field.value() for field in form if field.value() is not None and field.value() is not False}
    return client.post(address, {**data, **values}, follow=True)


def test_after_a_row_comes_the_next_one_of_the_same_filter(clerk: Client) -> None:
    deliver(penalty(1, CF_JDRQ="x"), penalty(2, CF_NR_FK="x"), penalty(3, CF_JDRQ="x"))
    first, other, last = QuarantinedRow.objects.order_by("pk")
    asked = "?code=not_a_date"
    assert f'href="/desk/set-aside/{first.pk}/{asked}"' in clerk.get("/desk/set-aside/" + asked).content.decode()
    answer = mended(clerk, last, asked, CF_JDRQ="2026-05-05")  # behind the last comes the first
    assert answer.redirect_chain[-1][0] == f"/desk/set-aside/{first.pk}/{asked}"
    said = text_of(answer.content.decode())
    assert "Line 4 is right now and was taken in." in said and "1 row is left; this is it." in said
    answer = mended(clerk, first, asked, CF_JDRQ="2026-05-05")
    assert answer.redirect_chain[-1][0] == f"/desk/set-aside/{asked}"
    assert "No row waits under this filter any more." in answer.content.decode()
    other.refresh_from_db()
    assert other.state == "open"


def test_a_row_that_is_still_wrong_stays_before_the_clerk(clerk: Client) -> None:
    deliver(penalty(1, CF_JDRQ="x"), penalty(2, CF_JDRQ="y"))
    row = QuarantinedRow.objects.order_by("pk")[0]
    answer = mended(clerk, row, "?code=not_a_date", CF_JDRQ="z")
    assert answer.redirect_chain[-1][0] == f"/desk/set-aside/{row.pk}/?code=not_a_date"


def test_fields_of_a_row_are_named_in_the_language_of_the_page(clerk: Client) -> None:
    deliver(dict(zip(*NAMED, strict=True)))
    row = QuarantinedRow.objects.get()
    mended(clerk, row, "", CF_JDRQ="still wrong")
    html = clerk.get(reverse("desk:setaside_row", args=[row.pk])).content.decode()
    story, cells = html[html.index('id="story"') :], html[html.index('id="cells"') : html.index('id="story"')]
    assert "changed: Date of the decision" in text_of(story) and "处罚决定日期" not in story
    assert "<dt>Date of the decision" in cells


ROW = penalty(1, CF_JDRQ="x")
NAMED = ([{"CF_JDRQ": "处罚决定日期"}.get(code, code) for code in ROW], list(ROW.values()))


# --- the way in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("clerk", "/desk/"), ("officer", "/desk/"), ("supervisor", "/desk/"), ("centre", "/desk/"),
        ("auditor", "/desk/"), ("editor", "/admin/"), ("security", "/admin/"), ("operator", "/admin/"),
        ("person", "/me/"),
    ],
)  # fmt: skip
def test_everybody_lands_where_the_work_is(cast: Cast, settings: Any, name: str, place: str) -> None:
    settings.ACCOUNT_RATE_LIMITS = False  # so many sign in here that others after them would have to wait
    given = {"login": getattr(cast, name).username, "password": PASSWORD}
    assert Client().post("/accounts/login/", given)["Location"] == place
    asked = {**given, "next": "/admin/records/creditrecord/"}
    assert Client().post("/accounts/login/", asked)["Location"] == "/admin/records/creditrecord/"


def test_desk_tables_and_public_pages_lead_to_each_other(cast: Cast) -> None:
    assert 'href="/desk/"' in page(cast.clerk, "/admin/") and 'href="/admin/"' in page(cast.clerk, "/desk/")
    assert 'href="/desk/"' in page(cast.clerk, "/huizhou/")
    assert 'href="/desk/"' not in page(cast.person, "/huizhou/")


def test_the_report_explains_its_columns(october: Cast) -> None:
    html = page(october.officer, "/desk/figures/reports/hz-market/2026-10/")
    explained = html[html.index('<details class="text">') :]
    for column in ("Produced", "Reported", "Not reported", "Stored", "Shown on the site", "Rows set aside"):
        assert column in text_of(explained)


def test_a_move_between_batches_is_no_part_of_a_rows_story(clerk: Client) -> None:
    deliver(penalty(1, CF_JDRQ="x"))
    row = QuarantinedRow.objects.get()
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        QuarantinedRow.objects.update(row_number=7)
    assert 'id="story"' not in clerk.get(reverse("desk:setaside_row", args=[row.pk])).content.decode()
