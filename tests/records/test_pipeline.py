"""From file to record: counts that add up, the same file twice, tiers and periods, nothing personal in clear."""

import datetime
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Invalid
from records.enums import BatchState, RecordState, RowState, Tier
from records.models import CreditRecord, FeedBatch, QuarantinedRow, Subject
from tests.deliveries import penalty, person_penalty
from tests.records import ecommerce
from tests.records.feedfiles import (
    counts,
    credit_code,
    csv_bytes,
    deliver,
    history,
    problems_of,
    resident,
    snapshot,
    take_in,
)

ADULT = datetime.date(1985, 6, 15)
TODAY = datetime.date.today()
SHANGHAI = "+08:00"
BAD_ROWS = (
    {"CF_XDR_SHXYM": "", "CF_WSH": "坏1"},
    {"CF_JDRQ": "昨天", "CF_WSH": "坏2"},
    {"CF_CFLB": "关小黑屋", "CF_WSH": "坏3"},
    {"CF_NR_FK": "", "CF_WSH": "坏4"},
    {"CF_WFXW": "", "CF_WSH": "坏5"},
)
pytestmark = pytest.mark.usefixtures("context")


def mixed_rows() -> list[dict[str, str]]:
    """Good rows, rows to be set aside, a minor, an old decision."""
    good = [penalty(number) for number in range(1, 9)]
    persons = [person_penalty(100 + n, f"示例{n}", resident(n * 2 + 1, ADULT)) for n in range(1, 5)]
    bad = [penalty(200 + n, **cells) for n, cells in enumerate(BAD_ROWS)]
    minor = person_penalty(300, "小示例", resident(301, datetime.date(2015, 1, 1)))
    old = penalty(301, CF_JDRQ="2010-01-01")
    return [*good, *persons, *bad, minor, old]


def on(day: str) -> time_machine.travel:
    """Noon in Shanghai on that day."""
    return time_machine.travel(datetime.datetime.fromisoformat(f"{day}T12:00:00{SHANGHAI}"), tick=True)


# --- counts and repetition -----------------------------------------------------------------------


def test_every_row_ends_as_accepted_unchanged_quarantined_or_rejected() -> None:
    batch = deliver(*mixed_rows())
    assert counts(batch) == {"received": 19, "accepted": 12, "quarantined": 5, "rejected": 2}
    assert batch.state == BatchState.PARTLY_QUARANTINED
    assert QuarantinedRow.objects.filter(state=RowState.OPEN).count() == 5
    assert QuarantinedRow.objects.filter(state=RowState.REJECTED).count() == 2
    assert sum(batch.problems.values()) >= 7


def test_a_file_without_faults_is_applied() -> None:
    batch = deliver(penalty(1), penalty(2))
    assert (batch.state, batch.problems) == (BatchState.APPLIED, {})
    assert batch.finished_at is not None


def test_the_same_file_again_changes_nothing() -> None:
    first = deliver(*mixed_rows())
    before, set_aside, subjects = snapshot(), QuarantinedRow.objects.count(), Subject.objects.count()
    changed = set(CreditRecord.objects.values_list("pk", "changed_at", "batch"))
    for _again in range(3):
        again = deliver(*mixed_rows())
        assert counts(again) == {"received": 19, "unchanged": first.accepted, "quarantined": 5, "rejected": 2}
        assert again.problems == first.problems
    assert snapshot() == before
    assert set(CreditRecord.objects.values_list("pk", "changed_at", "batch")) == changed
    assert (QuarantinedRow.objects.count(), Subject.objects.count()) == (set_aside, subjects)
    assert not any(history(record) for record in CreditRecord.objects.all())


def test_changed_content_is_a_new_version_and_the_old_one_stays_in_history() -> None:
    deliver(penalty(1, CF_NR="罚款一万元"), penalty(2))
    record = CreditRecord.objects.get(document_number=penalty(1)["CF_WSH"])
    batch = deliver(penalty(1, CF_NR="罚款两万元", CF_NR_FK="2"), penalty(2))
    assert counts(batch) == {"received": 2, "accepted": 1, "unchanged": 1}
    record.refresh_from_db()
    assert (record.payload["CF_NR"], record.batch_id) == ("罚款两万元", batch.pk)
    assert [old.payload["CF_NR"] for old in history(record)] == ["罚款一万元"]
    assert CreditRecord.objects.count() == 2


def test_a_changed_date_moves_the_periods_and_back_again_makes_two_old_versions() -> None:
    deliver(penalty(1, CF_JDRQ="2026-01-10"))
    record = CreditRecord.objects.get()
    first = (record.publish_until, record.repairable_from)
    deliver(penalty(1, CF_JDRQ="2026-05-10"))
    record.refresh_from_db()
    assert record.decided_on == datetime.date(2026, 5, 10)
    assert (record.publish_until, record.repairable_from) != first
    deliver(penalty(1, CF_JDRQ="2026-01-10"))
    record.refresh_from_db()
    assert (record.publish_until, record.repairable_from) == first
    assert [old.decided_on.month for old in history(record)] == [1, 5]


def test_spaces_and_spellings_are_no_change() -> None:
    deliver(penalty(1, CF_JDRQ="2026-05-03", CF_NR_FK="1"))
    again = deliver(penalty(1, CF_JDRQ="2026年5月3日", CF_NR_FK="1.00", CF_WFXW=" 销售不合格产品 "))
    assert counts(again) == {"received": 1, "unchanged": 1}


@pytest.mark.parametrize("chunk_size", [1, 2, 5000])
def test_the_same_decision_twice_with_the_same_content_counts_once(chunk_size: int) -> None:
    batch = deliver(penalty(1), penalty(2), penalty(1), chunk_size=chunk_size)
    assert counts(batch) == {"received": 3, "accepted": 2, "unchanged": 1}


@pytest.mark.parametrize("chunk_size", [1, 2, 5000])
def test_the_same_decision_twice_with_other_content_is_set_aside(chunk_size: int) -> None:
    rows = penalty(1), penalty(2), penalty(1, CF_NR="另一内容")
    batch = deliver(*rows, chunk_size=chunk_size)
    assert counts(batch) == {"received": 3, "accepted": 2, "quarantined": 1}
    assert problems_of(batch) == [[("", "duplicate_in_file")]]
    assert CreditRecord.objects.get(document_number=penalty(1)["CF_WSH"]).payload["CF_NR"] == penalty(1)["CF_NR"]


@pytest.mark.parametrize("chunk_size", [1, 2, 5000])
def test_a_file_that_contradicts_itself_changes_nothing_the_second_time(chunk_size: int) -> None:
    """The first of two contradicting rows stands, however often and in whatever chunks the file comes."""
    rows = penalty(1), penalty(2), penalty(1, CF_NR="另一内容")
    deliver(*rows, chunk_size=chunk_size)
    before = snapshot()
    for _again in range(2):
        again = deliver(*rows, chunk_size=chunk_size)
        assert counts(again) == {"received": 3, "unchanged": 2, "quarantined": 1}
        assert snapshot() == before
    assert QuarantinedRow.objects.count() == 1


@pytest.mark.parametrize("chunk_size", [1, 5000])
def test_a_change_and_its_contradiction_in_one_file_take_the_first(chunk_size: int) -> None:
    deliver(penalty(1, CF_NR="原"))
    batch = deliver(penalty(1, CF_NR="甲"), penalty(1, CF_NR="乙"), chunk_size=chunk_size)
    assert counts(batch) == {"received": 2, "accepted": 1, "quarantined": 1}
    assert CreditRecord.objects.get().payload["CF_NR"] == "甲"


ROWS = st.lists(
    st.builds(
        lambda number, text, flaw: penalty(number, **{"CF_NR": text, **flaw}),
        st.integers(1, 4),
        st.sampled_from(["甲", "乙"]),
        st.sampled_from([{}, {}, {}, {"CF_JDRQ": "昨天"}, {"CF_JDRQ": "2010-01-01"}, {"CF_XDR_SHXYM": ""}]),
    ),
    min_size=1,
    max_size=9,
)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, chunk_size=st.integers(1, 10))
def test_the_size_of_the_chunks_changes_nothing(rows: list[dict[str, str]], chunk_size: int) -> None:
    results = []
    for size in (chunk_size, 5000):
        with fresh():
            batch = deliver(*rows, chunk_size=size)
            results.append((counts(batch), batch.problems, problems_of(batch), snapshot()))
    assert results[0] == results[1]


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False), chunk_size=st.integers(1, 20))
def test_the_order_of_the_rows_changes_nothing_where_no_row_contradicts_another(chance: Any, chunk_size: int) -> None:
    rows = mixed_rows()
    with fresh():
        batch = deliver(*rows)
        expected = counts(batch), batch.problems, snapshot()
    with fresh():
        shuffled = random.Random(chance.random()).sample(rows, len(rows))
        batch = deliver(*shuffled, chunk_size=chunk_size)
        assert (counts(batch), batch.problems, snapshot()) == expected


@contextmanager
def fresh() -> Iterator[None]:
    """What happens inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# --- the list without dates ----------------------------------------------------------------------


def test_every_row_of_a_list_like_that_of_2017_ends_somewhere() -> None:
    good, bad = ecommerce.good_rows(), ecommerce.bad_rows()
    batch = take_in(ecommerce.file(good + bad), feed=ecommerce.FEED)
    assert counts(batch) == {"received": len(good) + len(bad), "accepted": len(good), "quarantined": len(bad)}
    assert set(batch.problems) == {
        "codes_disagree", "wrong_check_digit", "placeholder", "one_of_missing", "unknown_effect",
    }  # fmt: skip
    assert Subject.objects.count() == len(good)
    again = take_in(ecommerce.file(good + bad, "gb18030"), feed=ecommerce.FEED)
    assert counts(again) == {"received": len(good) + len(bad), "unchanged": len(good), "quarantined": len(bad)}
    assert QuarantinedRow.objects.count() == len(bad)


def test_a_misplaced_credit_code_is_found_under_its_number() -> None:
    take_in(ecommerce.file([ecommerce.credit_code_misplaced(5)]), feed=ecommerce.FEED)
    subject = Subject.objects.get()
    assert (subject.code, subject.identifier_kind) == (credit_code(5), "credit_code")


def test_several_reasons_in_one_cell_are_several_effects_and_the_tier_is_the_fixed_one() -> None:
    take_in(ecommerce.file([ecommerce.without_credit_code(6)]), feed=ecommerce.FEED)
    record = CreditRecord.objects.get()
    assert record.effects == ["judgment_defaulter", "licence_revoked_list"]
    assert record.tier == Tier.SERIOUS


def test_a_list_without_dates_counts_from_its_first_receipt_and_never_later() -> None:
    content = ecommerce.file(ecommerce.good_rows(6))
    with on("2026-05-10"):
        take_in(content, feed=ecommerce.FEED)
    assert set(CreditRecord.objects.values_list("decided_on", flat=True)) == {datetime.date(2026, 5, 10)}
    before = snapshot()
    with on("2026-09-01"):
        again = take_in(content, feed=ecommerce.FEED)
    assert counts(again) == {"received": 8, "unchanged": 8}
    assert snapshot() == before


def test_changed_content_of_a_list_without_dates_does_not_move_the_date() -> None:
    with on("2026-05-10"):
        take_in(ecommerce.file([ecommerce.plain(1, ecommerce.REVOKED)]), feed=ecommerce.FEED)
    with on("2026-09-01"):
        batch = take_in(ecommerce.file([ecommerce.plain(1, ecommerce.BOTH)]), feed=ecommerce.FEED)
    assert counts(batch) == {"received": 1, "accepted": 1}
    record = CreditRecord.objects.get()
    assert record.decided_on == datetime.date(2026, 5, 10)
    assert len(record.effects) == 2
    assert record.publish_until == history(record)[0].publish_until


def test_a_date_given_for_the_list_is_taken() -> None:
    take_in(ecommerce.file([ecommerce.plain(1)]), feed=ecommerce.FEED, dated_on=datetime.date(2026, 4, 2))
    assert CreditRecord.objects.get().decided_on == datetime.date(2026, 4, 2)


def test_a_list_that_says_it_is_from_the_future_is_not_put_on_file() -> None:
    tomorrow = timezone.localdate() + datetime.timedelta(days=2)
    with pytest.raises(Invalid):
        take_in(ecommerce.file([ecommerce.plain(1)]), feed=ecommerce.FEED, dated_on=tomorrow)
    assert not CreditRecord.objects.exists()


# --- states --------------------------------------------------------------------------------------


def test_a_withdrawn_record_stays_withdrawn_when_the_file_comes_again() -> None:
    deliver(penalty(1))
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        CreditRecord.objects.update(state=RecordState.REVOKED)
    deliver(penalty(1))
    deliver(penalty(1, CF_NR="变更"))
    assert CreditRecord.objects.get().state == RecordState.REVOKED
    assert not CreditRecord.objects.publishable().exists()


def test_every_record_names_batch_and_row() -> None:
    batch = deliver(penalty(1, CF_JDRQ="昨天"), penalty(2), penalty(3), chunk_size=2)
    assert dict(CreditRecord.objects.values_list("document_number", "row_number")) == {
        penalty(2)["CF_WSH"]: 2, penalty(3)["CF_WSH"]: 3,
    }  # fmt: skip
    assert set(CreditRecord.objects.values_list("batch", flat=True)) == {batch.pk}
    assert list(QuarantinedRow.objects.values_list("row_number", "line_number")) == [(1, 2)]


def test_a_row_costs_no_query_of_its_own(django_assert_max_num_queries: Any) -> None:
    content = csv_bytes([penalty(number) for number in range(1, 401)])
    with django_assert_max_num_queries(78):
        assert counts(take_in(content)) == {"received": 400, "accepted": 400}


def test_another_units_same_decision_is_its_own_record() -> None:
    deliver(penalty(1))
    deliver(penalty(1), feed="hz-eco-penalty")
    assert set(CreditRecord.objects.values_list("agency__code", "field")) == {
        ("hz-market", "product_quality"), ("hz-eco", "environment"),
    }  # fmt: skip
    assert Subject.objects.count() == 1
    assert FeedBatch.objects.count() == 2
