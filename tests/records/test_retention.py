"""Names and numbers of closed queries and papers of representations that ended are not kept without end."""

import datetime
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from creditplatform.core.enums import Door
from creditplatform.core.models import RuleValue
from records import papers
from records.enums import QueryState, RepresentationState
from records.models import Query, Representation
from records.rules import add_months
from records.services import queries, representations, retention
from records.services.queries import Draft
from tests.accounts.representation_world import asked, attorney, browser, confirmed
from tests.accounts.window_world import second
from tests.cast import PERSON_NUMBER, Cast
from tests.records.queries_world import CASE, NAME, market, purpose

TODAY = timezone.localdate()
LATER = add_months(TODAY, 37)


@pytest.fixture(autouse=True)
def _years(cast: Cast, settings: Any, tmp_path: Path) -> None:
    """The years as the centre has confirmed them."""
    settings.MEDIA_ROOT = tmp_path
    keys = (retention.QUERIES, retention.PAPERS, retention.ANNOUNCEMENTS)
    RuleValue.objects.filter(key__in=keys).update(confirmed=True, in_force=True)


def a_query(cast: Cast) -> Query:
    purpose("green-channel", needs_consent=False)
    draft = Draft(market(), cast.clerk, "green-channel", "eligibility", NAME, "resident_id", PERSON_NUMBER, CASE)
    return queries.submit(draft)


def closed(cast: Cast) -> Query:
    return queries.close(query=a_query(cast), user=cast.clerk)


def upkeep(on: datetime.date) -> dict[str, int]:
    return retention.run_all(on=on, door=Door.COMMAND)


def test_name_and_number_of_a_closed_query_go_and_the_act_stays(cast: Cast) -> None:
    query, waiting = closed(cast), a_query(cast)
    assert upkeep(add_months(TODAY, 36))["query_numbers_removed"] == 0, "not before the day after"
    assert upkeep(LATER)["query_numbers_removed"] == 1
    assert upkeep(LATER)["query_numbers_removed"] == 0
    query.refresh_from_db()
    waiting.refresh_from_db()
    assert (query.number_sealed, query.name_sealed) == (None, None) and query.cleared_at
    assert (query.asked_by, query.purpose_id, query.case_number, query.state) == (
        cast.clerk, "green-channel", CASE, QueryState.CLOSED,
    )  # fmt: skip
    assert query.number_index == waiting.number_index and waiting.number_sealed and not waiting.cleared_at
    page = browser(cast.clerk).get(reverse("desk:query", args=[query.token])).content.decode()
    assert str(timezone.localdate(query.cleared_at).year) in page


def test_no_history_keeps_what_was_removed(cast: Cast) -> None:
    closed(cast)
    upkeep(LATER)
    events = Query._meta.apps.get_model("records", "QueryEvent")
    assert events.objects.count() >= 2, "who closed it and when it was cleared stand there"
    for name in ("queryevent", "representationevent"):
        columns = {row[0] for row in columns_of(f"records_{name}")}
        assert not columns & {"number_sealed", "name_sealed", "asked_number", "asked_name"} and "state" in columns


def columns_of(table: str) -> list[tuple[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        return list(cursor.fetchall())


def test_nothing_goes_while_no_rule_says_when(cast: Cast) -> None:
    RuleValue.objects.filter(key=retention.QUERIES).update(in_force=False, confirmed=False)
    closed(cast)
    assert upkeep(LATER)["query_numbers_removed"] == 0 and Query.objects.get().number_sealed


def test_papers_of_what_ended_and_of_what_was_refused_go(cast: Cast) -> None:
    standing = confirmed(cast, attorney(cast))
    refused = representations.refuse(case=asked(cast), user=cast.centre, refusal="材料不清")
    ended = representations.end(case=standing, user=cast.stranger)
    assert len(list(papers.folder().iterdir())) == 2
    assert upkeep(add_months(TODAY, 36))["representation_papers_removed"] == 0
    assert upkeep(LATER)["representation_papers_removed"] == 2
    assert upkeep(LATER)["representation_papers_removed"] == 0 and not list(papers.folder().iterdir())
    for case in (ended, refused):
        case.refresh_from_db()
        assert (case.papers, case.asked_name) == ("", None) and case.papers_digest and case.cleared_at
        assert case.decided_by == (second() if case == ended else cast.centre)
        token = case.token
        page = browser(cast.centre)
        assert page.get(reverse("desk:representation", args=[token])).status_code == 200
        assert page.get(reverse("desk:representation-papers", args=[token])).status_code == 404


def test_stopped_between_file_and_row_the_next_run_finishes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    representations.refuse(case=attorney(cast), user=cast.centre, refusal="材料不清")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Representation, "save", stopped)
        upkeep(LATER)
    assert Representation.objects.get().cleared_at is None
    assert upkeep(LATER)["representation_papers_removed"] == 1


def stopped(*_given: Any, **_words: Any) -> None:
    raise KeyboardInterrupt


def test_what_is_over_by_its_date_is_ended_and_its_papers_wait(cast: Cast) -> None:
    standing = confirmed(cast, attorney(cast))
    assert standing.valid_until
    assert upkeep(standing.valid_until - datetime.timedelta(days=1))["representations_ended"] == 0
    assert upkeep(standing.valid_until) == {
        "representations_ended": 1, "query_numbers_removed": 0, "representation_papers_removed": 0,
        "announcement_words_removed": 0, "public_words_ended": 0,
    }  # fmt: skip
    standing.refresh_from_db()
    assert standing.state == RepresentationState.ENDED and papers.read(standing.papers, standing.papers_digest)


def test_the_command_does_it_for_any_day(cast: Cast) -> None:
    closed(cast)
    said = io.StringIO()
    call_command("run_deadlines", on=LATER, stdout=said)
    assert "query_numbers_removed: 1" in said.getvalue()
