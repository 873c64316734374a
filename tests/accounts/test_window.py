"""The window: an official binds accounts, moves them, and gives a code to whoever forgot the password."""

import datetime
import re

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core.enums import Role
from creditplatform.core.errors import Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Agency, Notice, User
from records.enums import WindowAct
from records.models import RealNameBinding, RecoveryCode, Subject
from records.services.window import bind_at_window, recover
from records.services.window_requests import ask
from tests.accounts.window_world import NAME, NUMBER, desk, filled, moved, press, second, slip, words
from tests.cast import MINOR_NUMBER, PASSWORD, PERSON_NUMBER, STRANGER_NUMBER, Cast, member, person_subject
from tests.counts import forget_counts

NEW = "another-password-of-mine-7"


@pytest.fixture(autouse=True)
def _counted_from_nothing() -> None:
    forget_counts()


# --- binding ----------------------------------------------------------------------------------------


def test_an_official_binds_an_account_by_the_papers(cast: Cast) -> None:
    assert press(cast)["Location"] == reverse("desk:window")
    binding = RealNameBinding.objects.get(user=cast.unbound)
    assert (binding.adapter, binding.bound_by, binding.papers) == ("window", cast.centre, "resident_card")
    assert (binding.subject.number_sealed, binding.subject.name_sealed) == (NUMBER, NAME)
    look = AccessLog.objects.get(subject_ref=binding.subject_id)
    assert (look.actor, look.agency.code, look.fields) == (cast.centre, "hz-drc", ["name", "number"])
    assert Notice.objects.get(addressee=binding.subject.number_index).code == "window_bind"


def test_minors_are_bound_here(cast: Cast) -> None:
    press(cast, number=MINOR_NUMBER, papers="household_register")
    assert RealNameBinding.objects.get(user=cast.unbound).subject.number_sealed == MINOR_NUMBER


def refused(response: HttpResponse) -> str:
    assert response.status_code == 200
    found = re.search(r'role="alert">(.*?)</div>', response.content.decode(), re.DOTALL)
    assert found
    return found[1]


def test_every_refusal_sounds_alike_whoever_is_on_file(cast: Cast) -> None:
    person_subject(NUMBER, "别人")  # on file under another name
    said = {
        refused(press(cast)),
        refused(press(cast, name="马示例", number=STRANGER_NUMBER)),  # has another account
        refused(press(cast, name="某某", number=PERSON_NUMBER)),  # another name, another account
        refused(press(cast, account="person", name=NAME, number=MINOR_NUMBER)),  # the account is another person's
        refused(press(cast, act="code", name="某某", number=MINOR_NUMBER)),  # nobody on file
        refused(press(cast, act="code", account="person", name="林示例", number=MINOR_NUMBER)),
    }
    assert len(said) == 1
    assert not RealNameBinding.objects.filter(user=cast.unbound).exists()


def test_everything_missing_is_told_at_once(cast: Cast) -> None:
    form = desk(cast.centre).post(reverse("desk:window"), {}).context["form"]
    assert set(form.errors) == {"act", "account", "name", "kind", "number", "papers", "seen"}
    assert "number" in desk(cast.centre).post(reverse("desk:window"), filled(number="123")).context["form"].errors
    assert "account" in desk(cast.centre).post(reverse("desk:window"), filled(account="nobody")).context["form"].errors


def test_who_serves_at_the_window(cast: Cast) -> None:
    member("centre-officer", Agency.objects.get(code="hz-drc"), Role.OFFICER)
    page = reverse("desk:window")
    allowed = {name for name, user in cast.staff().items() if desk(user).get(page).status_code == 200}
    assert allowed == {"centre"}
    assert desk(User.objects.get(username="centre-officer")).get(reverse("desk:window")).status_code == 200
    for name in ("officer", "clerk", "person", "auditor", "security"):
        with pytest.raises(NotPermitted):
            bind_at_window(**words(cast, official=getattr(cast, name)))


def test_nobody_binds_the_own_account(cast: Cast) -> None:
    with pytest.raises(NotPermitted):
        bind_at_window(**words(cast, user=cast.centre))


# --- lost accounts ----------------------------------------------------------------------------------


def test_a_lost_account_is_ended_and_the_new_one_bound(cast: Cast) -> None:
    old = Client()
    old.post(reverse("account_login"), {"login": "person", "password": PASSWORD})
    assert old.get(reverse("me:home")).status_code == 200
    moved(cast)
    assert RealNameBinding.objects.get(user=cast.unbound).subject.number_sealed == PERSON_NUMBER
    assert not RealNameBinding.objects.filter(user=cast.person).exists()
    assert old.get(reverse("me:home"))["Location"].startswith(reverse("account_login"))
    subject = Subject.objects.get(number_index=RealNameBinding.objects.get(user=cast.unbound).subject.number_index)
    event = apps.get_model("records", "RealNameBindingEvent")._default_manager.get(pgh_label="delete")
    assert (event.user_id, event.subject_id, event.adapter) == (cast.person.pk, subject.pk, "test")
    assert event.pgh_context["actor"] == second().pk and "window" in event.pgh_context["reason"]
    assert {n.code for n in Notice.objects.filter(addressee=subject.number_index)} == {"window_move"}


def test_an_account_that_was_lost_keeps_no_way_in(cast: Cast) -> None:
    SocialAccount.objects.create(user=cast.person, provider="province", uid="0" * 32)
    code = slip(cast)
    moved(cast)
    assert not SocialAccount.objects.exists()
    refused(set_anew(code))


def test_moving_tells_the_official_nothing_about_an_older_account(cast: Cast) -> None:
    with_old = moved(cast)
    RealNameBinding.objects.filter(user=cast.unbound).delete()
    without = moved(cast, name=NAME, number=NUMBER)
    assert (with_old.status_code, with_old["Location"]) == (without.status_code, without["Location"])


def test_moving_to_an_account_of_somebody_else_ends_nothing(cast: Cast) -> None:
    refused(press(cast, act="move", account="stranger", name="林示例", number=PERSON_NUMBER))
    assert RealNameBinding.objects.filter(user=cast.person).exists()


# --- recovery codes -----------------------------------------------------------------------------------


def set_anew(code: str, username: str = "person", password: str = NEW) -> HttpResponse:
    given = {"username": username, "code": code, "password": password, "again": password}
    return Client().post(reverse("account_recover"), given)


def enters(password: str) -> bool:
    browser = Client()
    return browser.post(reverse("account_login"), {"login": "person", "password": password}).status_code == 302


def test_with_the_code_a_new_password_is_set_once(cast: Cast) -> None:
    code = slip(cast)
    assert re.fullmatch(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){2}", code)
    row = RecoveryCode.objects.get()
    assert code.replace("-", "") not in row.code_hash and row.issued_by == second()
    assert set_anew(code.lower().replace("-", " "))["Location"] == reverse("account_login")
    assert enters(NEW) and not enters(PASSWORD)
    assert set_anew(code, password="yet-another-password-9").status_code == 200
    assert enters(NEW)
    codes = set(
        Notice.objects.filter(addressee=cast.person.real_name.subject.number_index).values_list("code", flat=True)
    )
    assert codes == {"window_code", "account_recovered"}


def test_the_old_sessions_and_the_second_factor_end_with_it(cast: Cast) -> None:
    old = Client()
    old.post(reverse("account_login"), {"login": "person", "password": PASSWORD})
    Authenticator.objects.create(user=cast.person, type="totp", data={"secret": "x"})
    set_anew(slip(cast))
    assert not Authenticator.objects.exists()
    assert old.get(reverse("me:home"))["Location"].startswith(reverse("account_login"))


def test_a_code_ends_within_minutes(cast: Cast) -> None:
    code = slip(cast)
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=31), tick=False):
        refused(set_anew(code))
    assert not enters(NEW)


def test_a_second_code_closes_the_first(cast: Cast) -> None:
    first, second = slip(cast), slip(cast)
    refused(set_anew(first))
    assert set_anew(second).status_code == 302


def test_wrong_unknown_and_closed_sound_alike(cast: Cast) -> None:
    code = slip(cast)
    said = {refused(set_anew("AAAA-BBBB-CCCC")), refused(set_anew(code, username="nobody")), refused(set_anew("x"))}
    said |= {refused(set_anew("AAAA-BBBB-CCCC")) for _more in range(4)}
    said.add(refused(set_anew(code)))  # five wrong ones have closed it
    assert len(said) == 1 and not enters(NEW)


def test_guessing_over_many_codes_is_stopped(cast: Cast) -> None:
    for _round in range(11):
        with pytest.raises(Invalid):
            recover(username="person", code="AAAABBBBCCCC", password=NEW)
    refused(set_anew(slip(cast)))


def test_a_weak_password_does_not_use_the_code_up(cast: Cast) -> None:
    code = slip(cast)
    response = set_anew(code, password="12345")
    assert "password" in response.context["form"].errors
    assert set_anew(code).status_code == 302


def test_members_of_units_get_no_code_here(cast: Cast) -> None:
    RealNameBinding.objects.create(user=cast.clerk, subject=person_subject(NUMBER, NAME), adapter="test")
    with pytest.raises(Invalid):
        ask(**words(cast, user=cast.clerk), act=WindowAct.CODE)
