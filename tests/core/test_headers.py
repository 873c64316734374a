"""Cookies, headers and ways back: what a browser is told on every page."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests.cast import PASSWORD, Cast
from tests.deliveries import quick_passwords  # noqa: F401

PAGES = ["/", "/huizhou/", "/gansu/search/", "/accounts/login/", "/nothing/here/", "/healthz"]
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
]


@pytest.fixture
def visitor(db: None) -> Client:
    return Client()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_closed_to_frames_scripts_and_foreign_forms(visitor: Client, page: str) -> None:
    response = visitor.get(page)
    policy = dict(part.strip().partition(" ")[::2] for part in response["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["form-action"] == policy["base-uri"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    for name in ("camera", "microphone", "geolocation", "payment", "usb", "display-capture"):
        assert f"{name}=()" in response["Permissions-Policy"]


def test_over_tls_browsers_are_told_to_stay_there(visitor: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    assert "max-age=31536000" in Client().get("/huizhou/", secure=True)["Strict-Transport-Security"]


def test_no_cookie_is_for_scripts_other_sites_or_plain_connections(cast: Cast, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = True
    client = Client()
    client.get("/huizhou/")
    client.post("/size/", {"size": "large"})
    client.post("/language/", {"language": "en"})
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": cast.person.username, "password": PASSWORD})
    assert {"site", "size", "django_language", "csrftoken", "sessionid"} <= set(client.cookies)
    for name, cookie in client.cookies.items():
        assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True), name
    assert client.cookies["sessionid"]["max-age"] == "", "a session ends with the browser"
    assert django_settings.SESSION_COOKIE_AGE <= 8 * 3600


def test_signing_in_changes_the_session_and_signing_out_ends_it(cast: Cast) -> None:
    client = Client()
    session = client.session
    session["site"] = "gansu"
    session.save()
    before = client.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
    client.post("/accounts/login/", {"login": cast.person.username, "password": PASSWORD})
    inside = client.session.session_key
    assert inside and inside != before
    client.post("/accounts/logout/")
    assert not client.session.exists(inside)


@pytest.mark.parametrize("next_page", ELSEWHERE)
@pytest.mark.parametrize(
    ("address", "more"),
    [
        ("/size/", {"size": "large"}), ("/language/", {"language": "en"}), ("/accounts/logout/", {}),
        ("/accounts/login/", {"login": "cast", "password": PASSWORD}),
        ("/accounts/signup/", {"username": "newcomer-1", "password1": PASSWORD, "password2": PASSWORD}),
    ],
)  # fmt: skip
def test_no_way_back_leads_elsewhere(cast: Cast, address: str, more: dict[str, str], next_page: str) -> None:
    if more.get("login"):
        more = {**more, "login": cast.person.username}
    client = Client()
    if "logout" in address:
        client.force_login(cast.person, "django.contrib.auth.backends.ModelBackend")
    response = client.post(address, {**more, "next": next_page}, headers={"referer": next_page})
    assert response.status_code == 302
    assert "evil" not in response["Location"] and response["Location"].startswith("/")


@pytest.mark.parametrize("next_page", ELSEWHERE)
def test_the_admins_sign_in_leads_nowhere_else(cast: Cast, next_page: str) -> None:
    client = Client()
    sign_in = client.get("/admin/login/", {"next": next_page})
    assert sign_in["Location"].startswith("/accounts/login/?next=")
    response = client.post(sign_in["Location"], {"login": cast.clerk.username, "password": PASSWORD})
    assert response.status_code == 302
    assert "evil" not in response["Location"] and response["Location"].startswith("/")


def test_whoever_signs_in_too_often_is_asked_to_wait(cast: Cast, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    given = {"login": cast.person.username, "password": PASSWORD}
    client = Client(REMOTE_ADDR="203.0.113.77")
    client.post("/language/", {"language": "en"})
    answers = [client.post("/accounts/login/", given) for _ in range(3)]
    assert answers[-1].status_code == 429 and "in a few minutes" in answers[-1].content.decode()
