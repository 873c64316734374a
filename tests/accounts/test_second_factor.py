"""The second factor with real codes: set up, asked for, refused, used once; and whose role requires it."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from creditplatform.core.errors import VaultError
from creditplatform.second_factor import SealedAdapter
from tests.cast import PASSWORD, Cast
from tests.counts import forget_counts

REQUIRED = ["centre", "supervisor", "security", "auditor", "operator"]


@pytest.fixture(autouse=True)
def _counted_from_nothing() -> None:
    forget_counts()


def code_of(secret: str, later: int = 0) -> str:
    """The six digits an app with this secret shows now, for two seconds more at least."""
    if time.time() % 30 > 28:
        time.sleep(2)
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later))


def begun(name: str) -> Client:
    """A browser in which the password was right."""
    browser = Client()
    assert browser.post(reverse("account_login"), {"login": name, "password": PASSWORD}).status_code == 302
    return browser


def confirmed(browser: Client) -> None:
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def set_up(browser: Client) -> tuple[str, list[str]]:
    """The secret and the recovery codes, as the pages show them."""
    confirmed(browser)
    page = browser.get(reverse("mfa_activate_totp")).content.decode()
    found = re.search(r'<code class="key">([A-Z2-7]+)</code>', page)
    assert found and "data:image/svg+xml" in page
    answer = browser.post(reverse("mfa_activate_totp"), {"code": code_of(found[1])})
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    shown = browser.get(answer["Location"]).content.decode()
    return found[1], re.findall(r"<li><code>(\d{8})</code></li>", shown)


def signed_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def enter(browser: Client, code: str) -> HttpResponse:
    return browser.post(reverse("mfa_authenticate"), {"code": code})


def test_from_then_on_the_password_alone_opens_nothing(cast: Cast) -> None:
    browser = begun("person")
    assert signed_in(browser)
    secret, codes = set_up(browser)
    assert len(set(codes)) == 10
    forget_counts()  # the code that set it up is used
    again = begun("person")
    assert not signed_in(again)
    assert again.get(reverse("me:home")).status_code == 302
    assert enter(again, code_of(secret))["Location"] == reverse("me:home")
    assert signed_in(again)


def test_a_wrong_code_and_one_of_another_time_are_refused(cast: Cast) -> None:
    secret, _codes = set_up(begun("person"))
    again = begun("person")
    right = code_of(secret)
    for wrong in ("000000" if right != "000000" else "000001", code_of(secret, -10), "", "x" * 500):
        assert enter(again, wrong).status_code == 200
    assert not signed_in(again)


def test_a_code_works_once(cast: Cast) -> None:
    secret, _codes = set_up(begun("person"))
    forget_counts()
    first, second, code = begun("person"), begun("person"), code_of(secret)
    enter(first, code)
    enter(second, code)
    assert signed_in(first) and not signed_in(second)


def test_a_recovery_code_works_once(cast: Cast) -> None:
    _secret, codes = set_up(begun("person"))
    first, second = begun("person"), begun("person")
    enter(first, codes[3])
    enter(second, codes[3])
    assert signed_in(first) and not signed_in(second)
    enter(second, codes[4])
    assert signed_in(second)


def test_recovery_codes_are_shown_once(cast: Cast) -> None:
    browser = begun("person")
    _secret, codes = set_up(browser)
    shown = browser.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert not any(code in shown for code in codes)
    browser.post(reverse("mfa_generate_recovery_codes"))
    renewed = re.findall(r"<code>(\d{8})</code>", browser.get(reverse("mfa_view_recovery_codes")).content.decode())
    assert len(renewed) == 10 and not set(renewed) & set(codes)


def test_secrets_are_sealed(cast: Cast) -> None:
    secret, codes = set_up(begun("person"))
    for row in Authenticator.objects.all():
        assert secret not in str(row.data) and not any(code in str(row.data) for code in codes)
    sealed = Authenticator.objects.get(type="totp").data["secret"]
    assert SealedAdapter().decrypt(sealed) == secret
    with pytest.raises((VaultError, ValueError)):
        SealedAdapter().decrypt(secret)
    browser = begun("person")
    assert secret not in str(dict(browser.session.items()))


def test_setting_up_asks_for_the_password_again(cast: Cast) -> None:
    browser = begun("person")
    assert reverse("account_reauthenticate") in browser.get(reverse("mfa_activate_totp"))["Location"]


def test_guessing_is_stopped(cast: Cast, settings: Any) -> None:
    secret, _codes = set_up(begun("person"))
    forget_counts()
    again = begun("person")
    for wrong in range(6):
        enter(again, f"{wrong:06}")
    enter(again, code_of(secret))
    assert not signed_in(again)


def test_whose_role_requires_it_sets_it_up_first(cast: Cast, settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = REQUIRED
    for name in ("centre", "supervisor", "security", "auditor", "operator"):
        browser = begun(name)
        for page in ("desk:home", "admin:index", "me:home", "me:account"):
            assert browser.get(reverse(page))["Location"] == reverse("mfa_activate_totp"), (name, page)
        assert browser.get(reverse("mfa_index")).status_code == 200
    for name in ("clerk", "officer", "editor"):
        assert begun(name).get(reverse("admin:index")).status_code == 200
    assert begun("person").get(reverse("me:home")).status_code == 200


def test_set_up_the_work_opens_and_it_cannot_be_removed(cast: Cast, settings: Any) -> None:
    settings.MFA_REQUIRED_ROLES = REQUIRED
    browser = begun("centre")
    set_up(browser)
    assert browser.get(reverse("desk:home")).status_code == 200
    browser.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(user=cast.centre, type="totp").exists()


def test_whom_no_role_binds_removes_it(cast: Cast) -> None:
    browser = begun("person")
    set_up(browser)
    assert browser.post(reverse("mfa_deactivate_totp"))["Location"] == reverse("mfa_index")
    assert not Authenticator.objects.exists()


def test_the_staff_admin_is_entered_by_the_same_door(cast: Cast) -> None:
    secret, _codes = set_up(begun("centre"))
    forget_counts()
    again = begun("centre")
    assert reverse("account_login") in Client().get(reverse("admin:login"))["Location"]
    assert again.get(reverse("admin:index")).status_code == 302
    assert enter(again, code_of(secret))["Location"] == reverse("desk:home")
    assert again.get(reverse("admin:index")).status_code == 200
