"""Sign-in by an identity platform, against a real OpenID Connect provider that runs beside the tests."""

import logging
import re
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.urls import reverse

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import User
from creditplatform.identity_platforms import from_environment
from records.identifiers import name_index
from records.models import RealNameBinding, Subject
from tests.accounts.oidc_world import (
    CHILD,
    GOOD,
    NAME,
    NUMBER,
    account,
    on_file,
    sentence,
    sign_in,
)
from tests.cast import PASSWORD, PERSON_NUMBER, Cast
from tests.unified_platform.running import SECRET, UnifiedPlatform

pytestmark = pytest.mark.usefixtures("connected")


def test_a_verified_person_gets_an_account_that_is_bound(platform: UnifiedPlatform, browser: Client) -> None:
    response = sign_in(browser, platform, "verified", **GOOD)
    assert (response.status_code, response["Location"]) == (302, reverse("me:home"))
    user = account(browser)
    assert user is not None and re.fullmatch(r"id-[0-9a-f]{10}", user.username) and not user.has_usable_password()
    binding = RealNameBinding.objects.get(user=user)
    assert binding.adapter == "oidc:province"
    assert (binding.subject.number_sealed, binding.subject.name_sealed) == (NUMBER, NAME)
    assert NAME in browser.get(reverse("me:home")).content.decode()
    assert "省统一身份认证" in browser.get(reverse("me:account")).content.decode()


def test_the_next_sign_in_opens_the_same_account(platform: UnifiedPlatform, browser: Client) -> None:
    sign_in(browser, platform, "verified", **GOOD)
    again = Client()
    sign_in(again, platform, "verified", **GOOD)
    assert account(again) == account(browser)
    assert User.objects.filter(username__startswith="id-").count() == 1


def test_nothing_of_the_answer_is_stored_or_logged(
    platform: UnifiedPlatform, browser: Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    sign_in(browser, platform, "verified", **GOOD, phone_number="13800000000", preferred_username=NUMBER)
    row = SocialAccount.objects.get()
    assert row.extra_data == {} and re.fullmatch(r"[0-9a-f]{32}", row.uid)
    assert not SocialToken.objects.exists()
    said = caplog.text + "".join(capfd.readouterr())
    assert not any(secret in said for secret in (NAME, NUMBER, "13800000000", SECRET))
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if model._meta.managed and not model._meta.proxy:
                table = model._meta.db_table
                cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text ~ %s", [f"{NUMBER}|{NAME}|13800000000"])  # noqa: S608
                assert cursor.fetchone() == (0,), table
    assert not any(NUMBER in str(value) or NAME in str(value) for value in browser.session.values())


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {**GOOD, "level": "PHONE"},
        {**GOOD, "level": None},
        {**GOOD, "name": ""},
        {**GOOD, "name": ["x"]},
        {**GOOD, "identity": {"kind": "111"}},
        {**GOOD, "identity": {"number": NUMBER, "kind": "999"}},
        {**GOOD, "identity": {"number": NUMBER}},
        {**GOOD, "identity": "none"},
    ],
)
def test_absent_or_wrong_claims_make_no_account(
    claims: dict[str, Any], platform: UnifiedPlatform, browser: Client
) -> None:
    before = User.objects.count()
    said = sentence(sign_in(browser, platform, "unclear", **claims))
    assert "实名" in said or "identity platform" in said
    assert (User.objects.count(), account(browser)) == (before, None)
    assert not SocialAccount.objects.exists()


def test_a_number_that_cannot_be_one_makes_no_account(platform: UnifiedPlatform, browser: Client) -> None:
    wrong = {**GOOD, "identity": {"number": NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1"), "kind": "111"}}
    assert NUMBER[:-1] not in sentence(sign_in(browser, platform, "mistyped", **wrong))
    assert account(browser) is None and not RealNameBinding.objects.exists()


def test_a_minor_is_led_to_the_window(platform: UnifiedPlatform, browser: Client) -> None:
    sentence(sign_in(browser, platform, "minor", **{**GOOD, "identity": {"number": CHILD, "kind": "111"}}))
    assert account(browser) is None and not Subject.objects.exists()


def test_a_passport_is_bound_as_what_it_is(platform: UnifiedPlatform, browser: Client) -> None:
    claims = {"name": "ANNA MARTEN", "identity": {"number": "ZZ7000001", "kind": "414"}, "level": "real"}
    sign_in(browser, platform, "traveller", **claims)
    assert RealNameBinding.objects.get().subject.identifier_kind == "passport"


def test_a_person_with_another_account_is_not_bound_anew(platform: UnifiedPlatform, browser: Client) -> None:
    on_file(NUMBER, NAME, "owner")
    sentence(sign_in(browser, platform, "verified", **GOOD))
    assert RealNameBinding.objects.get().user.username == "owner"
    assert account(browser) is None and User.objects.filter(username__startswith="id-").count() == 0


def test_the_same_name_alone_binds_nobody(platform: UnifiedPlatform, browser: Client) -> None:
    namesake = on_file(PERSON_NUMBER, NAME)
    sign_in(browser, platform, "verified", **GOOD)
    assert RealNameBinding.objects.get().subject != namesake


def test_another_name_on_file_under_the_number_leads_to_the_window(platform: UnifiedPlatform, browser: Client) -> None:
    subject = on_file(NUMBER, "别人")
    sentence(sign_in(browser, platform, "verified", **GOOD))
    assert not RealNameBinding.objects.exists()
    assert Subject.objects.get(pk=subject.pk).name_index == name_index("别人")


def test_an_account_whose_platform_suddenly_names_another_person_stays_shut(
    platform: UnifiedPlatform, browser: Client
) -> None:
    sign_in(browser, platform, "verified", **GOOD)
    other = {"name": "林示例", "identity": {"number": PERSON_NUMBER, "kind": "111"}, "level": "real"}
    again = Client()
    sentence(sign_in(again, platform, "verified", **other))
    assert account(again) is None and RealNameBinding.objects.get().subject.number_sealed == NUMBER


def test_whoever_is_signed_in_connects_the_own_account(platform: UnifiedPlatform, browser: Client, cast: Cast) -> None:
    browser.post(reverse("account_login"), {"login": "unbound", "password": PASSWORD})
    sign_in(browser, platform, "verified", **GOOD)
    assert account(browser) == cast.unbound
    assert RealNameBinding.objects.get(user=cast.unbound).adapter == "oidc:province"
    later = Client()
    sign_in(later, platform, "verified", **GOOD)
    assert account(later) == cast.unbound


def test_somebody_elses_platform_account_is_not_connected(
    platform: UnifiedPlatform, browser: Client, cast: Cast
) -> None:
    browser.post(reverse("account_login"), {"login": "person", "password": PASSWORD})
    sentence(sign_in(browser, platform, "verified", **GOOD))
    assert not SocialAccount.objects.exists() and cast.person.real_name.subject.number_sealed == PERSON_NUMBER


def test_a_closed_account_stays_closed(platform: UnifiedPlatform, browser: Client) -> None:
    sign_in(browser, platform, "verified", **GOOD)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        User.objects.filter(username__startswith="id-").update(is_active=False)
    again = Client()
    sentence(sign_in(again, platform, "verified", **GOOD))
    assert account(again) is None


# --- settings -------------------------------------------------------------------------------------

GIVEN = {
    "CREDIT_OIDC_PROVIDERS": "gd-sso", "CREDIT_OIDC_GD_SSO_NAME": "粤", "CREDIT_OIDC_GD_SSO_URL": "https://sso.example/",
    "CREDIT_OIDC_GD_SSO_CLIENT_ID": "c", "CREDIT_OIDC_GD_SSO_CLIENT_SECRET": "s",
    "CREDIT_OIDC_GD_SSO_KINDS": "111=resident_id, 414=passport", "CREDIT_OIDC_GD_SSO_VERIFIED": "L3,L4",
}  # fmt: skip


def test_platforms_are_read_from_the_environment() -> None:
    (one,) = from_environment(GIVEN, secure=True).values()
    assert (one.code, one.name_en, one.url, one.scopes) == (
        "gd-sso",
        "粤",
        "https://sso.example",
        ("openid", "profile"),
    )
    assert one.claims.kinds == {"111": "resident_id", "414": "passport"} and one.claims.accepted == ("L3", "L4")
    assert from_environment({}, secure=True) == {}


@pytest.mark.parametrize("change", [{"CREDIT_OIDC_GD_SSO_CLIENT_SECRET": ""}, {"CREDIT_OIDC_GD_SSO_URL": "http://x"}])
def test_a_platform_that_is_not_fully_named_stops_the_start(change: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured):
        from_environment({**GIVEN, **change}, secure=True)
