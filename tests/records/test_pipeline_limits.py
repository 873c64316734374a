"""Where the law draws the line for a row: minors, numbers of persons in open texts, lists with an end of their own."""

import datetime

import pytest

from creditplatform.core.models import Agency
from records.enums import RowState, Tier
from records.models import CatalogueEntry, CreditRecord, Entitlement, Feed, QuarantinedRow
from tests.deliveries import penalty, person_penalty
from tests.records.feedfiles import (
    cells_of,
    counts,
    credit_code,
    deliver,
    problems_of,
    resident,
    table_bytes,
    take_in,
    whole_database,
)

ADULT = datetime.date(1985, 6, 15)
TODAY = datetime.date.today()
CHILD = datetime.date(2014, 3, 1)
TOMORROW = (TODAY + datetime.timedelta(days=1)).isoformat()
pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize(
    "flaw", [{"CF_JDRQ": ""}, {"CF_JDRQ": "昨天"}, {"CF_JDRQ": TOMORROW}, {"CF_XDR_LB": ""}, {"CF_XDR_LB": "其他"}]
)
def test_nothing_of_a_minor_is_kept_where_day_or_kind_cannot_be_read(flaw: dict[str, str]) -> None:
    batch = deliver(person_penalty(1, "小秘密", resident(401, CHILD), **flaw))
    assert counts(batch) == {"received": 1, "rejected": 1}
    assert (batch.problems["minor"], QuarantinedRow.objects.get().cells) == (1, None)


@pytest.mark.parametrize("flaw", [{"CF_JDRQ": ""}, {"CF_JDRQ": TOMORROW}, {"CF_XDR_LB": ""}])
def test_an_adult_with_the_same_flaws_waits_for_correction(flaw: dict[str, str]) -> None:
    batch = deliver(person_penalty(1, "示例", resident(401, ADULT), **flaw))
    assert counts(batch) == {"received": 1, "quarantined": 1}
    assert QuarantinedRow.objects.get().cells


@pytest.mark.parametrize("more", [["x"], []])
def test_nothing_of_a_minor_is_kept_of_a_row_with_the_wrong_number_of_cells(more: list[str]) -> None:
    rows = [person_penalty(1, "小秘密", resident(401, CHILD)), person_penalty(2, "示例", resident(403, ADULT))]
    header, cells = cells_of(rows)
    ragged = [[*row, *more] if more else row[:-1] for row in cells]
    batch = take_in(table_bytes(header, ragged))
    assert counts(batch) == {"received": 2, "quarantined": 1, "rejected": 1}
    child, adult = QuarantinedRow.objects.order_by("row_number")
    assert (child.state, child.cells, bool(adult.cells)) == (RowState.REJECTED, None, True)


OPEN_TEXTS = ["CF_WFXW", "CF_SY", "CF_YJ", "CF_NR", "CF_NR_ZKDX"]


@pytest.mark.parametrize("field", OPEN_TEXTS)
def test_a_number_of_a_person_in_a_published_text_sets_the_row_aside(field: str) -> None:
    text = f"当事人身份证号{resident(901, ADULT)}，予以处罚"
    batch = deliver(penalty(1, **{field: text}), penalty(2, **{field: "当事人予以处罚"}))
    assert counts(batch) == {"received": 2, "accepted": 1, "quarantined": 1}
    assert problems_of(batch) == [[(field, "personal_in_text")]]
    assert resident(901, ADULT) not in whole_database("records_creditrecord", "records_quarantinedrow")


def test_numbers_outside_published_texts_set_nothing_aside() -> None:
    number = "6222020000000000000"
    batch = deliver(penalty(1, BZ=f"电话13800138000，卡号{number}", CF_WSH="罚〔2026〕13800138000号"))
    assert counts(batch) == {"received": 1, "accepted": 1}


def defaulter(number: int, **cells: str) -> dict[str, str]:
    """A company on the list of judgment defaulters."""
    row = {
        "name": f"示例{number}号有限公司", "party_kind": "法人及非法人组织", "credit_code": credit_code(number),
        "identity_kind": "", "identity_number": "", "document_number": f"（2026）甘0102执{number}号",
        "basis_number": "（2025）甘0102民初1号", "performance": "全部未履行", "conduct": "有履行能力而拒不履行",
        "decided_on": "2026-05-01", "valid_until": "", "agency_name": "示例法院",
    }  # fmt: skip
    return {**row, **cells}


@pytest.mark.parametrize(
    ("valid_until", "publish_until"),
    [
        ("", datetime.date(2028, 5, 1)),
        ("2027-06-30", datetime.date(2027, 7, 1)),
        ("2031-06-30", datetime.date(2028, 5, 1)),
        ("2099-12-31", datetime.date(2028, 5, 1)),
        ("2026-05-01", datetime.date(2026, 5, 2)),
    ],
)
def test_a_defaulter_is_shown_two_years_or_until_the_end_the_court_names(
    valid_until: str, publish_until: datetime.date
) -> None:
    deliver(defaulter(1, valid_until=valid_until), feed="gs-court-defaulters")
    record = CreditRecord.objects.get()
    assert (record.tier, record.publish_until) == (Tier.SERIOUS, publish_until)
    assert (record.repairable_from, record.retain_until) == (record.decided_on, datetime.date(2031, 5, 1))


@pytest.mark.parametrize(
    ("removed_on", "publish_until"), [("", datetime.date(2027, 5, 1)), ("2026-08-15", datetime.date(2026, 8, 15))]
)
def test_an_abnormal_operation_ends_on_the_day_of_removal(removed_on: str, publish_until: datetime.date) -> None:
    entry, agency = CatalogueEntry.objects.get(code="abnormal-operations"), Agency.objects.get(code="hz-market")
    Entitlement.objects.get_or_create(agency=agency, entry=entry)
    Feed.objects.create(code="test-list", name="异", name_en="Abnormal", agency=agency, entry=entry, rhythm="once")
    row = {
        "name": "示例1号有限公司", "credit_code": credit_code(1), "document_number": "列〔2026〕1号", "reason": "失联",
        "decided_on": "2026-05-01", "removed_on": "", "agency_name": "示例单位",
    }  # fmt: skip
    deliver(row, feed="test-list")
    deliver({**row, "removed_on": removed_on}, feed="test-list")
    record = CreditRecord.objects.get()
    assert (record.tier, record.publish_until) == (Tier.GENERAL, publish_until)
