"""Consent in a real browser: asked, allowed in part, used, withdrawn; a link opened once; a look complained of."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.models import AccessReview, Authorisation
from records.queries.asking import ask_records
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import ingest, person_penalty
from tests.records.queries_world import purpose, question
from tests.web.browsing import in_a_browser
from tests.web.test_main_path import signed_in, well_made
from tests.web.test_public_pages import browser, opened  # noqa: F401

NAME, KIND, CASE = "林示例", "administrative-penalty", "惠市监核〔2026〕1号"
pytestmark = in_a_browser("the path of consent was not walked in a browser")


@pytest.fixture
def people(transactional_db: None) -> Cast:
    """The cast, committed, with a record of the person."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        cast = Cast.assemble()
        ingest(person_penalty(1, NAME, PERSON_NUMBER))
    return cast


def visitor(browser: Browser, server: str, name: str) -> Page:  # noqa: F811
    """Somebody of the cast, signed in, in a browser of their own."""
    page = opened(browser, server, language="en", bypass_csp=True)
    signed_in(page, server, name)
    return page


def test_asked_allowed_in_part_used_and_withdrawn(
    browser: Browser,  # noqa: F811
    live_server: Any,
    people: Cast,
    tmp_path: Path,
) -> None:
    clerk, person = (visitor(browser, live_server.url, name) for name in ("clerk", "person"))
    found = asked_at_the_desk(clerk, live_server.url)
    found += allowed_in_part(person, live_server.url)
    case = Authorisation.objects.get()
    assert (case.granted_fields, case.uses_allowed, case.case_number) == ([KIND], 2, CASE)
    with person.expect_download() as download:
        person.get_by_role("link", name="Download the receipt").click()
    download.value.save_as(tmp_path / "receipt.json")
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert receipt["record_id"] == case.number and receipt["events"][-1]["event_state"] == "given"

    with audit.context(actor=people.clerk, door=Door.DESK, reason="test"):
        assert len(ask_records(question(purpose("special-industry"), user=people.clerk))) == 1
    person.reload()
    expect(person.locator("main")).to_contain_text("1 of 2")
    person.get_by_role("button", name="Withdraw").click()
    expect(person.locator("h1 + .tag")).to_contain_text("withdrawn")
    found += well_made(person)
    clerk.reload()
    expect(clerk.locator("h1 + .tag")).to_contain_text("withdrawn")
    assert NAME not in clerk.content() and PERSON_NUMBER not in clerk.content()
    found += complained_of(person, live_server.url, tmp_path)
    assert found == []


def asked_at_the_desk(clerk: Page, server: str) -> list[Any]:
    """A member of the unit asks; returns what axe finds."""
    clerk.goto(f"{server}/desk/authorisations/")
    found = well_made(clerk)
    clerk.goto(f"{server}/desk/authorisations/ask/hz-market/special-industry/")
    clerk.locator("main form .act").click()
    assert clerk.locator("ul.errors").count() >= 3
    found += well_made(clerk)
    clerk.fill("[name=name]", NAME)
    clerk.fill("[name=number]", PERSON_NUMBER)
    clerk.fill("[name=case_number]", CASE)
    clerk.locator("[name=everything]").check()
    clerk.locator("main form .act").click()
    expect(clerk.locator("h1 + .tag")).to_contain_text("waiting for the person")
    return found + well_made(clerk)


def allowed_in_part(person: Page, server: str) -> list[Any]:
    """The person sees what would be shown and allows one kind of it, twice."""
    person.goto(f"{server}/me/")
    person.get_by_role("link", name="See what would be shown").click()
    expect(person.locator("main")).to_contain_text("Exactly what would be shown now")
    person.get_by_role("button", name="Allow").click()
    expect(person.locator("ul.errors").first).to_be_visible()
    found = well_made(person)
    person.locator(f"[name=fields_allowed][value={KIND}]").check()
    person.fill("[name=uses]", "2")
    person.get_by_role("button", name="Allow").click()
    expect(person.locator("h1 + .tag")).to_contain_text("granted")
    return found + well_made(person)


def complained_of(person: Page, server: str, folder: Path) -> list[Any]:
    """The look stands in the list, is complained of, and goes into the file."""
    person.goto(f"{server}/me/looks/")
    expect(person.locator("table tbody")).to_contain_text(CASE)
    expect(person.locator("table tbody")).to_contain_text(purpose("special-industry").name_en)
    found = well_made(person)
    person.get_by_role("link", name="This look was not right").first.click()
    person.fill("[name=words]", "I have never dealt with this unit.")
    person.locator("main form .act").click()
    expect(person.locator("main")).to_contain_text("You said that it was not right")
    assert AccessReview.objects.get().words == "I have never dealt with this unit."
    found += well_made(person)
    person.goto(f"{server}/me/looks/")
    with person.expect_download() as download:
        person.get_by_role("link", name="CSV").click()
    download.value.save_as(folder / "looks.csv")
    assert CASE in (folder / "looks.csv").read_text("utf-8-sig")
    return found


def test_a_link_is_opened_once_by_whoever_has_the_code(
    browser: Browser,  # noqa: F811
    live_server: Any,
    people: Cast,
) -> None:
    person = visitor(browser, live_server.url, "person")
    person.goto(f"{live_server.url}/me/shares/")
    person.locator(f"[name=fields_shown][value={KIND}]").check()
    person.locator("main form .act").first.click()
    link, code = person.locator("#link").inner_text(), person.locator("#code").inner_text()
    found = well_made(person)

    reader = opened(browser, link, language="en", bypass_csp=True)
    found += well_made(reader)
    typed(reader, "ABCDEFGH")
    expect(reader.locator("ul.errors")).to_contain_text("open nothing")
    typed(reader, code)
    expect(reader.locator("h1")).to_contain_text("Shown to you by the person")
    found += well_made(reader)
    assert NAME not in reader.content() and PERSON_NUMBER not in reader.content()

    second = opened(browser, link, language="en", bypass_csp=True)
    typed(second, code)
    expect(second.locator("ul.errors")).to_contain_text(re.compile("was opened on"))
    assert "罚" not in second.locator("main").inner_text()
    person.goto(f"{live_server.url}/me/shares/")
    expect(person.locator("article .tag")).to_contain_text("opened")
    found += well_made(person)
    assert found == []


def typed(reader: Page, code: str) -> None:
    """Enter a code."""
    reader.fill("[name=code]", code)
    reader.locator("main form .act").click()
