"""Systems announce over the interface: refusals as data, each call once, nothing of other units."""

from typing import Any

import pytest

from creditplatform.core.enums import Door, Scope
from creditplatform.core.models import AccessLog, StepEvent
from records.api.announcements import forms
from records.models import PriorNotice
from records.services import announcements
from records.services.announcements import SHOWN_REPLY
from tests.cast import MINOR_NUMBER, PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.announcing import ENTRY, INTENDED, REPLY, fresh, letters
from tests.records.queries_world import NAME, UNKNOWN, fined
from tests.records.test_machine_deliveries import Machine

ADDRESS = "/api/v1/announcements/"
ANSWER = "已核对召回记录。"
KEY = {"Idempotency-Key": "announcement-1"}


@pytest.fixture
def system(cast: Cast) -> Machine:
    return Machine(Scope.FEEDS_WRITE)


def said(**changes: Any) -> dict[str, Any]:
    words = {"entry": ENTRY, "name": NAME, "number": PERSON_NUMBER, "intended": INTENDED, "case_number": "1"}
    return {**words, **changes}


def posted(system: Machine, status: int = 201, **changes: Any) -> dict[str, Any]:
    answer = system.call("POST", ADDRESS, said(**changes))
    assert answer.status_code == status, answer.content.decode()
    found: dict[str, Any] = answer.json()
    return found


def test_a_system_announces_and_follows_what_becomes_of_it(system: Machine, cast: Cast) -> None:
    made = posted(system)
    case = PriorNotice.objects.get()
    assert (made["announcement"], made["state"], made["shown_at"], made["reply"]) == (
        case.number,
        "announced",
        None,
        "",
    )
    assert set(made) == set(forms.AnnouncementForm().fields)
    assert NAME not in str(made) and PERSON_NUMBER not in str(made) and len(letters()) == 1
    announcements.reply(case=case, user=cast.person, words=REPLY)
    answer = system.get(f"{ADDRESS}{case.number}/")
    assert (answer.json()["state"], answer.json()["reply"], answer.headers["Cache-Control"]) == (
        "replied", REPLY, "no-store",
    )  # fmt: skip
    line = AccessLog.objects.filter(fields__contains=[SHOWN_REPLY]).get()
    assert (line.subject_ref, line.actor, line.door) == (cast.person.real_name.subject.pk, None, Door.API)
    record = fined()
    assert system.get(f"{ADDRESS}{case.number}").json()["record"] == record.token


def test_the_answer_is_the_same_for_somebody_nobody_knows(system: Machine) -> None:
    known, nobody = posted(system), posted(system, name="无此示例", number=UNKNOWN.number)
    differing = {"announcement", "announced_at"}
    assert {key: known[key] for key in set(known) - differing} == {key: nobody[key] for key in set(nobody) - differing}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"entry": "nothing"}, "entry not_entitled"), ({"entry": "administrative-licence"}, "entry not_announced"),
        ({"number": MINOR_NUMBER, "name": "小示例"}, "number minor"), ({"intended": ""}, "intended required"),
        ({"intended": "字" * 501}, "intended malformed"), ({"intended": "拟\x00"}, "intended malformed"),
        ({"intended": 7}, "intended malformed"), ({"name": ["x"]}, "name malformed"),
        ({"intended": PERSON_NUMBER}, "intended holds_number"), ({"case_number": "x" * 61}, "case_number too_long"),
        ({"document_number": "x" * 129}, "document_number too_long"),
        ({"document": "x"}, "document document_kind_unknown"),
        ({"reply_until": "soon"}, "reply_until not_a_date"),
        ({"reply_until": "2026-01-01"}, "reply_until out_of_bounds"),
    ],
)  # fmt: skip
def test_refusals_are_data_and_write_nothing(system: Machine, changes: Any, problem: str) -> None:
    refused = posted(system, 400, **changes)
    assert problem in {f"{one['field']} {one['code']}" for one in refused["problems"]}
    assert not PriorNotice.objects.exists() and letters() == []


def test_a_system_answers_the_reply_once_and_the_person_reads_it(system: Machine, cast: Cast) -> None:
    address = f"{ADDRESS}{posted(system)['announcement']}/consider/"
    early = system.call("POST", address, {"words": ANSWER})
    assert (early.status_code, early.json()["code"]) == (409, "step_not_possible")
    announcements.reply(case=PriorNotice.objects.get(), user=cast.person, words=REPLY)
    for wrong in ({}, {"words": ""}, {"words": 7}, {"words": "字" * 501}, {"words": PERSON_NUMBER}, {"word": ANSWER}):
        assert system.call("POST", address, wrong).status_code == 400, wrong
    done = system.call("POST", address.rstrip("/"), {"words": ANSWER})
    assert (done.status_code, done.json()["considered"], done.json()["reply"]) == (200, ANSWER, "")
    again = system.call("POST", address, {"words": "别的"})
    assert (again.status_code, again.json()["problems"][0]["code"]) == (400, "answered_already")
    assert PriorNotice.objects.get().considered == ANSWER
    step = StepEvent.objects.filter(workflow="prior_notice").latest("pk")
    assert (step.step, step.actor, step.door) == ("consider", None, Door.API)


@pytest.mark.parametrize("replied", [False, True])
def test_a_system_does_not_pursue_it_and_the_person_is_told(system: Machine, cast: Cast, replied: bool) -> None:
    address = f"{ADDRESS}{posted(system)['announcement']}/withdraw/"
    case = PriorNotice.objects.get()
    if replied:
        announcements.reply(case=case, user=cast.person, words=REPLY)
    else:
        assert system.call("POST", address, {"words": ANSWER}).json()["problems"][0]["code"] == "no_reply"
    done = system.call("POST", address, {"words": ANSWER} if replied else {})
    assert (done.status_code, done.json()["state"]) == (200, "withdrawn")
    assert done.json()["considered"] == (ANSWER if replied else "") and len(letters("prior_notice_ended")) == 1
    assert system.call("POST", address, {}).status_code == 409
    assert Machine(Scope.FEEDS_WRITE, agency="hz-tax").call("POST", address, {}).status_code == 404
    assert Machine(Scope.QUERIES_WRITE).call("POST", address, {}).status_code == 403


def test_the_same_call_under_its_key_is_one_announcement(system: Machine) -> None:
    first, again = (system.call("POST", ADDRESS, said(), **KEY) for _time in range(2))
    assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
    assert again.headers["Idempotent-Replay"] == "true" and PriorNotice.objects.count() == 1
    other = system.call("POST", ADDRESS, said(case_number="2"), **KEY)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    twice = system.call("POST", ADDRESS, said())
    assert (twice.status_code, twice.json()["code"]) == (409, "announced_already")


def test_other_units_and_other_scopes_get_nothing(system: Machine, cast: Cast) -> None:
    number = posted(system)["announcement"]
    other, weak = Machine(Scope.FEEDS_WRITE, agency="gs-market"), Machine(Scope.QUERIES_WRITE, agency="hz-drc")
    assert other.get(f"{ADDRESS}{number}/").status_code == other.get(f"{ADDRESS}{'0' * 26}/").status_code == 404
    assert weak.call("POST", ADDRESS, said()).status_code == weak.get(f"{ADDRESS}{number}/").status_code == 403
    assert fresh(PriorNotice.objects.get()).state == "announced"
