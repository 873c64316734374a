"""Whoever a record speaks against finds a notice about it the moment it is on file, and no later."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from creditplatform.core import outbox
from creditplatform.core.identity import make_resident_id
from creditplatform.core.models import Notice
from records.feeds.store import Store
from records.models import CreditRecord
from tests.cast import PERSON_NUMBER
from tests.deliveries import ingest, penalty, person_penalty, quick_passwords  # noqa: F401
from tests.records.queries_world import NAME

pytestmark = pytest.mark.usefixtures("context", "cast")


def notices(code: str = "received") -> list[Notice]:
    return list(Notice.objects.filter(code=code).order_by("pk"))


def fine(number: int = 1, **cells: str) -> dict[str, str]:
    return person_penalty(number, NAME, PERSON_NUMBER, **cells)


def test_a_fine_and_its_notice_come_in_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Store, "_write_setaside", fails)
    ingest(fine())
    assert (CreditRecord.objects.count(), notices()) == (0, [])
    monkeypatch.undo()
    ingest(fine())
    record = CreditRecord.objects.get()
    (notice,) = notices()
    assert bytes(notice.addressee) == bytes(record.subject.number_index)
    assert notice.subject_key == f"record:{record.token}"
    assert record.agency.name in notice.text and record.agency.name_en in notice.text_en
    assert record.decided_on.isoformat() in notice.text
    for said in (notice.text, notice.text_en):
        assert NAME not in said and PERSON_NUMBER not in said
    assert (notice.delivered_at, notice.delivery_proof) == (None, ""), "delivered is what was shown, and nothing before"


def test_the_same_file_again_writes_no_second_notice() -> None:
    ingest(fine())
    ingest(fine())
    ingest(fine(), fine(2))
    assert len(notices()) == 2 and not notices("corrected")


def test_what_the_source_says_otherwise_is_told_once_per_delivery() -> None:
    ingest(fine())
    batch = ingest(fine(CF_NR="罚款二万元"))
    (notice,) = notices("corrected")
    assert notice.subject_key.endswith(f":batch {batch.pk}")
    outbox.deliver_due()
    assert len(notices("corrected")) == 1


def test_organisations_and_what_has_ended_by_its_date_bring_no_notice() -> None:
    long_ago = datetime.date.today() - datetime.timedelta(days=6 * 365)
    ingest(penalty(1), fine(2, CF_JDRQ=long_ago.isoformat()))
    assert not notices()


def test_a_row_that_is_set_aside_tells_nobody() -> None:
    ingest(fine(1, CF_JDRQ="no day"))
    assert not notices()


def test_many_persons_cost_as_many_statements_as_one(identity_numbers: list[str]) -> None:
    ingest(fine())
    few, many = (
        [person_penalty(at, f"测试{chr(0x4E00 + at)}", number) for at, number in enumerate(numbers, 10)]
        for numbers in (identity_numbers[:1], identity_numbers[1:])
    )
    counted = []
    for rows in (few, many):
        with CaptureQueriesContext(connection) as found:
            ingest(*rows)
        counted.append(len(found))
    assert len(notices()) == 1 + len(identity_numbers)
    assert counted[0] == counted[1]


@pytest.fixture
def identity_numbers() -> list[str]:
    born = datetime.date(1988, 3, 4)
    return [make_resident_id("441302", born, serial) for serial in range(101, 120, 2)]
