"""Accounts in a real browser: sign-in by an identity platform, window and slip, representation, second factor."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from creditplatform.identity_platforms import Claims, IdentityPlatform, library_settings
from records.models import RealNameBinding, Representation
from tests.accounts.representation_world import CHILD, PDF
from tests.accounts.test_second_factor import code_of
from tests.accounts.window_world import second
from tests.cast import MINOR_NUMBER, PASSWORD, Cast
from tests.unified_platform.running import CLIENT, SECRET, UnifiedPlatform
from tests.unified_platform.running import PASSWORD as THEIRS
from tests.web.browsing import in_a_browser
from tests.web.test_main_path import people, signed_in, well_made  # noqa: F401
from tests.web.test_public_pages import (
    browser,  # noqa: F401
    complaints,  # noqa: F401
    opened,
)

NAME, NUMBER = "苏念禾", "620102199208099981"
pytestmark = in_a_browser("accounts were not tried in a browser")


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[UnifiedPlatform]:
    running = UnifiedPlatform(tmp_path)
    running.start()
    yield running
    running.stop()


def test_sign_in_by_the_identity_platform(
    platform: UnifiedPlatform, browser: Browser, live_server: Any, settings: Any  # noqa: F811
) -> None:  # fmt: skip
    platform.allow(f"{live_server.url}/accounts/platforms/province/callback/")
    platform.know("citizen", name=NAME, id_number=NUMBER, real_name_verified=True)
    settings.IDENTITY_PLATFORMS = {
        "province": IdentityPlatform(
            code="province", name="省统一身份认证", name_en="Provincial identity", url=platform.address,
            client_id=CLIENT, secret=SECRET, claims=Claims(),
        )
    }  # fmt: skip
    settings.SOCIALACCOUNT_PROVIDERS = library_settings(settings.IDENTITY_PLATFORMS)
    page = opened(browser, live_server.url)
    page.goto(f"{live_server.url}/accounts/login/")
    assert well_made(page) == []
    page.click("form.platform button")
    page.wait_for_url(f"{platform.address}/**")
    page.fill("[name=login]", "citizen")
    page.fill("[name=password]", THEIRS)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{live_server.url}/me/")
    expect(page.locator("h1")).to_contain_text(NAME)
    assert RealNameBinding.objects.get().adapter == "oidc:province"
    page.goto(f"{live_server.url}/me/account/")
    expect(page.locator("main")).to_contain_text("省统一身份认证")
    assert well_made(page) == []


def filled_in(page: Page, file: Path) -> None:
    """The form of a guardian, with everything."""
    page.check("[name=kind][value=guardian]")
    page.fill("[name=name]", CHILD)
    page.fill("[name=number]", MINOR_NUMBER)
    page.set_input_files("[name=papers]", file)
    page.click("main form .act")
    page.wait_for_load_state()


def test_a_guardian_asks_an_official_confirms_the_file_opens(
    browser: Browser, live_server: Any, people: Cast, tmp_path: Path, settings: Any  # noqa: F811
) -> None:  # fmt: skip
    settings.MEDIA_ROOT = tmp_path / "store"
    file = tmp_path / "birth.pdf"
    file.write_bytes(PDF)
    me, desk = opened(browser, live_server.url), opened(browser, live_server.url)
    signed_in(me, live_server.url, "person")
    me.goto(f"{live_server.url}/me/represent/ask/")
    assert well_made(me) == []
    filled_in(me, file)
    signed_in(desk, live_server.url, "centre")
    desk.goto(f"{live_server.url}/desk/representations/")
    assert well_made(desk) == []
    desk.click("tbody a")
    expect(desk.locator("main")).to_contain_text(MINOR_NUMBER)
    assert well_made(desk) == []
    desk.click("[name=act][value=check]")
    for gone in ("check", "confirm"):  # a second official confirms
        expect(desk.locator(f"[name=act][value={gone}]")).to_have_count(0)
    second()
    other = opened(browser, live_server.url, language="en")  # where the words of the state are longest
    signed_in(other, live_server.url, "centre-second")
    other.goto(desk.url)
    assert well_made(other) == []
    other.click("[name=act][value=confirm]")
    other.wait_for_load_state()
    assert Representation.objects.get().state == "confirmed"
    me.goto(f"{live_server.url}/me/represent/")
    assert well_made(me) == []
    me.click("form[action$='/act/'] button")
    me.wait_for_url(f"{live_server.url}/me/")
    expect(me.locator("h1")).to_contain_text(CHILD)
    assert well_made(me) == []
    me.click("form[action$='/back/'] button")
    me.wait_for_load_state()
    expect(me.locator("h1")).to_contain_text("林示例")


def test_two_officials_give_a_code_and_the_person_comes_back_in(
    browser: Browser, live_server: Any, people: Cast  # noqa: F811
) -> None:  # fmt: skip
    desk, me = opened(browser, live_server.url), opened(browser, live_server.url)
    signed_in(desk, live_server.url, "centre")
    desk.goto(f"{live_server.url}/desk/window/")
    assert well_made(desk) == []
    desk.check("[name=act][value=code]")
    for name, value in (("account", "person"), ("name", "林示例"), ("number", "441300199001011239")):
        desk.fill(f"[name={name}]", value)
    desk.check("[name=seen]")
    desk.click("main form .act")
    desk.wait_for_load_state()
    assert well_made(desk) == []
    other = opened(browser, live_server.url)
    signed_in(other, live_server.url, second().username)
    other.goto(f"{live_server.url}/desk/window/")
    other.click("tbody a")
    assert well_made(other) == []
    other.click("[name=act][value=confirm]")
    other.wait_for_load_state()
    assert well_made(other) == [], "the papers were not ticked"
    other.check("[name=seen]")
    other.click("[name=act][value=confirm]")
    other.wait_for_load_state()
    code = other.locator("code.key").inner_text()
    assert well_made(other) == []
    me.goto(f"{live_server.url}/accounts/recover/")
    assert well_made(me) == []
    new = "another-password-of-mine-7"
    for name, value in (("username", "person"), ("code", code), ("password", new), ("again", new)):
        me.fill(f"[name={name}]", value)
    me.press("[name=again]", "Enter")
    me.wait_for_url(f"{live_server.url}/accounts/login/")
    me.fill("[name=login]", "person")
    me.fill("[name=password]", new)
    me.press("[name=password]", "Enter")
    me.wait_for_url(f"{live_server.url}/me/")


def test_the_second_factor_is_set_up_and_asked_for(
    browser: Browser, live_server: Any, people: Cast  # noqa: F811
) -> None:  # fmt: skip
    page = opened(browser, live_server.url)
    signed_in(page, live_server.url, "person")
    for address in ("/me/account/", "/accounts/second-factor/"):
        page.goto(f"{live_server.url}{address}")
        assert well_made(page) == []
    page.goto(f"{live_server.url}/accounts/second-factor/app/set-up/")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/app/set-up/")
    assert well_made(page) == []
    secret = page.locator("code.key").inner_text()
    page.fill("[name=code]", code_of(secret))
    page.press("[name=code]", "Enter")
    page.wait_for_url("**/recovery-codes/")
    codes = page.locator(".codes code").all_inner_texts()
    assert well_made(page) == []
    again = opened(browser, live_server.url)
    signed_in(again, live_server.url, "person")
    again.wait_for_url("**/second-factor/authenticate/")
    assert well_made(again) == []
    again.fill("[name=code]", codes[0])
    again.press("[name=code]", "Enter")
    again.wait_for_url(f"{live_server.url}/me/")
