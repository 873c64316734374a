"""Two officials, what the person can do about it, guardians of adults, and what ends with the right of an heir."""

import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door, Role
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.identity import IdentifierKind
from creditplatform.core.models import Agency, Notice, StepEvent, User
from records.identifiers import identifier
from records.models import Authorisation, RealNameBinding, Representation, ShareLink, Subject
from records.services import after_death, share_links
from records.services import representations as service
from records.services.authorisations import grant
from tests.accounts.representation_world import SOON, asked, attorney, browser, confirmed, opened
from tests.accounts.window_world import second
from tests.cast import STRANGER_NUMBER, Cast, member
from tests.records.queries_world import asked as consent_asked
from tests.records.queries_world import purpose

pytestmark = pytest.mark.django_db
YEAR = datetime.timedelta(days=365)


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def third() -> User:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        return member("centre-third", Agency.objects.get(code="gs-drc"), Role.CENTRE)


def adult(cast: Cast, **changes: Any) -> Representation:
    """A guardian of somebody of full age, by a court's decision."""
    usual = {"name": "马示例", "number": STRANGER_NUMBER, "papers_kind": "court", "valid_until": SOON}
    return asked(cast, **{**usual, **changes})


def heir(cast: Cast, **changes: Any) -> Representation:
    usual = {"kind": "heir", "name": "马示例", "number": STRANGER_NUMBER, "papers_kind": "kinship"}
    return asked(cast, **{**usual, **changes})


def letters(person: Subject) -> list[str]:
    return list(Notice.objects.filter(addressee=bytes(person.number_index)).values_list("code", flat=True))


# --- two officials -----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [adult, heir, attorney])
def test_one_official_alone_opens_nothing(cast: Cast, make: Any) -> None:
    last_used(cast.stranger, 2 * YEAR)
    case = service.check(case=make(cast), user=cast.centre)
    assert (case.state, case.person, case.checked_by) == ("checked", None, cast.centre)
    assert not Notice.objects.exists() and not Representation.objects.holding().exists()
    with pytest.raises(NotPermitted):
        service.confirm(case=case, user=cast.centre)
    assert service.confirm(case=case, user=second()).decided_by == second()


def test_nobody_confirms_what_nobody_has_checked(cast: Cast) -> None:
    with pytest.raises(Conflict):
        service.confirm(case=attorney(cast), user=cast.centre)


def test_whoever_checked_may_still_refuse_and_the_asker_withdraw(cast: Cast) -> None:
    case = service.check(case=attorney(cast), user=cast.centre)
    assert service.refuse(case=case, user=cast.centre, refusal="签名不符").state == "refused"
    case = service.check(case=attorney(cast), user=cast.centre)
    assert service.end(case=case, user=cast.person).state == "ended"


# --- guardians of adults ---------------------------------------------------------------------------


def test_a_guardian_of_an_adult_acts_by_a_courts_decision_until_its_end(cast: Cast) -> None:
    case = confirmed(cast, adult(cast))
    assert case.valid_until == SOON and case.person == cast.stranger.real_name.subject
    assert "马示例" in opened(cast, case).get(reverse("me:home")).content.decode()
    assert Representation.objects.holding(on=SOON - datetime.timedelta(days=1)).exists()
    assert not Representation.objects.holding(on=SOON).exists()


# --- contested ---------------------------------------------------------------------------------------


def test_a_contested_guardianship_rests_at_once_until_a_third_official_decides(cast: Cast) -> None:
    case = confirmed(cast, adult(cast))
    one, own = opened(cast, case), browser(cast.stranger)
    page = own.get(reverse("me:represent")).content.decode()
    assert reverse("me:represent-contest", args=[case.token]) in page
    own.post(reverse("me:represent-contest", args=[case.token]), {"objection": "我没有监护人"})
    case.refresh_from_db()
    assert (case.state, case.objection) == ("contested", "我没有监护人")
    assert "林示例" in one.get(reverse("me:home")).content.decode()  # the own file again
    assert one.post(reverse("me:represent-act", args=[case.token])).status_code == 404
    assert "我没有监护人" not in browser(cast.person).get(reverse("me:represent")).content.decode()
    for official in (cast.centre, second(), cast.stranger, cast.person, cast.officer):
        for stands in (True, False):
            with pytest.raises(NotPermitted):
                service.settle(case=case, user=official, stands=stands, grounds="有判决")
    with pytest.raises(NotPermitted):
        service.end(case=case, user=cast.centre)
    desk, address = browser(third()), reverse("desk:representation", args=[case.token])
    assert case.token in desk.get(reverse("desk:representations")).content.decode()
    assert "我没有监护人" in desk.get(address).content.decode()
    refused = desk.post(address, {"act": "uphold", "grounds": " "})
    assert refused.status_code == 200 and 'id="grounds_error"' in refused.content.decode()
    desk.post(address, {"act": "uphold", "grounds": "法院判决有效"})
    assert opened(cast, case).get(reverse("me:home")).status_code == 200
    for person in (cast.person, cast.stranger):
        assert "法院判决有效" in browser(person).get(reverse("me:represent")).content.decode()
        assert {"representation_contest", "representation_uphold"} <= set(letters(person.real_name.subject))


def test_what_is_not_right_ends_and_the_guardian_may_step_back_before(cast: Cast) -> None:
    case = confirmed(cast, adult(cast))
    case = service.contest(case=case, user=cast.stranger)
    case = service.settle(case=case, user=third(), stands=False, grounds="判决已撤销")
    assert (case.state, case.grounds, case.ended_at is None) == ("ended", "判决已撤销", False)
    assert "representation_overturn" in letters(cast.person.real_name.subject)
    case = service.contest(case=confirmed(cast, adult(cast)), user=cast.stranger)
    assert service.end(case=case, user=cast.person).state == "ended"


def test_only_the_ward_contests_and_only_a_guardianship(cast: Cast) -> None:
    case = confirmed(cast, adult(cast))
    for user in (cast.person, cast.centre, cast.unbound):
        with pytest.raises(NotPermitted):
            service.contest(case=case, user=user)
    with pytest.raises(Invalid):
        service.contest(case=case, user=cast.stranger, objection="长" * 1001)
    with pytest.raises(NotPermitted):
        service.contest(case=confirmed(cast, attorney(cast)), user=cast.stranger)
    assert browser(cast.clerk).post(reverse("me:represent-contest", args=[case.token])).status_code in (302, 404)


def test_a_contested_one_still_ends_on_its_day(cast: Cast) -> None:
    service.contest(case=confirmed(cast, adult(cast)), user=cast.stranger)
    with time_machine.travel(datetime.datetime.combine(SOON, datetime.time(8), tzinfo=datetime.UTC), tick=False):
        adult(cast, valid_until=SOON + datetime.timedelta(days=5))
    assert set(Representation.objects.values_list("state", flat=True)) == {"ended", "requested"}


# --- heirs -------------------------------------------------------------------------------------------


def last_used(user: User, ago: datetime.timedelta) -> None:
    """The account was bound long ago, and signed in to for the last time that long ago."""
    RealNameBinding.objects.filter(user=user).update(bound_at=timezone.now() - 3 * YEAR)
    UserSession.objects.update_or_create(
        session_key="k", defaults={"user": user, "ip": "::", "last_seen_at": timezone.now() - ago}
    )


def test_whoever_is_not_dead_ends_it_at_once(cast: Cast) -> None:
    last_used(cast.stranger, 2 * YEAR)
    case = confirmed(cast, heir(cast))
    one = opened(cast, case)
    own = browser(cast.stranger)
    assert reverse("me:represent-end", args=[case.token]) in own.get(reverse("me:represent")).content.decode()
    own.post(reverse("me:represent-end", args=[case.token]))
    case.refresh_from_db()
    assert case.state == "ended"
    assert "林示例" in one.get(reverse("me:home")).content.decode()


def test_no_heirs_of_somebody_whose_account_is_in_use_and_the_asker_is_not_told(cast: Cast) -> None:
    case = heir(cast)
    last_used(cast.stranger, YEAR - datetime.timedelta(days=1))
    page = browser(cast.centre).post(reverse("desk:representation", args=[case.token]), {"act": "check"}, follow=True)
    assert "account_in_use" not in page.content.decode() and Representation.objects.get().state == "requested"
    with pytest.raises(Invalid) as caught:
        service.check(case=case, user=cast.centre)
    assert [problem.code for problem in caught.value.problems] == ["account_in_use"]
    assert not Notice.objects.exists()
    last_used(cast.stranger, YEAR + datetime.timedelta(days=1))
    case = service.check(case=case, user=cast.centre)
    last_used(cast.stranger, datetime.timedelta(0))  # in between
    with pytest.raises(Invalid):
        service.confirm(case=case, user=second())
    last_used(cast.stranger, 2 * YEAR)
    browser(cast.stranger).get(reverse("me:home"))  # the own file, by whichever sign-in
    UserSession.objects.all().delete()
    with pytest.raises(Invalid):
        service.confirm(case=case, user=second())


def test_with_an_heir_everything_ends_that_the_dead_no_longer_want(cast: Cast) -> None:
    person = cast.stranger.real_name.subject
    last_used(cast.stranger, 2 * YEAR)
    whose = {"person": identifier(IdentifierKind.RESIDENT_ID, STRANGER_NUMBER), "name": "马示例"}
    granted = consent_asked(purpose("special-industry"), cast.clerk, **whose)
    given = grant(
        authorisation=granted, user=cast.stranger, fields=granted.requested_fields, uses_allowed=1,
        expires_at=timezone.now() + datetime.timedelta(days=7),
    )  # fmt: skip
    waits = consent_asked(purpose("special-industry"), cast.clerk, case_number="2", **whose)
    link, code = share_links.make(
        user=cast.stranger, subject=person, fields=["administrative-penalty"], lifetime=datetime.timedelta(days=1)
    )
    power = confirmed(cast, attorney(cast))
    by_them = Representation.objects.create(
        person=cast.person.real_name.subject, representative=person, kind="attorney", scope=["file"],
        valid_until=SOON, papers_kind="attorney", requested_by=cast.stranger, state="confirmed",
        checked_by=cast.centre, checked_at=timezone.now(), decided_by=second(), decided_at=timezone.now(),
    )  # fmt: skip
    confirmed(cast, heir(cast))
    assert Authorisation.objects.get(pk=given.pk).state == "revoked"
    assert StepEvent.objects.get(workflow="authorisation", case_ref=given.pk, step="lapse").reason == after_death.DIED
    assert Authorisation.objects.get(pk=waits.pk).state == "requested"
    assert ShareLink.objects.get(pk=link.pk).revoked_at
    with pytest.raises(share_links.NotOpened):
        share_links.open_link(token=link.token, code=code, user=None)
    assert {Representation.objects.get(pk=one.pk).state for one in (power, by_them)} == {"ended"}
    assert [one.kind for one in Representation.objects.holding()] == ["heir"]
    assert letters(cast.person.real_name.subject).count("representation_end") == 2


def test_where_something_fails_nothing_is_confirmed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    last_used(cast.stranger, 2 * YEAR)
    case = service.check(case=heir(cast), user=cast.centre)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ShareLink.objects, "filter", stopped)
        service.confirm(case=case, user=second())
    assert Representation.objects.get().state == "checked" and not Notice.objects.exists()


def stopped(*_given: Any, **_words: Any) -> None:
    raise KeyboardInterrupt


def test_the_living_find_in_their_letter_what_was_confirmed(cast: Cast) -> None:
    RealNameBinding.objects.filter(user=cast.stranger).delete()
    case = confirmed(cast, heir(cast))
    assert case.person is not None
    text = Notice.objects.get(addressee=bytes(case.person.number_index)).text_en
    assert "papers by which you have died" in text and "马示例" not in text
