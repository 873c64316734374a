"""Many persons at once: the same answers as one by one, whatever is wrong with single rows."""

import datetime
import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from creditplatform.core import audit
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.identity import make_resident_id
from creditplatform.core.models import AccessLog, StepEvent
from records.enums import NotChecked, Outcome, Reason
from records.models import Authorisation, BatchCheckRow
from records.queries import batch as batches
from records.queries.batch import AskedRow, run_check
from records.queries.disclosure import NOBODY
from records.queries.grants import PurposeNotOpen
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import CASE, NAME, STRANGER_NAME, batch_check, consent, fined, purpose

pytestmark = pytest.mark.django_db
UNKNOWN_NUMBER = make_resident_id("441300", datetime.date(1988, 1, 1), 1)


def _by_law() -> Any:
    """A purpose that a statute opens, for entries shared among authorities."""
    return purpose("company-officer", gives_eligibility=True, fields=["administrative-penalty"])


def _answers(check: Any) -> dict[int, str]:
    return {row.row_number: row.outcome or row.problem for row in BatchCheckRow.objects.filter(batch=check)}


def test_every_row_gets_an_answer_or_a_reason(cast: Cast) -> None:
    record, wanted = fined(), purpose("green-channel")
    receipt = consent(wanted, cast.clerk, cast.person)
    rows = [
        AskedRow(1, "林 示例", "441300 19900101 1239"),
        AskedRow(2, NAME, "441300199001011230"),
        AskedRow(3, " ", STRANGER_NUMBER),
        AskedRow(4, NAME, PERSON_NUMBER),
        AskedRow(5, STRANGER_NAME, STRANGER_NUMBER),
        AskedRow(6, "无此示例", UNKNOWN_NUMBER),
        AskedRow(7, NAME, "", "passport"),
        AskedRow(8, NAME, PERSON_NUMBER, "no such kind"),
    ]
    check = batch_check(wanted, cast.clerk, len(rows))
    run_check(check, rows, door=Door.DESK)
    assert _answers(check) == {
        1: Outcome.NO, 2: NotChecked.NUMBER, 3: NotChecked.NAME, 4: NotChecked.TWICE, 5: NotChecked.CONSENT,
        6: NotChecked.CONSENT, 7: NotChecked.NUMBER, 8: NotChecked.KIND,
    }  # fmt: skip
    check.refresh_from_db()
    assert check.checked == len(rows)
    row = BatchCheckRow.objects.get(batch=check, row_number=1)
    assert (row.records, row.reasons) == ([record.pk], [Reason.RECORDS])
    receipt.refresh_from_db()
    assert (receipt.state, receipt.uses) == ("used", 1)
    steps = StepEvent.objects.filter(workflow="authorisation", case_ref=receipt.pk).values_list("step", flat=True)
    assert set(steps) >= {"grant", "use", "use_up"}
    lines = {line.subject_ref: line for line in AccessLog.objects.filter(case_number=CASE)}
    own = lines[record.subject_id]
    assert (own.authority, own.reference, own.fields) == (
        Authority.CONSENT, receipt.number, ["eligibility", "administrative-penalty"],
    )  # fmt: skip
    assert lines[cast.stranger.real_name.subject_id].result == lines[NOBODY].result == AccessResult.REFUSED


def test_run_again_only_what_is_missing_is_answered(cast: Cast) -> None:
    wanted = purpose("green-channel")
    receipt = consent(wanted, cast.clerk, cast.person, uses=3)
    rows = [AskedRow(1, NAME, PERSON_NUMBER), AskedRow(2, NAME, "1")]
    check = batch_check(wanted, cast.clerk, 2)
    for _turn in range(2):
        run_check(check, rows, door=Door.DESK)
    receipt.refresh_from_db()
    check.refresh_from_db()
    assert (receipt.uses, check.checked, BatchCheckRow.objects.count()) == (1, 2, 2)
    assert AccessLog.objects.filter(case_number=CASE).count() == 1


def test_a_consent_to_half_of_it_is_none(cast: Cast) -> None:
    wanted = purpose("green-channel")
    consent(wanted, cast.clerk, cast.person, granted=["judgment-defaulter"])
    check = batch_check(wanted, cast.clerk, 1)
    run_check(check, [AskedRow(1, NAME, PERSON_NUMBER)], door=Door.DESK)
    assert _answers(check) == {1: NotChecked.CONSENT}


def test_a_purpose_that_shows_records_is_no_batch(cast: Cast) -> None:
    check = batch_check(purpose("loan"), cast.clerk, 1)
    with pytest.raises(PurposeNotOpen):
        run_check(check, [AskedRow(1, NAME, PERSON_NUMBER)], door=Door.DESK)


def test_the_cost_is_that_of_its_chunks(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK", 50)
    wanted, costs = _by_law(), []
    for count in (5, 50):
        check = batch_check(wanted, cast.clerk, count)
        numbers = [AskedRow(n, "某示例", f"{n}") for n in range(1, count)]
        with CaptureQueriesContext(connection) as queries:
            run_check(check, [*numbers, AskedRow(count, NAME, PERSON_NUMBER)], door=Door.DESK)
        costs.append(len(queries))
    assert costs[0] == costs[1]


@pytest.mark.django_db(transaction=True)
def test_the_last_use_is_taken_once_by_two_batches_at_the_same_moment(policy: None) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        cast = Cast.assemble()
        wanted = purpose("green-channel")
        receipt = consent(wanted, cast.clerk, cast.person)
        checks = [batch_check(wanted, cast.clerk, 1) for _turn in range(4)]
    start = threading.Barrier(len(checks))

    def work(check: Any) -> None:
        try:
            start.wait()
            run_check(check, [AskedRow(1, NAME, PERSON_NUMBER)], door=Door.DESK)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(check,)) for check in checks]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    answers = sorted(_answers(check)[1] for check in checks)
    assert answers == [NotChecked.CONSENT] * 3 + [Outcome.YES]
    assert Authorisation.objects.get(pk=receipt.pk).uses == 1
