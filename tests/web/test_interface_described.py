"""The interface describes itself: a schema without a warning, a page that renders under our own policy of content."""

from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import Browser, expect

from records.api.deliveries import examples
from records.api.deliveries import serializers as forms
from records.api.errors import ErrorForm
from records.api.urls import urlpatterns
from tests.web.browsing import without_browser
from tests.web.test_public_pages import browser  # noqa: F401

CALLS = {
    "feeds_list", "feed_template", "batch_deliver", "batch_receipt", "batch_problems", "batch_cancel", "mapping_read",
    "mapping_confirm", "eligibility", "query", "query_state", "query_result", "batch_check", "batch_check_state",
    "batch_check_results", "review_request", "review_state", "authorisation_request", "authorisation_state",
    "purposes", "report_make", "report_pdf", "report_json", "announcement_request", "announcement_state",
    "announcement_consider", "announcement_withdraw",
}  # fmt: skip


@pytest.fixture
def schema(db: None) -> dict[str, Any]:
    described: dict[str, Any] = yaml.safe_load(Client().get("/api/v1/schema/").content)
    return described


def calls_of(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [call for path in schema["paths"].values() for method, call in path.items() if method != "parameters"]


def test_the_schema_is_valid_and_warns_of_nothing(db: None, tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_every_call_says_what_it_does_who_may_and_how_it_refuses(schema: dict[str, Any]) -> None:
    assert {call["operationId"] for call in calls_of(schema)} >= CALLS
    flows = [scheme["flows"] for scheme in schema["components"]["securitySchemes"].values() if "flows" in scheme]
    assert flows and all("clientCredentials" in flow for flow in flows)
    for call in calls_of(schema):
        name = call["operationId"]
        assert call.get("description") and call.get("security"), name
        for status in {"401", "403", "429"}:
            assert "application/json" in call["responses"][status]["content"], (name, status)


def test_whatever_is_included_under_the_interface_is_described(schema: dict[str, Any]) -> None:
    """A module of addresses that is included one day is part of the schema without anybody listing it."""
    included = [item for item in urlpatterns if hasattr(item, "url_patterns")]
    views = {pattern.name for item in included for pattern in item.url_patterns}
    assert len(schema["paths"]) >= len(views)
    assert all(path.startswith("/api/v1/") for path in schema["paths"])


def test_every_call_of_deliveries_shows_what_is_sent_and_what_comes_back(schema: dict[str, Any]) -> None:
    for call in (call for call in calls_of(schema) if "deliveries" in call["tags"]):
        name = call["operationId"]
        for kind, body in call.get("requestBody", {}).get("content", {}).items():
            assert "spreadsheetml" in kind or body.get("examples"), (name, kind)
        for status, answer in call["responses"].items():
            for kind, body in answer["content"].items():
                assert "spreadsheetml" in kind or body.get("examples"), (name, status)


def test_every_refusal_shows_an_example_that_fits_its_status(schema: dict[str, Any]) -> None:
    shown: dict[str, set[str]] = {}
    for call in calls_of(schema):
        named = {one["name"] for one in call.get("parameters", [])}
        for status, answer in call["responses"].items():
            if status < "400":
                continue
            (example,) = answer["content"]["application/json"]["examples"].values()
            value, name = example["value"], (call["operationId"], status)
            assert ErrorForm(data=value).is_valid() and set(value) == {"code", "message", "problems"}, name
            assert bool(value["problems"]) == (status == "400"), name
            fields = {one["field"] for one in value["problems"] if one["code"] != "unknown_field"} - {""}
            assert fields <= named | fields_sent(schema, call), name
            shown.setdefault(status, set()).add(value["code"])
    assert shown["401"] == {"token_invalid"} and shown["404"] == {"not_found"} and len(shown["409"]) > 4


def fields_sent(schema: dict[str, Any], call: dict[str, Any]) -> set[str]:
    """The fields a call's body may have, as it is described."""
    form = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
    return set(schema["components"]["schemas"].get(form.rpartition("/")[2], {}).get("properties", ()))


def test_a_request_for_consent_is_answered_by_its_first_state(schema: dict[str, Any]) -> None:
    answer = schema["paths"]["/api/v1/authorisations/"]["post"]["responses"]["201"]["content"]["application/json"]
    (example,) = answer["examples"].values()
    assert (example["value"]["state"], example["value"]["granted_fields"]) == ("requested", [])


@pytest.mark.parametrize("shown", ["FEEDS", "RECEIPT", "TAKEN_IN", "CANCELLED", "PROBLEMS", "WAITING", "CONFIRMED"])
def test_examples_have_exactly_the_members_that_answers_have(shown: str) -> None:
    form = {
        "FEEDS": forms.FeedsForm, "PROBLEMS": forms.ProblemsForm, "WAITING": forms.MappingForm,
        "CONFIRMED": forms.MappingForm,
    }.get(shown, forms.ReceiptForm)  # fmt: skip
    value = getattr(examples, shown)
    found = form(data=value)
    assert found.is_valid(), found.errors
    assert set(value) == set(form().fields)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@without_browser("the page of the interface was not opened in a browser")
def test_the_page_renders_in_a_browser_from_our_own_host_alone(
    browser: Browser,  # noqa: F811
    live_server: Any,
) -> None:
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{live_server.url}/api/v1/docs/")
    expect(page.locator(".opblock")).not_to_have_count(0, timeout=15_000)
    assert page.locator(".opblock").count() >= len(CALLS)
    page.close()
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []
    assert said == [], "nothing is refused by the policy"
