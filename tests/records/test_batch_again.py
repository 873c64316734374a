"""Answers of a list handed out: nothing of whoever's consent has ended, and no second time without a line."""

import datetime
import io
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from creditplatform.core import audit
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.errors import CreditError
from creditplatform.core.models import AccessLog
from records import tasks
from records.enums import NotChecked, Outcome
from records.look_selectors import looks
from records.models import BatchCheck, Purpose
from records.queries.answered import AnswerOutdated
from records.queries.disclosure import NONE_GIVEN
from records.services import authorisations, batch_checks, check_results
from records.services.check_workbook import write_results
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import CASE, NAME, STRANGER_NAME, consent, fined, purpose
from tests.records.test_check_files import as_csv, fetched, of_law, place, submitted  # noqa: F401
from tests.records.test_machine_queries import BATCH, ask, listed, receipt, system  # noqa: F401

pytestmark = pytest.mark.django_db
ROWS = [["1", NAME, PERSON_NUMBER, "", ""], ["2", STRANGER_NAME, STRANGER_NUMBER, "", ""], ["3", NAME, "x", "", ""]]
ENDED, OUTDATED = str(NotChecked.CONSENT_ENDED.label), str(NotChecked.OUTDATED.label)


def lines(cast: Cast) -> list[AccessLog]:
    """Those about the person of the cast, oldest first."""
    return list(AccessLog.objects.filter(subject_ref=cast.person.real_name.subject_id, case_number=CASE).order_by("pk"))


def done(cast: Cast, **changes: Any) -> BatchCheck:
    batch: BatchCheck = batch_checks.work_off(submitted(cast, as_csv(ROWS), **changes))
    return batch


def last_words(batch: BatchCheck, cast: Cast, folder: Path) -> list[str]:
    return [row[-4] for row in fetched(batch, cast.clerk, folder)[1:]]


def test_the_first_time_is_registered_already_and_every_later_one_anew(
    cast: Cast,
    place: Path,  # noqa: F811
) -> None:
    fined()
    given = consent(purpose("green-channel"), cast.clerk, cast.person)
    batch = done(cast, purpose="green-channel")
    first = last_words(batch, cast, place)
    assert len(lines(cast)) == 1
    assert last_words(batch, cast, place) == first and len(lines(cast)) == 2
    line = lines(cast)[-1]
    assert (line.actor, line.authority, line.reference, line.door, line.result) == (
        cast.clerk, Authority.CONSENT, given.number, Door.DESK, AccessResult.SHOWN,
    )  # fmt: skip
    assert line.fields == ["eligibility", "list-again", "administrative-penalty"]
    with translation.override("en"):
        assert any("fetched again" in text for text in looks(cast.person.real_name.subject)[0].shown)
    assert not AccessLog.objects.filter(fields__contains=["list-again"]).exclude(subject_ref=line.subject_ref).exists()


def test_once_consent_is_withdrawn_the_row_says_so_and_no_more(cast: Cast, place: Path) -> None:  # noqa: F811
    fined()
    given = consent(purpose("green-channel"), cast.clerk, cast.person, uses=2)
    batch = done(cast, purpose="green-channel")
    assert str(Outcome.NO.label) in last_words(batch, cast, place)[0]
    authorisations.revoke(authorisation=given, user=cast.person)
    (row, *_rest) = fetched(batch, cast.clerk, place)[1:]
    assert ENDED in row and str(Outcome.NO.label) not in row
    (shown, *_others) = check_results.overview(batch, list(batch.results.order_by("row_number")))
    assert (shown.outcome, shown.problem, shown.records, shown.reasons) == ("", NotChecked.CONSENT_ENDED, [], [])
    refused = lines(cast)[-1]
    assert (refused.result, refused.reference) == (AccessResult.REFUSED, NONE_GIVEN)
    with time_machine.travel(timezone.now() + datetime.timedelta(days=8)):  # a unit asks again a week after a no
        consent(purpose("green-channel"), cast.clerk, cast.person)
    assert ENDED in fetched(batch, cast.clerk, place)[1], "a consent given since is no leave for the answer of before"


@pytest.mark.parametrize(
    "fate", [{"state": "repaired"}, {"withheld": True}, {"disputed": True}, {"statement": "已缴清"}]
)
def test_an_answer_on_a_record_that_has_changed_is_given_no_more(
    cast: Cast,
    place: Path,  # noqa: F811
    fate: dict[str, Any],
) -> None:
    record = fined()
    given = consent(purpose("green-channel"), cast.clerk, cast.person, uses=2)
    batch = done(cast, purpose="green-channel")
    first, other, *_rest = fetched(batch, cast.clerk, place)[1:]
    assert str(Outcome.NO.label) in first
    type(record).objects.filter(pk=record.pk).update(**fate, changed_at=timezone.now())
    changed, unchanged, *_rest = fetched(batch, cast.clerk, place)[1:]
    assert OUTDATED in changed and str(Outcome.NO.label) not in changed and unchanged == other
    (shown, *_others) = check_results.overview(batch, list(batch.results.order_by("row_number")))
    assert (shown.outcome, shown.problem, shown.records, shown.reasons) == ("", NotChecked.OUTDATED, [], [])
    refused = lines(cast)[-1]
    assert (refused.result, refused.fields, refused.reference) == (AccessResult.REFUSED, ["list-again"], given.number)
    with audit.context(actor=cast.clerk, door=Door.DESK, reason="test"), pytest.raises(AnswerOutdated):
        batch_checks.send_to_person(batch=batch, user=cast.clerk, row_number=shown.row_number)
    anew = batch_checks.work_off(submitted(cast, as_csv(ROWS), purpose="green-channel", again=True))
    assert OUTDATED not in fetched(anew, cast.clerk, place)[1]


def test_a_consent_that_is_used_up_lasts_to_its_end(cast: Cast, place: Path) -> None:  # noqa: F811
    fined()
    given = consent(purpose("green-channel"), cast.clerk, cast.person)
    batch = done(cast, purpose="green-channel")
    given.refresh_from_db()
    assert given.state == "used" and given.expires_at
    with time_machine.travel(given.expires_at - datetime.timedelta(minutes=1)):
        assert ENDED not in fetched(batch, cast.clerk, place)[1]
    with time_machine.travel(given.expires_at):
        assert ENDED in fetched(batch, cast.clerk, place)[1]


def test_over_the_interface_page_by_page(system: Any, cast: Cast) -> None:  # noqa: F811
    fined()
    given = receipt(cast)
    sent = ask(system, BATCH, listed(), 202)
    tasks.process_check.apply(args=[BatchCheck.objects.get().pk]).get()
    address = sent["results"].removeprefix("http://testserver")
    before = AccessLog.objects.count()
    first = [system.get(f"{address}?after={after}&limit=1").json()["results"] for after in (0, 1)]
    assert first[0][0]["outcome"] == "no" and AccessLog.objects.count() == before
    again = system.get(f"{address}?limit=1").json()["results"]
    assert again == first[0] and AccessLog.objects.count() == before + 1
    assert AccessLog.objects.order_by("-pk")[0].door == Door.API
    authorisations.revoke(authorisation=given, user=cast.person)
    said = system.get(address).json()["results"][0]
    assert said == {"row": 1, "outcome": "", "problem": "consent_ended", "reasons": [], "records": []}


def test_by_statute_a_later_time_is_registered_and_a_closed_purpose_gives_nothing(
    cast: Cast,
    place: Path,  # noqa: F811
) -> None:
    fined()
    wanted = of_law()
    batch = done(cast)
    first, second = (fetched(batch, cast.clerk, place) for _turn in range(2))
    assert first == second and ENDED not in first[1]
    assert (lines(cast)[-1].authority, len(lines(cast))) == (Authority.STATUTE, 2)
    Purpose.objects.filter(pk=wanted.pk).update(state="retired")
    with time_machine.travel(timezone.now() + datetime.timedelta(days=1)), pytest.raises(CreditError):
        write_results(batch=batch, user=cast.clerk, target=io.BytesIO())


def test_the_cost_of_a_second_time_is_that_of_its_chunks(cast: Cast, place: Path) -> None:  # noqa: F811
    fined()
    of_law()
    costs = []
    for more in (1, 60):
        rows = [ROWS[0], ROWS[1], *(["9", "某示例", str(n), "", ""] for n in range(more))]
        batch = batch_checks.work_off(submitted(cast, as_csv(rows)))
        fetched(batch, cast.clerk, place)
        with CaptureQueriesContext(connection) as queries:
            fetched(batch, cast.clerk, place)
        costs.append(len(queries))
    assert costs[0] == costs[1]
