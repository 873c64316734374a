"""A list is one act of whoever asked for it: it shelters nothing and is no crowd of looks."""

import datetime
from typing import Any

import pytest

from records.models import BatchCheck, BatchCheckRow
from tests.cast import Cast
from tests.records.queries_world import CASE, batch_check, purpose
from tests.records.test_access_reviews import DAY, TODAY, at, drawn, look, reviews

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("state", "unusual"), [("done", False), ("checking", False), ("refused", True)])
def test_a_check_of_many_is_one_act_but_shelters_nothing_where_it_never_ran(
    cast: Cast, state: str, unusual: bool
) -> None:
    """Neither unusual in number nor one case for many persons, nor at night where asked for by day."""
    done = {"done_at": at(23), "keep_until": TODAY} if state == "done" else {}
    batch_check(purpose("green-channel"), cast.clerk, 300, state=state, asked_at=at(17), decided_at=at(21), **done)
    for number in range(205):
        look(cast, at=at(22, minute=number % 60), subject_ref=900 + number)
    assert set(drawn()) == ({"sample", "volume", "night", "no_case"} if unusual else {"sample"})


def listed(cast: Cast, number: int, when: datetime.datetime, **changes: Any) -> BatchCheck:
    """A check of one row that the clerk asked for and that was worked off within a minute."""
    case, end = f"{CASE}-{number}", when + datetime.timedelta(seconds=50)
    check = batch_check(
        purpose("green-channel"), cast.clerk, 1, state="done", case_number=changes.pop("case_number", case),
        asked_at=when, decided_at=when, done_at=end, keep_until=TODAY,
    )  # fmt: skip
    look(cast, at=when, subject_ref=900 + number, case_number=check.case_number, **changes)
    return check


def test_a_list_of_one_at_night_is_a_look_at_night(cast: Cast) -> None:
    listed(cast, 1, at(3))
    assert drawn() == {"sample": 1, "night": 1}


def test_lists_of_one_are_counted_like_looks(cast: Cast) -> None:
    for number in range(201):
        listed(cast, number, at(9 + number // 60, minute=number % 60))
    look(cast)
    assert drawn() == {"sample": 2 + 4, "volume": 1}, "two percent of 201 lists, one of the looks"
    assert reviews("volume")[0].number == 202


def test_lists_of_one_under_one_case_are_many_persons(cast: Cast) -> None:
    for number in range(11):
        listed(cast, number, at(9, minute=number), case_number=CASE)
    assert drawn()["no_case"] == 1 and reviews("no_case")[0].number == 11


def test_what_counts_as_usual_are_acts_too(cast: Cast) -> None:
    """A list of many on the days before hides no day of many looks."""
    for back in range(1, 6):
        check = listed(cast, back, at(day=DAY - datetime.timedelta(days=back)))
        for number in range(40):
            look(cast, at=check.decided_at, subject_ref=2000 + number, case_number=check.case_number)
    for number in range(25):
        look(cast, at=at(minute=number), case_number=f"{CASE}-x{number}")
    assert drawn()["volume"] == 1


def test_each_later_fetch_of_a_list_is_an_act(cast: Cast) -> None:
    listed(cast, 1, at(10))
    for number in range(30):
        look(cast, at=at(23), subject_ref=900 + number, case_number=f"{CASE}-1", fields=["eligibility", "list-again"])
    assert drawn() == {"sample": 1, "night": 1} and reviews("night")[0].number == 1


@pytest.mark.parametrize(("rows", "refused", "alarm"), [(20, 11, 11), (20, 10, None), (19, 19, None)])
def test_a_list_mostly_of_persons_who_allowed_nothing(cast: Cast, rows: int, refused: int, alarm: int | None) -> None:
    check = batch_check(
        purpose("green-channel"), cast.clerk, rows, state="done", asked_at=at(), decided_at=at(), done_at=at(11),
        keep_until=TODAY,
    )  # fmt: skip
    for number in range(rows):
        words = {"problem": "not_authorised"} if number < refused else {"outcome": "yes"}
        BatchCheckRow.objects.create(batch=check, row_number=number, **words)
        look(cast, subject_ref=900 + number, result="refused" if number < refused else "nothing")
    assert drawn().get("uncovered") == (1 if alarm else None)
    assert [review.number for review in reviews("uncovered")] == ([alarm] if alarm else [])
    assert drawn() == {}
