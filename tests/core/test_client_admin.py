"""Machine clients in the staff admin: for the security administrator alone, the secret shown once, off means off."""

import base64
import re
from typing import Any

import pytest
from django.test import Client

from creditplatform.core.enums import Scope
from creditplatform.core.models import Agency, ApiClient, User
from tests.cast import Cast
from tests.machines import machine, token_for

TABLE = "/admin/core/apiclient/"


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


def asked_for_token(client: ApiClient, secret: str) -> int:
    basic = base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
    return (
        Client()
        .post("/api/v1/token/", {"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {basic}"})
        .status_code
    )


def secret_on(response: Any) -> str:
    found = re.search(r"<code data-secret>([^<]+)</code>", response.content.decode())
    assert found
    assert "no-store" in response.headers["Cache-Control"]
    return found[1]


def test_a_client_is_made_and_its_secret_shown_exactly_once(cast: Cast) -> None:
    security = browser_of(cast.security)
    made = security.post(
        f"{TABLE}add/",
        {
            "name": "case system",
            "agency": Agency.objects.get(code="hz-market").pk,
            "scopes": ["feeds.write", "feeds.read"],
        },
        follow=True,
    )
    secret, client = secret_on(made), ApiClient.objects.get()
    assert asked_for_token(client, secret) == 200
    for page in (TABLE, f"{TABLE}{client.pk}/change/", f"{TABLE}{client.pk}/secret/", f"{TABLE}{client.pk}/history/"):
        text = security.get(page, follow=True).content.decode()
        assert secret not in text and client.client_secret not in text, page


def test_loading_the_page_of_the_secret_again_makes_nothing_and_says_it_was_shown(cast: Cast) -> None:
    security = browser_of(cast.security)
    unit = Agency.objects.get(code="hz-market").pk
    made = security.post(f"{TABLE}add/", {"name": "case system", "agency": unit, "scopes": ["feeds.read"]})
    client = ApiClient.objects.get()
    assert (made.status_code, made.headers["Location"]) == (302, f"{TABLE}{client.pk}/secret/")
    kept = str(dict(security.session))
    assert security.head(made.headers["Location"]).status_code == 200  # a look at the address alone uses nothing up
    secret = secret_on(security.get(made.headers["Location"]))
    assert secret not in kept and "sealed" not in str(dict(security.session))
    again = security.get(made.headers["Location"])
    assert secret not in again.content.decode() and "was shown once" in again.content.decode()
    assert "no-store" in again.headers["Cache-Control"]
    client.refresh_from_db()
    assert ApiClient.objects.count() == 1 and asked_for_token(client, secret) == 200


def test_a_secret_waits_for_its_own_client_and_its_own_session_alone(cast: Cast) -> None:
    client, security = machine(Scope.FEEDS_READ), browser_of(cast.security)
    other = machine(Scope.FEEDS_READ, name="another")
    security.post(f"{TABLE}{client.pk}/secret/")
    assert "data-secret" not in security.get(f"{TABLE}{other.pk}/secret/").content.decode()
    assert "data-secret" not in browser_of(cast.security).get(f"{TABLE}{client.pk}/secret/").content.decode()
    secret_on(security.get(f"{TABLE}{client.pk}/secret/"))


def test_a_new_secret_ends_the_old_one_and_its_tokens(cast: Cast) -> None:
    client = machine(Scope.FEEDS_READ)
    token = token_for(client)
    secret = secret_on(browser_of(cast.security).post(f"{TABLE}{client.pk}/secret/", follow=True))
    client.refresh_from_db()
    assert (asked_for_token(client, secret), asked_for_token(client, "secret-of-every-test-client")) == (200, 401)
    assert Client().get("/api/v1/feeds/", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_client_switched_off_opens_nothing_until_it_is_on_again(cast: Cast) -> None:
    client, security = machine(Scope.FEEDS_READ), browser_of(cast.security)
    secret = secret_on(security.post(f"{TABLE}{client.pk}/secret/", follow=True))
    token = token_for(client)
    for active, status in ((False, 401), (True, 200)):
        security.post(f"{TABLE}{client.pk}/switch/")
        client.refresh_from_db()
        assert (client.active, asked_for_token(client, secret)) == (active, status)
    assert Client().get("/api/v1/feeds/", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_client_without_a_scope_is_not_made(cast: Cast) -> None:
    page = browser_of(cast.security).post(
        f"{TABLE}add/", {"name": "x", "agency": Agency.objects.get(code="hz-market").pk}
    )
    assert page.status_code == 200 and "data-secret" not in page.content.decode()
    assert not ApiClient.objects.exists()


@pytest.mark.parametrize("who", ["clerk", "supervisor", "centre", "auditor", "operator", "superuser"])
def test_nobody_else_sees_or_changes_a_client(cast: Cast, who: str) -> None:
    client = machine(Scope.FEEDS_READ)
    before = client.client_secret
    user = User.objects.create(username="root", is_superuser=True) if who == "superuser" else getattr(cast, who)
    stranger = browser_of(user)
    for page in (TABLE, f"{TABLE}add/", f"{TABLE}{client.pk}/change/"):
        assert stranger.get(page).status_code in (302, 403), page
    for step in ("add/", f"{client.pk}/secret/", f"{client.pk}/switch/"):
        stranger.post(
            f"{TABLE}{step}", {"name": "x", "agency": Agency.objects.get(code="hz-market").pk, "scopes": ["feeds.read"]}
        )
    kept = ApiClient.objects.get()
    assert (kept.client_secret, kept.active) == (before, True)
    for table in ("accesstoken", "grant", "idtoken", "refreshtoken", "application"):
        assert stranger.get(f"/admin/oauth2_provider/{table}/").status_code in (302, 403, 404)
