"""A record that is taken back, or moves its period, gives back the days it had taken from others."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from records.models import Affiliation, CreditRecord, CrossCheck, KeyGroupMembership
from records.services import cross_checks
from records.services.ties import end_ties
from records.workflows.credit_record import CREDIT_RECORD
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import credit_code, quick_passwords  # noqa: F401
from tests.records import tie_entries
from tests.records.feedfiles import deliver, resident
from tests.records.tie_entries import STATUS, TIES, WHAT, WHO, row

LAWYERS, OTHERS = "test-lawyers", "test-lawyers-2"
EMPLOYER = credit_code(77)
EARLY, LATE = "2026-01-01", "2026-03-01"


@pytest.fixture(autouse=True)
def feeds(cast: Cast) -> None:
    lawyers = tie_entries.entry("bar", (*WHO, *WHAT, *TIES, *STATUS), key_group="lawyers", affiliation="practitioner")
    tie_entries.feed(LAWYERS, lawyers)
    tie_entries.feed(OTHERS, lawyers, agency="gs-market")


def lawyer(number: int, person: str = PERSON_NUMBER, **cells: str) -> dict[str, str]:
    cells = {"employer": "示例律师事务所", "employer_code": EMPLOYER, "licence": "L1", "status": "正常", **cells}
    return row(number, person, **cells)


def periods(ties: Any = None) -> list[tuple[str, str, str | None]]:
    """Document, first day and first day without of what is known."""
    known = KeyGroupMembership.objects.known() if ties is None else ties
    return [
        (one.record.document_number[-2], one.valid_from.isoformat(), one.valid_until and one.valid_until.isoformat())
        for one in known.select_related("record").order_by("valid_from")
    ]


def record(number: int) -> CreditRecord:
    return CreditRecord.objects.get(document_number=f"证〔2026〕{number}号")


def revoke(cast: Cast, number: int) -> None:
    CREDIT_RECORD.take("revoke", record(number), user=cast.officer, reason="mistake")


@pytest.mark.parametrize("licence", ["L1", "L2"])
def test_a_withdrawn_record_gives_back_what_it_had_shortened(cast: Cast, licence: str) -> None:
    deliver(lawyer(1, valid_from=EARLY), feed=LAWYERS)
    deliver(lawyer(2, valid_from=LATE, licence=licence), feed=LAWYERS)
    assert periods() == [("1", EARLY, LATE), ("2", LATE, None)]
    deliver(lawyer(2, valid_from=LATE, licence=licence, status="撤销"), feed=LAWYERS)
    assert periods() == periods(Affiliation.objects.known()) == [("1", EARLY, None)]
    deliver(lawyer(1, valid_from=EARLY), lawyer(2, valid_from=LATE, licence=licence), feed=LAWYERS)
    assert periods() == periods(Affiliation.objects.known()) == [("1", EARLY, LATE), ("2", LATE, None)]
    revoke(cast, 2)
    assert periods() == periods(Affiliation.objects.known()) == [("1", EARLY, None)]


def test_it_gives_back_no_more_than_the_other_says_and_nothing_of_a_third(cast: Cast) -> None:
    deliver(lawyer(1, valid_from=EARLY, valid_until="2026-07-31"), feed=LAWYERS)
    deliver(lawyer(2, valid_from=LATE), feed=LAWYERS)
    revoke(cast, 2)
    assert periods() == [("1", EARLY, "2026-08-01")]
    deliver(lawyer(3, valid_from="2026-04-01"), feed=LAWYERS)
    deliver(lawyer(4, valid_from="2026-05-01"), feed=LAWYERS)
    revoke(cast, 3)
    assert periods() == [("1", EARLY, "2026-05-01"), ("4", "2026-05-01", None)]


def test_a_record_replaced_on_its_first_day_comes_back(cast: Cast) -> None:
    deliver(lawyer(1), feed=LAWYERS)
    deliver(lawyer(2, licence="L2"), feed=LAWYERS)
    assert periods() == [("2", LATE, None)]
    revoke(cast, 2)
    assert periods() == [("1", LATE, None)]


def test_a_period_that_lasted_for_the_sake_of_another_record_ends_as_its_own_says(cast: Cast) -> None:
    deliver(lawyer(1, valid_until="2026-07-31"), feed=LAWYERS)
    deliver(lawyer(2), feed=LAWYERS)
    assert periods() == [("1", LATE, None)]
    revoke(cast, 2)
    assert periods() == [("1", LATE, "2026-08-01")]


def test_a_period_that_moves_leaves_its_days_to_the_others(cast: Cast) -> None:
    deliver(lawyer(1, valid_from=EARLY), feed=LAWYERS)
    deliver(lawyer(2, valid_from=LATE), feed=LAWYERS)
    deliver(lawyer(2, valid_from="2026-06-01"), feed=LAWYERS)
    assert periods() == periods(Affiliation.objects.known()) == [("1", EARLY, "2026-06-01"), ("2", "2026-06-01", None)]
    deliver(lawyer(2, valid_from="2026-06-01", employer_code=credit_code(78), employer="另一律所"), feed=LAWYERS)
    assert periods() == [("1", EARLY, "2026-06-01"), ("2", "2026-06-01", None)]
    assert periods(Affiliation.objects.known()) == [("1", EARLY, None), ("2", "2026-06-01", None)]


def test_another_units_licence_holds_once_the_one_on_file_is_taken_back(cast: Cast) -> None:
    deliver(lawyer(1), feed=LAWYERS)
    deliver(lawyer(9, licence="X9", valid_from="2026-05-01"), feed=OTHERS)
    assert periods() == [("1", LATE, None)]
    revoke(cast, 1)
    assert periods() == [("9", "2026-05-01", None)]
    assert CrossCheck.objects.count() == 1


def test_a_withdrawn_record_contradicts_nothing(cast: Cast) -> None:
    deliver(lawyer(1), feed=LAWYERS)
    revoke(cast, 1)
    deliver(lawyer(9, licence="X9", valid_from="2026-05-01"), feed=OTHERS)
    assert periods() == [("9", "2026-05-01", None)]
    assert not CrossCheck.objects.exists()


def test_what_was_decided_against_stays_out_and_nobody_is_asked_twice(cast: Cast) -> None:
    deliver(lawyer(1, valid_from=EARLY), feed=LAWYERS)
    deliver(lawyer(2, valid_from=LATE), feed=LAWYERS)
    deliver(lawyer(9, licence="X9", valid_from="2026-05-01"), feed=OTHERS)
    cross_checks.ask_units({})
    check = cross_checks.answer(check=CrossCheck.objects.get(), user=cast.officer, answer="keeps")
    cross_checks.resolve(check=check, user=cast.centre, finding="holder_right")
    revoke(cast, 2)
    revoke(cast, 1)
    assert periods() == []
    assert CrossCheck.objects.count() == 1


def test_what_is_on_file_stays_when_something_else_is_taken_back(cast: Cast) -> None:
    deliver(lawyer(1, valid_from=EARLY), feed=LAWYERS)
    deliver(lawyer(2, valid_from=LATE, ended_on="2026-05-01"), feed=LAWYERS)
    deliver(lawyer(9, licence="X9", valid_from="2026-05-01"), feed=OTHERS)
    on_file = [("1", EARLY, LATE), ("2", LATE, "2026-05-01"), ("9", "2026-05-01", None)]
    assert periods() == on_file
    deliver(lawyer(3, decided_on="2026-02-01", ended_on="2026-02-02"), feed=LAWYERS)
    revoke(cast, 3)
    assert periods() == on_file
    revoke(cast, 2)
    assert periods() == [("1", EARLY, "2026-05-01"), ("9", "2026-05-01", None)]


def test_the_only_record_leaves_its_days_on_file_until_today(cast: Cast) -> None:
    deliver(lawyer(1), feed=LAWYERS)
    revoke(cast, 1)
    assert periods(KeyGroupMembership.objects.all()) == [("1", LATE, timezone.localdate().isoformat())]


def test_it_costs_the_same_however_many_are_taken_back(cast: Cast) -> None:
    people = [resident(number, datetime.date(1980, 1, 1)) for number in range(1, 13)]
    deliver(*(lawyer(n, number, valid_from=EARLY) for n, number in enumerate(people, 1)), feed=LAWYERS)
    deliver(*(lawyer(n + 50, number) for n, number in enumerate(people, 1)), feed=LAWYERS)
    later = [record(number + 50).pk for number in range(1, 13)]
    costs = []
    for some in (later[:2], later[2:]):
        CreditRecord.objects.filter(pk__in=some).update(state="revoked")
        with CaptureQueriesContext(connection) as captured:
            end_ties(some)
        costs.append(len(captured))
    assert costs[0] == costs[1] < 45
    assert {until for _, _, until in periods()} == {None}
