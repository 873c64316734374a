"""The template workbook: every reader opens it, filled in it needs no question, a forgotten example is no row."""

import io
import re
import zipfile
from typing import Any

import pytest
import xlsxwriter
from django.test import Client
from django.urls import reverse
from python_calamine import CalamineWorkbook

from records.enums import BatchState
from records.feeds.readers.titles import EXAMPLE
from records.feeds.template import WORKBOOK, template_of
from records.models import CreditRecord, EntryField, Feed
from tests.cast import Cast
from tests.deliveries import FEED, penalty
from tests.records.feedfiles import people_of_the_cast, take_in

SHEET = "数据"


def table_of(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(SHEET).to_python()


def filled(content: bytes, *rows: dict[str, str], keep_example: bool = False) -> bytes:
    """The workbook as a person hands it back: the same first row, perhaps the example, and rows of text."""
    head, example = table_of(content)
    codes = dict(EntryField.objects.filter(version__entry__feeds__code=FEED).values_list("name", "code"))
    lines = [[row.get(codes[name], "") for name in head] for row in rows]
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_numbers": False})
    sheet = book.add_worksheet(SHEET)
    for at, line in enumerate([head, example, *lines] if keep_example else [head, *lines]):
        sheet.write_row(at, 0, line)
    book.close()
    return buffer.getvalue()


def part(content: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return book.read(name).decode()


def test_every_feed_has_a_template_that_another_reader_opens(cast: Cast) -> None:
    for feed in Feed.objects.select_related("entry", "agency"):
        head, example = table_of(template_of(feed))
        assert all(head) and len(set(head)) == len(head), feed.code
        assert str(example[0]).startswith(EXAMPLE), feed.code


def test_words_are_offered_numbers_are_text_and_every_column_is_explained(cast: Cast) -> None:
    content = template_of(Feed.objects.get(code=FEED))
    sheet, notes = part(content, "xl/worksheets/sheet1.xml"), part(content, "xl/comments1.xml")
    assert re.search(r'<dataValidation type="list".*?法人及非法人组织', sheet)
    assert not re.search(r'<c r="[A-Z]+\d+"(?![^>]* t="s")[^>]*><v>', sheet), "a number that is no text"
    assert notes.count("<comment ") == len(table_of(content)[0]) and "CF_XDR_SHXYM" in notes


@pytest.mark.parametrize("keep_example", [False, True])
def test_a_filled_template_passes_without_a_question_and_the_example_is_no_row(cast: Cast, keep_example: bool) -> None:
    content = filled(template_of(Feed.objects.get(code=FEED)), penalty(1), penalty(2), keep_example=keep_example)
    batch = take_in(content)
    assert (batch.state, batch.received, batch.accepted) == (BatchState.APPLIED, 2, 2), batch.problems
    assert batch.notes["unknown_columns"] == []
    assert not CreditRecord.objects.filter(document_number__contains="示例〔").exists()


def test_the_template_is_on_the_desk_for_the_own_unit_alone(db: None, settings: Any, client: Client) -> None:
    people = people_of_the_cast(settings)
    page = reverse("desk:template", args=[FEED])
    client.force_login(people.clerk)
    for linking in ("desk:deliver", "desk:deliveries"):
        assert page in client.get(reverse(linking)).content.decode()
    answer = client.get(page)
    assert (answer.headers["Content-Type"], answer.content[:2]) == (WORKBOOK, b"PK")
    client.force_login(people.other_clerk)
    assert client.get(page).status_code == 404
