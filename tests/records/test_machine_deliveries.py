"""Deliveries of machine clients: one pipeline, one receipt, each delivery once, nothing of other units."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from creditplatform.core import audit
from creditplatform.core.enums import Door, Scope
from records import tasks
from records.api.deliveries import examples
from records.enums import BatchState
from records.feeds.template import WORKBOOK
from records.models import CreditRecord, Feed, FeedBatch
from records.services.feeds import folder
from tests.cast import PERSON_NUMBER
from tests.deliveries import FEED, penalty, person_penalty
from tests.machines import bearer, machine
from tests.records.feed_files import xml
from tests.records.feedfiles import csv_bytes

pytestmark = pytest.mark.django_db
BATCHES, JSON = f"/api/v1/feeds/{FEED}/batches/", "application/json"


class Machine:
    """The system of a unit; what it delivers is queued, and worked off when the test says so."""

    def __init__(self, *scopes: Scope, agency: str = "hz-market") -> None:
        with audit.context(actor=None, door=Door.COMMAND, reason="test"):
            self.headers = bearer(machine(*scopes, agency=agency, name=f"machine of {agency}"))

    def call(self, method: str, address: str, body: Any = b"", kind: str = JSON, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return Client().generic(method, address, content, kind, headers={**self.headers, **headers})

    def get(self, address: str, **headers: str) -> Any:
        return Client().get(address, headers={**self.headers, **headers})

    def post(self, *rows: dict[str, Any], address: str = BATCHES, **headers: str) -> Any:
        return self.call("POST", address, {"rows": list(rows)}, **headers)


@pytest.fixture
def ours(policy: None, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Machine:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(tasks.process_batch, "delay", lambda _batch: None)
    return Machine(Scope.FEEDS_READ, Scope.FEEDS_WRITE)


def worked_off(answer: Any) -> str:
    return str(tasks.process_batch.apply(args=[answer.json()["batch"]]).get())


def test_the_feeds_of_the_own_unit_say_all_that_is_needed_to_deliver(ours: Machine) -> None:
    feeds = {feed["code"]: feed for feed in ours.get("/api/v1/feeds/").json()["feeds"]}
    assert set(feeds) == set(Feed.objects.filter(agency__code="hz-market").values_list("code", flat=True))
    fields = {field["code"]: field for field in feeds[FEED]["fields"]}
    assert fields["CF_WSH"]["required"] == "always"
    assert feeds[FEED]["batches"].rstrip("/").endswith(BATCHES.rstrip("/"))
    book = ours.get(feeds[FEED]["template"].replace("http://testserver", ""))
    assert (book.headers["Content-Type"], book.content[:2]) == (WORKBOOK, b"PK")


@pytest.mark.parametrize("kind", ["json", "array", "csv", "xml", "xlsx"])
def test_rows_of_every_kind_go_through_the_one_pipeline(ours: Machine, kind: str) -> None:
    if kind in {"json", "array"}:
        rows = [penalty(1), penalty(2)]
        answer = ours.call("POST", BATCHES, {"rows": rows} if kind == "json" else rows)
    elif kind == "csv":
        answer = ours.call("POST", BATCHES, csv_bytes([penalty(1), penalty(2)]), "text/csv")
    elif kind == "xml":
        rows = [penalty(1), penalty(2)]
        answer = ours.call("POST", BATCHES, xml(list(rows[0]), [list(row.values()) for row in rows]), "application/xml")
    else:
        answer = ours.call("POST", BATCHES, ours.get(f"/api/v1/feeds/{FEED}/template").content, WORKBOOK)
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    state = worked_off(answer)
    receipt = ours.get(answer.headers["Location"].replace("http://testserver", "")).json()
    if kind == "xlsx":  # the bare template: understood without a question, its example row no row
        assert (state, receipt["received"], CreditRecord.objects.count()) == (receipt["state"], 0, 0)
        assert state != BatchState.MAPPING
        return
    assert (receipt["state"], receipt["accepted"], receipt["feed"]) == ("applied", 2, FEED)
    assert FeedBatch.objects.get().door == Door.API and CreditRecord.objects.count() == 2
    assert not list(folder().iterdir())


def test_the_same_delivery_under_its_key_is_the_same_batch_and_another_one_a_conflict(ours: Machine) -> None:
    key = {"Idempotency-Key": "8c1d-1"}
    first, again = ours.post(penalty(1), **key), ours.post(penalty(1), **key)
    assert (first.status_code, again.status_code, again.json()["batch"]) == (202, 202, first.json()["batch"])
    worked_off(first)
    ended = ours.post(penalty(1), **key)
    assert (ended.status_code, ended.json()["state"], ended.json()["batch"]) == (200, "applied", first.json()["batch"])
    other = ours.post(penalty(2), **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert FeedBatch.objects.count() == 1 and not list(folder().iterdir())
    bad = ours.post(penalty(3), **{"Idempotency-Key": "with space"})
    assert (bad.status_code, bad.json()["problems"][0]["code"]) == (400, "idempotency_key_invalid")


def test_without_a_key_the_same_file_again_changes_nothing(ours: Machine) -> None:
    for expected in (1, 1):
        worked_off(ours.post(penalty(1)))
        assert CreditRecord.objects.count() == expected


def test_problems_come_page_by_page_without_a_value_in_the_language_asked_for(ours: Machine) -> None:
    bad = [person_penalty(n, "林示例", PERSON_NUMBER, CF_JDRQ="昨天") for n in range(1, 6)]
    answer = ours.post(penalty(9), *bad)
    worked_off(answer)
    address, seen, pages = f"/api/v1/batches/{answer.json()['batch']}/problems/?limit=2", [], 0
    while address:
        page = ours.get(address, **{"Accept-Language": "zh-hans" if pages else "en"})
        assert PERSON_NUMBER not in page.content.decode() and "林示例" not in page.content.decode()
        assert "昨天" not in page.content.decode()
        body, pages = page.json(), pages + 1
        seen += [(row["row"], problem["field"], problem["code"]) for row in body["rows"] for problem in row["problems"]]
        message = body["rows"][0]["problems"][0]["message"]
        assert message and message.isascii() == (pages == 1)
        address = (body["next"] or "").replace("http://testserver", "")
    assert pages == 3
    assert [row for row, field, _code in seen if field == "CF_JDRQ"] == [2, 3, 4, 5, 6]


def test_a_waiting_batch_is_cancelled_once(ours: Machine) -> None:
    number = ours.post(penalty(1)).json()["batch"]
    cancel = f"/api/v1/batches/{number}/cancel/"
    assert ours.call("POST", cancel).json()["state"] == "cancelled"
    assert ours.call("POST", cancel).status_code == 409
    assert tasks.process_batch.apply(args=[number]).get() == "cancelled" and not CreditRecord.objects.exists()


def test_columns_are_asked_and_confirmed_over_the_interface(ours: Machine) -> None:
    row = {**penalty(1), "怎么罚的": penalty(1)["CF_NR"], "内部序号": "7"}
    row.pop("CF_NR")
    answer = ours.post(row)
    assert worked_off(answer) == "mapping"
    receipt = ours.get(f"/api/v1/batches/{answer.json()['batch']}/").json()
    assert {c["header"] for c in receipt["columns"] if c["fate"] in {"unknown", "proposed"}} == {"怎么罚的", "内部序号"}
    mapping = f"/api/v1/feeds/{FEED}/mapping"
    assert [one["batch"] for one in ours.get(mapping).json()["waiting"]] == [receipt["batch"]]
    wrong = ours.call("PUT", mapping, {"columns": {"怎么罚的": "NO_SUCH"}})
    assert (wrong.status_code, wrong.json()["problems"][0]["code"]) == (400, "field_unknown")
    right = ours.call("PUT", mapping, {"columns": {"怎么罚的": "CF_NR", "内部序号": ""}})
    assert (right.status_code, right.json()["waiting"]) == (200, [])
    assert worked_off(answer) == "applied"
    assert worked_off(ours.post({**row, "CF_WSH": "惠市监罚〔2026〕77号"})) == "applied"


def test_what_belongs_to_another_unit_is_not_there(ours: Machine) -> None:
    number = ours.post(penalty(1)).json()["batch"]
    theirs = Machine(Scope.FEEDS_READ, Scope.FEEDS_WRITE, agency="gs-market")
    for method, address in (
        ("GET", f"/api/v1/feeds/{FEED}/template"), ("POST", BATCHES), ("GET", f"/api/v1/feeds/{FEED}/mapping"),
        ("GET", f"/api/v1/batches/{number}/"), ("GET", f"/api/v1/batches/{number}/problems/"),
        ("POST", f"/api/v1/batches/{number}/cancel/"),
    ):  # fmt: skip
        answer = theirs.call(method, address, {"rows": [penalty(1)]} if method == "POST" else b"")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), address
    assert ours.get(f"/api/v1/batches/{'9' * 40}/").status_code == 404
    reader = Machine(Scope.FEEDS_READ)
    assert reader.post(penalty(1)).status_code == 403


def test_a_body_of_another_kind_or_of_nothing_is_refused(ours: Machine) -> None:
    assert ours.call("POST", BATCHES, b"x", "image/png").status_code == 415
    empty = ours.call("POST", BATCHES, b"")
    assert empty.status_code in (400, 409, 422) and empty.json()["code"] == "empty_file"
    assert not FeedBatch.objects.exists()


def test_large_bodies_are_for_a_valid_token_alone(ours: Machine, settings: Any) -> None:
    settings.BODY_MAX_BYTES = 100
    assert ours.post(penalty(1)).status_code == 202
    reader = Machine(Scope.FEEDS_READ)
    for headers in ({}, {"Authorization": "Bearer nonsense"}, reader.headers):
        body = json.dumps({"rows": [penalty(2)]})
        answer = Client().post(BATCHES, body, JSON, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert ours.call("PUT", reverse("api:feed-mapping", args=[FEED]), {"columns": {"x" * 200: ""}}).status_code == 413


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b'{"rows": [{"CF_WSH": "1"}', JSON, "json_cut_off"), (b'"x"', JSON, "json_value"),
        (b"[1, 2]", JSON, "json_record"), (b'{"rows": []}', JSON, "no_rows"),
        (b"<rows><row><CF_WSH>1</CF_WSH></row>", "application/xml", "xml_malformed"),
        (b"CF_WSH,CF_JDRQ\n1,2\n", WORKBOOK, "no_workbook"),
    ],
)  # fmt: skip
def test_a_small_broken_body_is_refused_at_once_and_leaves_nothing(
    ours: Machine, body: bytes, kind: str, code: str
) -> None:
    key = {"Idempotency-Key": "once"}
    answer = ours.call("POST", BATCHES, body, kind, **key)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not FeedBatch.objects.exists() and not list(folder().iterdir())
    assert ours.post(penalty(1), **key).status_code == 202  # the key is still free


def test_a_large_broken_body_is_refused_in_its_receipt(ours: Machine, settings: Any) -> None:
    settings.FEED_SYNTAX_AT_ONCE_BYTES = 10
    answer = ours.call("POST", BATCHES, b'{"rows": [{"CF_WSH": "1"}')
    assert (answer.status_code, worked_off(answer)) == (202, "refused")
    receipt = ours.get(answer.headers["Location"].replace("http://testserver", "")).json()
    assert receipt["error"] == "json_cut_off"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"rows": [dict(examples.ROW)]}, JSON), (examples.CSV.encode(), "text/csv"),
        (examples.XML.encode(), "application/xml"),
    ],
)  # fmt: skip
def test_what_the_documentation_shows_is_taken_in_as_it_stands(ours: Machine, body: Any, kind: str) -> None:
    answer = ours.call("POST", BATCHES, body, kind)
    assert (answer.status_code, worked_off(answer)) == (202, "applied")
    receipt = ours.get(answer.headers["Location"].replace("http://testserver", "")).json()
    assert receipt["accepted"] == 1 and set(receipt) == set(examples.RECEIPT)
