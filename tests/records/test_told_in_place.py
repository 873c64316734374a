"""What is wrong is said so that it helps in its place: in this field, in a form or a file, about a file as a whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from creditplatform.core import audit
from creditplatform.core.enums import Door
from records.enums import BatchState, Required, RowState
from records.feeds.problems import SENTENCES, sentence
from records.models import CreditRecord, EntryField, Feed, FeedBatch, MissingRecord, QuarantinedRow
from records.services.feeds import receive_file, work_off
from tests.cast import Cast
from tests.deliveries import FEED, penalty
from tests.records.feed_files import xlsx, xml
from tests.records.feedfiles import cells_of, csv_bytes, deliver, people_of_the_cast

HEADER, CELLS = cells_of([penalty(1)])


@pytest.fixture
def people(db: None, settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = tmp_path / "media"
    return people_of_the_cast(settings)


@pytest.fixture
def clerk(people: Cast, client: Client) -> Client:
    client.force_login(people.clerk)
    client.cookies["django_language"] = "en"
    return client


def sent(content: bytes, name: str = "list.csv") -> FeedBatch:
    """A file of the unit, worked off."""
    with audit.context(actor=None, door=Door.DESK, reason="test"):
        feed = Feed.objects.select_related("agency", "entry").get(code=FEED)
        return work_off(receive_file(feed=feed, blocks=[content], file_name=name, door=Door.DESK))


def page_of(client: Client, batch: FeedBatch) -> str:
    return client.get(reverse("desk:delivery", args=[batch.pk])).content.decode()


# --- sentences ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("required", "one_of", "said"),
    [
        (Required.ALWAYS, "", "must be filled in"), (Required.PERSONS, "", "must be filled in"),
        (Required.NEVER, "", "leave the field empty"), (Required.NEVER, "codes", "another one of its group"),
        (Required.WHEN, "", "Only a field that may be empty"),
    ],
)  # fmt: skip
def test_a_filler_is_told_by_whether_its_field_may_be_empty(required: Required, one_of: str, said: str) -> None:
    with translation.override("en"):
        told = sentence("placeholder", EntryField(required=required, one_of=one_of))
        assert said in told and ("leave" not in told or required == Required.NEVER)
        assert "Only a field that may be empty" in sentence("placeholder")


def test_a_form_speaks_of_ticks_and_lists_and_a_file_of_its_cells() -> None:
    with translation.override("en"):
        for code in ("unknown_effect", "unknown_choice", "document_kind_unknown", "precision_lost", "formula_cell"):
            in_form = sentence(code, form=True)
            assert in_form != sentence(code), code
            assert not any(word in in_form for word in ("semicolon", "column", "template", "cell holds")), code
        assert "semicolon" in sentence("unknown_effect") and "tick" in sentence("unknown_effect", form=True)
        assert "column as text" in sentence("precision_lost")
        assert sentence("not_a_date", form=True) == str(SENTENCES["not_a_date"])


@pytest.mark.parametrize("filler", ["/", "无", "*"])
def test_a_filler_in_a_required_field_or_for_every_code_is_said_to_count_as_empty(clerk: Client, filler: str) -> None:
    batch = deliver(penalty(1, CF_WSH=filler), penalty(2, CF_XDR_SHXYM=filler))
    assert batch.problems == {"required": 1, "one_of_missing": 1}
    texts = [page_of(clerk, batch)]
    for row in QuarantinedRow.objects.all():
        texts.append(clerk.get(reverse("desk:setaside_row", args=[row.pk])).content.decode())
    for text in texts:
        assert "a filler such as / or * counts as empty" in text
        assert "leave the field empty" not in text


def test_the_mending_page_asks_for_ticks_where_it_shows_boxes(clerk: Client) -> None:
    batch = deliver(penalty(1, CF_CFLB="乱写的类别"))
    row = QuarantinedRow.objects.get(state=RowState.OPEN)
    assert "semicolon" in page_of(clerk, batch)
    page = clerk.get(reverse("desk:setaside_row", args=[row.pk])).content.decode()
    assert 'type="checkbox"' in page and "tick every kind that applies" in page and "semicolon" not in page


# --- files as a whole -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["list.xlsx", "LIST.XLS"])
def test_plain_text_named_as_a_workbook_is_said_to_be_none(clerk: Client, name: str) -> None:
    batch = sent(csv_bytes([penalty(1)]), name)
    assert (batch.state, batch.error_code) == (BatchState.REFUSED, "no_workbook")
    assert "this is no workbook" in page_of(clerk, batch)
    assert sent(csv_bytes([penalty(1)]), "list.txt").state == BatchState.APPLIED


def test_a_refused_receipt_leads_to_the_template_and_names_columns_in_the_language_of_the_page(clerk: Client) -> None:
    batch = sent("甲,乙\n1,2\n".encode())
    assert batch.error_code == "wrong_header"
    fields = EntryField.objects.filter(version__entry=batch.feed.entry_id, code="CF_WSH")
    names = fields.latest("version__number")
    english = page_of(clerk, batch)
    address = reverse("desk:template", args=[FEED])
    assert names.name_en in english and names.name not in english and f'href="{address}"' in english
    clerk.cookies["django_language"] = "zh-hans"
    chinese = page_of(clerk, batch)
    assert names.name in chinese and names.name_en not in chinese and f'href="{address}"' in chinese
    assert clerk.get(address).content[:2] == b"PK"
    assert f'href="{address}"' not in page_of(clerk, sent(csv_bytes([penalty(1)])))


WITHOUT_ROWS = {
    "csv": (",".join(HEADER).encode() + b"\n", "list.csv"),
    "csv with blank lines": (",".join(HEADER).encode() + b"\n,,,\n\n", "list.csv"),
    "xlsx": (xlsx([HEADER]), "list.xlsx"),
    "json": (b"[]", "list.json"),
    "json under rows": (b'{"rows": []}', "list.json"),
    "json of empty values": (json.dumps([dict.fromkeys(HEADER, "")]).encode(), "list.json"),
    "xml": (b"<rows></rows>", "list.xml"),
    "xml of empty values": (xml(HEADER, [["" for _name in HEADER]]), "list.xml"),
    "columns nobody knows": (",".join([*HEADER[1:], "某列"]).encode() + b"\n", "list.csv"),
}


@pytest.mark.parametrize("case", WITHOUT_ROWS)
@pytest.mark.parametrize("complete", [False, True])
def test_a_file_without_rows_is_refused_and_proposes_nothing(clerk: Client, case: str, complete: bool) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        Feed.objects.filter(code=FEED).update(complete_list=complete)
    assert sent(csv_bytes([penalty(1)])).state == BatchState.APPLIED
    batch = sent(*WITHOUT_ROWS[case])
    assert (batch.state, batch.error_code, batch.received) == (BatchState.REFUSED, "no_rows", 0)
    assert "The file holds no rows" in page_of(clerk, batch)
    assert CreditRecord.objects.filter(state="in_force").count() == 1 and not MissingRecord.objects.exists()
