"""The executor of procedures: right state, right person, everything missing at once, one winner, a line per step."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, CreditError, FieldProblem, Invalid, NotPermitted
from creditplatform.core.management.commands.draw_workflows import TARGET, document
from creditplatform.core.models import OutboxEvent, StepEvent, User
from creditplatform.core.workflow import Step, Workflow, platform, registered
from records.enums import BatchState, RecordState
from records.models import CreditRecord, FeedBatch
from records.workflows.credit_record import CREDIT_RECORD
from records.workflows.feed_batch import FEED_BATCH
from tests.cast import Cast
from tests.deliveries import delivered, ingest, one_record, penalty, quick_passwords  # noqa: F401


@pytest.fixture
def record(cast: Cast) -> CreditRecord:
    return one_record()


@pytest.fixture
def batch(cast: Cast) -> FeedBatch:
    """A delivered file that nobody has looked at yet."""
    return delivered([penalty(1)])


# --- state, person, needs ------------------------------------------------------------------------


def test_a_step_changes_the_state_and_leaves_a_line(record: CreditRecord, cast: Cast) -> None:
    with audit.context(actor=cast.officer, door=Door.ADMIN, reason="press"):
        taken = CREDIT_RECORD.take("revoke", record, user=cast.officer, reason="decision annulled")
    record.refresh_from_db()
    assert taken.state == record.state == RecordState.REVOKED
    line = StepEvent.objects.get(workflow="credit_record")
    assert (line.case_ref, line.step, line.from_state, line.to_state) == (
        record.pk, "revoke", "in_force", "revoked",
    )  # fmt: skip
    assert (line.actor, line.door, line.reason) == (cast.officer, Door.ADMIN, "decision annulled")
    assert OutboxEvent.objects.get(topic="records.withdrawn").payload["records"] == [record.pk]


def test_a_step_from_the_wrong_state_is_a_conflict(record: CreditRecord, cast: Cast) -> None:
    CREDIT_RECORD.take("revoke", record, user=cast.officer, reason="x")
    with pytest.raises(Conflict) as caught:
        CREDIT_RECORD.take("revoke", record, user=cast.officer, reason="x")
    assert caught.value.http_status == 409
    assert StepEvent.objects.filter(workflow="credit_record").count() == 1


def test_what_is_in_memory_does_not_count(record: CreditRecord, cast: Cast) -> None:
    stale = CreditRecord.objects.get(pk=record.pk)
    CREDIT_RECORD.take("revoke", record, user=cast.officer, reason="x")
    assert stale.state == RecordState.IN_FORCE
    with pytest.raises(Conflict):
        CREDIT_RECORD.take("revoke", stale, user=cast.officer, reason="x")


@pytest.mark.parametrize(
    "name", ["clerk", "other_clerk", "centre", "auditor", "editor", "security", "operator", "person", "unbound"]
)
def test_the_wrong_person_is_refused(record: CreditRecord, cast: Cast, name: str) -> None:
    with pytest.raises(NotPermitted) as caught:
        CREDIT_RECORD.take("revoke", record, user=getattr(cast, name), reason="x")
    assert caught.value.http_status == 403
    record.refresh_from_db()
    assert record.state == RecordState.IN_FORCE
    assert CREDIT_RECORD.available(record, getattr(cast, name)) == []


@pytest.mark.parametrize("name", ["officer", "supervisor"])
def test_the_right_person_is_offered_the_step(record: CreditRecord, cast: Cast, name: str) -> None:
    assert [step.name for step in CREDIT_RECORD.available(record, getattr(cast, name))] == ["revoke"]


def test_nobody_takes_the_steps_of_the_platform(batch: FeedBatch, cast: Cast) -> None:
    for user in vars(cast).values():
        with pytest.raises(NotPermitted):
            FEED_BATCH.take("check", batch, user=user)
    assert FEED_BATCH.take("check", batch, user=None).state == BatchState.CHECKING


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_a_reason_of_blanks_is_none(record: CreditRecord, cast: Cast, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        CREDIT_RECORD.take("revoke", record, user=cast.officer, reason=reason)
    assert [problem.code for problem in caught.value.problems] == ["required"]


def lacking(field: str) -> Any:
    return lambda case, data: None if data.get(field) else FieldProblem(field, "required", "missing")


def noting(case: Any, user: User | None, data: Any) -> None:
    case.error_code = data["one"]


def failing(case: Any, user: User | None, data: Any) -> None:
    raise ZeroDivisionError


TRIAL: Workflow[Any] = Workflow(
    name="trial", title="Trial", states=BatchState, initial=BatchState.RECEIVED,
    steps=(
        Step(
            "go", "Go", frozenset({BatchState.RECEIVED}), BatchState.CHECKING, by=platform,
            needs=(lacking("one"), lacking("two")), effects=(noting,), reason_required=True,
        ),
        Step("fail", "Fail", frozenset({BatchState.RECEIVED}), BatchState.CHECKING, by=platform, effects=(failing,)),
    ),
)  # fmt: skip


def test_everything_that_is_missing_is_told_at_once(batch: FeedBatch) -> None:
    with pytest.raises(Invalid) as caught:
        TRIAL.take("go", batch, user=None)
    assert caught.value.http_status == 400
    assert [problem.field for problem in caught.value.problems] == ["one", "two", "reason"]
    batch.refresh_from_db()
    assert (batch.state, StepEvent.objects.filter(workflow="trial").count()) == (BatchState.RECEIVED, 0)


def test_with_everything_there_the_effects_happen(batch: FeedBatch) -> None:
    TRIAL.take("go", batch, user=None, reason="r", one="1", two="2")
    batch.refresh_from_db()
    assert (batch.state, batch.error_code) == (BatchState.CHECKING, "1")


def test_a_failing_effect_takes_everything_back(batch: FeedBatch) -> None:
    with pytest.raises(ZeroDivisionError):
        TRIAL.take("fail", batch, user=None)
    batch.refresh_from_db()
    assert (batch.state, StepEvent.objects.filter(workflow="trial").count()) == (BatchState.RECEIVED, 0)


def test_an_unknown_step_is_an_error_of_the_caller(batch: FeedBatch) -> None:
    with pytest.raises(KeyError):
        TRIAL.take("fly", batch, user=None)


def test_rows_still_open_keep_a_batch_from_being_corrected(cast: Cast) -> None:
    waiting = ingest(penalty(1), penalty(2, CF_JDRQ="never"))
    with pytest.raises(Invalid) as caught:
        FEED_BATCH.take("correct", waiting, user=cast.clerk)
    assert [problem.code for problem in caught.value.problems] == ["rows_open"]
    waiting.rows.update(state="discarded", closed_at=timezone.now(), reason="twice")
    assert FEED_BATCH.take("correct", waiting, user=cast.clerk).state == BatchState.CORRECTED


# --- many people, one button ---------------------------------------------------------------------


@pytest.fixture
def real_record(policy: None) -> Iterator[tuple[CreditRecord, User]]:
    """A record and its officer, committed for real."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        cast = Cast.assemble()
        record = one_record()
    yield record, cast.officer


def test_eight_people_press_the_same_button_and_one_succeeds(real_record: tuple[CreditRecord, User]) -> None:
    record, officer = real_record
    barrier, results = threading.Barrier(8), []

    def press() -> None:
        try:
            user = User.objects.get(pk=officer.pk)
            case = CreditRecord.objects.get(pk=record.pk)
            barrier.wait(20)
            with audit.context(actor=user, door=Door.ADMIN, reason="press"):
                CREDIT_RECORD.take("revoke", case, user=user, reason="annulled")
            results.append("done")
        except CreditError as error:
            results.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == ["done"] + ["step_not_possible"] * 7
    assert StepEvent.objects.filter(workflow="credit_record").count() == 1
    assert OutboxEvent.objects.filter(topic="records.withdrawn").count() == 1


# --- the register of procedures -------------------------------------------------------------------


def test_the_register_knows_every_procedure() -> None:
    assert {"credit_record", "feed_batch"} <= set(registered())


@pytest.mark.parametrize("workflow", registered().values(), ids=registered())
def test_a_table_is_sound(workflow: Workflow[Any]) -> None:
    states = set(workflow.states.values)
    names = [step.name for step in workflow.steps]
    assert len(names) == len(set(names))
    assert {workflow.initial, *workflow.final} <= states
    for step in workflow.steps:
        assert step.source and {*step.source, step.target} <= states, step.name
        assert step.by.__doc__, step.name
        assert str(step.label), step.name
    leaving = {source for step in workflow.steps for source in step.source if step.target != source}
    assert not (leaving & set(workflow.final)), "a final state is left again"


@pytest.mark.parametrize("workflow", registered().values(), ids=registered())
def test_every_state_of_a_table_is_entered_or_left(workflow: Workflow[Any]) -> None:
    reached = {workflow.initial, *(step.target for step in workflow.steps)}
    reached |= {source for step in workflow.steps for source in step.source}
    set_based = {"archived"} if workflow.name == "credit_record" else set()  # closed by the expiry run, not by a step
    assert set(workflow.states.values) - reached - set_based == set()


def test_the_pictures_in_the_documentation_are_those_of_the_tables() -> None:
    assert TARGET.exists(), "run manage.py draw_workflows"
    assert TARGET.read_text(encoding="utf-8") == document(), "run manage.py draw_workflows"


def test_a_picture_shows_every_step() -> None:
    drawn = CREDIT_RECORD.as_mermaid()
    assert "[*] --> in_force" in drawn
    assert all(f"{source} --> revoked: revoke" in drawn for source in ("in_force", "expired", "repaired"))
    assert "archived --> [*]" in drawn
