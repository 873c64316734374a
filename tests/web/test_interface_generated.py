"""The interface against its own description: calls that nobody wrote by hand, sound and broken, to every address.

`CREDIT_API_EXAMPLES` says how many calls an address gets of either sort; `make fuzz-api` makes it thousands.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks

from creditplatform.core.enums import Scope
from creditplatform.wsgi import application
from records import tasks
from tests.cast import Cast
from tests.deliveries import FEED, as_csv, delivered, penalty
from tests.exchange_peers import DEFAULTER, PENALTY, a_peer
from tests.machines import bearer, machine

EXAMPLES = int(os.environ.get("CREDIT_API_EXAMPLES", "12"))
DESCRIBED = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
DESCRIBED.app = application
OPERATIONS = {found.ok().definition.raw["operationId"]: found.ok() for found in DESCRIBED.get_all_operations()}
CALLS = [(name, GenerationMode.POSITIVE) for name in OPERATIONS] + [
    (name, GenerationMode.NEGATIVE)
    for name, operation in OPERATIONS.items()
    if "{" in operation.path or any(True for _parameter in operation.iter_parameters()) or operation.body
]
WRITTEN = (
    checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.response_schema_conformance,
)  # fmt: skip
BODIES = {"text/csv": as_csv([penalty(1), penalty(2)]), "application/json": {"rows": [penalty(1), penalty(2)]}}


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Calls share the transaction of the test, as those of the test client do."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def known(
    cast: Cast, context: None, one_connection: None, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, str], dict[str, str]]:
    """Headers of a peer that may do everything, and what an address must name to be found."""
    settings.MEDIA_ROOT, settings.API_CALLS_PER_MINUTE = tmp_path, 10**9
    monkeypatch.setattr(tasks.process_batch, "delay", lambda _batch: None)
    batch = delivered([penalty(7)], user=cast.officer)
    client = machine(*Scope, agency=batch.feed.agency.code)
    a_peer(cast, PENALTY, DEFAULTER, persons=True, client=client)
    return bearer(client), {"feed": FEED, "batch": str(batch.pk)}


@pytest.mark.parametrize(("name", "mode"), CALLS, ids=[f"{name}-{mode.value}" for name, mode in CALLS])
def test_no_call_is_answered_otherwise_than_described(
    name: str, mode: GenerationMode, known: tuple[dict[str, str], dict[str, str]]
) -> None:
    headers, names = known
    operation = OPERATIONS[name]
    here = {key: value for key, value in names.items() if f"{{{key}}}" in operation.path}
    met: set[int] = set()

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
        derandomize="CREDIT_API_EXAMPLES" not in os.environ, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def call(data: Any) -> None:
        there = here if data.draw(st.integers(0, 3)) else None
        case = data.draw(operation.as_strategy(generation_mode=mode, path_parameters=there))
        if case.media_type in BODIES and "deliver" in name and data.draw(st.booleans()):
            case.body = BODIES[case.media_type]
        response = case.call(headers=headers)
        met.add(response.status_code)
        case.validate_response(response, checks=list(WRITTEN), headers=headers)

    call()
    assert met - {404} or mode is GenerationMode.NEGATIVE, "only addresses that are not there were asked for"
