"""Sign-in by an identity platform, against a real OpenID Connect provider that runs beside the tests."""

import base64
import contextlib
import datetime
import json
import logging
import re
import threading
from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives.asymmetric import rsa
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.identity import make_resident_id
from creditplatform.core.models import User
from creditplatform.identity_platforms import Claims, IdentityPlatform, from_environment, library_settings
from creditplatform.oidc import NOT_ANSWERED
from records.identifiers import name_index
from records.models import RealNameBinding, Subject
from tests.cast import PASSWORD, PERSON_NUMBER, Cast, citizen, person_subject
from tests.unified_platform.running import CLIENT, SECRET, UnifiedPlatform

NAME, NUMBER = "苏念禾", make_resident_id("620102", datetime.date(1992, 8, 9), 998)
CHILD = make_resident_id("620102", datetime.date.today() - datetime.timedelta(days=16 * 365), 997)
CALLBACK = "http://testserver/accounts/platforms/province/callback/"
GOOD = {"name": NAME, "identity": {"number": NUMBER, "kind": "111"}, "level": "REAL"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnifiedPlatform]:
    running = UnifiedPlatform(tmp_path_factory.mktemp("platform"))
    running.start()
    running.allow(CALLBACK)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def connected(platform: UnifiedPlatform, settings: Any) -> None:
    one = IdentityPlatform(
        code="province", name="省统一身份认证", name_en="Provincial identity", url=platform.address, client_id=CLIENT,
        secret=SECRET, claims=Claims(
            number="identity.number", kind="identity.kind", verified="level", accepted=("real",),
            kinds={"111": "resident_id", "414": "passport"},
        ),
    )  # fmt: skip
    settings.IDENTITY_PLATFORMS = {"province": one}
    settings.SOCIALACCOUNT_PROVIDERS = library_settings(settings.IDENTITY_PLATFORMS)


@pytest.fixture
def browser(db: None) -> Client:
    """No context is open around the requests: what they write, they write under one of their own."""
    return Client()


def on_file(number: str, name: str, username: str = "") -> Subject:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        subject = person_subject(number, name)
        if username:
            citizen(username, subject)
    return subject


def begin(browser: Client, **data: str) -> str:
    """Press the button of the sign-in page; where the browser is led."""
    response = browser.post(reverse("openid_connect_login", args=["province"]), data)
    assert response.status_code == 200, response.content.decode()
    address = response["Refresh"].removeprefix("0; url=")
    assert address in unescape(response.content.decode())
    return address


def come_back(browser: Client, address: str) -> HttpResponse:
    return browser.get(address.removeprefix("http://testserver"))


def sign_in(browser: Client, platform: UnifiedPlatform, username: str, **claims: Any) -> HttpResponse:
    platform.know(username, **claims)
    return come_back(browser, platform.sign_in(begin(browser), username, CALLBACK))


def account(browser: Client) -> User | None:
    return User.objects.filter(pk=browser.session.get("_auth_user_id")).first()


def sentence(response: HttpResponse) -> str:
    assert response.status_code == 403, response
    found = re.search(r'role="alert">(.*?)</p>', response.content.decode(), re.DOTALL)
    assert found
    return found[1]


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


# --- the protocol ---------------------------------------------------------------------------------


def test_the_code_is_asked_for_with_proof_of_possession(platform: UnifiedPlatform, browser: Client) -> None:
    asked = parse_qs(urlsplit(begin(browser)).query)
    assert asked["code_challenge_method"] == ["S256"] and len(asked["code_challenge"][0]) == 43
    assert asked["response_type"] == ["code"] and asked["redirect_uri"] == [CALLBACK] and len(asked["state"][0]) >= 16


def other_modulus() -> str:
    """The modulus of another pair of keys, as a set of keys writes it."""
    number = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key().public_numbers().n
    return base64.urlsafe_b64encode(number.to_bytes(256, "big")).rstrip(b"=").decode()


@contextlib.contextmanager
def served(text: str) -> Iterator[str]:
    """A document at an address of its own."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_words: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_an_answer_counts_once(platform: UnifiedPlatform, browser: Client) -> None:
    platform.know("verified", **GOOD)
    answer = platform.sign_in(begin(browser), "verified", CALLBACK)
    assert come_back(browser, answer).status_code == 302
    before = platform.tokens()
    sentence(come_back(browser, answer))
    assert platform.tokens() == before


def test_an_answer_for_another_browser_opens_nothing(platform: UnifiedPlatform, browser: Client) -> None:
    platform.know("verified", **GOOD)
    answer, thief = platform.sign_in(begin(browser), "verified", CALLBACK), Client()
    before = platform.tokens()
    sentence(come_back(thief, answer))
    assert account(thief) is None and platform.tokens() == before


def test_a_stolen_code_under_another_state_fails_the_proof(platform: UnifiedPlatform, browser: Client) -> None:
    platform.know("verified", **GOOD)
    code = parse_qs(urlsplit(platform.sign_in(begin(browser), "verified", CALLBACK)).query)["code"][0]
    thief = Client()
    state = parse_qs(urlsplit(begin(thief)).query)["state"][0]
    before = platform.tokens()
    sentence(thief.get(urlsplit(CALLBACK).path, {"code": code, "state": state}))
    assert account(thief) is None and platform.tokens() == before


@pytest.mark.parametrize("query", [{}, {"state": "x"}, {"code": "x", "state": "x"}, {"error": "access_denied"}])
def test_an_answer_nobody_asked_for_is_refused(query: dict[str, str], browser: Client) -> None:
    sentence(browser.get(urlsplit(CALLBACK).path, query))


def test_leaving_the_platform_is_said_in_words(platform: UnifiedPlatform, browser: Client) -> None:
    state = parse_qs(urlsplit(begin(browser)).query)["state"][0]
    sentence(browser.get(urlsplit(CALLBACK).path, {"error": "access_denied", "state": state}))


def test_every_question_brings_a_number_used_once(browser: Client) -> None:
    first, second = (parse_qs(urlsplit(begin(browser)).query)["nonce"][0] for _time in range(2))
    assert first != second and len(first) == 32


NOW = int(datetime.datetime.now(datetime.UTC).timestamp())


@pytest.mark.parametrize(
    "token",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"exp": NOW - 120},
        {"exp": None},
        {"iat": NOW + 24 * 3600},
        {"nonce": "of-another-question"},
        {"nonce": None},
    ],
)  # fmt: skip
def test_a_token_that_is_not_for_us_now_is_refused(
    token: dict[str, Any], platform: UnifiedPlatform, browser: Client
) -> None:
    said = sentence(sign_in(browser, platform, "token", **GOOD, id_token=token))
    assert str(NOT_ANSWERED) in unescape(said) and not any(str(value) in said for value in token.values() if value)
    assert account(browser) is None and not SocialAccount.objects.exists()


def test_a_token_signed_by_somebody_else_is_refused(platform: UnifiedPlatform, browser: Client, settings: Any) -> None:
    keys = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]
    forged = requests.get(f"{platform.address}/.well-known/jwks.json", timeout=5).json()
    forged["keys"][0]["n"] = other_modulus()
    with served(json.dumps(forged)) as address:
        keys["openid_configuration_overrides"] = {"jwks_uri": address}
        sentence(sign_in(browser, platform, "forged", **GOOD))
    assert account(browser) is None


def test_an_answer_without_a_token_of_identity_is_refused(
    platform: UnifiedPlatform, browser: Client, settings: Any
) -> None:
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["scope"] = ["profile"]
    sentence(sign_in(browser, platform, "tokenless", **GOOD))
    assert account(browser) is None


def test_a_platform_that_calls_itself_otherwise_is_refused(
    platform: UnifiedPlatform, browser: Client, settings: Any
) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["openid_configuration_overrides"] = {"issuer": "https://elsewhere.example"}
    sentence(sign_in(browser, platform, "otherwise", **GOOD))
    assert account(browser) is None


def test_answers_that_name_two_people_are_refused(platform: UnifiedPlatform, browser: Client) -> None:
    sentence(sign_in(browser, platform, "two", **GOOD, sub="somebody-else"))
    assert account(browser) is None


def test_a_platform_that_is_away_is_no_crash(browser: Client, settings: Any) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = "http://127.0.0.1:1"
    response = browser.post(reverse("openid_connect_login", args=["province"]))
    sentence(response)


def test_the_button_is_there_and_begins_by_post_alone(browser: Client) -> None:
    page = browser.get(reverse("account_login")).content.decode()
    address = reverse("openid_connect_login", args=["province"])
    assert f'action="{address}"' in page and "省统一身份认证" in page
    assert browser.get(address).status_code == 405
    assert browser.post(reverse("openid_connect_login", args=["nowhere"])).status_code == 404


def test_without_platforms_there_is_no_button(browser: Client, settings: Any) -> None:
    settings.IDENTITY_PLATFORMS = {}
    settings.SOCIALACCOUNT_PROVIDERS = library_settings({})
    assert "platforms/" not in browser.get(reverse("account_login")).content.decode()
    assert browser.post(reverse("openid_connect_login", args=["province"])).status_code == 404


def test_no_address_elsewhere_is_gone_to_afterwards(platform: UnifiedPlatform, browser: Client) -> None:
    platform.know("verified", **GOOD)
    answer = platform.sign_in(begin(browser, next="https://elsewhere.example/"), "verified", CALLBACK)
    assert come_back(browser, answer)["Location"] == reverse("me:home")


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
