"""Dated rule values: what held on a day, and that two people bring a value into force."""

import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.models import RuleValue, Site
from creditplatform.core.rules import Dated, RuleBook, RuleMissing, load_rulebook
from creditplatform.core.services.rules import approve_rule_value, propose_rule_value
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401

DAY = datetime.date(2026, 4, 1)
EVE = DAY - datetime.timedelta(days=1)


def book(*values: Dated) -> RuleBook:
    return RuleBook(values)


OLD = Dated("k", 36, datetime.date(2023, 5, 1), DAY)
NEW = Dated("k", 12, DAY)
OWN = Dated("k", 7, DAY, site="gansu")


@pytest.mark.parametrize(
    ("on", "value"),
    [(datetime.date(2023, 5, 1), 36), (EVE, 36), (DAY, 12), (datetime.date(2090, 1, 1), 12)],
)
def test_a_period_is_half_open(on: datetime.date, value: int) -> None:
    assert book(OLD, NEW).value("k", on) == value


def test_a_missing_value_is_said_with_key_and_day() -> None:
    with pytest.raises(RuleMissing) as caught:
        book(OLD, NEW).value("k", datetime.date(2023, 4, 30))
    with translation.override("en"):
        assert "“k”" in caught.value.message and "2023-04-30" in caught.value.message
    assert caught.value.code == "rule_missing"
    with pytest.raises(RuleMissing):
        book(OLD).value("k", DAY)
    with pytest.raises(RuleMissing):
        book(OLD, NEW).value("other", DAY)


def test_a_falsy_value_is_a_value() -> None:
    assert book(Dated("k", False, DAY)).value("k", DAY) is False
    assert book(Dated("k", 0, DAY)).value("k", DAY) == 0


def test_the_own_value_of_a_site_goes_first() -> None:
    rules = book(OLD, NEW, OWN)
    assert rules.value("k", DAY, "gansu") == 7
    assert rules.value("k", DAY, "huizhou") == 12
    assert rules.value("k", DAY) == 12
    assert rules.value("k", EVE, "gansu") == 36


def test_versions_are_those_in_force_at_any_time_between_two_days() -> None:
    rules = book(OLD, NEW)
    assert rules.versions("k", since=EVE, until=EVE) == [OLD]
    assert rules.versions("k", since=EVE, until=DAY) == [OLD, NEW]
    assert rules.versions("k", since=DAY, until=DAY) == [NEW]
    assert rules.versions("k", since=datetime.date(2000, 1, 1), until=datetime.date(2001, 1, 1)) == []


def test_the_book_of_the_database_is_one_query_and_knows_values_in_force_only(
    db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        rules = load_rulebook()
    assert rules.value("publication.general.max_months", DAY) == 12
    assert rules.value("publication.general.max_months", EVE) == 36
    drafts = set(RuleValue.objects.filter(in_force=False).values_list("key", flat=True))
    known = set(RuleValue.objects.filter(in_force=True).values_list("key", flat=True))
    for key in drafts - known:
        with pytest.raises(RuleMissing):
            rules.value(key, datetime.date(2026, 11, 1))


def proposal(cast: Cast, **changes: Any) -> RuleValue:
    words: dict[str, Any] = {
        "user": cast.centre, "key": "publication.general.max_months", "value": 6, "unit": "months",
        "valid_from": datetime.date(2027, 1, 1), "legal_basis": "《办法》", "source": "Order 99",
    }  # fmt: skip
    return propose_rule_value(**{**words, **changes})


def test_an_entered_value_changes_nothing_before_a_second_person_approved_it(cast: Cast) -> None:
    proposal(cast)
    assert load_rulebook().value("publication.general.max_months", datetime.date(2027, 6, 1)) == 12


def test_a_second_person_brings_it_into_force_and_ends_the_one_before(cast: Cast) -> None:
    approved = approve_rule_value(rule_value=proposal(cast), user=cast.supervisor)
    assert (approved.in_force, approved.confirmed, approved.approved_by) == (True, True, cast.supervisor)
    rules = load_rulebook()
    assert rules.value("publication.general.max_months", datetime.date(2026, 12, 31)) == 12
    assert rules.value("publication.general.max_months", datetime.date(2027, 1, 1)) == 6


def test_whoever_entered_it_may_not_approve_it(cast: Cast) -> None:
    entered = proposal(cast)
    with pytest.raises(NotPermitted):
        approve_rule_value(rule_value=entered, user=cast.centre)
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleValue.objects.filter(pk=entered.pk).update(approved_by=cast.centre, in_force=True, confirmed=True)
    entered.refresh_from_db()
    assert not entered.in_force


def test_a_value_nobody_entered_has_no_first_person(cast: Cast) -> None:
    orphan = proposal(cast)
    RuleValue.objects.filter(pk=orphan.pk).update(entered_by=None)
    with pytest.raises(NotPermitted):
        approve_rule_value(rule_value=orphan, user=cast.supervisor)


def test_a_value_in_force_is_not_approved_again(cast: Cast) -> None:
    entered = proposal(cast)
    approve_rule_value(rule_value=entered, user=cast.supervisor)
    with pytest.raises(Conflict):
        approve_rule_value(rule_value=entered, user=cast.officer)


@pytest.mark.parametrize("basis", ["", "   "])
def test_a_value_without_legal_basis_never_comes_into_force(cast: Cast, basis: str) -> None:
    with pytest.raises(Invalid):
        approve_rule_value(rule_value=proposal(cast, legal_basis=basis), user=cast.supervisor)


def test_a_value_of_one_site_leaves_the_common_one_alone(cast: Cast) -> None:
    gansu = Site.objects.get(code="gansu")
    approve_rule_value(rule_value=proposal(cast, site=gansu), user=cast.supervisor)
    rules, day = load_rulebook(), datetime.date(2027, 6, 1)
    assert rules.value("publication.general.max_months", day, "gansu") == 6
    assert rules.value("publication.general.max_months", day, "huizhou") == 12


def test_a_value_that_begins_before_one_in_force_is_refused_in_words(cast: Cast) -> None:
    """Two values at one time cannot be; the second person is told so, not shown an error of the database."""
    with pytest.raises((Conflict, Invalid)):
        approve_rule_value(rule_value=proposal(cast, valid_from=datetime.date(2025, 1, 1)), user=cast.supervisor)
