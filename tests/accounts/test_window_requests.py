"""Two officials at the window: what opens an account to whoever holds it is done by none of them alone."""

import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door, Role
from creditplatform.core.errors import Conflict, CreditError, Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Agency, Membership, Notice, StepEvent, User
from records.enums import OwnPurpose, ReviewCause, WindowAct
from records.models import AccessReview, RealNameBinding, RecoveryCode, WindowRequest
from records.services import access_alarms, access_reviews, expiry, window_requests
from records.services.window import look
from tests.accounts.window_world import NAME, NUMBER, PERSON, decide, desk, press, second, slip, waiting, words
from tests.cast import PASSWORD, PERSON_NUMBER, Cast, member, person_subject
from tests.counts import forget_counts

LATER = datetime.timedelta(minutes=31)


@pytest.fixture(autouse=True)
def _counted_from_nothing() -> None:
    forget_counts()


def asked(cast: Cast, act: WindowAct = WindowAct.CODE, **changes: Any) -> WindowRequest:
    usual = {"user": cast.person if act == WindowAct.CODE else cast.unbound, **PERSON}
    return window_requests.ask(**words(cast, **{**usual, **changes}), act=act)


def nothing_was_done(cast: Cast) -> bool:
    return RealNameBinding.objects.filter(user=cast.person).exists() and not RecoveryCode.objects.exists()


# --- two people -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("act", "account"), [("code", "person"), ("move", "unbound")])
def test_one_official_alone_opens_no_account(cast: Cast, act: str, account: str) -> None:
    assert press(cast, act=act, account=account, **PERSON)["Location"] == reverse("desk:window")
    case = waiting()
    assert nothing_was_done(cast)
    decide(case, cast.centre)
    assert nothing_was_done(cast) and waiting() == case
    with pytest.raises(NotPermitted):
        window_requests.confirm(case=case, official=cast.centre, seen=True)


def test_the_second_official_compares_and_the_code_is_shown_to_them_once(cast: Cast) -> None:
    press(cast, act="code", account="person", **PERSON)
    case = waiting()
    assert case.token in desk(second()).get(reverse("desk:window")).content.decode()
    page = desk(second()).get(reverse("desk:window-request", args=[case.token]))
    assert PERSON_NUMBER in page.content.decode() and page["Cache-Control"] == "no-store"
    code = decide(case).context["code"]
    again = desk(second()).get(reverse("desk:window-request", args=[case.token])).content.decode()
    first = desk(cast.centre).get(reverse("desk:window-request", args=[case.token])).content.decode()
    assert code not in again + first and PERSON_NUMBER not in again + first
    assert decide(case).status_code == 302, "sent once more, the same page gives no second code"
    assert RecoveryCode.objects.get().issued_by == second()
    case.refresh_from_db()
    assert (case.requested_by, case.decided_by, case.state) == (cast.centre, second(), "confirmed")


def test_what_happened_stands_in_history_step_log_access_log_and_a_letter(cast: Cast) -> None:
    slip(cast)
    case, person = WindowRequest.objects.get(), cast.person.real_name.subject
    looks = AccessLog.objects.filter(subject_ref=person.pk).order_by("pk")
    assert [(one.actor, one.purpose, one.case_number) for one in looks] == [
        (cast.centre, OwnPurpose.WINDOW, case.token),
        (second(), OwnPurpose.WINDOW_ACT, case.token),
    ]
    assert Notice.objects.get(addressee=person.number_index).code == "window_code"
    assert StepEvent.objects.get(workflow="window_request", case_ref=case.pk).actor == second()
    history: Any = apps.get_model("records", "WindowRequestEvent")
    assert history._default_manager.filter(id=case.pk).exists()
    kept = {field.name for field in history._meta.get_fields()}
    assert not kept & {"asked_name", "asked_number"}, "forgotten everywhere"
    assert (case.asked_name, case.asked_number, case.asked_kind) == (None, None, "")


def test_a_look_of_the_second_official_is_written_down_before_anything_is_shown(cast: Cast) -> None:
    case = asked(cast)
    before = AccessLog.objects.count()
    desk(second()).get(reverse("desk:window-request", args=[case.token]))
    assert AccessLog.objects.count() == before + 1
    assert AccessLog.objects.latest("pk").actor == second()


def test_only_the_same_window_sees_and_decides_it(cast: Cast) -> None:
    case = asked(cast)
    other = member("centre-gansu", Agency.objects.get(code="gs-drc"), Role.CENTRE)
    assert desk(other).get(reverse("desk:window-request", args=[case.token])).status_code == 404
    for user in (other, cast.officer, cast.auditor, cast.person):
        with pytest.raises(NotPermitted):
            window_requests.confirm(case=case, official=user, seen=True)
        with pytest.raises(NotPermitted):
            window_requests.refuse(case=case, official=user, refusal="x")
    assert nothing_was_done(cast)


def test_neither_official_is_the_person_concerned(cast: Cast) -> None:
    own = person_subject(NUMBER, NAME)
    RealNameBinding.objects.create(user=second(), subject=own, adapter="test")
    with pytest.raises(NotPermitted):
        asked(cast, WindowAct.MOVE, official=second(), name=NAME, number=NUMBER)
    case = asked(cast, WindowAct.MOVE, name=NAME, number=NUMBER)
    with pytest.raises(NotPermitted):
        window_requests.confirm(case=case, official=second(), seen=True)
    assert RealNameBinding.objects.get(subject=own).user == second()


def test_an_account_of_the_second_official_is_not_theirs_to_confirm(cast: Cast) -> None:
    case = asked(cast, WindowAct.MOVE, user=second())
    with pytest.raises(NotPermitted):
        window_requests.confirm(case=case, official=second(), seen=True)


def test_without_the_papers_before_them_nothing_is_confirmed(cast: Cast) -> None:
    case = asked(cast)
    response = decide(case, act="confirm")
    assert response.status_code == 200 and response.context["wrong"]["seen"]
    assert nothing_was_done(cast)


# --- refusing, withdrawing, ending --------------------------------------------------------------------


def test_a_refusal_has_a_reason_and_the_person_is_told(cast: Cast) -> None:
    case = asked(cast)
    assert decide(case, act="refuse", refusal=" ").context["wrong"]["refusal"]
    decide(case, act="refuse", refusal="脸与证件不符")
    case.refresh_from_db()
    assert (case.state, case.refusal, case.asked_number) == ("refused", "脸与证件不符", None)
    assert Notice.objects.get(addressee=cast.person.real_name.subject.number_index).code == "window_refused"
    with pytest.raises(Conflict):
        window_requests.confirm(case=case, official=second(), seen=True)
    assert nothing_was_done(cast)


def test_the_first_official_withdraws_a_slip_of_the_pen_and_nobody_else_does(cast: Cast) -> None:
    case = asked(cast)
    with pytest.raises(NotPermitted):
        window_requests.withdraw(case=case, official=second())
    decide(case, cast.centre, act="withdraw")
    assert not WindowRequest.objects.waiting().exists()
    assert asked(cast).state == "requested"


def test_after_its_minutes_it_opens_nothing_whether_or_not_the_timer_has_been(cast: Cast) -> None:
    case = asked(cast)
    with time_machine.travel(timezone.now() + LATER, tick=False):
        assert case.token not in desk(second()).get(reverse("desk:window")).content.decode()
        with pytest.raises(Invalid):
            window_requests.confirm(case=case, official=second(), seen=True)
        assert nothing_was_done(cast)
        assert expiry.run_all(on=timezone.localdate(), door=Door.TIMER)["window_requests"] == 1
        assert expiry.run_all(on=timezone.localdate(), door=Door.TIMER)["window_requests"] == 0
    case.refresh_from_db()
    assert (case.state, case.asked_name, case.asked_number) == ("lapsed", None, None)


def test_one_request_waits_for_an_account_and_one_that_has_ended_makes_way(cast: Cast) -> None:
    first = asked(cast)
    with pytest.raises(Conflict):
        asked(cast)
    with time_machine.travel(timezone.now() + LATER, tick=False):
        assert asked(cast).pk != first.pk
    first.refresh_from_db()
    assert first.state == "lapsed"


# --- what has changed in between ------------------------------------------------------------------------


def refused_as_changed(case: WindowRequest) -> bool:
    with pytest.raises(CreditError) as caught:
        window_requests.confirm(case=case, official=second(), seen=True)
    case.refresh_from_db()
    return isinstance(caught.value, Invalid) and case.state == "requested" and bool(case.asked_number)


def test_a_binding_that_ended_in_between_gives_no_code(cast: Cast) -> None:
    case = asked(cast)
    RealNameBinding.objects.filter(user=cast.person).delete()
    assert refused_as_changed(case) and not RecoveryCode.objects.exists()


def test_an_account_bound_to_somebody_else_in_between_is_not_moved_to(cast: Cast) -> None:
    case = asked(cast, WindowAct.MOVE)
    RealNameBinding.objects.create(user=cast.unbound, subject=person_subject(NUMBER, NAME), adapter="test")
    assert refused_as_changed(case)
    assert RealNameBinding.objects.filter(user=cast.person).exists(), "the older binding stands"


def test_a_binding_made_in_between_is_not_ended_by_what_was_asked_before(cast: Cast) -> None:
    case, newest = asked(cast, WindowAct.MOVE), User.objects.create_user("newest", PASSWORD)
    other = asked(cast, WindowAct.MOVE, user=newest)
    window_requests.confirm(case=other, official=second(), seen=True)
    assert refused_as_changed(case)
    assert RealNameBinding.objects.get(user=newest).subject.number_sealed == PERSON_NUMBER


def test_an_account_closed_or_of_a_new_member_gets_no_code(cast: Cast) -> None:
    case = asked(cast)
    User.objects.filter(pk=cast.person.pk).update(is_active=False)
    assert refused_as_changed(case)
    User.objects.filter(pk=cast.person.pk).update(is_active=True)
    Membership.objects.create(user=cast.person, agency=Agency.objects.get(code="hz-market"), role=Role.CLERK)
    assert refused_as_changed(case) and not RecoveryCode.objects.exists()


# --- at the same moment -----------------------------------------------------------------------------------


@pytest.fixture
def people(policy: None) -> Cast:
    """The cast and the other officials, committed, so that other connections see them."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        cast = Cast.assemble()
        second()
        member("centre-third", Agency.objects.get(code="hz-drc"), Role.CENTRE)
        return cast


def together(*acts: Callable[[], object]) -> list[str]:
    """What becomes of acts at the same moment, each over a connection of its own."""
    start, found = threading.Barrier(len(acts)), list[str]()

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait()
            with audit.context(actor=None, door=Door.DESK, reason="test"):
                act()
            found.append("done")
        except CreditError as error:
            found.append(error.code)
        finally:
            connection.close()

    workers = [threading.Thread(target=run, args=[act]) for act in acts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(found)


def confirming(case: WindowRequest, username: str) -> Callable[[], object]:
    def act() -> None:
        official = User.objects.get(username=username)
        window_requests.confirm(case=WindowRequest.objects.get(pk=case.pk), official=official, seen=True)

    return act


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [WindowAct.CODE, WindowAct.MOVE])
def test_of_two_confirmations_at_the_same_moment_one_is_carried_out(people: Cast, act: WindowAct) -> None:
    with audit.context(actor=None, door=Door.DESK, reason="test"):
        case = asked(people, act)
    found = together(confirming(case, "centre-second"), confirming(case, "centre-third"))
    assert len(found) == 2 and "done" in found and set(found) <= {"done", "step_not_possible", "conflict"}
    assert found.count("done") == 1
    done = AccessLog.objects.filter(purpose=OwnPurpose.WINDOW_ACT)
    assert done.count() == 1 == Notice.objects.filter(code__startswith="window_").count()


@pytest.mark.django_db(transaction=True)
def test_of_two_moves_of_one_person_at_the_same_moment_one_is_carried_out(people: Cast) -> None:
    with audit.context(actor=None, door=Door.DESK, reason="test"):
        newest = User.objects.create_user("newest", PASSWORD)
        cases = [asked(people, WindowAct.MOVE), asked(people, WindowAct.MOVE, user=newest)]
    found = together(confirming(cases[0], "centre-second"), confirming(cases[1], "centre-third"))
    assert found.count("done") == 1
    assert AccessLog.objects.filter(purpose=OwnPurpose.WINDOW_ACT).count() == 1
    assert WindowRequest.objects.filter(state="requested").count() == 1


# --- looked at again ----------------------------------------------------------------------------------------


def drawn_on(day: datetime.date) -> list[AccessLog]:
    """The lines of the access log that are looked at again, by the sample of a day."""
    access_alarms.review_day(day=day, today=day + datetime.timedelta(days=1), door=Door.TIMER)
    sample = AccessReview.objects.filter(cause=ReviewCause.SAMPLE).values_list("access_id", flat=True)
    return list(AccessLog.objects.filter(pk__in=sample))


@pytest.mark.parametrize("act", ["bind", "code"])
def test_an_act_is_drawn_however_many_looks_stand_beside_it(cast: Cast, act: str) -> None:
    if act == "bind":
        press(cast)
    else:
        slip(cast)
    line = AccessLog.objects.get(purpose=OwnPurpose.WINDOW_ACT)
    for _look in range(120):
        look(cast.centre, cast.stranger.real_name.subject_id)
    assert line in drawn_on(timezone.localdate())


def test_neither_of_the_two_officials_looks_at_their_act_again(cast: Cast) -> None:
    slip(cast)
    drawn_on(timezone.localdate())
    line = AccessLog.objects.get(purpose=OwnPurpose.WINDOW_ACT)
    review = AccessReview.objects.get(access_id=line.pk, cause=ReviewCause.SAMPLE)
    third = member("centre-third", Agency.objects.get(code="hz-drc"), Role.CENTRE)
    for user in (cast.centre, second()):
        with pytest.raises(NotPermitted):
            access_reviews.find(review=review, user=user, right=True, words="x")
    assert access_reviews.find(review=review, user=third, right=True, words="x").state == "right"
