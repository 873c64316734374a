"""The law of periods, as properties that hold for every date, tier and effect."""

import calendar
import datetime
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from creditplatform.core.rules import Dated, RuleBook, RuleMissing
from creditplatform.core.services.policy import FOLDER, optional, read_toml
from records import rules
from records.enums import Tier
from records.feeds.vocabulary import effects

ORDER_36 = datetime.date(2026, 4, 1)
ORDER_58 = datetime.date(2023, 5, 1)
EVE = ORDER_36 - datetime.timedelta(days=1)


def delivered() -> RuleBook:
    """The rule values of the release that are in force, without a database."""
    rows = [row for row in read_toml(FOLDER / "rule_values.toml", "rule") if row["confirmed"]]
    return RuleBook(
        Dated(
            row["key"], row["value"], row["valid_from"], optional(row["valid_until"]) or datetime.date.max,
            row["site"] or None, row["legal_basis"],
        )
        for row in rows
    )  # fmt: skip


BOOK = delivered()
days = st.dates(datetime.date(1990, 1, 1), datetime.date(2080, 12, 31))
law_days = st.dates(ORDER_58, datetime.date(2060, 12, 31))
new_days = st.dates(ORDER_36, datetime.date(2060, 12, 31))
old_days = st.dates(ORDER_58, EVE)
months = st.integers(0, 600)
tiers = st.sampled_from([Tier.MINOR, Tier.GENERAL, Tier.SERIOUS])
fields = st.sampled_from(["", "traffic", "food_drugs", "work_safety", "fire", "environment"])
effect_codes = st.lists(st.sampled_from(sorted(effects().by_code)), max_size=5)


# --- months ------------------------------------------------------------------------------------------


@given(days, months)
@example(datetime.date(2024, 2, 29), 12)
@example(datetime.date(2026, 12, 31), 2)
@example(datetime.date(2026, 1, 31), 1)
@example(datetime.date(2026, 12, 1), 0)
def test_months_keep_the_day_or_take_the_last(day: datetime.date, count: int) -> None:
    later = rules.add_months(day, count)
    last = calendar.monthrange(later.year, later.month)[1]
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == count
    assert later.day == min(day.day, last)


@given(days, months, months)
def test_more_months_never_end_earlier(day: datetime.date, one: int, two: int) -> None:
    assert (rules.add_months(day, one) <= rules.add_months(day, two)) or one > two


@given(days, days, months)
def test_a_later_decision_never_ends_earlier(one: datetime.date, two: datetime.date, count: int) -> None:
    assume(one <= two)
    assert rules.add_months(one, count) <= rules.add_months(two, count)


def test_months_clamp_at_the_end_of_february() -> None:
    assert rules.add_months(datetime.date(2026, 11, 30), 3) == datetime.date(2027, 2, 28)
    assert rules.add_months(datetime.date(2027, 11, 30), 3) == datetime.date(2028, 2, 29)
    assert rules.add_months(datetime.date(2024, 2, 29), 12) == datetime.date(2025, 2, 28)


# --- periods -----------------------------------------------------------------------------------------


@given(tiers, new_days, st.integers(0, 4000), fields, st.none() | st.integers(1, 20))
def test_minimum_maximum_and_retention_follow_each_other(
    tier: Tier, decided: datetime.date, age: int, field: str, years: int | None
) -> None:
    today = decided + datetime.timedelta(days=age)
    found = rules.periods(tier, decided, today, BOOK, field=field, retention_years=years)
    assert decided <= found.repairable_from <= found.publish_until <= found.retain_until
    assert found.retain_until >= rules.add_months(decided, 12 * (years or 5)) or years is None


@given(st.sampled_from([Tier.GENERAL]), law_days, st.integers(0, 4000), fields)
def test_the_order_holds_under_the_older_law_too(tier: Tier, decided: datetime.date, age: int, field: str) -> None:
    found = rules.periods(tier, decided, decided + datetime.timedelta(days=age), BOOK, field=field)
    assert decided <= found.repairable_from <= found.publish_until <= found.retain_until


@given(st.integers(0, 60), st.integers(0, 60), days, st.integers(1, 20))
def test_periods_of_a_law_of_its_own_follow_each_other(
    low: int, extra: int, decided: datetime.date, years: int
) -> None:
    found = rules.fixed_periods(low, low + extra, decided, retention_years=years)
    assert decided <= found.repairable_from <= found.publish_until <= found.retain_until
    assert found.publish_until == rules.add_months(decided, low + extra)


@given(new_days, st.integers(0, 4000))
def test_stricter_tiers_are_never_shown_shorter(decided: datetime.date, age: int) -> None:
    today = decided + datetime.timedelta(days=age)
    ends = [
        rules.periods(tier, decided, today, BOOK).publish_until for tier in (Tier.MINOR, Tier.GENERAL, Tier.SERIOUS)
    ]
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("tier", "decided", "today", "expected"),
    [
        (Tier.GENERAL, EVE, EVE, (3, 36)),
        (Tier.GENERAL, ORDER_36, ORDER_36, (3, 12)),
        (Tier.GENERAL, EVE, ORDER_36, (3, 12)),
        (Tier.GENERAL, ORDER_58, EVE, (3, 36)),
        (Tier.GENERAL, datetime.date(2020, 1, 1), EVE, (3, 36)),
        (Tier.GENERAL, datetime.date(2020, 1, 1), ORDER_36, (3, 12)),
        (Tier.SERIOUS, ORDER_36, ORDER_36, (12, 36)),
        (Tier.SERIOUS, EVE, ORDER_36, (12, 36)),
        (Tier.MINOR, ORDER_36, ORDER_36, (0, 3)),
        (Tier.MINOR, EVE, ORDER_36, (0, 3)),
    ],
)
def test_publication_in_months_around_the_first_of_april(
    tier: Tier, decided: datetime.date, today: datetime.date, expected: tuple[int, int]
) -> None:
    assert rules.publication_months(tier, decided, today, BOOK) == expected


@given(old_days, new_days, fields)
def test_a_decision_that_lived_under_both_laws_has_the_shorter_of_the_two(
    decided: datetime.date, today: datetime.date, field: str
) -> None:
    both = rules.publication_months(Tier.GENERAL, decided, today, BOOK, field)
    old = rules.publication_months(Tier.GENERAL, decided, EVE, BOOK, field)
    new = rules.publication_months(Tier.GENERAL, today, today, BOOK, field)
    assert both == (min(old[0], new[0]), min(old[1], new[1]))


@given(law_days, st.integers(0, 2000), st.integers(0, 2000), fields)
def test_time_never_lengthens_a_publication(decided: datetime.date, age: int, more: int, field: str) -> None:
    today = decided + datetime.timedelta(days=age)
    early = rules.publication_months(Tier.GENERAL, decided, today, BOOK, field)
    late = rules.publication_months(Tier.GENERAL, decided, today + datetime.timedelta(days=more), BOOK, field)
    assert late[0] <= early[0]
    assert late[1] <= early[1]


@pytest.mark.parametrize(
    ("field", "low"), [("food_drugs", 12), ("work_safety", 12), ("fire", 12), ("traffic", 3), ("", 3)]
)
def test_special_fields_had_their_own_minimum_under_order_58(field: str, low: int) -> None:
    assert rules.publication_months(Tier.GENERAL, ORDER_58, EVE, BOOK, field) == (low, 36)
    assert rules.publication_months(Tier.GENERAL, EVE, EVE, BOOK, field) == (low, 36)
    assert rules.publication_months(Tier.GENERAL, ORDER_36, ORDER_36, BOOK, field) == (3, 12)


def test_retention_is_five_years_and_never_shorter_than_publication() -> None:
    found = rules.periods(Tier.GENERAL, ORDER_36, ORDER_36, BOOK)
    assert found.retain_until == datetime.date(2031, 4, 1)
    long = rules.fixed_periods(12, 120, ORDER_36, retention_years=5)
    assert long.retain_until == long.publish_until == datetime.date(2036, 4, 1)


def test_the_exact_dates_of_a_general_matter() -> None:
    found = rules.periods(Tier.GENERAL, datetime.date(2026, 11, 30), datetime.date(2026, 12, 1), BOOK)
    assert found == rules.Periods(datetime.date(2027, 2, 28), datetime.date(2027, 11, 30), datetime.date(2031, 11, 30))


def test_a_rule_that_is_missing_is_named_with_the_day() -> None:
    for act in (
        lambda: rules.publication_months(Tier.MINOR, datetime.date(2024, 1, 1), datetime.date(2024, 2, 1), BOOK),
        lambda: rules.publication_months(Tier.GENERAL, ORDER_36, ORDER_36, RuleBook([])),
        lambda: rules.tier_of_effects(["fine"], RuleBook([]), ORDER_36),
        lambda: rules.published_tiers(RuleBook([]), ORDER_36),
        lambda: rules.is_minor(ORDER_36, ORDER_36, RuleBook([])),
    ):
        with pytest.raises(RuleMissing) as caught:
            act()
        assert caught.value.code == "rule_missing"
        assert "key" in caught.value.params and str(caught.value.params["on" if "on" in caught.value.params else "day"])


def test_half_a_rule_is_a_missing_one() -> None:
    book = RuleBook([Dated("publication.general.max_months", 12, ORDER_36)])
    with pytest.raises(RuleMissing) as caught:
        rules.publication_months(Tier.GENERAL, ORDER_36, ORDER_36, book)
    assert caught.value.params["key"] == "publication.general.min_months"


# --- tiers -------------------------------------------------------------------------------------------


@given(effect_codes, law_days)
def test_the_strictest_effect_decides(codes: list[str], on: datetime.date) -> None:
    together = rules.tier_of_effects(codes, BOOK, on)
    alone = [rules.tier_of_effects([code], BOOK, on) for code in codes]
    strictness = rules.STRICTNESS.__getitem__
    assert together == (max(alone, key=strictness) if alone else Tier.GENERAL)
    assert together in (Tier.MINOR, Tier.GENERAL, Tier.SERIOUS)


@given(effect_codes, st.randoms())
def test_the_order_of_effects_does_not_matter(codes: list[str], random: Any) -> None:
    mixed = codes[:]
    random.shuffle(mixed)
    assert rules.tier_of_effects(mixed, BOOK, ORDER_36) == rules.tier_of_effects(codes, BOOK, ORDER_36)


@given(effect_codes, st.sampled_from(sorted(effects().by_code)))
def test_one_more_effect_is_never_milder(codes: list[str], more: str) -> None:
    assume(codes)
    before = rules.STRICTNESS[rules.tier_of_effects(codes, BOOK, ORDER_36)]
    assert rules.STRICTNESS[rules.tier_of_effects([*codes, more], BOOK, ORDER_36)] >= before


@pytest.mark.parametrize(
    ("codes", "tier"),
    [
        (["warning"], Tier.MINOR), (["criticism", "warning"], Tier.MINOR), (["fine"], Tier.GENERAL),
        (["warning", "fine"], Tier.GENERAL), (["fine", "revoke_licence"], Tier.SERIOUS), (["close"], Tier.SERIOUS),
        ([], Tier.GENERAL), (["never heard of"], Tier.GENERAL), (["warning", "never heard of"], Tier.GENERAL),
    ],
)  # fmt: skip
def test_tiers_of_order_36(codes: list[str], tier: Tier) -> None:
    assert rules.tier_of_effects(codes, BOOK, ORDER_36) == tier


def test_order_58_counted_a_revoked_licence_as_general() -> None:
    assert rules.tier_of_effects(["revoke_licence"], BOOK, EVE) == Tier.GENERAL
    assert rules.tier_of_effects(["revoke_licence"], BOOK, ORDER_36) == Tier.SERIOUS


def test_every_effect_of_the_vocabulary_has_a_tier_of_its_own() -> None:
    named = set(BOOK.value("tier.effects", ORDER_36))
    negative = {code for code in effects().by_code if code in named}
    assert negative == named, "the rule names an effect that the vocabulary does not know"


@given(law_days)
def test_minor_matters_are_not_published(on: datetime.date) -> None:
    shown = rules.published_tiers(BOOK, on)
    assert Tier.MINOR not in shown
    assert set(shown) == {Tier.NONE, Tier.GENERAL, Tier.SERIOUS}


def test_minor_matters_are_published_where_a_rule_says_so() -> None:
    assert Tier.MINOR in rules.published_tiers(
        RuleBook([Dated("publication.minor.published", True, ORDER_36)]), ORDER_36
    )


# --- minors ------------------------------------------------------------------------------------------


@given(st.dates(datetime.date(1999, 6, 1), datetime.date(2040, 1, 1)))
@example(datetime.date(2008, 2, 29))
def test_a_person_is_a_minor_until_the_eighteenth_birthday(born: datetime.date) -> None:
    birthday = rules.add_months(born, 18 * 12)
    assert rules.is_minor(born, birthday - datetime.timedelta(days=1), BOOK)
    assert not rules.is_minor(born, birthday, BOOK)
    assert not rules.is_minor(born, birthday + datetime.timedelta(days=1), BOOK)


@given(st.dates(datetime.date(2000, 1, 1), datetime.date(2040, 1, 1)), st.integers(0, 20000), st.integers(0, 2000))
def test_nobody_becomes_a_minor_again(born: datetime.date, age: int, more: int) -> None:
    on = max(born, datetime.date(2018, 1, 1)) + datetime.timedelta(days=age)
    assert rules.is_minor(born, on, BOOK) or not rules.is_minor(born, on + datetime.timedelta(days=more), BOOK)
