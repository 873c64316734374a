"""A unit presses nobody: so many requests to one person at a time, and no new one right after a refusal."""

import datetime
import itertools
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone, translation
from structlog.testing import capture_logs

from creditplatform.core import audit
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.errors import CreditError
from creditplatform.core.models import AccessLog, Agency, Notice
from records.enums import AuthorisationState
from records.me.authorisations import SHOWN_WAITING
from records.models import Authorisation, PurposeUser
from records.queries.disclosure import NOBODY
from records.services import authorisations
from records.services.authorisations import AskedTooSoon, TooManyAsked
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import CASE, NAME, ON_FILE, UNKNOWN, asked, consent, market, purpose
from tests.records.test_consent import outcomes, people  # noqa: F401
from tests.records.test_consent_pages import ASK, browser, filled
from tests.records.test_machine_queries import CONSENTS, system, wish  # noqa: F401

pytestmark = pytest.mark.django_db
MOST, DAYS = 3, 7
INDUSTRY = "special-industry"


def refusal(**changes: Any) -> tuple[str, str]:
    """The code and the words with which a request is refused."""
    with translation.override("en"), pytest.raises(CreditError) as caught:
        asked(purpose(INDUSTRY), **changes)
    return caught.value.code, caught.value.message


def test_so_many_requests_wait_for_one_person_and_no_more_whoever_it_is(cast: Cast) -> None:
    said = set()
    for person in (ON_FILE, UNKNOWN):
        cases = [asked(purpose(INDUSTRY), cast.clerk, person=person, case_number=str(one)) for one in range(MOST)]
        said.add(refusal(user=cast.clerk, person=person, case_number="other"))
        said.add(refusal(user=cast.officer, person=person, name="某示例"))
        assert asked(purpose(INDUSTRY), cast.clerk, person=person, case_number="1") == cases[1]
    assert len(said) == 1 and {code for code, _words in said} == {TooManyAsked.default_code}
    assert Authorisation.objects.count() == 2 * MOST == Notice.objects.count()


def test_an_answer_makes_room_and_another_unit_has_its_own(cast: Cast) -> None:
    first, *_rest = [asked(purpose(INDUSTRY), cast.clerk, case_number=str(one)) for one in range(MOST)]
    tax = Agency.objects.select_related("site").get(code="hz-tax")
    PurposeUser.objects.create(purpose=purpose(INDUSTRY), agency=tax, valid_from=timezone.localdate())
    assert asked(purpose(INDUSTRY), cast.other_clerk, agency=tax).state == AuthorisationState.REQUESTED
    authorisations.grant(
        authorisation=first, user=cast.person, fields=first.requested_fields, uses_allowed=1,
        expires_at=timezone.now() + datetime.timedelta(days=1),
    )  # fmt: skip
    assert asked(purpose(INDUSTRY), cast.clerk, case_number="4").pk


def test_requests_taken_back_and_sent_again_are_counted(cast: Cast) -> None:
    for _turn in range(MOST):
        authorisations.recall(authorisation=asked(purpose(INDUSTRY), cast.clerk), user=cast.clerk)
    assert refusal(user=cast.clerk)[0] == TooManyAsked.default_code
    with time_machine.travel(timezone.now() + datetime.timedelta(days=DAYS), tick=False):
        assert asked(purpose(INDUSTRY), cast.clerk).pk


@pytest.mark.parametrize("withdrawn", [False, True])
def test_after_a_no_the_person_has_quiet_for_days_whatever_name_and_case(cast: Cast, withdrawn: bool) -> None:
    if withdrawn:
        authorisations.revoke(authorisation=consent(purpose(INDUSTRY), cast.clerk, cast.person), user=cast.person)
    else:
        authorisations.refuse(authorisation=asked(purpose(INDUSTRY), cast.clerk), user=cast.person)
    day = (timezone.localdate() + datetime.timedelta(days=DAYS)).isoformat()
    for changes in ({}, {"case_number": "other"}, {"name": "某示例"}, {"fields": ["administrative-penalty"]}):
        code, words = refusal(user=cast.clerk, **changes)
        assert code == AskedTooSoon.default_code and day in words, changes
    assert asked(purpose("green-channel"), cast.clerk).pk
    with time_machine.travel(timezone.now() + datetime.timedelta(days=DAYS), tick=False):
        assert asked(purpose(INDUSTRY), cast.clerk).pk


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_are_counted_one_after_the_other(people: Cast) -> None:  # noqa: F811
    cases = itertools.count()
    found = outcomes(lambda: asked(purpose(INDUSTRY), people.clerk, case_number=str(next(cases))), 6)
    assert found == ["done"] * MOST + [TooManyAsked.default_code] * 3


def test_however_many_wait_the_pages_stay_short_and_each_is_reached(cast: Cast) -> None:
    count, here = SHOWN_WAITING + 3, market()
    for number in range(count):
        unit = Agency.objects.create(
            code=f"u{number}", name=f"单位{number}", site=here.site, region=here.region, kind=here.kind
        )
        PurposeUser.objects.create(purpose=purpose(INDUSTRY), agency=unit, valid_from=timezone.localdate())
        asked(purpose(INDUSTRY), cast.clerk, agency=unit)
    client = browser(cast.person)
    first = client.get(reverse("me:home"))
    assert (len(first.context["waiting"]), first.context["waiting_count"]) == (SHOWN_WAITING, count)
    assert f"All {count} requests that wait for an answer" in first.content.decode()
    page = client.get(reverse("me:authorisations"))
    rest = client.get(reverse("me:authorisations"), {"after": page.context["after"]})
    assert rest.context["after"] == "" and "Older requests" not in rest.content.decode()
    listed = [*page.context["waiting"], *rest.context["waiting"]]
    assert len(page.context["waiting"]) == SHOWN_WAITING and len({case.pk for case in listed}) == len(listed) == count


# --- the doors --------------------------------------------------------------------------------------


def test_a_system_is_told_by_a_code_and_the_refusal_stays_on_record(system: Any, cast: Cast) -> None:  # noqa: F811
    with capture_logs() as lines:
        for number in (PERSON_NUMBER, UNKNOWN.number):
            codes = [
                system.call("POST", CONSENTS, wish(number=number, case_number=str(one))).status_code
                for one in range(MOST)
            ]
            last = system.call("POST", CONSENTS, wish(number=number))
            assert codes == [201] * MOST
            assert (last.status_code, last.json()["code"]) == (409, TooManyAsked.default_code)
    noted = [line for line in lines if line["event"] == "consent_request_refused"]
    assert [(one["code"], one["unit"], one["purpose"]) for one in noted] == [
        (TooManyAsked.default_code, "hz-market", "green-channel")
    ] * 2
    assert PERSON_NUMBER not in str(lines) and NAME not in str(lines)
    seen = AccessLog.objects.filter(result=AccessResult.REFUSED)
    assert set(seen.values_list("subject_ref", "agency__code", "purpose", "authority", "door", "case_number")) == {
        (NOBODY, "hz-market", "green-channel", Authority.CONSENT, Door.API, CASE)
    }


def test_what_a_purpose_does_not_cover_is_refused_and_registered(system: Any, cast: Cast) -> None:  # noqa: F811
    with capture_logs() as lines:
        for number in (PERSON_NUMBER, UNKNOWN.number):
            said = {**wish(number=number), "fields": ["honesty-model"]}
            answer = system.call("POST", CONSENTS, said)
            assert (answer.status_code, answer.json()["code"]) == (400, "outside_purpose")
        system.call("POST", CONSENTS, wish(NAME))
        page = browser(cast.clerk).post(ASK, filled(fields_asked=["honesty-model"]))
    assert page.status_code == 200
    noted = [line for line in lines if line["event"] == "consent_request_refused"]
    assert [(one["code"], one["unit"], one["purpose"]) for one in noted] == [
        *[("outside_purpose", "hz-market", "green-channel")] * 2,
        ("purpose_not_open", "hz-market", "unknown"),
        ("outside_purpose", "hz-market", INDUSTRY),
    ]
    assert not any(value in str(lines) for value in (PERSON_NUMBER, NAME))
    seen = AccessLog.objects.filter(result=AccessResult.REFUSED).order_by("pk")
    assert list(seen.values_list("subject_ref", "door", "actor")) == [
        (NOBODY, Door.API, None), (NOBODY, Door.API, None), (NOBODY, Door.DESK, cast.clerk.pk),
    ]  # fmt: skip
    assert not Authorisation.objects.exists()


def test_the_desk_says_why_and_when_it_may_ask_again(cast: Cast) -> None:
    with audit.context(actor=cast.person, door=Door.WEB, reason="test"):
        authorisations.refuse(authorisation=asked(purpose(INDUSTRY), cast.clerk), user=cast.person)
    page = browser(cast.clerk).post(ASK, filled())
    again = timezone.localdate() + datetime.timedelta(days=DAYS)
    assert page.status_code == 200 and f"Your unit can ask again from {again.isoformat()} on." in page.content.decode()
    assert AccessLog.objects.filter(result=AccessResult.REFUSED, door=Door.DESK, subject_ref=NOBODY).count() == 1
