"""How often, how much, and what of a client is kept for it."""

import errno
import io
import secrets
import unittest.mock
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path
from redis.exceptions import ConnectionError as BrokerGone

from creditplatform.core import audit, limits
from creditplatform.core.permissions import anyone, rule
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401

ADDRESS = "203.0.113.77"
SEEN: list[str] = []


@rule(anyone)
def takes(request: HttpRequest) -> HttpResponse:
    SEEN.append(audit.current()["reason"])
    return HttpResponse(str(sum(file.size or 0 for file in request.FILES.values()) or len(request.body)))


urlpatterns = [path("takes/", takes, name="takes"), path("", include("creditplatform.urls"))]


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    settings.SECRET_KEY = secrets.token_hex()
    settings.ROOT_URLCONF = __name__
    SEEN.clear()


@pytest.fixture
def visitor(db: None) -> Client:
    return Client(REMOTE_ADDR=ADDRESS, raise_request_exception=False)


# --- how often ---------------------------------------------------------------------------------------


def few(settings: Any, **numbers: int) -> None:
    settings.LIMITS_PER_MINUTE = {"publicity:search": 10, "publicity:*": 10, **numbers}


@time_machine.travel("2026-05-04T08:00:20+08:00", tick=False)
def test_more_pages_than_the_limit_are_answered_with_when_to_try_again(visitor: Client, settings: Any) -> None:
    few(settings, **{"publicity:*": 2})
    assert [visitor.get("/huizhou/").status_code for _ in range(2)] == [200, 200]
    refused = visitor.get("/gansu/records/nothing/", headers={"accept-language": "en"})
    assert refused.status_code == 429
    assert (refused["Retry-After"], refused["Cache-Control"]) == ("40", "no-store")
    html = refused.content.decode()
    assert "40" in html and "<h1>" in html and 'href="/gansu/"' in html
    assert visitor.get("/gansu/search/").status_code == 200, "searches have a count of their own"
    assert Client(REMOTE_ADDR="203.0.113.78").get("/huizhou/").status_code == 200
    with time_machine.travel("2026-05-04T08:01:01+08:00", tick=False):
        assert visitor.get("/huizhou/").status_code == 200


@pytest.mark.parametrize("address", ["/huizhou/records/nothing/", "/huizhou/records/nothing.json"])
def test_records_are_limited_in_every_form(visitor: Client, settings: Any, address: str) -> None:
    few(settings, **{"publicity:*": 3})
    assert [visitor.get(address).status_code for _ in range(4)] == [404, 404, 404, 429]


def test_searches_are_limited_whether_they_come_by_address_or_are_posted(visitor: Client, settings: Any) -> None:
    few(settings, **{"publicity:search": 2})
    statuses = [visitor.post("/huizhou/search/", {"q": "东江"}).status_code, visitor.get("/gansu/search/").status_code]
    assert statuses == [200, 200]
    assert visitor.post("/huizhou/search/", {"q": "东江"}).status_code == 429


def test_own_pages_staff_and_probes_are_not_counted(visitor: Client, settings: Any) -> None:
    few(settings, **{"publicity:*": 0, "publicity:search": 0})
    for address in ("/healthz", "/readyz", "/accounts/login/", "/me/", "/admin/"):
        assert visitor.get(address).status_code in (200, 302), address
    assert visitor.get("/").status_code == 429


def test_an_address_sent_along_is_believed_from_our_own_proxies_only(visitor: Client, settings: Any) -> None:
    few(settings, **{"publicity:*": 1})
    one, other = ({"x-forwarded-for": f"198.51.100.{number}"} for number in (1, 2))
    assert [visitor.get("/", headers=headers).status_code for headers in (one, other)] == [200, 429]
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert [visitor.get("/", headers=headers).status_code for headers in (one, other, one)] == [200, 200, 429]


def test_no_address_stands_in_the_cache_or_in_a_log(visitor: Client, settings: Any, caplog: Any) -> None:
    few(settings)
    before = set(cache._cache.get_client().keys("*"))  # type: ignore[attr-defined]
    visitor.get("/huizhou/")
    visitor.post("/accounts/login/", {"login": "nobody", "password": "wrong"})
    keys = set(cache._cache.get_client().keys("*")) - before  # type: ignore[attr-defined]
    assert len([key for key in keys if b"limit:publicity" in key]) == 1
    assert any(b"login" in key for key in keys), "the account library counts too"
    assert not any(ADDRESS.encode() in key for key in keys)
    assert ADDRESS not in caplog.text


def test_a_client_is_another_one_tomorrow_and_one_network_is_one_client() -> None:
    with time_machine.travel("2026-05-04T12:00:00+08:00"):
        today = limits.hidden_address(ADDRESS)
        assert limits.hidden_address(f"::ffff:{ADDRESS}") == today
        assert limits.hidden_address("2001:db8:1:2::5") == limits.hidden_address("2001:db8:1:2:ffff::1")
        assert limits.hidden_address("2001:db8:1:2::5") != limits.hidden_address("2001:db8:1:3::5")
    with time_machine.travel("2026-05-05T12:00:00+08:00"):
        assert limits.hidden_address(ADDRESS) != today


def test_without_the_cache_or_without_an_address_everybody_may(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    request = RequestFactory(REMOTE_ADDR="").get("/")
    assert limits.wait_for(request, "x", 0) == 0

    def gone(*_: object) -> int:
        raise BrokerGone

    monkeypatch.setattr(limits, "count", gone)
    assert limits.wait_for(RequestFactory().get("/"), "x", 0) == 0


def test_counting_begins_anew_when_the_time_is_over() -> None:
    what = f"test:{secrets.token_hex()}"
    assert [limits.count(what, 60), limits.count(what, 60)] == [1, 2]
    assert 0 < cache._cache.get_client().ttl(cache.make_key(limits.key_of(what))) <= 60  # type: ignore[attr-defined]
    limits.forget(what)
    assert limits.count(what, 60) == 1


# --- how much ----------------------------------------------------------------------------------------

UPLOAD = "/desk/deliveries/new/"


class Body(io.BytesIO):
    """A body that notes under which context it is read."""

    def read(self, *size: Any) -> bytes:
        SEEN.append(audit.current().get("reason", "outside"))
        return super().read(*size)


def send(client: Client, address: str, *, length: int) -> Any:
    """A request that says how long its body is; only the first bytes of it exist."""
    return client.generic(
        "POST", address, b"x", content_type="multipart/form-data; boundary=b", CONTENT_LENGTH=str(length),
        **{"wsgi.input": Body(b"x" * 10)},
    )  # fmt: skip


@pytest.mark.parametrize("address", ["/takes/", "/huizhou/search/", UPLOAD, "/nowhere/", "/accounts/signup/"])
def test_what_is_too_large_is_refused_unread(visitor: Client, settings: Any, address: str) -> None:
    response = send(visitor, address, length=settings.BODY_MAX_BYTES + 1)
    assert response.status_code == 413
    assert SEEN == []
    assert "<h1>" in response.content.decode() and "10.0" in response.content.decode()


def test_staff_may_deliver_large_files_where_files_are_delivered(cast: Cast, settings: Any) -> None:
    settings.BODY_MAX_BYTES = 10
    for user, address, status in (
        (cast.clerk, UPLOAD, 200), (cast.clerk, "/takes/", 413), (cast.person, UPLOAD, 413),
    ):  # fmt: skip
        client = Client()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        response = client.post(address, {"file": SimpleUploadedFile("x.csv", b"0" * 50)})
        assert response.status_code == status, (user, address)


def test_even_there_the_largest_file_is_the_limit(cast: Cast, settings: Any) -> None:
    client = Client()
    client.force_login(cast.clerk, "django.contrib.auth.backends.ModelBackend")
    assert send(client, UPLOAD, length=settings.FEED_FILE_MAX_BYTES + 2 * 1024**2).status_code == 413


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_is_read_before_the_transaction_begins(visitor: Client, kind: str) -> None:
    body = b"--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n12345\r\n--b--\r\n"
    response = visitor.generic(
        "POST", "/takes/", body, content_type=kind, **{"wsgi.input": Body(body)}
    )  # fmt: skip
    assert response.status_code == 200
    assert response.content in (b"5", str(len(body)).encode())
    assert SEEN[-1] == "request" and set(SEEN[:-1]) == {"outside"}


def test_a_client_that_goes_away_is_no_error_of_ours(visitor: Client) -> None:
    class Broken(io.BytesIO):
        def read(self, *size: Any) -> bytes:
            raise OSError("gone")

    for kind in ("multipart/form-data; boundary=b", "text/plain"):
        response = visitor.generic("POST", "/takes/", b"12", content_type=kind, **{"wsgi.input": Broken(b"12")})
        assert response.status_code == 400
    assert SEEN == []


@pytest.mark.parametrize(("said", "status"), [("", 200), ("0", 200), ("x", 400), ("-5", 400)])
def test_a_length_that_is_no_number_is_refused(visitor: Client, said: str, status: int) -> None:
    assert visitor.generic("POST", "/takes/", b"", CONTENT_LENGTH=said).status_code == status


# --- machines ----------------------------------------------------------------------------------------


def data_of(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    told: dict[str, Any] = answer.json()
    assert set(told) == {"code", "message", "problems"} and told["message"]
    return told


def test_a_machine_over_the_limit_is_told_as_data(visitor: Client, settings: Any) -> None:
    few(settings, **{"api:token": 0})
    answer = visitor.post("/api/v1/token/", headers={"accept-language": "en"})
    told = data_of(answer, 429)
    assert (told["code"], told["message"][:14]) == ("throttled", "Too many calls")
    assert 0 < int(answer["Retry-After"]) <= 60 and answer["Cache-Control"] == "no-store"


def test_a_machine_is_told_as_data_that_its_body_cannot_be_taken(visitor: Client, settings: Any) -> None:
    odd = visitor.generic("POST", "/api/v1/token/", b"", CONTENT_LENGTH="x")
    assert data_of(odd, 400)["code"] == "bad_request"
    large = send(visitor, "/api/v1/token/", length=settings.BODY_MAX_BYTES + 1)
    assert data_of(large, 413)["code"] == "body_too_large"


def test_a_machine_is_told_as_data_that_there_is_no_room(visitor: Client) -> None:
    class Full(io.BytesIO):
        def read(self, *size: Any) -> bytes:
            raise OSError(errno.ENOSPC, "full")

    with unittest.mock.patch("creditplatform.core.middleware._take_in", Full().read):
        assert data_of(visitor.post("/api/v1/token/"), 507)["code"] == "no_room"
        assert b"<h1>" in visitor.post("/huizhou/search/").content
