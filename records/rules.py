"""The law of periods as pure functions: dates, tiers and rule values in, dates and decisions out."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from creditplatform.core.rules import RuleBook, RuleMissing
from creditplatform.core.workdays import SATURDAY, Calendar, YearNotAnnounced, add_working_days
from records.enums import Tier

STRICTNESS = {Tier.NONE: 0, Tier.MINOR: 1, Tier.GENERAL: 2, Tier.SERIOUS: 3}


@dataclass(frozen=True, slots=True)
class Periods:
    """When an unfavourable record may be repaired, when it is no longer shown, when it is archived.

    All three are dates; `publish_until` is the first day on which the record is no longer shown.
    """

    repairable_from: datetime.date
    publish_until: datetime.date
    retain_until: datetime.date


def add_months(day: datetime.date, months: int) -> datetime.date:
    """The same day `months` later; a day the month does not have becomes its last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = (datetime.date(year + month // 11, (month + 1) % 12 + 1, 1) - datetime.timedelta(days=1)).day
    return datetime.date(year, month + 1, min(day.day, last))


def tier_of_effects(effects: Iterable[str], rulebook: RuleBook, on: datetime.date) -> Tier:
    """The tier of a decision with several effects: the strictest one applies (Order 36 of 2025).

    `tier.effects` maps effect codes to tiers; an effect the rule does not name counts as general.
    """
    table: dict[str, str] = rulebook.value_or_first("tier.effects", on)
    tiers = [Tier(table.get(effect, Tier.GENERAL)) for effect in effects] or [Tier.GENERAL]
    return max(tiers, key=STRICTNESS.__getitem__)


def is_minor(birth_date: datetime.date, on: datetime.date, rulebook: RuleBook) -> bool:
    """Whether a person is younger than the age from which unfavourable records may be kept (18)."""
    return on < add_months(birth_date, 12 * full_age(on, rulebook))


def full_age(on: datetime.date, rulebook: RuleBook) -> int:
    """The age in years from which unfavourable records may be kept, as it holds on that day. Raises RuleMissing."""
    years: int = rulebook.value_or_first("age.negative_records", on)
    return years


def published_tiers(rulebook: RuleBook, on: datetime.date) -> list[Tier]:
    """Tiers that are shown to the public on that day; minor matters in principle are not (Order 36)."""
    tiers = [Tier.NONE, Tier.GENERAL, Tier.SERIOUS]
    if rulebook.value("publication.minor.published", on):
        tiers.append(Tier.MINOR)
    return tiers


def publication_months(
    tier: Tier, decided_on: datetime.date, today: datetime.date, rulebook: RuleBook, field: str = ""
) -> tuple[int, int]:
    """Shortest and longest publication in months for a decision, as the law stands today.

    Before 2026-04-01 Order 58 held, since then Order 36; a decision that lived under both is
    shown by the shorter of the two, since a milder rule works in the person's favour. Days before
    the first known rule are judged by the first one that followed. Raises RuleMissing.
    """
    bounds = [
        _bounds(tier, decided_on=max(decided_on, start), rulebook=rulebook, field=field)
        for start in _rule_starts(tier, decided_on, today, rulebook)
    ]
    return min(low for low, _high in bounds), min(high for _low, high in bounds)


def _rule_starts(tier: Tier, since: datetime.date, until: datetime.date, rulebook: RuleBook) -> list[datetime.date]:
    key = f"publication.{tier}.max_months"
    versions = rulebook.versions(key, since=since, until=max(since, until))
    if not versions:
        raise RuleMissing(key, since)
    return [version.valid_from for version in versions]


def _bounds(tier: Tier, *, decided_on: datetime.date, rulebook: RuleBook, field: str) -> tuple[int, int]:
    """Bounds in months under the rules of one day; special fields had their own minimum under Order 58."""
    low: int = rulebook.value(f"publication.{tier}.min_months", decided_on)
    high: int = rulebook.value(f"publication.{tier}.max_months", decided_on)
    special = rulebook.versions("publication.special_fields", since=decided_on, until=decided_on)
    if tier == Tier.GENERAL and special and field in special[0].value:
        low = rulebook.value("publication.special.min_months", decided_on)
        high = rulebook.value("publication.special.max_months", decided_on)
    return low, high


def periods(
    tier: Tier,
    decided_on: datetime.date,
    today: datetime.date,
    rulebook: RuleBook,
    *,
    field: str = "",
    retention_years: int | None = None,
) -> Periods:
    """All three dates of an unfavourable record, counted from the decision (Order 36, retention 5 years).

    A minor record may be repaired as soon as the duty is fulfilled, hence from the decision on.
    Retention never ends before publication does.
    """
    low, high = publication_months(tier, decided_on, today, rulebook, field)
    years = retention_years or rulebook.value("retention.negative.years", max(decided_on, today))
    publish_until = add_months(decided_on, high)
    return Periods(
        repairable_from=add_months(decided_on, low),
        publish_until=publish_until,
        retain_until=max(publish_until, add_months(decided_on, 12 * years)),
    )


def fixed_periods(low: int, high: int, decided_on: datetime.date, *, retention_years: int) -> Periods:
    """The dates where a law or central document sets its own period in months, which then prevails."""
    publish_until = add_months(decided_on, high)
    return Periods(
        repairable_from=add_months(decided_on, low),
        publish_until=publish_until,
        retain_until=max(publish_until, add_months(decided_on, 12 * retention_years)),
    )


def ended_early(found: Periods, decided_on: datetime.date, end: datetime.date) -> Periods:
    """The same periods where the source itself names an end: publication never outlives it, nor does the minimum.

    `end` is the first day on which the record no longer holds; a later one than the law allows changes nothing.
    """
    publish_until = max(decided_on, min(found.publish_until, end))
    return Periods(min(found.repairable_from, publish_until), publish_until, found.retain_until)


def confirmation_due(ended_on: datetime.date, rulebook: RuleBook, calendar: Calendar, site: str) -> datetime.date:
    """The last day on which a peer confirms in time that it has followed a withdrawal.

    Results are updated daily between systems (Guobanfa [2025] No. 22; Order 36, article 3): a rule value in working
    days, by site. While the holidays of a year are not announced, its weekends alone are left out, so that the feed
    never waits for a calendar.
    """
    days: int = rulebook.value("clock.exchange.confirm.working_days", ended_on, site)
    try:
        return add_working_days(ended_on, days, calendar)
    except YearNotAnnounced:
        day = ended_on
        while days:
            day += datetime.timedelta(days=1)
            days -= day.weekday() < SATURDAY
        return day
