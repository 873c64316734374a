"""The source takes a decision back in a delivery: its publication ends at once, and it comes back only on purpose."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from creditplatform.core.models import OutboxEvent, StepEvent
from records.enums import RecordState, RowState
from records.feeds.standing import withdrawing_words
from records.history import as_it_stood
from records.models import CatalogueEntry, CreditRecord, EntryField, QuarantinedRow
from records.services.mending import mend_row
from records.workflows.credit_record import CREDIT_RECORD
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records import tie_entries
from tests.records.feedfiles import counts, deliver, history, problems_of
from tests.records.tie_entries import STATUS, WHAT, WHO, row

FEED = "test-status"


@pytest.fixture(autouse=True)
def status_feed(cast: Cast) -> None:
    grade = tie_entries.field("grade", required="always")
    entry: CatalogueEntry = tie_entries.entry("status", (*WHO, *WHAT, *STATUS, grade))
    tie_entries.feed(FEED, entry)
    tie_entries.feed("test-status-2", entry, agency="gs-market")


def stands(number: int = 1, **cells: str) -> dict[str, str]:
    return {**row(number, PERSON_NUMBER, status="正常", grade="甲"), **cells}


def withdrawn(number: int = 1, **cells: str) -> dict[str, str]:
    return {**stands(number), "status": "撤销", **cells}


def state() -> str:
    return CreditRecord.objects.get().state


def test_a_withdrawal_ends_the_record_at_once_and_counts_as_accepted() -> None:
    deliver(stands(), feed=FEED)
    batch = deliver(withdrawn(), feed=FEED)
    record = CreditRecord.objects.get()
    assert counts(batch) == {"received": 1, "accepted": 1}
    assert record.state == RecordState.REVOKED
    assert not CreditRecord.objects.publishable().filter(pk=record.pk).exists()
    step = StepEvent.objects.get(workflow="credit_record", case_ref=record.pk)
    assert (step.step, step.from_state, step.to_state) == ("withdraw_by_source", "in_force", "revoked")
    assert str(batch.pk) in step.reason
    told = OutboxEvent.objects.get(topic="records.withdrawn").payload
    assert told["records"] == [record.pk]
    assert [event.state for event in history(record)] == ["in_force"], "the former row is kept"


def test_a_mended_row_that_withdraws_waits_no_longer(cast: Cast) -> None:
    deliver(stands(), feed=FEED)
    assert counts(deliver(withdrawn(identity_number="x"), feed=FEED)) == {"received": 1, "quarantined": 1}
    waiting = QuarantinedRow.objects.get()
    assert mend_row(user=cast.clerk, row=waiting, values=withdrawn(), seen=0).state == RowState.CORRECTED
    assert state() == RecordState.REVOKED


def test_its_steps_stand_in_the_procedure() -> None:
    for name in ("withdraw_by_source", "reinstate_by_source", "reinstate_repaired_by_source"):
        assert CREDIT_RECORD.step(name).by(None, None), "the platform alone"


def test_a_withdrawal_needs_nothing_but_what_names_the_decision() -> None:
    deliver(stands(), feed=FEED)
    batch = deliver(withdrawn(grade="", decided_on="", name=""), feed=FEED)
    assert counts(batch) == {"received": 1, "accepted": 1}
    assert state() == RecordState.REVOKED


def test_a_withdrawal_that_names_nobody_is_set_aside() -> None:
    deliver(stands(), feed=FEED)
    batch = deliver(withdrawn(identity_number="441300199001011238"), feed=FEED)
    assert problems_of(batch) == [[("identity_number", "wrong_check_digit")]]
    assert state() == RecordState.IN_FORCE


def test_a_withdrawal_of_something_not_on_file_is_set_aside_until_it_names_what_is_there(cast: Cast) -> None:
    deliver(stands(), feed=FEED)
    batch = deliver(withdrawn(7), feed=FEED)
    assert counts(batch) == {"received": 1, "quarantined": 1}
    assert problems_of(batch) == [[("", "withdrawn_unknown")]]
    assert state() == RecordState.IN_FORCE, "a slip in the number leaves the record standing, so somebody must see it"
    mended = mend_row(user=cast.clerk, row=QuarantinedRow.objects.get(), values=withdrawn(), seen=0)
    assert (mended.state, state()) == (RowState.CORRECTED, RecordState.REVOKED)


def test_a_withdrawal_of_what_is_itself_set_aside_goes_on_waiting_when_that_comes_in(cast: Cast) -> None:
    deliver(stands(grade=""), feed=FEED)
    waiting = QuarantinedRow.objects.get()
    deliver(withdrawn(), feed=FEED)
    mend_row(user=cast.clerk, row=waiting, values=stands(), seen=0)
    left = QuarantinedRow.objects.get(state=RowState.OPEN)
    assert left.problems == [{"field": "", "code": "withdrawn_unknown"}]
    assert mend_row(user=cast.clerk, row=left, values=withdrawn(), seen=left.revision).state == RowState.CORRECTED
    assert state() == RecordState.REVOKED


@pytest.mark.parametrize("header", ["数据状态", "操作类型", "source_status"])
def test_an_entry_without_a_column_of_states_takes_one_from_every_delivery(cast: Cast, header: str) -> None:
    entry = tie_entries.entry("bare", (*WHO, *WHAT))
    tie_entries.feed("test-bare", entry)
    plain = {name: text for name, text in stands().items() if name not in ("status", "grade")}
    deliver({**plain, header: "新增"}, feed="test-bare")
    kept = CreditRecord.objects.get()
    assert kept.payload == {}, "it speaks of the delivery and is no content of the record"
    assert counts(deliver({**plain, header: "修改"}, feed="test-bare")) == {"received": 1, "unchanged": 1}
    batch = deliver({**plain, header: "屏蔽"}, feed="test-bare")
    assert problems_of(batch) == [[("source_status", "unknown_choice")]], "no state is guessed at"
    assert counts(deliver({**plain, header: "撤销"}, feed="test-bare")) == {"received": 1, "accepted": 1}
    assert state() == RecordState.REVOKED


def test_a_row_that_withdraws_keeps_saying_so_when_it_is_mended_on_the_page(cast: Cast) -> None:
    entry = tie_entries.entry("bare", (*WHO, *WHAT))
    tie_entries.feed("test-bare", entry)
    plain = {name: text for name, text in stands().items() if name not in ("status", "grade")}
    deliver(plain, feed="test-bare")
    deliver({**plain, "identity_number": "x", "数据状态": "撤销"}, feed="test-bare")
    waiting = QuarantinedRow.objects.get()
    clerk = Client()
    clerk.force_login(cast.clerk, "django.contrib.auth.backends.ModelBackend")
    page = clerk.get(f"/desk/set-aside/{waiting.pk}/").context["form"]
    assert page["source_status"].value() == "撤销"
    sent = {name: str(page[name].value()) for name in page.fields} | {"identity_number": PERSON_NUMBER}
    answer = clerk.post(f"/desk/set-aside/{waiting.pk}/", sent)
    assert answer.status_code == 302, (sent, answer.context["form"].errors)
    waiting.refresh_from_db()
    assert waiting.state == RowState.CORRECTED, (waiting.cells, waiting.problems)
    assert state() == RecordState.REVOKED


def test_a_second_withdrawal_changes_nothing() -> None:
    deliver(stands(), feed=FEED)
    deliver(withdrawn(), feed=FEED)
    assert counts(deliver(withdrawn(), stands(2), feed=FEED)) == {"received": 2, "accepted": 1, "unchanged": 1}
    assert StepEvent.objects.filter(workflow="credit_record").count() == 1


def test_another_unit_does_not_withdraw_our_record() -> None:
    deliver(stands(), feed=FEED)
    deliver(withdrawn(), feed="test-status-2")
    assert state() == RecordState.IN_FORCE


def test_a_new_file_that_says_so_brings_it_back_and_an_old_one_does_not() -> None:
    old = (stands(),)
    deliver(*old, feed=FEED)
    deliver(withdrawn(), feed=FEED)
    batch = deliver(*old, feed=FEED)
    assert problems_of(batch) == [[("", "withdrawn_before")]]
    assert state() == RecordState.REVOKED
    batch = deliver(stands(), stands(2), feed=FEED)
    assert counts(batch) == {"received": 2, "accepted": 2}
    record = CreditRecord.objects.get(document_number="证〔2026〕1号")
    assert record.state == RecordState.IN_FORCE
    assert OutboxEvent.objects.get(topic="records.reinstated").payload["records"] == [record.pk]


def test_a_row_that_says_nothing_of_its_status_brings_nothing_back() -> None:
    deliver(stands(), feed=FEED)
    deliver(withdrawn(), feed=FEED)
    batch = deliver(stands(grade="乙", status=""), feed=FEED)
    assert counts(batch) == {"received": 1, "accepted": 1}
    assert state() == RecordState.REVOKED


def test_a_record_that_was_repaired_comes_back_repaired() -> None:
    deliver(stands(), feed=FEED)
    CreditRecord.objects.update(state=RecordState.REPAIRED)
    deliver(withdrawn(), feed=FEED)
    deliver(stands(), stands(2), feed=FEED)
    assert CreditRecord.objects.get(document_number="证〔2026〕1号").state == RecordState.REPAIRED


def test_what_an_officer_withdrew_no_file_brings_back(cast: Cast) -> None:
    deliver(stands(), feed=FEED)
    CREDIT_RECORD.take("revoke", CreditRecord.objects.get(), user=cast.officer, reason="mistake")
    assert counts(deliver(stands(), stands(2), feed=FEED)) == {"received": 2, "accepted": 1, "unchanged": 1}
    assert problems_of(deliver(stands(grade="乙"), feed=FEED)) == [[("", "withdrawn_here")]]
    assert CreditRecord.objects.get(document_number="证〔2026〕1号").state == RecordState.REVOKED


@pytest.mark.parametrize("size", [1, 2, 10])
def test_a_file_that_withdraws_its_own_row_is_read_in_its_order(size: int) -> None:
    batch = deliver(stands(), stands(2), withdrawn(), stands(grade="丙"), feed=FEED, chunk_size=size)
    assert counts(batch) == {"received": 4, "accepted": 3, "quarantined": 1}
    assert problems_of(batch) == [[("", "withdrawn_in_file")]]
    assert dict(CreditRecord.objects.values_list("document_number", "state")) == {
        "证〔2026〕1号": "revoked", "证〔2026〕2号": "in_force"
    }  # fmt: skip


def test_which_words_withdraw_follows_the_choices_of_the_entry() -> None:
    def words(*choices: str) -> frozenset[str]:
        return withdrawing_words(EntryField(choices=list(choices)))

    assert words("正常", "撤销") == {"撤销"}
    assert words("0-正常", "1-撤销") == {"1-撤销"}
    assert "1" in words("0", "1", "2", "3")
    assert "1" not in words("1", "2")
    assert {"撤回", "作废", "已撤销", "删除", "无效"} <= words()


def test_what_a_record_said_on_a_day_can_be_told() -> None:
    deliver(stands(), feed=FEED)
    today = timezone.localdate()
    long_ago = timezone.now() - datetime.timedelta(days=10)
    CreditRecord.objects.update(received_at=long_ago)
    assert counts(deliver(stands(grade="乙"), feed=FEED)) == {"received": 1, "accepted": 1}
    assert counts(deliver(stands(grade="乙"), feed=FEED)) == {"received": 1, "unchanged": 1}
    record: Any = CreditRecord.objects.get()

    def grade(days_ago: int) -> str | None:
        then: Any = as_it_stood(record, today - datetime.timedelta(days=days_ago))
        return then and then.payload["grade"]

    assert [grade(0), grade(1), grade(9), grade(11)] == ["乙", "甲", "甲", None]
