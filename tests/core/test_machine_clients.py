"""Machine clients: a token by client credentials, scopes, limits, and refusals as data."""

import base64
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from creditplatform.core.api import ApiView
from creditplatform.core.enums import Scope
from creditplatform.core.errors import Conflict, FieldProblem, Invalid
from creditplatform.core.models import Agency, ApiClient, Heartbeat
from creditplatform.urls import handler404, handler500  # noqa: F401
from creditplatform.urls import urlpatterns as real
from tests.cast import PERSON_NUMBER
from tests.machines import SECRET, machine, token_for


class Figures(ApiView):
    """A page of the test that asks for one scope."""

    scopes = (Scope.STATISTICS_READ,)

    def get(self, request: Request) -> Response:
        return Response({"unit": self.agency.code, "client": self.client.name})

    def post(self, request: Request) -> Response:
        raise Invalid([FieldProblem("month", "required", "Say which month.")])


class Form(serializers.Serializer):  # type: ignore[misc]
    """What the address below asks for."""

    columns = serializers.DictField(child=serializers.CharField(max_length=4))
    kind = serializers.ChoiceField([("a", "A")])
    month = serializers.CharField()


class Taking(ApiView):
    """A page of the test that writes, and then refuses."""

    scopes = (Scope.STATISTICS_READ,)

    def post(self, request: Request) -> Response:
        with transaction.atomic():
            Heartbeat.objects.create(name="written")
        if request.GET["refusal"] == "answered":
            return Response({}, status=409)
        if request.GET["refusal"] == "raised":
            raise Conflict
        Form(data=request.data).is_valid(raise_exception=True)
        return Response({})


class Forgotten(ApiView):
    """A page that forgot to say what it asks for."""

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [
    path("api/v1/figures/", Figures.as_view()), path("api/v1/forgotten/", Forgotten.as_view()),
    path("api/v1/taking/", Taking.as_view()), *real,
]  # fmt: skip
pytestmark = [pytest.mark.urls(__name__), pytest.mark.usefixtures("context")]


def get(token: str, address: str = "/api/v1/figures/", **more: Any) -> Any:
    return Client().get(address, headers={"Authorization": f"Bearer {token}"}, **more)


def ask_for_token(client: ApiClient, secret: str, **data: str) -> Any:
    basic = base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
    return Client().post(
        "/api/v1/token/", {"grant_type": "client_credentials", **data}, headers={"Authorization": f"Basic {basic}"}
    )


def test_a_client_gets_a_short_token_and_speaks_for_its_unit() -> None:
    client = machine(Scope.STATISTICS_READ)
    answer = ask_for_token(client, SECRET).json()
    assert answer["token_type"] == "Bearer" and answer["expires_in"] <= 900
    assert get(answer["access_token"]).json() == {"unit": "hz-market", "client": client.name}


def test_the_secret_is_kept_as_a_hash_only() -> None:
    client = machine(Scope.STATISTICS_READ)
    client.refresh_from_db()
    assert SECRET not in client.client_secret


@pytest.mark.parametrize(("secret", "data"), [("wrong", {}), (SECRET, {"scope": "feeds.write"})])
def test_wrong_secret_and_foreign_scope_get_no_token(secret: str, data: dict[str, str]) -> None:
    answer = ask_for_token(machine(Scope.STATISTICS_READ), secret, **data)
    assert answer.status_code in (400, 401) and "access_token" not in answer.json()


def test_a_client_that_is_not_known_is_told_how_clients_name_themselves() -> None:
    client = machine(Scope.STATISTICS_READ)
    form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": "wrong"}
    for answer in (ask_for_token(client, "wrong"), Client().post("/api/v1/token/", form)):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert "WWW-Authenticate" not in ask_for_token(client, SECRET).headers


def test_a_token_opens_only_what_its_scopes_name() -> None:
    assert get(token_for(machine(Scope.FEEDS_READ))).status_code == 403
    assert get(token_for(machine(Scope.STATISTICS_READ)), "/api/v1/forgotten/").status_code == 403


def test_no_token_wrong_token_and_a_token_of_a_client_switched_off_open_nothing() -> None:
    client = machine(Scope.STATISTICS_READ)
    token = token_for(client)
    assert Client().get("/api/v1/figures/").status_code == 401
    assert get("nonsense").json()["code"] == "token_invalid"
    assert get("nonsense").headers["WWW-Authenticate"].startswith("Bearer")
    ApiClient.objects.filter(pk=client.pk).update(active=False)
    assert get(token).status_code in (401, 403)
    assert ask_for_token(client, SECRET).status_code in (400, 401)


def test_a_client_of_a_unit_that_is_closed_opens_nothing() -> None:
    token = token_for(machine(Scope.STATISTICS_READ))
    Agency.objects.filter(code="hz-market").update(active=False)
    assert get(token).status_code in (401, 403)


def test_a_refusal_names_every_problem_as_data() -> None:
    token = token_for(machine(Scope.STATISTICS_READ))
    answer = Client().post("/api/v1/figures/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert answer.json()["problems"] == [{"field": "month", "code": "required", "message": "Say which month."}]


def test_a_client_that_calls_too_often_is_told_when_to_come_again(settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    token = token_for(machine(Scope.STATISTICS_READ))
    answers = [get(token) for _ in range(5)]
    assert answers[-1].status_code == 429 and 0 < int(answers[-1].headers["Retry-After"]) <= 60


def take(refusal: str, body: Any = None, **headers: str) -> Any:
    token = token_for(machine(Scope.STATISTICS_READ))
    calling = Client(headers={"Authorization": f"Bearer {token}", **headers})
    return calling.post(f"/api/v1/taking/?refusal={refusal}", body or {}, "application/json")


@pytest.mark.parametrize(
    ("refusal", "status", "kept"),
    [("raised", 409, False), ("form", 400, False), ("answered", 409, True)],
)
def test_a_refusal_that_is_raised_takes_back_what_was_written(refusal: str, status: int, kept: bool) -> None:
    assert take(refusal).status_code == status
    assert Heartbeat.objects.filter(name="written").exists() is kept


def test_what_a_form_finds_wrong_is_told_as_data_and_quotes_nothing() -> None:
    body = {"columns": {PERSON_NUMBER: "longer", "b": "longer", "c": [1]}, "kind": PERSON_NUMBER}
    answer = take("form", body, **{"Accept-Language": "en"})
    told, fixed = answer.json(), "Some of what was entered is missing or wrong."
    assert (answer.status_code, told["code"], told["message"]) == (400, "invalid", fixed)
    assert PERSON_NUMBER not in answer.content.decode() and "ErrorDetail" not in answer.content.decode()
    assert [(p["field"], p["code"]) for p in told["problems"]] == [
        ("columns", "max_length"), ("columns", "invalid"), ("kind", "invalid_choice"), ("month", "required"),
    ]  # fmt: skip
    assert told["problems"][2]["message"] == fixed and "4" in told["problems"][0]["message"]


@pytest.mark.parametrize(("language", "word"), [("zh", "没有"), ("en", "nothing here")])
def test_an_address_that_is_none_is_told_to_machines_as_data(language: str, word: str) -> None:
    answer = Client().get("/api/v1/batches/one/", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found" and word in answer.json()["message"]
    assert b"<html" in Client().get("/no-such-page/").content


def test_a_fault_of_ours_is_told_to_machines_as_data(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: Any) -> Response:
        raise RuntimeError(PERSON_NUMBER)

    monkeypatch.setattr(Figures, "get", broken)
    token = token_for(machine(Scope.STATISTICS_READ))
    calling = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})
    answer = calling.get("/api/v1/figures/")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal" and PERSON_NUMBER not in answer.content.decode()
