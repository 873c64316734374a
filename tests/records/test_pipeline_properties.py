"""Whatever stands in headers and cells, in whatever form it comes: an answer, counts that add up, values kept."""

import datetime
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from records.enums import BatchState
from records.feeds.mapping import header_key, known_names
from records.feeds.problems import SENTENCES
from records.feeds.values import NO_VALUE
from records.models import CreditRecord, EntryField, FeedBatch, QuarantinedRow
from tests.deliveries import penalty
from tests.records.feed_files import xls, xlsx, xml
from tests.records.feedfiles import cells_of, counts, csv_bytes, take_in

pytestmark = pytest.mark.usefixtures("context")
QUICK = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FORMS = {
    "csv": lambda header, rows: csv_bytes([dict(zip(header, row, strict=True)) for row in rows]),
    "csv in GB18030": lambda header, rows: csv_bytes(
        [dict(zip(header, row, strict=True)) for row in rows], encoding="gb18030"
    ),
    "xlsx": lambda header, rows: xlsx([header, *rows]),
    "xml": xml,
    "xls": lambda header, rows: xls([header, *rows]),
}
TODAY = datetime.date.today()
# Letters beyond the first plane and outside GBK, marks of combination, quotation, markup, delimiters, odd spaces.
LETTERS = "甲乙惠〔〕１𬭚䶮㛃𠅤鿍𠮷é\u0301ñß€²&<>\"',;|\t \u00a0\u3000\u200bａＢ%()（）-_.@=+/\\*#😀"
TEXT = st.text(st.sampled_from(LETTERS), max_size=20)
ANYTHING = st.one_of(
    TEXT,
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    st.sampled_from([*sorted(NO_VALUE), "00000000000000000X", "=1+1", "2099/12/31", "1e400", "NaN", "٢٠٢٦", "合计"]),
)


@contextmanager
def taken_back() -> Iterator[None]:
    """What an example has written is gone before the next one."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


def payloads(batch: FeedBatch) -> dict[int, dict[str, Any]]:
    """Contents of the records of a batch, by the row they came from."""
    return {record.row_number: record.payload for record in CreditRecord.objects.filter(batch_id=batch.pk)}


def answered(batch: FeedBatch) -> None:
    """The file came to its end without an error of ours, rows with their fate, problems with their sentence."""
    assert batch.error_code != "internal_error"
    assert batch.state in {BatchState.APPLIED, BatchState.PARTLY_QUARANTINED, BatchState.REFUSED}
    aside = list(QuarantinedRow.objects.filter(batch=batch))
    assert len(aside) <= batch.quarantined + batch.rejected
    assert {problem["code"] for row in aside for problem in row.problems} <= set(SENTENCES)
    assert CreditRecord.objects.filter(batch_id=batch.pk).count() == batch.accepted


# --- headers -----------------------------------------------------------------------------------------


def wide(text: str) -> str:
    """The text in full-width forms."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


SPACES = st.sampled_from(["", " ", "  ", "\u3000", "\t", "\u00a0", "\n"])


@QUICK
@given(data=st.data(), form=st.sampled_from(sorted(set(FORMS) - {"xls", "xml"})))
def test_headers_with_spaces_in_full_width_and_in_any_order_are_the_same_headers(
    data: st.DataObject, form: str
) -> None:
    header, (cells,) = cells_of([penalty(1, BZ="备注")])
    fields = {f.code: f for f in EntryField.objects.filter(version__state="in_force") if f.code in header}
    order = data.draw(st.permutations(range(len(header))))
    dressed = []
    for at in order:
        item = fields[header[at]]
        known = [text for text in (item.code, item.name, *item.aliases) if header_key(text) in known_names([item])]
        name = data.draw(st.sampled_from(known))
        name = data.draw(st.sampled_from([name, wide(name), name.lower(), unicodedata.normalize("NFKC", name)]))
        dressed.append(data.draw(SPACES) + name + data.draw(SPACES))
    assume(len({name.strip() for name in dressed}) == len(dressed))
    with taken_back():
        plain = payloads(take_in(csv_bytes([dict(zip(header, cells, strict=True))])))
        CreditRecord.objects.all().delete()
        batch = take_in(FORMS[form](dressed, [[cells[at] for at in order]]))
        assert counts(batch) == {"received": 1, "accepted": 1}
        assert batch.notes["unknown_columns"] == []
        assert payloads(batch) == plain


# --- values ------------------------------------------------------------------------------------------

DATES = (
    "{0:%Y-%m-%d}", "{0.year}/{0.month}/{0.day}", "{0.year}年{0.month}月{0.day}日", "{0:%Y%m%d}", "{0:%Y.%m.%d}", "{1}",
    "{0:%Y-%m-%d} 00:00:00", " {0:%Y/%m/%d} ",
)  # fmt: skip


@QUICK
@given(days=st.lists(st.integers(0, 900), min_size=1, max_size=6), data=st.data())
def test_a_date_in_any_usual_form_is_that_date(days: list[int], data: st.DataObject) -> None:
    wanted = [TODAY - datetime.timedelta(days=number) for number in days]
    texts = []
    for day in wanted:
        text = data.draw(st.sampled_from(DATES)).format(day, (day - datetime.date(1899, 12, 30)).days)
        texts.append(wide(text) if data.draw(st.booleans()) else text)
    with taken_back():
        batch = take_in(csv_bytes([penalty(n, CF_JDRQ=text) for n, text in enumerate(texts, 1)]))
        assert counts(batch) == {"received": len(days), "accepted": len(days)}
        found = CreditRecord.objects.filter(batch_id=batch.pk).order_by("row_number")
        assert [record.decided_on for record in found] == wanted


@QUICK
@given(amounts=st.lists(st.decimals(0, 10**5, places=4), min_size=1, max_size=6), data=st.data())
def test_an_amount_with_units_and_thousands_signs_is_that_amount(amounts: list[Decimal], data: st.DataObject) -> None:
    texts = []
    for amount in amounts:
        forms = (
            f"{amount}",
            f"{amount:,}",
            f"{amount:,}万元",
            f"{amount * 10000:f}元",
            f"¥{amount:,}",
            f" {amount} 万元",
        )
        text = data.draw(st.sampled_from(forms))
        texts.append(wide(text) if data.draw(st.booleans()) else text)
    with taken_back():
        batch = take_in(csv_bytes([penalty(n, CF_NR_FK=text) for n, text in enumerate(texts, 1)]))
        assert counts(batch) == {"received": len(amounts), "accepted": len(amounts)}
        found = payloads(batch)
        assert [Decimal(found[n]["CF_NR_FK"]) for n in range(1, len(amounts) + 1)] == amounts


@QUICK
@given(fillers=st.lists(st.sampled_from(sorted(NO_VALUE)), min_size=1, max_size=5), data=st.data())
def test_a_filler_is_no_value(fillers: list[str], data: st.DataObject) -> None:
    rows = [penalty(n, BZ=data.draw(SPACES) + text + " ", CF_XDR_ZJHM=text) for n, text in enumerate(fillers, 1)]
    with taken_back():
        batch = take_in(csv_bytes(rows))
        assert counts(batch) == {"received": len(rows), "accepted": len(rows)}
        assert all("BZ" not in payload for payload in payloads(batch).values())


# --- forms -------------------------------------------------------------------------------------------

FREE = ("CF_NR", "BZ", "CF_WFXW")


def table(texts: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """Penalties whose free texts are these."""
    return cells_of([penalty(n, **dict(zip(FREE, row, strict=True))) for n, row in enumerate(texts, 1)])


@settings(QUICK, max_examples=20)
@given(texts=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=5), form=st.sampled_from(sorted(FORMS)))
def test_what_is_accepted_says_exactly_what_was_sent(texts: list[tuple[str, str, str]], form: str) -> None:
    header, rows = table(texts)
    with taken_back():
        batch = take_in(FORMS[form](header, rows), chunk_size=2)
        answered(batch)
        assert batch.received == len(texts)
        for number, payload in payloads(batch).items():
            for code, text in zip(FREE, texts[number - 1], strict=True):
                text = text.strip()
                assert payload.get(code, "") == ("" if text in NO_VALUE else text)


@settings(QUICK, max_examples=20)
@given(data=st.data(), form=st.sampled_from(["csv", "csv in GB18030", "xlsx"]))
def test_anything_in_any_cell_is_answered(data: st.DataObject, form: str) -> None:
    header, rows = cells_of([penalty(n) for n in (1, 2, 3)])
    for _time in range(data.draw(st.integers(1, 6))):
        rows[data.draw(st.integers(0, 2))][data.draw(st.integers(0, len(header) - 1))] = data.draw(ANYTHING)
    with taken_back():
        batch = take_in(FORMS[form](header, rows), chunk_size=2)
        answered(batch)
        assert batch.error_code == ""
        assert batch.received == 3
