"""Key groups and affiliations follow the records: exact codes, dates in order, each with the record it rests on."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from records.enums import AffiliationRole, CrossCheckKind
from records.feeds.plan import NotCollected
from records.models import (
    Affiliation,
    CreditRecord,
    CrossCheck,
    Feed,
    KeyGroupMembership,
    QuarantinedRow,
    Subject,
)
from records.services import cross_checks
from records.workflows.credit_record import CREDIT_RECORD
from tests.cast import MINOR_NUMBER, PERSON_NUMBER, STRANGER_NUMBER, Cast
from tests.deliveries import credit_code, quick_passwords  # noqa: F401
from tests.records import tie_entries
from tests.records.feedfiles import counts, deliver, problems_of, resident, whole_database
from tests.records.provocations import broken
from tests.records.tie_entries import STATUS, TIES, WHAT, WHO, row

LAWYERS, OTHERS, STUDENTS = "test-lawyers", "test-lawyers-2", "test-students"
EMPLOYER = credit_code(77)


@pytest.fixture(autouse=True)
def feeds(cast: Cast) -> None:
    lawyers = tie_entries.entry("bar", (*WHO, *WHAT, *TIES, *STATUS), key_group="lawyers", affiliation="practitioner")
    students = tie_entries.entry("pupils", (*WHO, *WHAT, *TIES), affiliation="student", min_age=18)
    tie_entries.feed(LAWYERS, lawyers)
    tie_entries.feed(OTHERS, lawyers, agency="gs-market")
    tie_entries.feed(STUDENTS, students)


def lawyer(number: int = 1, **cells: str) -> dict[str, str]:
    cells = {"employer": "示例律师事务所", "employer_code": EMPLOYER, "licence": "L1", "status": "正常", **cells}
    return row(number, PERSON_NUMBER, **cells)


def periods() -> list[tuple[Any, ...]]:
    rows = KeyGroupMembership.objects.order_by("valid_from")
    return [(one.licence_number, one.valid_from.isoformat(), one.valid_until and one.valid_until.isoformat())
            for one in rows]  # fmt: skip


def test_a_record_makes_the_membership_and_the_employer_by_exact_code() -> None:
    deliver(lawyer(valid_until="2027-02-28"), feed=LAWYERS)
    member, tie = KeyGroupMembership.objects.get(), Affiliation.objects.get()
    record = CreditRecord.objects.get()
    employer = Subject.objects.get(code=EMPLOYER)
    assert (member.subject, member.record, member.employer) == (record.subject, record, employer)
    assert periods() == [("L1", "2026-03-01", "2027-03-01")], "until the day after the last valid one"
    assert (tie.person, tie.organisation, tie.role, tie.record) == (
        record.subject, employer, AffiliationRole.PRACTITIONER, record
    )  # fmt: skip
    assert employer.name == "示例律师事务所"


def test_the_licence_number_is_sealed_in_the_database() -> None:
    deliver(lawyer(licence="机密证号"), feed=LAWYERS)
    assert "机密证号" not in whole_database("records_keygroupmembership")


def test_nobody_is_tied_by_the_name_of_an_organisation() -> None:
    deliver(lawyer(employer_code=""), feed=LAWYERS)
    assert KeyGroupMembership.objects.get().employer is None
    assert not Affiliation.objects.exists()


def test_a_wrong_code_of_the_organisation_sets_the_row_aside() -> None:
    wrong = EMPLOYER[:-1] + ("A" if EMPLOYER[-1] != "A" else "B")
    assert problems_of(deliver(lawyer(employer_code=wrong), feed=LAWYERS)) == [[("employer_code", "wrong_check_digit")]]


def test_an_organisation_on_file_keeps_its_name() -> None:
    deliver(lawyer(), feed=LAWYERS)
    deliver(lawyer(2, employer="别的名字", valid_from="2026-05-01"), feed=LAWYERS)
    assert Subject.objects.get(code=EMPLOYER).name == "示例律师事务所"


def test_the_same_file_again_changes_nothing() -> None:
    deliver(lawyer(), feed=LAWYERS)
    before = periods(), list(KeyGroupMembership.objects.values_list("pk"))
    deliver(lawyer(), feed=LAWYERS)
    assert (periods(), list(KeyGroupMembership.objects.values_list("pk"))) == before


def test_a_renewed_licence_follows_the_old_one_without_overlap() -> None:
    deliver(lawyer(), feed=LAWYERS)
    deliver(lawyer(2, licence="L2", valid_from="2026-06-01", valid_until="2026-12-31"), feed=LAWYERS)
    assert periods() == [("L1", "2026-03-01", "2026-06-01"), ("L2", "2026-06-01", "2027-01-01")]


def test_an_older_licence_that_comes_later_ends_where_the_newer_begins() -> None:
    deliver(lawyer(2, licence="L2", valid_from="2026-06-01"), feed=LAWYERS)
    deliver(lawyer(1, licence="L1", valid_from="2026-01-01"), feed=LAWYERS)
    assert periods() == [("L1", "2026-01-01", "2026-06-01"), ("L2", "2026-06-01", None)]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_one_file_with_both_comes_to_the_same(order: tuple[int, int]) -> None:
    rows = {1: lawyer(1, valid_from="2026-01-01"), 2: lawyer(2, licence="L2", valid_from="2026-06-01")}
    deliver(*(rows[number] for number in order), feed=LAWYERS)
    assert periods() == [("L1", "2026-01-01", "2026-06-01"), ("L2", "2026-06-01", None)]


def test_an_end_sent_later_ends_the_membership_and_another_employer_replaces_the_former() -> None:
    other = credit_code(78)
    deliver(lawyer(), feed=LAWYERS)
    deliver(lawyer(ended_on="2026-09-01", employer_code=other, employer="另一律所"), feed=LAWYERS)
    assert periods() == [("L1", "2026-03-01", "2026-09-01")]
    assert [tie.organisation.code for tie in Affiliation.objects.all()] == [other]


def test_what_rests_on_a_withdrawn_record_ends_with_it(cast: Cast) -> None:
    today = timezone.localdate()
    deliver(lawyer(), feed=LAWYERS)
    deliver(lawyer(status="撤销"), feed=LAWYERS)
    assert (KeyGroupMembership.objects.get().valid_until, Affiliation.objects.get().valid_until) == (today, today)
    assert not KeyGroupMembership.objects.standing().exists()
    deliver(lawyer(), lawyer(2, ended_on="2026-03-02"), feed=LAWYERS)
    record = CreditRecord.objects.get(document_number="证〔2026〕1号")
    assert KeyGroupMembership.objects.get(record=record).valid_until is None, "it stands again"
    CREDIT_RECORD.take("revoke", record, user=cast.officer, reason="mistake")
    assert KeyGroupMembership.objects.get(record=record).valid_until == today


def test_a_membership_ends_by_its_date_whoever_is_asleep() -> None:
    deliver(lawyer(valid_until="2026-04-30"), feed=LAWYERS)
    standing = KeyGroupMembership.objects.standing
    assert standing(on=datetime.date(2026, 4, 30)).exists()
    assert not standing(on=datetime.date(2026, 5, 1)).exists()
    assert not standing(on=datetime.date(2026, 2, 28)).exists()


def test_two_units_that_name_different_licences_are_both_asked_and_neither_is_overwritten(cast: Cast) -> None:
    deliver(lawyer(), feed=LAWYERS)
    batch = deliver(lawyer(9, licence="X9", valid_from="2026-05-01"), feed=OTHERS)
    assert counts(batch) == {"received": 1, "accepted": 1}, "the record itself is kept"
    assert periods() == [("L1", "2026-03-01", None)]
    check = CrossCheck.objects.get()
    assert (check.kind, check.holder.code, check.sender.code) == (CrossCheckKind.LICENCE, "hz-market", "gs-market")
    deliver(lawyer(9, licence="X9", valid_from="2026-05-02"), feed=OTHERS)
    assert CrossCheck.objects.count() == 1, "asked once while it is open"
    cross_checks.ask_units({})
    check.refresh_from_db()
    cross_checks.answer(check=check, user=cast.officer, answer="keeps")
    cross_checks.resolve(check=check, user=cast.centre, finding="both_right")
    check.refresh_from_db()
    assert check.state == "resolved"


def test_a_licence_that_proved_right_is_laid_in_once_the_other_unit_has_ended_its_own(cast: Cast) -> None:
    deliver(lawyer(), feed=LAWYERS)
    deliver(lawyer(9, licence="X9", valid_from="2026-05-01"), feed=OTHERS)
    deliver(lawyer(ended_on="2026-05-01"), feed=LAWYERS)
    cross_checks.ask_units({})
    check = cross_checks.answer(check=CrossCheck.objects.get(), user=cast.officer, answer="corrects")
    cross_checks.resolve(check=check, user=cast.centre, finding="sender_right")
    assert periods() == [("L1", "2026-03-01", "2026-05-01"), ("X9", "2026-05-01", None)]


def test_the_same_licence_from_two_units_is_no_contradiction() -> None:
    deliver(lawyer(), feed=LAWYERS)
    deliver(lawyer(), feed=OTHERS)
    assert periods() == [("L1", "2026-03-01", None)]
    assert not CrossCheck.objects.exists()


# --- youngest age and sources ----------------------------------------------------------------------------


def student(number: int, identity_number: str, **cells: str) -> dict[str, str]:
    tied = {"name": "学示例", "employer_code": EMPLOYER, "employer": "示例学院"}
    return {**row(number, identity_number), **tied, **cells}


def test_a_student_under_age_is_rejected_and_not_kept() -> None:
    batch = deliver(student(1, MINOR_NUMBER), student(2, STRANGER_NUMBER, name="马示例"), feed=STUDENTS)
    assert counts(batch) == {"received": 2, "accepted": 1, "rejected": 1}
    kept = QuarantinedRow.objects.get()
    assert (kept.cells, kept.problems) == (None, [{"field": "", "code": "under_age"}])
    assert Affiliation.objects.get().role == AffiliationRole.STUDENT


def test_somebody_under_age_is_not_kept_whatever_else_is_wrong() -> None:
    batch = deliver(student(1, MINOR_NUMBER, decided_on="gestern"), feed=STUDENTS)
    assert counts(batch) == {"received": 1, "rejected": 1}


def test_the_birthday_itself_is_old_enough() -> None:
    number = resident(1, datetime.date(2008, 3, 1))
    assert counts(deliver(student(1, number), feed=STUDENTS)) == {"received": 1, "accepted": 1}
    early = deliver(student(2, number, decided_on="2026-02-28"), feed=STUDENTS)
    assert counts(early) == {"received": 1, "rejected": 1}


def test_a_unit_of_another_kind_gets_neither_entitlement_nor_feed() -> None:
    schools_only = tie_entries.entry("archive", (*WHO, *WHAT), source_kinds=["school"])
    assert broken(lambda: tie_entries.feed("x", schools_only))[0] == "CR014"
    assert broken(lambda: Feed.objects.filter(code=STUDENTS).update(entry=schools_only))[0] == "CR014"


def test_a_unit_that_is_not_entitled_delivers_nothing() -> None:
    feed = Feed.objects.get(code=STUDENTS)
    feed.entry.entitlements.all().delete()
    batch = deliver(student(1, PERSON_NUMBER), feed=STUDENTS)
    assert (batch.state, batch.error_code) == ("refused", "not_entitled")
    assert issubclass(NotCollected, Exception)
