"""Consent: asked for without telling who is on file, answered by the person alone, bounded, used, ended, told."""

import datetime
import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import AccessResult, Door
from creditplatform.core.errors import Conflict, CreditError, Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Notice, RuleValue, StepEvent
from creditplatform.core.rules import RuleMissing
from records.enums import AuthorisationState, PurposeState
from records.identifiers import name_index
from records.models import Authorisation, Purpose, PurposeUser, Representation, Subject
from records.queries.asking import ask_records, refuse
from records.queries.batch import AskedRow, run_check
from records.queries.grants import NotAuthorised, PurposeNotOpen, grant_by_consent
from records.queries.uses import use
from records.services import authorisations, expiry
from records.tasks import expire_records
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import (
    NAME,
    STRANGER,
    STRANGER_NAME,
    UNKNOWN,
    asked,
    batch_check,
    consent,
    fined,
    market,
    purpose,
    question,
)  # fmt: skip

pytestmark = pytest.mark.django_db
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


def notices(code: str = "authorisation_asked") -> list[Notice]:
    return list(Notice.objects.filter(code=code))


def granted(request: Authorisation, user: Any, **changes: Any) -> Authorisation:
    words = {
        "fields": request.requested_fields, "expires_at": timezone.now() + datetime.timedelta(days=3),
        "uses_allowed": 1, **changes,
    }  # fmt: skip
    return authorisations.grant(authorisation=request, user=user, **words)


def codes(act: Callable[[], object]) -> set[str]:
    with pytest.raises(Invalid) as refused:
        act()
    return {problem.code for problem in refused.value.problems}


# --- asking ----------------------------------------------------------------------------------------


def test_a_request_is_the_same_whether_or_not_anybody_is_on_file(cast: Cast) -> None:
    wanted = purpose("special-industry")
    known, unknown = (
        asked(wanted, cast.clerk),
        asked(wanted, cast.clerk, person=UNKNOWN, name="无此示例"),
    )
    for request in (known, unknown):
        assert (request.state, request.subject, request.decided_at) == (AuthorisationState.REQUESTED, None, None)
    assert {bytes(one.addressee) for one in notices()} == {bytes(known.number_index), bytes(unknown.number_index)}


def test_somebody_else_of_that_number_is_not_told(cast: Cast) -> None:
    asked(purpose("special-industry"), cast.clerk, person=STRANGER, name=NAME)
    assert notices() == []


def test_the_letter_says_who_asks_for_what_until_when_and_nothing_of_the_file(cast: Cast) -> None:
    wanted = purpose("special-industry")
    request = asked(wanted, cast.clerk)
    (letter,) = notices()
    day = timezone.localdate(request.answer_until).isoformat()
    for text in (letter.text, letter.text_en):
        assert day in (text or "") and NAME not in (text or "")
    assert market().name in (letter.text or "") and market().name_en in (letter.text_en or "")


def test_the_same_request_twice_is_one_and_tells_once(cast: Cast) -> None:
    wanted = purpose("special-industry")
    first, second = asked(wanted, cast.clerk), asked(wanted, cast.clerk)
    other = asked(wanted, cast.clerk, case_number="2")
    assert (first.pk == second.pk, other.pk != first.pk, len(notices())) == (True, True, 2)


def test_the_time_to_answer_is_a_rule_value(cast: Cast) -> None:
    RuleValue.objects.filter(key=authorisations.ANSWER_DAYS).update(value=5)
    request = asked(purpose("special-industry"), cast.clerk)
    assert timezone.localdate(request.answer_until) == timezone.localdate() + datetime.timedelta(days=5)
    RuleValue.objects.filter(key=authorisations.ANSWER_DAYS).update(in_force=False, confirmed=False)
    with pytest.raises(RuleMissing):
        asked(purpose("special-industry"), cast.clerk, case_number="3")


def test_a_unit_asks_only_for_what_it_may_use_and_what_consent_decides(cast: Cast) -> None:
    with pytest.raises(PurposeNotOpen):
        asked(purpose("loan"), cast.clerk)
    assert codes(lambda: asked(purpose("company-officer"), cast.clerk)) == {"no_consent_needed"}
    wanted = purpose("special-industry")
    PurposeUser.objects.filter(purpose=wanted, agency=market()).update(valid_until=timezone.localdate() + 365 * DAY)
    assert asked(wanted, cast.clerk)
    PurposeUser.objects.filter(purpose=wanted, agency=market()).update(
        valid_from=timezone.localdate() - DAY, valid_until=timezone.localdate()
    )
    with pytest.raises(PurposeNotOpen):
        asked(wanted, cast.clerk, case_number="2")


# --- answering -------------------------------------------------------------------------------------


def test_only_the_person_answers_and_only_under_the_name_asked_for(cast: Cast) -> None:
    wanted = purpose("special-industry")
    request = asked(wanted, cast.clerk)
    for other in (cast.stranger, cast.unbound, cast.clerk, cast.centre):
        with pytest.raises(NotPermitted):
            granted(request, other)
    misnamed = asked(wanted, cast.clerk, name=STRANGER_NAME)
    with pytest.raises(NotPermitted):
        granted(misnamed, cast.person)
    assert granted(request, cast.person).subject == cast.person.real_name.subject


def test_a_representative_answers_where_the_representation_says_so(cast: Cast) -> None:
    request = asked(purpose("special-industry"), cast.clerk)
    words = {
        "person": cast.person.real_name.subject, "representative": cast.stranger.real_name.subject,
        "kind": "guardian", "papers_kind": "户口簿", "requested_by": cast.stranger, "state": "confirmed",
        "decided_by": cast.centre, "decided_at": timezone.now(), "checked_by": cast.officer,
        "checked_at": timezone.now(),
    }  # fmt: skip
    standing = Representation.objects.create(scope=["file"], **words)
    with pytest.raises(NotPermitted):
        granted(request, cast.stranger)
    Representation.objects.filter(pk=standing.pk).update(scope=["consent"])
    allowed = granted(request, cast.stranger)
    assert (allowed.subject, allowed.decided_by) == (cast.person.real_name.subject, cast.stranger)


def test_everything_out_of_bounds_is_told_at_once(cast: Cast) -> None:
    wanted = purpose("special-industry")
    request = asked(wanted, cast.clerk, fields=["administrative-penalty"])
    late = timezone.now() + datetime.timedelta(days=wanted.longest_days, minutes=1)
    found = codes(lambda: granted(request, cast.person, fields=["honesty-model"], expires_at=late, uses_allowed=99))
    assert found == {"fields_missing", "end_out_of_bounds", "uses_out_of_bounds"}
    found = codes(lambda: granted(request, cast.person, fields=[], expires_at=timezone.now() - HOUR, uses_allowed=0))
    assert found == {"fields_missing", "end_out_of_bounds", "uses_out_of_bounds"}


def test_what_was_asked_too_long_ago_or_for_a_purpose_that_ended_cannot_be_allowed(cast: Cast) -> None:
    wanted = purpose("special-industry")
    request = asked(wanted, cast.clerk)
    with time_machine.travel(request.answer_until, tick=False):
        assert "too_late" in codes(lambda: granted(request, cast.person))
    Purpose.objects.filter(pk=wanted.pk).update(state=PurposeState.RETIRED)
    assert codes(lambda: granted(request, cast.person)) == {"purpose_not_open"}


def test_a_refusal_needs_no_reason_and_is_final(cast: Cast) -> None:
    request = authorisations.refuse(authorisation=asked(purpose("special-industry"), cast.clerk), user=cast.person)
    assert (request.state, request.granted_fields) == (AuthorisationState.REFUSED, [])
    with pytest.raises(Conflict):
        granted(request, cast.person)


def test_a_unit_takes_its_request_back_and_nobody_else_does(cast: Cast) -> None:
    request = asked(purpose("special-industry"), cast.clerk)
    for other in (cast.other_clerk, cast.person, cast.centre):
        with pytest.raises(NotPermitted):
            authorisations.recall(authorisation=request, user=other)
    assert authorisations.recall(authorisation=request, user=cast.officer).state == AuthorisationState.RECALLED
    with pytest.raises(Conflict):
        granted(request, cast.person)
    used = consent(purpose("special-industry"), cast.clerk, cast.person, case_number="2")
    with pytest.raises(Conflict):
        authorisations.recall(authorisation=used, user=cast.officer)


def test_a_person_withdraws_also_after_a_change_of_name(cast: Cast) -> None:
    given = consent(purpose("special-industry"), cast.clerk, cast.person)
    Subject.objects.filter(pk=given.subject_id).update(name_index=name_index("林新名"))
    cast.person.refresh_from_db()
    with pytest.raises(NotPermitted):
        authorisations.revoke(authorisation=given, user=cast.stranger)
    assert authorisations.revoke(authorisation=given, user=cast.person).state == AuthorisationState.REVOKED


# --- using -----------------------------------------------------------------------------------------


def test_the_first_use_is_told_and_the_last_one_ends_it(cast: Cast) -> None:
    given = consent(purpose("special-industry"), cast.clerk, cast.person, uses=3)
    for turn in (1, 2):
        given = use(given)
        assert (given.uses, given.state, len(notices("authorisation_used"))) == (turn, AuthorisationState.GRANTED, 1)
    given = use(given)
    assert (given.state, given.ended_at is not None) == (AuthorisationState.USED, True)
    with pytest.raises(NotAuthorised):
        use(given)
    steps = StepEvent.objects.filter(workflow="authorisation", case_ref=given.pk).values_list("step", flat=True)
    assert sorted(steps) == ["grant", "use", "use", "use", "use_up"]


def test_the_first_use_by_a_batch_is_told_too(cast: Cast) -> None:
    wanted = purpose("green-channel")
    consent(wanted, cast.clerk, cast.person, uses=3)
    for _turn in range(2):
        run_check(batch_check(wanted, cast.clerk, 1), [AskedRow(1, NAME, PERSON_NUMBER)], door=Door.DESK)
    assert len(notices("authorisation_used")) == 1


def test_it_holds_until_just_before_its_end_and_not_a_moment_longer(cast: Cast) -> None:
    wanted = purpose("special-industry")
    given = consent(wanted, cast.clerk, cast.person)
    assert given.expires_at and given.valid_from
    last = given.expires_at - datetime.timedelta(microseconds=1)
    assert grant_by_consent(wanted, market(), given, at=last)
    for moment in (given.expires_at, given.valid_from - datetime.timedelta(microseconds=1)):
        with pytest.raises(NotAuthorised):
            grant_by_consent(wanted, market(), given, at=moment)
        with pytest.raises(NotAuthorised):
            use(given, at=moment)
    assert Authorisation.objects.usable(at=last).count() == 1
    assert not Authorisation.objects.usable(at=given.expires_at).exists()


def outcomes(work: Callable[[], object], times: int) -> list[str]:
    """What becomes of the same act at the same moment, each over a connection of its own."""
    start, found = threading.Barrier(times), list[str]()

    def run() -> None:
        try:
            start.wait()
            with audit.context(actor=None, door=Door.API, reason="test"):
                work()
            found.append("done")
        except CreditError as error:
            found.append(error.code)
        finally:
            connection.close()

    workers = [threading.Thread(target=run) for _turn in range(times)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(found)


@pytest.fixture
def people(policy: None) -> Cast:
    """The cast, committed, so that other connections see them."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        return Cast.assemble()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("uses", [1, 2])
def test_the_last_use_is_taken_by_one_of_many_at_the_same_moment(people: Cast, uses: int) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        given = consent(purpose("special-industry"), people.clerk, people.person, uses=uses)
    found = outcomes(lambda: use(Authorisation.objects.get(pk=given.pk)), 6)
    assert found == sorted(["done"] * uses + ["not_authorised"] * (6 - uses))
    given.refresh_from_db()
    assert (given.uses, given.state) == (uses, AuthorisationState.USED)
    assert len(notices("authorisation_used")) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_looks_at_the_same_moment_on_the_last_use_one_sees_and_both_are_written_down(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        fined()
        consent(purpose("special-industry"), people.clerk, people.person)
    asking, seen = question(purpose("special-industry"), user=people.clerk), list[int]()

    def look() -> None:
        try:
            seen.append(len(ask_records(asking)))
        except NotAuthorised:
            refuse(asking)

    assert outcomes(look, 2) == ["done", "done"] and seen == [1]
    results = AccessLog.objects.filter(purpose="special-industry").values_list("result", flat=True)
    assert set(results) == {AccessResult.REFUSED, AccessResult.SHOWN} and len(results) == 2


@pytest.mark.django_db(transaction=True)
def test_using_and_withdrawing_at_the_same_moment_leave_one_of_two_orders(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        given = consent(purpose("special-industry"), people.clerk, people.person, uses=3)
    turns = iter([0, 1, 2, 3])

    def act() -> None:
        case = Authorisation.objects.get(pk=given.pk)
        if next(turns) == 0:
            authorisations.revoke(authorisation=case, user=people.person)
        else:
            use(case)

    found = outcomes(act, 4)
    given.refresh_from_db()
    done = StepEvent.objects.filter(workflow="authorisation", case_ref=given.pk, step="use").count()
    assert given.uses == done <= 3
    assert given.state in (AuthorisationState.REVOKED, AuthorisationState.USED)
    assert len(found) == 4


@pytest.mark.django_db(transaction=True)
def test_a_request_is_answered_once_whoever_presses_when(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        request = asked(purpose("special-industry"), people.clerk)
    found = outcomes(lambda: granted(Authorisation.objects.get(pk=request.pk), people.person), 4)
    assert found == ["done", *["step_not_possible"] * 3]


# --- ending ----------------------------------------------------------------------------------------


def test_the_timer_closes_what_has_ended_and_leaves_what_holds(cast: Cast) -> None:
    wanted = purpose("special-industry")
    given, waiting = consent(wanted, cast.clerk, cast.person), asked(wanted, cast.clerk, case_number="2")
    assert expiry.run_all(on=timezone.localdate(), door=Door.TIMER)["consents"] == 0
    with time_machine.travel(given.expires_at or timezone.now(), tick=False):
        assert expire_records() == 1
        assert expire_records() == 0
    given.refresh_from_db()
    waiting.refresh_from_db()
    assert (given.state, waiting.state) == (AuthorisationState.EXPIRED, AuthorisationState.REQUESTED)
    assert given.granted_fields and given.ended_at == given.expires_at
    out = io.StringIO()
    day = timezone.localdate(waiting.answer_until) + DAY
    call_command("run_deadlines", "--on", day.isoformat(), stdout=out)
    assert "consents: 1" in out.getvalue()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.subject) == (AuthorisationState.EXPIRED, None)


@pytest.mark.django_db(transaction=True)
def test_a_consent_somebody_holds_waits_for_the_next_run(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        given = consent(purpose("special-industry"), people.clerk, people.person)
        other = consent(purpose("special-industry"), people.clerk, people.person, case_number="2")
    end = max(given.expires_at or timezone.now(), other.expires_at or timezone.now())
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with audit.context(actor=None, door=Door.API, reason="test"):
            Authorisation.objects.select_for_update(of=("self",), no_key=True).get(pk=given.pk)
            held.set()
            done.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    with audit.context(actor=None, door=Door.TIMER, reason="test"):
        assert authorisations.expire_due(at=end) == 1
    done.set()
    holder.join()
    with audit.context(actor=None, door=Door.TIMER, reason="test"):
        assert authorisations.expire_due(at=end) == 1
        assert authorisations.expire_due(at=end) == 0
