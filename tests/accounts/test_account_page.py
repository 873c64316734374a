"""The page of the own account: what it is bound to, where it is signed in, and the way back with a new password."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse
from django.utils import translation

from creditplatform.core.models import User
from tests.cast import PASSWORD, PERSON_NUMBER, Cast
from tests.counts import forget_counts

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/116.0 Mobile Safari/537.36 MicroMessenger/8.0.50"
NEW = "another-password-of-mine-7"


@pytest.fixture(autouse=True)
def _counted_from_nothing() -> None:
    forget_counts()


def signed_in(name: str, agent: str = CHROME, address: str = "203.0.113.77") -> Client:
    browser = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    assert browser.post(reverse("account_login"), {"login": name, "password": PASSWORD}).status_code == 302
    return browser


def alive(browser: Client) -> bool:
    return bool(browser.get(reverse("me:account")).status_code == 200)


def test_every_sign_in_is_listed_by_device_and_without_address(cast: Cast) -> None:
    here, _there = signed_in("person"), signed_in("person", WECHAT)
    signed_in("stranger")
    listed = here.get(reverse("me:account")).context["sessions"]
    assert (listed[0].browser, listed[0].system, listed[0].current) == ("Chrome", "Windows", True)
    assert len(listed) == 2 and listed[1].system == "Android"
    assert {row.ip for row in UserSession.objects.all()} == {"::"}
    assert not any("Mozilla" in row.user_agent for row in UserSession.objects.all())


def test_the_others_are_signed_out(cast: Cast) -> None:
    here, there, foreign = signed_in("person"), signed_in("person", WECHAT), signed_in("stranger")
    here.post(reverse("me:sign-out-others"))
    assert (alive(here), alive(there), alive(foreign)) == (True, False, True)
    assert UserSession.objects.filter(user=cast.person).count() == 1


def test_one_of_them_is_signed_out(cast: Cast) -> None:
    here, there, third = signed_in("person"), signed_in("person", WECHAT), signed_in("person", WECHAT)
    row = UserSession.objects.get(session_key=there.session.session_key)
    page = here.get(reverse("me:account")).content.decode()
    assert page.count(reverse("me:sign-out-one")) == 2 and f'value="{row.pk}"' in page
    here.post(reverse("me:sign-out-one"), {"session": row.pk})
    assert (alive(here), alive(there), alive(third)) == (True, False, True)


@pytest.mark.parametrize("number", ["", "x", "0", "9" * 30, "²"])
def test_what_is_no_session_of_ones_own_is_left_alone(number: str, cast: Cast) -> None:
    here, foreign = signed_in("person"), signed_in("stranger")
    theirs = UserSession.objects.get(user=cast.stranger).pk
    for given in (number, theirs):
        assert here.post(reverse("me:sign-out-one"), {"session": given})["Location"] == reverse("me:account")
    assert here.get(reverse("me:sign-out-one")).status_code == 302
    assert alive(foreign) and alive(here)


def test_a_session_that_ended_is_not_listed(cast: Cast) -> None:
    here, there = signed_in("person"), signed_in("person", WECHAT)
    there.post(reverse("account_logout"))
    assert len(here.get(reverse("me:account")).context["sessions"]) == 1


def test_a_new_password_ends_the_others_and_this_one_goes_on(cast: Cast) -> None:
    here, there = signed_in("person"), signed_in("person", WECHAT)
    answer = here.post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    )
    assert answer["Location"] == reverse("me:account")
    assert (alive(here), alive(there)) == (True, False)
    assert [one.current for one in here.get(reverse("me:account")).context["sessions"]] == [True]


def test_the_page_says_how_the_account_was_bound(cast: Cast) -> None:
    text = signed_in("person").get(reverse("me:account")).content.decode()
    assert "person" in text and "林示例" not in text
    assert reverse("me:bind") in signed_in("unbound").get(reverse("me:account")).content.decode()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_account_is_there_in_both_languages(language: str, cast: Cast) -> None:
    browser = signed_in("person")
    browser.cookies["django_language"] = language
    with translation.override(language):
        for page in ("me:account", "me:represent", "me:represent-ask", "mfa_index"):
            assert browser.get(reverse(page)).status_code == 200


@pytest.mark.parametrize("name", [PERSON_NUMBER, "13800138000", "１３８００１３８０００"])
def test_the_number_of_a_person_is_no_user_name(db: None, name: str) -> None:
    browser = Client()
    browser.cookies["django_language"] = "en"
    answer = browser.post(reverse("account_signup"), {"username": name, "password1": NEW, "password2": NEW})
    assert answer.status_code == 200 and "no number of a document" in answer.content.decode()
    assert not User.objects.filter(username=name).exists()


def test_whoever_signs_up_is_on_the_list_too(db: None) -> None:
    browser = Client(headers={"user-agent": CHROME})
    browser.post(reverse("account_signup"), {"username": "new-one", "password1": NEW, "password2": NEW})
    assert UserSession.objects.get().user == User.objects.get(username="new-one")
