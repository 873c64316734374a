"""Figures on timeliness and quality: hand-computed numbers, and statements that say what the pure rules say."""

import datetime
import random
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from creditplatform.core.deadlines import Calendar, days_from_library
from creditplatform.core.enums import Role
from creditplatform.core.models import Agency, CalendarDay, Heartbeat, Membership, RuleValue, Site
from records import tasks
from records.enums import Rhythm
from records.feeds.mending import ROW_HEADERS, row_token
from records.feeds.plan import STORED_ELSEWHERE
from records.figures import rates, rules, silence
from records.figures.counting import count_month
from records.figures.rules import Judgement, Timeliness
from records.models import CreditRecord, Feed, FeedBatch, MonthlyFigure, QuarantinedRow
from records.services.feeds import work_off
from records.services.figures import refresh_figures
from records.services.mending import mend_row, rerun_rows
from tests.cast import Cast
from tests.deliveries import (
    ingest,
    penalty,
    quick_passwords,  # noqa: F401
)
from tests.records.figures_world import OCTOBER, arrived, came_on, in_force, market, noon

DAY = datetime.date
SEVEN = 7


@lru_cache(maxsize=1)
def announced() -> Calendar:
    return Calendar.from_days(row for year in (2025, 2026) for row in days_from_library(year))


# --- on time or late ---------------------------------------------------------------------------------
# 1 to 7 October 2026 are free, Saturday 10 October is worked in return.

HAND_COMPUTED = [
    (DAY(2026, 9, 29), DAY(2026, 10, 14), Timeliness(Judgement.ON_TIME)),  # 30, 8, 9, 10, 12, 13, 14: the seventh
    (DAY(2026, 9, 29), DAY(2026, 10, 15), Timeliness(Judgement.LATE, 1)),
    (DAY(2026, 9, 29), DAY(2026, 10, 30), Timeliness(Judgement.LATE, 12)),
    (DAY(2026, 10, 1), DAY(2026, 10, 15), Timeliness(Judgement.ON_TIME)),  # a decision of a holiday counts from 8
    (DAY(2026, 10, 8), DAY(2026, 10, 16), Timeliness(Judgement.ON_TIME)),
    (DAY(2026, 10, 8), DAY(2026, 10, 17), Timeliness(Judgement.LATE, 1)),  # the Saturday after the last day
    (DAY(2026, 10, 8), DAY(2026, 10, 19), Timeliness(Judgement.LATE, 1)),  # counts like the Monday that follows it
    (DAY(2026, 10, 20), DAY(2026, 10, 20), Timeliness(Judgement.ON_TIME)),
]


@pytest.mark.parametrize(("decided", "received", "expected"), HAND_COMPUTED)
def test_a_decision_is_on_time_or_late_by_working_days(decided: Any, received: Any, expected: Timeliness) -> None:
    assert rules.timeliness(decided, received, SEVEN, announced()) == expected


def test_a_year_that_is_not_announced_is_not_judged() -> None:
    found = rules.timeliness(DAY(2026, 12, 30), DAY(2027, 1, 4), SEVEN, announced())
    assert found == Timeliness(Judgement.UNJUDGED)


def figure(entry: str = "administrative-penalty") -> MonthlyFigure:
    return MonthlyFigure.objects.get(agency__code="hz-market", entry__code=entry, month=OCTOBER)


def test_the_statement_counts_what_the_hand_counts(context: None) -> None:
    arrived((decided, received) for decided, received, _expected in HAND_COMPUTED)
    count_month(OCTOBER)
    found = figure()
    assert (found.recorded, found.on_time, found.late, found.unjudged) == (8, 4, 4, 0)
    assert (found.days_late, found.most_late) == (1 + 12 + 1 + 1, 12)


def test_the_statement_and_the_pure_rule_agree_on_any_days(context: None) -> None:
    chance = random.Random(7)
    pairs = []
    for _ in range(120):
        received = OCTOBER + datetime.timedelta(days=chance.randrange(31))
        pairs.append((received - datetime.timedelta(days=chance.randrange(40)), received))
    arrived(pairs)
    count_month(OCTOBER)
    judged = [rules.timeliness(decided, received, SEVEN, announced()) for decided, received in pairs]
    late = [one.days_late for one in judged if one.judgement == Judgement.LATE]
    found = figure()
    assert (found.on_time, found.late) == (len(pairs) - len(late), len(late))
    assert (found.days_late, found.most_late) == (sum(late), max(late))


def test_days_of_a_year_that_is_not_on_file_are_said_never_guessed(context: None) -> None:
    arrived([(DAY(2026, 9, 29), DAY(2026, 10, 14)), (DAY(2026, 10, 20), DAY(2026, 10, 20))])
    CalendarDay.objects.filter(day=DAY(2026, 3, 3)).delete()  # a year with a day missing is not announced
    count_month(OCTOBER)
    assert (figure().on_time, figure().late, figure().unjudged) == (1, 0, 1)


def test_a_site_may_have_its_own_number_of_days(context: None) -> None:
    common = RuleValue.objects.get(key=rules.CLOCK)
    arrived([(DAY(2026, 10, 8), DAY(2026, 10, 12))])  # three working days: 9, 10, 12
    for site, days, late in (("gansu", 1, 0), ("huizhou", 2, 1)):
        RuleValue.objects.create(
            key=common.key, site=Site.objects.get(code=site), value=days, valid_from=common.valid_from,
            legal_basis="law", confirmed=True, delivered=True, in_force=True,
        )  # fmt: skip
        count_month(OCTOBER)
        assert figure().late == late, site


def test_a_month_ends_at_midnight_of_the_local_day(context: None) -> None:
    arrived([(DAY(2026, 10, 30), DAY(2026, 10, 31)), (DAY(2026, 10, 30), DAY(2026, 10, 31))])
    last, first = CreditRecord.objects.order_by("pk").values_list("pk", flat=True)
    for pk, hour, minute in ((last, 15, 59), (first, 16, 0)):  # Beijing is eight hours ahead
        at = datetime.datetime(2026, 10, 31, hour, minute, tzinfo=datetime.UTC)
        CreditRecord.objects.filter(pk=pk).update(received_at=at)
    count_month(OCTOBER)
    assert figure().recorded == 1


# --- compliance, completeness, problems -----------------------------------------------------------------


def test_rates_of_a_month_by_hand(context: None) -> None:
    wrong = [penalty(50 + n, CF_XDR_MC="") for n in range(2)]
    batch = ingest(penalty(1, BZ=""), penalty(2), penalty(3, BZ="说明"), *wrong, penalty(60, CF_JDRQ="never"))
    again = ingest(penalty(1))
    for one in (batch, again):
        came_on(one, OCTOBER)
    CreditRecord.objects.update(received_at=noon(OCTOBER))
    count_month(OCTOBER)
    found = figure()
    assert (found.batches, found.received, found.accepted, found.unchanged) == (2, 7, 3, 1)
    assert found.quarantined == 3 and found.rejected == 0
    assert found.problems == {"required": 2, "not_a_date": 1}
    row = rates.unit_entries(market(), OCTOBER, rates.measures(OCTOBER, "huizhou"))[0][0]
    assert row.counts.rates["compliance"] == Decimal("57.1")  # 4 of 7
    assert (row.counts.errors, row.counts.repeats) == (Decimal("42.9"), Decimal("14.3"))
    optional = optional_fields()
    assert (found.optional, found.filled) == (3 * len(optional), filled_by_hand(optional))


def optional_fields() -> set[str]:
    """Open, optional fields of the penalty, read from the catalogue."""
    fields = CreditRecord.objects.all()[0].version.fields.filter(required="never", one_of="", personal=False)
    stored = {*map(str, STORED_ELSEWHERE), "source_status"}
    return {item.code for item in fields if item.role not in stored}


def filled_by_hand(optional: set[str]) -> int:
    return sum(bool(record.payload.get(code)) for record in CreditRecord.objects.all() for code in optional)


def test_a_correction_of_one_record_is_nobodys_delivery(context: None) -> None:
    batch = came_on(ingest(penalty(1)), OCTOBER)
    count_month(OCTOBER)
    assert figure().batches == 1
    batch.reason = "mended"
    batch.save(update_fields=["reason"])
    MonthlyFigure.objects.all().delete()
    CreditRecord.objects.update(received_at=noon(OCTOBER))
    count_month(OCTOBER)
    assert (figure().batches, figure().recorded) == (0, 1)


# --- counting again ------------------------------------------------------------------------------------


def test_a_month_is_counted_again_only_when_something_came(context: None) -> None:
    came_on(ingest(penalty(1)), OCTOBER)
    came_on(ingest(penalty(2)), DAY(2026, 3, 5))
    on = DAY(2026, 11, 25)
    assert refresh_figures(on=on) == [DAY(2026, 3, 1), OCTOBER]
    FeedBatch.objects.update(finished_at=noon(DAY(2026, 10, 2)))
    assert refresh_figures(on=on) == []
    came_on(ingest(penalty(3)), DAY(2026, 3, 6))
    assert refresh_figures(on=on) == [], "what has ended stands"
    came_on(ingest(penalty(4)), DAY(2026, 11, 2))
    assert refresh_figures(on=on) == [DAY(2026, 11, 1)]


def test_counting_needs_a_context_and_costs_one_statement(context: None) -> None:
    arrived([(DAY(2026, 10, 8), DAY(2026, 10, 12))] * 3)
    with CaptureQueriesContext(
        connection,
    ) as few:
        count_month(OCTOBER)
    arrived([(DAY(2026, 10, 8), DAY(2026, 10, 12))] * 30, first=300)
    with CaptureQueriesContext(connection) as many:
        count_month(OCTOBER)
    assert len(few) == len(many) == 1


def test_the_timer_counts_and_leaves_a_sign_of_life(context: None) -> None:
    came_on(ingest(penalty(1)), timezone.localdate())
    tasks.refresh_figures()
    assert MonthlyFigure.objects.get().received == 1
    assert Heartbeat.objects.filter(name="monthly-figures").exists()


# --- the explained sum -----------------------------------------------------------------------------------


def test_the_score_is_the_weighted_mean_of_the_rates_there_are() -> None:
    given = {"timeliness": Decimal(90), "compliance": Decimal(100), "completeness": None}
    assert rules.score(given, {"timeliness": 40, "compliance": 40, "completeness": 20}) == Decimal("95.0")
    assert rules.score(given, {"timeliness": 1, "compliance": 3, "completeness": 1}) == Decimal("97.5")
    assert rules.score(dict.fromkeys(given), {"timeliness": 1}) is None


def test_units_are_ranked_and_equal_scores_share_a_place(context: None) -> None:
    entry = Feed.objects.get(code="hz-market-penalty").entry
    for code, late in (("hz-market", 0), ("hz-eco", 1), ("hz-hrss", 1), ("hz-drc", 5)):
        MonthlyFigure.objects.create(
            agency=Agency.objects.get(code=code), entry=entry, month=OCTOBER, computed_at=timezone.now(),
            recorded=10, on_time=10 - late, late=late,
        )  # fmt: skip
    silent = Agency.objects.get(code="hz-court")
    MonthlyFigure.objects.create(agency=silent, entry=entry, month=OCTOBER, computed_at=timezone.now(), batches=1)
    found = [(row.agency.code, row.place, row.score) for row in rates.board(market().site, OCTOBER)]
    assert found == [
        ("hz-market", 1, Decimal("100.0")), ("hz-eco", 2, Decimal("90.0")), ("hz-hrss", 2, Decimal("90.0")),
        ("hz-drc", 4, Decimal("50.0")), ("hz-court", None, None),
    ]  # fmt: skip


def test_weights_and_thresholds_are_rules_and_without_them_each_rate_counts_the_same(context: None) -> None:
    before = rates.measures(OCTOBER, "huizhou")
    assert (before.decided, set(before.weights.values()), before.thresholds) == (False, {1}, {})
    for name, weight in (("timeliness", 50), ("compliance", 30), ("completeness", 20)):
        in_force(f"figures.weight.{name}", weight)
    in_force("figures.threshold.timeliness", 95)
    after = rates.measures(OCTOBER, "huizhou")
    assert (after.decided, list(after.weights.values()), after.thresholds) == (True, [50, 30, 20], {"timeliness": 95})
    assert rates.Rate("timeliness", Decimal("94.9"), 95).below and not rates.Rate("timeliness", Decimal(95), 95).below


# --- feeds that do not come ----------------------------------------------------------------------------

RHYTHMS = [
    # 30 September is the last working day before the holidays; 8 October the first after them
    (Rhythm.DAILY, DAY(2026, 9, 30), DAY(2026, 10, 8)),
    (Rhythm.DAILY, DAY(2026, 10, 9), DAY(2026, 10, 10)),  # a Saturday worked in return
    (Rhythm.WEEKLY, DAY(2026, 10, 7), DAY(2026, 10, 18)),
    (Rhythm.WEEKLY, DAY(2026, 10, 11), DAY(2026, 10, 18)),
    (Rhythm.MONTHLY, DAY(2026, 10, 31), DAY(2026, 11, 30)),
    (Rhythm.MONTHLY, DAY(2025, 12, 5), DAY(2026, 1, 31)),
]


@pytest.mark.parametrize(("rhythm", "last", "due"), RHYTHMS)
def test_the_next_delivery_is_due_by_the_end_of_the_next_period(rhythm: Rhythm, last: Any, due: Any) -> None:
    assert rules.expected_by(rhythm, last, announced()) == due


@pytest.mark.parametrize("rhythm", [Rhythm.DAILY, Rhythm.WEEKLY, Rhythm.MONTHLY])
def test_both_ways_of_saying_silent_agree(rhythm: Rhythm) -> None:
    start = DAY(2026, 8, 20)
    for offset in range(60):
        today = start + datetime.timedelta(days=offset)
        worked = next(
            d for back in range(1, 20) if announced().entry(d := today - datetime.timedelta(days=back)).working
        )
        before = rules.silent_before(rhythm, today, worked)
        for back in range(1, 45):
            last = today - datetime.timedelta(days=back)
            due = rules.expected_by(rhythm, last, announced())
            assert before and due and (last < before) == (due < today), (today, last)


def test_silent_feeds_say_since_when_and_switched_off_ones_are_not_expected(cast: Cast) -> None:
    feed = Feed.objects.get(code="hz-market-penalty")  # daily
    came_on(ingest(penalty(1)), DAY(2026, 9, 29))
    today = DAY(2026, 10, 13)
    (found,) = [one for one in silence.silences(cast.clerk, today=today) if one.last_on]
    assert (found.feed, found.since, found.working_days) == (feed, DAY(2026, 9, 30), 5)  # 8, 9, 10, 12, 13
    assert silence.silences(cast.clerk, today=DAY(2026, 9, 30))[0].last_on is None, "not owed before the day is over"
    Feed.objects.filter(pk=feed.pk).update(active=False)
    assert [one for one in silence.silences(cast.clerk, today=today) if one.feed == feed] == []


def test_a_feed_that_never_delivered_is_said_to_be_one(cast: Cast) -> None:
    never = [one for one in silence.silences(cast.clerk) if not one.last_on]
    assert {one.feed.agency.code for one in never} == {"hz-market"} and len(never) >= 2
    assert len(silence.silences(cast.centre)) > len(never)
    assert not any(one.owed for one in never), "its first delivery is still to come"


def test_a_feed_that_never_delivered_owes_it_once_a_whole_period_has_passed(cast: Cast) -> None:
    feed = Feed.objects.get(code="hz-market-penalty")  # daily
    Feed.objects.update(since=noon(DAY(2026, 10, 12)))
    Feed.objects.filter(pk=feed.pk).update(since=noon(DAY(2026, 9, 29)))
    today = DAY(2026, 10, 13)
    (found,) = [one for one in silence.silences(cast.clerk, today=today) if one.owed]
    assert (found.feed, found.last_on, found.since, found.working_days) == (feed, None, DAY(2026, 9, 30), 5)


def test_the_banner_names_a_feed_that_never_came_and_a_rest_ends_its_waiting(cast: Cast) -> None:
    assert silence.alarm_of(cast.centre) is None
    feed = Feed.objects.get(code="hz-market-penalty")
    Feed.objects.filter(pk=feed.pk).update(since=timezone.now() - datetime.timedelta(days=60))
    assert feed.label in str(silence.alarm_of(cast.centre)) and feed.label in str(silence.alarm_of(cast.clerk))
    assert silence.stopped_feeds() == 1
    Feed.objects.filter(pk=feed.pk).update(active=False)
    assert silence.alarm_of(cast.centre) is None
    Feed.objects.filter(pk=feed.pk).update(active=True)
    assert silence.alarm_of(cast.centre) is None, "it is expected anew from now on"


def test_a_refused_file_is_no_delivery(cast: Cast) -> None:
    batch = came_on(ingest(penalty(1)), timezone.localdate() - datetime.timedelta(days=60))
    assert silence.alarm_of(cast.clerk) is not None
    fresh = came_on(ingest(penalty(2)), timezone.localdate())
    assert silence.alarm_of(cast.clerk) is None
    FeedBatch.objects.filter(pk=fresh.pk).update(state="refused", error_code="x")
    assert "hz" not in str(silence.alarm_of(cast.clerk)) and silence.alarm_of(cast.clerk) is not None
    assert batch.feed.label in str(silence.alarm_of(cast.clerk))


def test_the_alarm_is_for_the_unit_and_the_centre_alone_and_counts_for_the_probe(cast: Cast) -> None:
    came_on(ingest(penalty(1)), timezone.localdate() - datetime.timedelta(days=60))
    shown = {name: silence.alarm_of(user) is not None for name, user in cast.staff().items()}
    assert {name for name, yes in shown.items() if yes} == {"clerk", "officer", "supervisor", "centre"}
    assert silence.stopped_feeds() == 1


def test_a_delivery_outside_the_promised_size_is_listed(cast: Cast) -> None:
    ingest(penalty(1))
    assert silence.odd_batches(cast.clerk) == []
    Feed.objects.filter(code="hz-market-penalty").update(expected_min=2)
    assert [batch.received for batch in silence.odd_batches(cast.clerk)] == [1]
    assert silence.odd_batches(cast.other_clerk) == []


def test_a_centre_that_also_works_for_a_unit_elsewhere_leads_its_own_place_alone(cast: Cast, client: Client) -> None:
    Membership.objects.create(user=cast.centre, agency=Agency.objects.get(code="gs-market"), role=Role.CLERK)
    client.force_login(cast.centre)
    for query in ("", "?site=gansu"):
        board = client.get(f"{reverse('desk:figures_board')}{query}")
        assert board.context["chosen"].code == "huizhou"
        assert [site.code for site in board.context["sites"]] == ["huizhou"]
        assert client.get(f"{reverse('desk:figures_reports')}{query}").context["chosen"].code == "huizhou"


def test_nobody_owes_a_report_on_a_month_that_has_not_ended(cast: Cast, client: Client) -> None:
    client.force_login(cast.centre)
    this_month = timezone.localdate().replace(day=1)
    last_month = this_month - datetime.timedelta(days=1)
    for month, owed in ((this_month, False), (last_month, True)):
        board = client.get(reverse("desk:figures_board"), {"month": f"{month:%Y-%m}"})
        assert bool(board.context["owing"]) is owed


# --- rows set aside that come back ---------------------------------------------------------------------------


def mend_in_every_way(cast: Cast) -> None:
    """A delivery with three wrong rows, checked once more, then one mended in a workbook and one on the page."""
    feed = Feed.objects.select_related("agency", "entry").get(code="hz-market-penalty")
    ingest(penalty(1), *(penalty(n, CF_JDRQ="never") for n in (2, 3, 4)))
    work_off(rerun_rows(user=cast.clerk, feed=feed, rows=QuarantinedRow.objects.all()))
    first, second = QuarantinedRow.objects.order_by("pk")[:2]
    ingest({**penalty(2), ROW_HEADERS["en"]: row_token(first.pk, first.revision)})
    mend_row(user=cast.clerk, row=second, values=penalty(3), seen=second.revision)
    assert FeedBatch.objects.count() == 4 and CreditRecord.objects.count() == 3


def test_rows_that_come_back_are_counted_once(cast: Cast) -> None:
    mend_in_every_way(cast)
    FeedBatch.objects.update(received_at=noon(OCTOBER))
    count_month(OCTOBER)
    found = figure()
    assert (found.batches, found.received, found.accepted, found.quarantined) == (1, 4, 1, 3)
    assert found.problems == {"not_a_date": 3}


def test_rows_that_come_back_are_no_sign_of_life_and_of_no_odd_size(cast: Cast) -> None:
    mend_in_every_way(cast)
    first = FeedBatch.objects.earliest("pk")
    came_on(first, timezone.localdate() - datetime.timedelta(days=60))
    assert silence.alarm_of(cast.clerk) is not None
    Feed.objects.filter(code="hz-market-penalty").update(expected_min=4)
    assert silence.odd_batches(cast.clerk) == []


def test_a_form_is_known_by_its_form_and_not_by_a_name_that_any_file_may_bear(cast: Cast) -> None:
    batch = ingest(penalty(1))
    FeedBatch.objects.filter(pk=batch.pk).update(file_name="form")
    Feed.objects.filter(code="hz-market-penalty").update(expected_min=2)
    assert silence.odd_batches(cast.clerk) == [batch]
