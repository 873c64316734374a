"""Around every request: closed by default, changes under a context and all or nothing, logs without personal values."""

import datetime
import logging
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, include, path, reverse
from django.views import View

from creditplatform.core import audit
from creditplatform.core.logs import Out
from creditplatform.core.permissions import anyone, rule, signed_in, staff
from records.models import KeyGroup
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401

PHONE = "13812345678"


def no_rule(request: HttpRequest) -> HttpResponse:
    return HttpResponse("secret")


class NoRule(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("secret")


@rule(anyone)
def open_page(request: HttpRequest) -> HttpResponse:
    return JsonResponse(audit.current())


@rule(signed_in)
def for_signed_in(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


@rule(staff)
class ForStaff(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")


def _write() -> None:
    with transaction.atomic():  # a refusal must not break the transaction of the test
        KeyGroup.objects.create(code="written", name="写", name_en="written")


@rule(anyone)
def writes(request: HttpRequest) -> HttpResponse:
    _write()
    return JsonResponse(audit.current(), status=int(request.GET.get("status", "200")))


@rule(anyone)
def writes_and_fails(request: HttpRequest) -> HttpResponse:
    _write()
    raise ZeroDivisionError(f"a value that must not be logged: {PERSON_NUMBER}")


@rule(anyone)
def logs(request: HttpRequest) -> HttpResponse:
    number, phone = request.GET["number"], request.GET["phone"]
    structlog.get_logger("test").warning(f"text {number}", number=number, nested={"a": [number, {"b": phone}]})
    structlog.get_logger("test").warning("whole number", value=int(number), parts=(number, phone))
    logging.getLogger("test.plain").warning("plain %s %s", number, phone)
    logging.getLogger("test.plain").warning("mapped %(number)s", {"number": number})
    logging.getLogger("test.plain").warning("extra", extra={"number": number})
    return HttpResponse("ok")


urlpatterns = [
    path("no-rule/", no_rule),
    path("no-rule-class/", NoRule.as_view()),
    path("open/", open_page, name="open"),
    path("signed-in/", for_signed_in),
    path("staff/", ForStaff.as_view()),
    path("writes/", writes),
    path("fails/", writes_and_fails, name="fails"),
    path("logs/", logs),
    path("admin/writes/", writes),
    path("", include("creditplatform.urls")),
]


@pytest.fixture(autouse=True)
def _our_addresses(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def visitor(db: None) -> Client:
    return Client(raise_request_exception=False)


def signed(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


# --- closed by default -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "head", "options", "put", "delete", "patch"])
@pytest.mark.parametrize("address", ["/no-rule/", "/no-rule-class/"])
def test_a_view_without_a_rule_is_refused(visitor: Client, address: str, method: str) -> None:
    response = getattr(visitor, method)(address)
    assert response.status_code == 403
    assert b"secret" not in response.content


def test_a_view_without_a_rule_is_refused_to_everybody(cast: Cast) -> None:
    for name, user in vars(cast).items():
        assert signed(user).get("/no-rule/").status_code == 403, name


def test_a_visitor_is_sent_to_sign_in_and_a_stranger_refused(cast: Cast) -> None:
    response = Client().get("/signed-in/?x=" + PERSON_NUMBER)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/signed-in/")
    assert PERSON_NUMBER not in response["Location"]
    assert signed(cast.person).get("/signed-in/").status_code == 200
    assert signed(cast.person).get("/staff/").status_code == 403
    assert signed(cast.clerk).get("/staff/").status_code == 200


def test_a_membership_that_ended_opens_nothing(cast: Cast) -> None:
    today = datetime.date.today()
    yesterday = today - datetime.timedelta(days=1)
    cast.clerk.memberships.update(valid_from=yesterday - datetime.timedelta(days=1), valid_until=yesterday)
    assert signed(type(cast.clerk).objects.get(pk=cast.clerk.pk)).get("/staff/").status_code == 403


def test_an_account_that_was_switched_off_opens_nothing(cast: Cast) -> None:
    client = signed(cast.clerk)
    cast.clerk.is_active = False
    cast.clerk.save()
    assert client.get("/staff/").status_code == 302


def test_every_rule_for_pages_of_libraries_names_a_page_that_exists() -> None:
    for name in django_settings.THIRD_PARTY_ACCESS_RULES:
        if name.endswith(":*"):
            assert name.removesuffix(":*") in get_resolver("creditplatform.urls").app_dict
            continue
        try:
            reverse(name, urlconf="creditplatform.urls")
        except NoReverseMatch:
            pytest.fail(f"{name} stands among the rules and is no page")


# --- changes under a context -----------------------------------------------------------------------


def test_reading_opens_no_context(visitor: Client) -> None:
    assert visitor.get("/open/").json() == {}
    assert visitor.get("/writes/").status_code == 500
    assert not KeyGroup.objects.filter(code="written").exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_an_unsafe_request_runs_under_a_context_with_who_and_door(cast: Cast, method: str) -> None:
    response = getattr(signed(cast.clerk), method)("/writes/")
    assert response.status_code == 200
    said = response.json()
    assert (said["actor"], said["door"]) == (cast.clerk.pk, "web")
    assert said["reason"]
    assert KeyGroup.objects.filter(code="written").exists()
    assert audit.current().get("reason") == "test", "the context of the request ends with it"


def test_the_door_of_the_admin_is_named(cast: Cast) -> None:
    assert signed(cast.clerk).post("/admin/writes/").json()["door"] == "admin"


def test_a_visitor_who_changes_something_is_nobody_with_a_door(visitor: Client) -> None:
    said = visitor.post("/writes/").json()
    assert "actor" not in said
    assert said["door"] == "web"


def test_an_error_takes_everything_back(visitor: Client) -> None:
    assert visitor.post("/fails/").status_code == 500
    assert not KeyGroup.objects.filter(code="written").exists()
    assert audit.current() == {}


@pytest.mark.parametrize(("status", "kept"), [(200, True), (302, True), (400, True), (500, False), (503, False)])
def test_a_server_error_without_exception_takes_everything_back(visitor: Client, status: int, kept: bool) -> None:
    assert visitor.post(f"/writes/?status={status}").status_code == status
    assert KeyGroup.objects.filter(code="written").exists() is kept


def test_a_later_request_of_the_same_connection_has_no_context(visitor: Client) -> None:
    visitor.post("/writes/")
    assert visitor.get("/open/").json() == {}


def test_cross_site_posts_are_refused_before_anything_is_written(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/writes/").status_code == 403
    assert not KeyGroup.objects.filter(code="written").exists()


# --- logs ------------------------------------------------------------------------------------------


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What the log handlers of the platform write, formatted as in production."""
    out = StringIO()
    handlers = [h for h in logging.getLogger().handlers if isinstance(h, Out)]
    assert handlers, "the platform configures one handler on the root logger"
    before = [handler.setStream(out) for handler in handlers]
    yield out
    for handler, stream in zip(handlers, before, strict=True):
        handler.setStream(stream or sys.stderr)


def test_a_request_with_a_number_in_its_address_leaves_none_in_the_log(visitor: Client, written: StringIO) -> None:
    for address in ("/open/", "/fails/", "/huizhou/search/", f"/nowhere/{PERSON_NUMBER}/", "/signed-in/"):
        visitor.get(f"{address}?q={PERSON_NUMBER}&phone={PHONE}&name=林示例", headers={"referer": f"/{PERSON_NUMBER}"})
        visitor.post(address, {"number": PERSON_NUMBER, "phone": PHONE})
    said = written.getvalue()
    assert '"page": "open"' in said and '"page": "fails"' in said and "ZeroDivisionError" in said
    assert PERSON_NUMBER not in said
    assert PHONE not in said
    assert "q=" not in said and "林示例" not in said


def test_whatever_is_logged_personal_numbers_are_hidden(visitor: Client, written: StringIO) -> None:
    assert visitor.get(f"/logs/?number={PERSON_NUMBER}&phone={PHONE}").status_code == 200
    lines = [line for line in written.getvalue().splitlines() if "test" in line]
    leaking = [line[:60] for line in lines if PERSON_NUMBER in line or PHONE in line]
    assert len(lines) >= 5
    assert leaking == [], f"{len(leaking)} of {len(lines)} lines show a number"


def test_one_line_per_request_names_the_page_and_the_status(visitor: Client, written: StringIO) -> None:
    visitor.get("/open/")
    lines = [line for line in written.getvalue().splitlines() if "creditplatform.request" in line]
    assert len(lines) == 1
    assert '"status": 200' in lines[0] and '"method": "GET"' in lines[0] and "milliseconds" in lines[0]


def test_rules_ask_nothing_of_a_visitor_without_account(db: None) -> None:
    request = HttpRequest()
    request.user = AnonymousUser()
    assert (anyone(request), signed_in(request), staff(request)) == (True, False, False)
