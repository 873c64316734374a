"""A report in a real browser: ordered, downloaded, checked by its number and by its file, withdrawn."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.models import CreditReport
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import ingest, person_penalty
from tests.records.report_world import has_authority, pdf_of
from tests.web.browsing import in_a_browser
from tests.web.test_main_path import signed_in, well_made
from tests.web.test_public_pages import NARROW, browser, opened, overflow  # noqa: F401

pytestmark = in_a_browser("the path of the report was not walked in a browser")


@pytest.fixture
def people(transactional_db: None) -> Cast:
    """The cast, committed, with a record of the person."""
    has_authority()
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        cast = Cast.assemble()
        ingest(person_penalty(1, "林示例", PERSON_NUMBER))
    return cast


def test_from_the_order_to_the_check(
    browser: Browser,  # noqa: F811
    live_server: Any,
    people: Cast,
    tmp_path: Path,
) -> None:
    person = opened(browser, live_server.url, language="en", bypass_csp=True)
    signed_in(person, live_server.url, "person")
    person.goto(f"{live_server.url}/me/reports/")
    found = well_made(person)
    person.locator("main a.act").click()
    found += well_made(person)
    expect(person.locator("#id_entries")).to_be_hidden()
    person.locator("input[name=kind][value=special]").check()
    expect(person.locator("#id_entries")).to_be_visible()
    person.locator("main form .act").click()
    expect(person.locator("main [role=alert] a[href='#id_entries']")).to_be_in_viewport()
    expect(person.locator("ul.errors").first).to_be_visible()
    found += well_made(person)
    person.locator("input[name=entries][value=administrative-penalty]").check()
    person.locator("main form .act").click()
    person.wait_for_url("**/me/reports/*/")
    found += well_made(person)
    with person.expect_download() as download:
        person.locator(".ways a").first.click()
    download.value.save_as(tmp_path / "report.pdf")
    report = CreditReport.objects.get()
    assert (tmp_path / "report.pdf").read_bytes() == pdf_of(report)
    address = person.locator("dd a").inner_text()
    assert address == f"{live_server.url}/verify/{report.code}/"

    found += checked(browser, live_server.url, report, tmp_path / "report.pdf")
    found += forged(browser, live_server.url, report, tmp_path)
    person.locator("main form button").click()
    expect(person.locator(".tag.bad")).to_contain_text("withdrawn")
    found += told_after(browser, live_server.url, report)
    assert found == []


def checked(browser: Browser, server: str, report: CreditReport, file: Path) -> list[Any]:  # noqa: F811
    """Whoever holds the report checks number and file; returns what axe finds."""
    holder = opened(browser, f"{server}/verify/", language="en", bypass_csp=True)
    found = well_made(holder)
    holder.fill("[name=code]", report.code.upper())
    holder.keyboard.press("Enter")
    holder.wait_for_url(f"{server}/verify/{report.code}/")
    expect(holder.locator("h1")).to_contain_text("This report was issued here")
    assert "林示例" not in holder.content()
    holder.set_input_files("[name=file]", file)
    holder.locator("main form .act").click()
    expect(holder.locator("[role=status]")).to_contain_text("exactly the file")
    return found + well_made(holder)


def forged(browser: Browser, server: str, report: CreditReport, folder: Path) -> list[Any]:  # noqa: F811
    """A file with one byte altered is told as such on the first screen of a telephone; returns what axe finds."""
    data = bytearray(pdf_of(report))
    data[len(data) // 2] ^= 1
    (folder / "forged.pdf").write_bytes(data)
    holder = opened(browser, f"{server}/verify/{report.code}/", language="en", bypass_csp=True, viewport=NARROW)
    holder.set_input_files("[name=file]", folder / "forged.pdf")
    holder.locator("main form .act").click()
    expect(holder.locator("h1")).to_have_text("This file is not the one that was issued")
    for first in (".headline .tag.bad", "[role=status]"):
        expect(holder.locator(first)).to_be_in_viewport(ratio=1)
    expect(holder.locator(".tag.good", has_text="genuine")).to_have_count(0)
    assert overflow(holder) <= 0
    return well_made(holder)


def told_after(browser: Browser, server: str, report: CreditReport) -> list[Any]:  # noqa: F811
    """What is said of a withdrawn report, and of a number nobody issued."""
    holder = opened(browser, server, language="en", bypass_csp=True)
    holder.goto(f"{server}/verify/{report.code}/")
    expect(holder.locator("h1")).to_contain_text("withdrawn since")
    holder.goto(f"{server}/verify/{'a' * 26}/")
    expect(holder.locator("h1")).to_contain_text("No report of this number")
    return well_made(holder)
