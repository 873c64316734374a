"""Every address of the interface answers alike with and without its last slash, and a body arrives by either."""

import json
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from records.models import FeedBatch
from tests.cast import Cast
from tests.deliveries import FEED, as_csv, penalty
from tests.machines import SECRET, machine
from tests.web.test_interface_generated import ASKED, OPERATIONS, known, one_connection  # noqa: F401

Known = tuple[dict[str, str], dict[str, str]]


def answered(method: str, path: str, body: bytes = b"", kind: str = "application/json", **more: Any) -> Any:
    """What is answered, and nothing of it stays, so that the same call can be made once more."""
    with transaction.atomic():
        response = Client().generic(method, path, body, content_type=kind, **more)
        found = response.status_code, response.headers.get("Content-Type"), FeedBatch.objects.order_by("pk").last()
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_described_address_answers_alike_with_and_without_its_slash(name: str, known: Known) -> None:  # noqa: F811
    headers, names = known
    operation = OPERATIONS[name]
    path = operation.path.format(**names)
    assert path.startswith("/api/v1/") and path.endswith("/")
    method, body = operation.method.upper(), json.dumps(ASKED.get(name, {})).encode()
    with_it, without = (answered(method, one, body, headers=headers)[:2] for one in (path, path.rstrip("/")))
    assert with_it == without
    assert not 300 <= with_it[0] < 400 and with_it[0] not in (404, 405) and with_it[0] < 500
    assert answered(method, path.rstrip("/"), body)[0] == 401, "nobody comes in by the shorter address either"


@pytest.mark.parametrize("end", ["/", ""])
def test_a_file_sent_to_either_address_arrives_whole(end: str, known: Known) -> None:  # noqa: F811
    body = as_csv([penalty(1), penalty(2)])
    status, _kind, batch = answered("POST", f"/api/v1/feeds/{FEED}/batches{end}", body, "text/csv", headers=known[0])
    assert status in (201, 202) and batch.size == len(body)


@pytest.mark.parametrize("end", ["/", ""])
def test_a_token_and_the_description_are_had_at_either_address(end: str, cast: Cast, context: None) -> None:
    client = machine()
    form = {"grant_type": "client_credentials", "client_id": client.client_id, "client_secret": SECRET}
    assert Client().post(f"/api/v1/token{end}", form).json()["access_token"]
    assert Client().get(f"/api/v1/schema{end}").status_code == 200
    assert Client().get(f"/api/v1/docs{end}").status_code == 200


def test_two_slashes_are_no_address(known: Known) -> None:  # noqa: F811
    assert answered("GET", "/api/v1/changes//", headers=known[0])[0] == 404
