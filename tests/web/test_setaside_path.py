"""A clerk with a bad spreadsheet in a real browser: mended in place and by workbook until it is clean."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.enums import BatchState, RowState
from records.models import CreditRecord, FeedBatch, QuarantinedRow
from records.tasks import process_batch
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import as_csv, penalty, person_penalty
from tests.records.workbooks import Book
from tests.web.browsing import in_a_browser
from tests.web.test_main_path import deliver, signed_in, well_made
from tests.web.test_public_pages import (
    NARROW,
    browser,  # noqa: F401
    complaints,  # noqa: F401
    opened,
)

FEED = "惠州市场监管行政处罚"
pytestmark = in_a_browser("the desk of rows set aside was not walked in a browser")


@pytest.fixture
def people(transactional_db: None) -> Cast:
    """The cast, committed, so that the server of the test sees them."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        return Cast.assemble()


def bad_spreadsheet(folder: Path) -> Path:
    """Five rows, four of them wrong in one way or another."""
    rows = [
        penalty(1),
        penalty(2, CF_JDRQ="昨天", CF_NR_FK="很多"),
        person_penalty(3, "林示例", PERSON_NUMBER, CF_JDRQ="上周"),
        penalty(4, CF_XDR_SHXYM="91441300MA0000004X"),
        penalty(5, CF_NR_FK="一万"),
    ]
    file = folder / "delivery.csv"
    file.write_bytes(as_csv(rows))
    return file


def test_from_a_bad_spreadsheet_to_a_clean_delivery(
    browser: Browser,  # noqa: F811
    live_server: Any,
    people: Cast,
    tmp_path: Path,
) -> None:
    page = opened(browser, live_server.url, bypass_csp=True, viewport=NARROW, java_script_enabled=True)
    signed_in(page, live_server.url, "clerk")
    batch = deliver(page, live_server.url, bad_spreadsheet(tmp_path))
    page.reload()
    page.get_by_role("link", name="处理待更正的行").click()
    expect(page.locator("table.plain tbody tr")).to_have_count(4)
    found = well_made(page)

    page.set_viewport_size(NARROW)
    page.get_by_role("link", name="第 3 行").click()
    expect(page.locator("table.plain")).to_have_count(0)  # the list is left before the row is looked at
    found += well_made(page)
    mend_in_place(page)

    page.goto(f"{live_server.url}/desk/set-aside/")
    page.select_option("[name=feed]", label=FEED)
    page.get_by_role("button", name="查看").click()
    by_workbook(page, tmp_path)
    process_batch(FeedBatch.objects.latest("pk").pk)  # what the worker does
    page.goto(f"{live_server.url}/desk/set-aside/")
    expect(page.locator("main .note")).to_contain_text("没有待更正的记录")
    assert found + well_made(page) == []
    assert CreditRecord.objects.count() == 5
    assert set(QuarantinedRow.objects.values_list("state", flat=True)) == {RowState.CORRECTED}
    batch.refresh_from_db()
    assert batch.state == BatchState.CORRECTED


def mend_in_place(page: Page) -> None:
    """First half of what is wrong, then the other half, on a telephone."""
    page.fill("[name=CF_JDRQ]", "2026-05-05")
    page.get_by_role("button", name="重新校验并入库").click()
    expect(page.locator("[role=status]")).to_contain_text("仍有错误")
    expect(page.locator("[name=CF_JDRQ]")).to_have_value("2026-05-05")
    page.fill("[name=CF_NR_FK]", "1")
    page.get_by_role("button", name="重新校验并入库").click()
    expect(page.locator("[role=status]")).to_contain_text("已入库")
    expect(page.get_by_role("heading", level=1)).to_have_text("第 4 行")  # and on to the next row


def by_workbook(page: Page, folder: Path) -> None:
    """Download the workbook, mend three rows, deliver it."""
    with page.expect_download() as coming:
        page.get_by_role("link", name="下载标注表格").click()
    book = Book.read(Path(coming.value.path()).read_bytes())
    assert len(book.lines) == 4
    for line, column, text in (
        (1, "CF_JDRQ", "2026-05-05"), (2, "CF_XDR_SHXYM", penalty(4)["CF_XDR_SHXYM"]), (3, "CF_NR_FK", "1"),
    ):  # fmt: skip
        assert book.remark(line, column)
        book.mend(line, column, text)
    (folder / "mended.xlsx").write_bytes(book.saved())
    page.set_input_files("[name=file]", folder / "mended.xlsx")
    page.get_by_role("button", name="报送更正后的表格").click()
    page.wait_for_url("**/desk/deliveries/*/")
