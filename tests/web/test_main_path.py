"""The main path in a real browser: a clerk delivers a file, the public reads it, the person sees it and who looked."""

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from guardian.shortcuts import assign_perm
from playwright.sync_api import Browser, Page, expect

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.models import CreditRecord, Entitlement, FeedBatch
from records.tasks import process_batch
from tests.cast import PASSWORD, PERSON_NUMBER, Cast
from tests.deliveries import as_csv, penalty, person_penalty
from tests.web.browsing import in_a_browser
from tests.web.test_public_pages import (
    NARROW,
    RULES,
    WIDE,
    browser,  # noqa: F401
    complaints,  # noqa: F401
    opened,
    overflow,
)

FEED = "惠州市场监管行政处罚"
COMPANY = "示例1号贸易有限公司"
pytestmark = in_a_browser("the main path was not walked in a browser")


@pytest.fixture
def people(transactional_db: None) -> Cast:
    """The cast, committed, so that the server of the test sees them."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        return Cast.assemble()


def signed_in(page: Page, server: str, name: str) -> None:
    """Sign in as one of the cast."""
    page.goto(f"{server}/accounts/login/")
    page.fill("[name=login]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state()


def well_made(page: Page) -> list[Any]:
    """What axe finds, wide and narrow; a page of citizens is never wider than its window."""
    found = []
    for viewport in (WIDE, NARROW):
        page.set_viewport_size(viewport)
        if "/admin/" not in page.url:
            assert overflow(page) <= 0, page.url
        result = Axe().run(page, options=RULES)
        found += [(page.url, v["id"], v["nodes"][0]["html"]) for v in result.response["violations"]]
    page.set_viewport_size(WIDE)
    return found


def deliver(page: Page, server: str, file: Path) -> FeedBatch:
    """Upload a file by the staff page, as a clerk does; the receipt page is open afterwards."""
    page.goto(f"{server}/desk/deliveries/new/")
    page.select_option("[name=feed]", label=FEED)
    page.set_input_files("[name=file]", file)
    page.click("main form .act")
    page.wait_for_url(re.compile(r"/desk/deliveries/\d+/$"))
    batch = FeedBatch.objects.latest("pk")
    process_batch(batch.pk)  # what the worker does; a real one is started in tests/records/test_upload.py
    return batch


def test_from_the_file_of_a_clerk_to_the_file_of_a_person(
    browser: Browser,  # noqa: F811
    live_server: Any,
    people: Cast,
    tmp_path: Path,
) -> None:
    rows = [penalty(1), penalty(2, CF_JDRQ="昨天"), person_penalty(3, "林示例", PERSON_NUMBER)]
    (tmp_path / "delivery.csv").write_bytes(as_csv(rows))

    clerk = opened(browser, live_server.url, bypass_csp=True)
    signed_in(clerk, live_server.url, "clerk")
    assert clerk.url == f"{live_server.url}/desk/"
    deliver(clerk, live_server.url, tmp_path / "delivery.csv")
    expect(clerk.locator("[role=status]")).to_contain_text("已入库，部分待更正", timeout=15_000)
    expect(clerk.locator(".counts")).to_contain_text("3")
    expect(clerk.get_by_text("日期无法识别").first).to_be_visible()
    found = well_made(clerk)

    visitor = opened(browser, f"{live_server.url}/huizhou/", bypass_csp=True)
    visitor.get_by_role("searchbox").fill(COMPANY)
    visitor.keyboard.press("Enter")
    visitor.get_by_role("link", name=COMPANY).click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text(COMPANY)
    address = visitor.url
    assert "林示例" not in visitor.content() and PERSON_NUMBER not in visitor.content()
    found += well_made(visitor)

    found += own_file(opened(browser, live_server.url, bypass_csp=True), live_server.url)
    assert found == []

    ended = CreditRecord.objects.get(subject__name=COMPANY).publish_until
    with time_machine.travel(datetime.datetime.combine(ended, datetime.time(1), timezone.get_default_timezone())):
        assert visitor.goto(address).status == 404  # type: ignore[union-attr]


def own_file(person: Page, server: str) -> list[Any]:
    """The person reads the own file, page by page; returns what axe finds."""
    signed_in(person, server, "person")
    expect(person.get_by_role("heading", level=1)).to_contain_text("林示例")
    found = []
    for path in ("/me/", "/me/looks/", "/me/notices/", "/me/records/"):
        person.goto(server + path)
        found += well_made(person)
    person.get_by_role("link", name="行政处罚").first.click()
    expect(person.get_by_text("惠州市市场监督管理局").first).to_be_visible()
    return found + well_made(person)


def test_a_wrong_entry_is_told_beside_its_field_and_a_right_one_is_on_file(
    browser: Browser,  # noqa: F811
    live_server: Any,
    people: Cast,
) -> None:
    from_the_law = granted(people)
    page = opened(browser, live_server.url, language="en", bypass_csp=True)
    signed_in(page, live_server.url, "clerk")
    page.goto(f"{live_server.url}/admin/records/creditrecord/enter/{from_the_law}/")
    page.click("input.default")
    expect(page.locator(".errornote")).to_be_visible()
    assert page.locator(".form-row.errors").count() >= 5
    assert well_made(page) == []
    page.select_option("[name=act-feed]", index=1)
    for code, text in penalty(7).items():
        fill(page, code, text)
    page.click("input.default")
    page.wait_for_url("**/change/")
    assert CreditRecord.objects.get().subject.name == "示例7号贸易有限公司"


def granted(people: Cast) -> int:
    """Give the clerk the penalty entry of the own unit; returns its key."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        entitlement = Entitlement.objects.get(agency__code="hz-market", entry__code="administrative-penalty")
        assign_perm("records.enter_records", people.clerk, entitlement)
    return int(entitlement.pk)


def fill(page: Page, code: str, text: str) -> None:
    """Enter one field, whatever its input is."""
    field = page.locator(f"[name={code}]")
    if not text or not field.count():
        return
    if field.first.get_attribute("type") == "checkbox":
        page.locator(f"[name={code}][value=fine]").check()
    elif field.first.evaluate("node => node.tagName") == "SELECT":
        field.select_option(text)
    else:
        field.fill(text)
