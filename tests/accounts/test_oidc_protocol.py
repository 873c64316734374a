"""The protocol of sign-in: what is asked, and every answer of the real provider that does not hold."""

import base64
import contextlib
import datetime
import json
import threading
from collections.abc import Iterator
from html import unescape
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from django.urls import reverse

from creditplatform.identity_platforms import library_settings
from creditplatform.oidc import NOT_ANSWERED
from tests.accounts.oidc_world import (
    CALLBACK,
    GOOD,
    account,
    begin,
    come_back,
    sentence,
    sign_in,
)
from tests.unified_platform.running import CLIENT, UnifiedPlatform

pytestmark = pytest.mark.usefixtures("connected")


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
