"""What has to fit a telephone: lists of the admin, the head of the public sites, the own file."""

import datetime
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page

from creditplatform.core import audit
from creditplatform.core.deadlines import add_months
from creditplatform.core.enums import Door
from creditplatform.core.models import RuleValue
from records.figures.counting import count_month
from records.figures.rules import first_day
from records.models import CreditRecord, FeedBatch, QuarantinedRow
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import ingest, penalty, person_penalty
from tests.web.browsing import in_a_browser
from tests.web.test_main_path import signed_in
from tests.web.test_public_pages import (
    NARROW,
    WIDE,
    browser,  # noqa: F401
    complaints,  # noqa: F401
    opened,
    overflow,
)

LISTS = ["", "records/quarantinedrow/", "records/feedbatch/", "records/creditrecord/", "records/feed/"]
pytestmark = in_a_browser("narrow pages were not looked at in a browser")


@pytest.fixture
def people(transactional_db: None) -> Cast:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        cast = Cast.assemble()
        ingest(penalty(1), penalty(2, CF_XDR_SHXYM=""), person_penalty(3, "林示例", PERSON_NUMBER, CF_CFLB="警告;罚款"))
    return cast


def height(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box
    return box["height"]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_lists_of_the_admin_are_cards_on_a_telephone(
    browser: Browser,  # noqa: F811
    live_server: Any,
    people: Cast,
    language: str,
) -> None:
    page = opened(browser, live_server.url + "/accounts/login/", language=language, viewport=NARROW)
    signed_in(page, live_server.url, "clerk")
    for path in LISTS:
        page.set_viewport_size(NARROW)
        page.goto(f"{live_server.url}/admin/{path}")
        assert overflow(page) <= 0, path
        assert height(page, "#header") < 105, path
        assert page.locator(".credit-rows tbody tr").first.evaluate("row => getComputedStyle(row).display") == "block"
        page.set_viewport_size(WIDE)
        assert overflow(page) <= 0, path
        for cell in page.locator(".field-state").all()[:3]:
            assert cell.evaluate("cell => cell.getBoundingClientRect().height") < 60, path
    page.context.close()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_head_is_one_row_with_a_menu(browser: Browser, live_server: Any, people: Cast, language: str) -> None:  # noqa: F811
    page = opened(browser, live_server.url + "/huizhou/", language=language, viewport=NARROW, java_script_enabled=False)
    assert height(page, ".top") < 80 and height(page, ".bar") + height(page, ".top") < 150
    links = page.locator(".nav-menu a")
    assert not links.first.is_visible()
    page.locator(".menu summary").click()
    assert links.first.is_visible() and overflow(page) <= 0
    page.set_viewport_size(WIDE)
    assert not page.locator(".menu").is_visible() and page.locator(".nav-main a").first.is_visible()
    page.context.close()


@pytest.mark.parametrize("address", ["/me/", "/me/records/", "/me/looks/?own=1", "/me/notices/"])
def test_dates_of_the_own_file_stand_in_one_line(
    browser: Browser,  # noqa: F811
    live_server: Any,
    people: Cast,
    address: str,
) -> None:
    page = opened(browser, live_server.url + "/accounts/login/", language="en", viewport=NARROW)
    signed_in(page, live_server.url, "person")
    page.goto(live_server.url + address)
    assert overflow(page) <= 0
    for date in page.locator("time").all():
        assert date.evaluate("one => one.getClientRects().length") == 1
    page.context.close()


def test_leads_are_of_ordinary_weight(browser: Browser, live_server: Any, people: Cast) -> None:  # noqa: F811
    page = opened(browser, live_server.url + "/huizhou/registers/", language="en")
    assert page.locator(".lead").first.evaluate("lead => getComputedStyle(lead).fontWeight") == "400"
    page.context.close()


def test_codes_in_tables_have_the_ink_of_the_page(browser: Browser, live_server: Any, people: Cast) -> None:  # noqa: F811
    page = opened(browser, live_server.url + "/huizhou/", viewport=WIDE)
    ink = """() => {
        const cell = document.createElement('td');
        cell.innerHTML = '<code>not_a_date</code>';
        document.querySelector('main').append(cell);
        return [getComputedStyle(cell.firstChild).color, getComputedStyle(document.body).color];
    }"""
    code, text = page.evaluate(ink)
    assert code == text
    page.context.close()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_board_with_its_marks_fits_the_screen(
    browser: Browser,  # noqa: F811
    live_server: Any,
    people: Cast,
    language: str,
) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        month = add_months(first_day(timezone.localdate()), -1)
        RuleValue.objects.filter(key="report.monthly.day").update(in_force=True, confirmed=True, value=1)
        FeedBatch.objects.update(received_at=timezone.now() - datetime.timedelta(days=40))
        CreditRecord.objects.update(received_at=timezone.make_aware(datetime.datetime.combine(month, datetime.time(9))))
        count_month(month)
    page = opened(browser, live_server.url + "/accounts/login/", language=language, viewport=NARROW)
    signed_in(page, live_server.url, "centre")
    for viewport in (NARROW, WIDE, {"width": 1280, "height": 800}):
        page.set_viewport_size(viewport)
        page.goto(f"{live_server.url}/desk/figures/board/")
        assert page.locator("tbody .tag.worst").count() and page.locator("tbody a.tag.bad").count()
        assert overflow(page) <= 0, viewport
    page.context.close()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_row_set_aside_fits_a_telephone_with_all_it_offers_unfolded(
    browser: Browser,  # noqa: F811
    live_server: Any,
    people: Cast,
    language: str,
) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        ingest(person_penalty(4, "林事例", PERSON_NUMBER))
    row = QuarantinedRow.objects.get(problems__contains=[{"code": "name_differs"}])
    page = opened(browser, live_server.url + "/accounts/login/", language=language, viewport=NARROW)
    signed_in(page, live_server.url, "officer")
    page.goto(f"{live_server.url}/desk/set-aside/{row.pk}/")
    assert page.locator("#name-reason").count() == 1
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert overflow(page) <= 0
    page.context.close()
