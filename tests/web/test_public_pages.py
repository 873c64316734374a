"""The public sites in a real browser: both languages, wide and narrow, without scripts, by keyboard, with axe."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from creditplatform.core import audit
from creditplatform.core.enums import Door
from tests.publicity.world import address, dishonest_shop, penalty, taken_in
from tests.web.browsing import CHROMIUM, in_a_browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PAGES = ["/", "/{site}/", "/{site}/search/?q=示例有限公司", "/{site}/registers/", "/{site}/registers/{entry}/",
         "{record}", "/{site}/services/objection/", "/{site}/purposes/", "/{site}/records/nothing/",
         "/accounts/login/"]  # fmt: skip
COMPLAINTS: list[str] = []
pytestmark = in_a_browser("the pages were not looked at in a browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "Browser tests are required here and no Chromium was found."
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def places() -> dict[str, dict[str, str]]:
    """A record on each site, and the addresses that lead there."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        fined, shop = taken_in(penalty(1))[0], dishonest_shop()
    return {
        "huizhou": {"site": "huizhou", "entry": "administrative-penalty", "record": address(fined)},
        "gansu": {"site": "gansu", "entry": "ecommerce-dishonesty", "record": address(shop)},
    }


@pytest.fixture(autouse=True)
def complaints() -> Iterator[list[str]]:
    """Whatever the browser complains about (forbidden styles, broken scripts) fails the test."""
    COMPLAINTS.clear()
    yield COMPLAINTS
    assert COMPLAINTS == []


def opened(browser: Browser, address: str, *, language: str = "zh-hans", **options: Any) -> Page:
    """A fresh visitor whose language is set."""
    visitor = browser.new_context(viewport=options.pop("viewport", WIDE), **options)
    visitor.add_cookies([{"name": "django_language", "value": language, "url": address}])
    page = visitor.new_page()
    page.on("console", lambda message: COMPLAINTS.append(message.text) if "Security Policy" in message.text else None)
    page.on("pageerror", lambda error: COMPLAINTS.append(str(error)))
    page.goto(address)
    return page


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    page.wait_for_load_state()
    # By locator, which waits for the page that a click has just called up to have a root.
    return int(page.locator("html").evaluate("root => root.scrollWidth - root.clientWidth"))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("site", ["huizhou", "gansu"])
def test_pages_fit_every_window_and_axe_finds_nothing(
    browser: Browser, live_server: Any, places: dict[str, dict[str, str]], site: str, language: str
) -> None:
    axe, found = Axe(), []
    for path in PAGES:
        page = opened(browser, live_server.url + path.format(**places[site]), language=language, bypass_csp=True)
        for viewport in (WIDE, NARROW):
            page.set_viewport_size(viewport)
            assert overflow(page) <= 0, (path, viewport)
            result = axe.run(page, options=RULES)
            found += [(path, viewport["width"], v["id"], v["nodes"][0]["html"]) for v in result.response["violations"]]
        page.context.close()
    assert found == []


def test_large_text_and_double_zoom_fit_the_window(
    browser: Browser, live_server: Any, places: dict[str, dict[str, str]]
) -> None:
    for path in PAGES:
        page = opened(browser, live_server.url, viewport={"width": 640, "height": 700})
        page.context.add_cookies([{"name": "size", "value": "large", "url": live_server.url}])
        page.goto(live_server.url + path.format(**places["gansu"]))
        assert page.locator("html").get_attribute("data-size") == "large"
        assert overflow(page) <= 0, path
        page.context.close()


def test_from_the_door_to_a_record_without_scripts(
    browser: Browser, live_server: Any, places: dict[str, dict[str, str]]
) -> None:
    page = opened(browser, live_server.url, language="en", java_script_enabled=False)
    page.get_by_role("main").get_by_role("link", name="Credit Gansu").click()
    page.get_by_role("searchbox").fill("示例电子商务")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="兰州示例电子商务有限公司").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("兰州示例电子商务有限公司")
    expect(page.get_by_text("Public until")).to_be_visible()
    expect(page.get_by_role("button", name="Print this page")).to_be_hidden()
    page.get_by_role("button", name="中文").click()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert page.url == live_server.url + places["gansu"]["record"]


def test_a_personal_number_never_reaches_the_address(
    browser: Browser, live_server: Any, places: dict[str, dict[str, str]]
) -> None:
    page = opened(browser, live_server.url + "/huizhou/", language="en")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("searchbox").fill("441300 19900101 1239")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("looks like the number of a person")
    assert not any("19900101" in address for address in (*asked, page.url))
    assert "19900101" not in page.content()


def test_the_keyboard_leads_past_the_navigation(
    browser: Browser, live_server: Any, places: dict[str, dict[str, str]]
) -> None:
    page = opened(browser, live_server.url + "/huizhou/", language="en")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_print_leaves_out_what_paper_cannot_do(
    browser: Browser, live_server: Any, places: dict[str, dict[str, str]]
) -> None:
    page = opened(browser, live_server.url + places["huizhou"]["record"], language="en")
    expect(page.get_by_role("button", name="Print this page")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".nav-main")).to_be_hidden()
    expect(page.locator(".no-print")).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".demo")).to_be_visible()
