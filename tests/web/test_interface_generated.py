"""The interface against its own description: calls that nobody wrote by hand, sound and broken, to every address.

`CREDIT_API_EXAMPLES` says how many calls an address gets of either sort; `make fuzz-api` makes it thousands.
"""

import json
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks

from creditplatform.core.enums import Authority, Door, Scope
from creditplatform.core.models import ApiClient
from creditplatform.wsgi import application
from records import tasks
from records.api.announcements import forms as announcing
from records.api.queries import forms
from records.api.queries.answers import ticket_of
from records.enums import Outcome, Reason
from records.models import Authorisation, CreditReport
from records.queries.asking import Answered
from records.queries.disclosure import Asker, register_answer
from records.queries.eligibility import Answer
from records.queries.grants import TO_THE_PERSON, Grant
from records.queries.scope import FieldScope
from records.reports import store
from tests.cast import Cast
from tests.deliveries import FEED, as_csv, delivered, penalty
from tests.exchange_peers import DEFAULTER, PENALTY, a_peer
from tests.machines import bearer, machine
from tests.records.query_rows import a_check, a_consent, a_human_review, a_prior_notice, a_query, a_report

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
ASKED = {
    "eligibility": forms.ASKED, "query": {**forms.ASKED, "purpose": "special-industry"}, "batch_check": forms.LIST,
    "authorisation_request": forms.CONSENT_REQUEST, "report_make": forms.REPORT_REQUEST,
    "announcement_request": announcing.REQUEST, "announcement_consider": announcing.ANSWER,
    "announcement_withdraw": {},
}  # fmt: skip
CLEAN = Answer(0, None, Outcome.YES, (Reason.CLEAN,), (), ())
GRANT = Grant("green-channel", Authority.CONSENT, "a", FieldScope(), TO_THE_PERSON)


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
    for task in (tasks.process_batch, tasks.process_check):
        monkeypatch.setattr(task, "delay", lambda _batch: None)
    batch = delivered([penalty(7)], user=cast.officer)
    client = machine(*Scope, agency=batch.feed.agency.code)
    a_peer(cast, PENALTY, DEFAULTER, persons=True, client=client)
    return bearer(client), {"feed": FEED, "batch": str(batch.pk), **asked_by(client, cast)}


def asked_by(client: ApiClient, cast: Cast) -> dict[str, str]:
    """Numbers of what the client has asked: a query, a list, an answer before a person, a consent."""
    there = SimpleNamespace(cast=cast, person=cast.person.real_name.subject, market=client.agency)
    own = {"client": client, "asked_by": None}
    done = {"state": "done", "done_at": timezone.now(), "keep_until": timezone.localdate()}
    look = register_answer(there.person.pk, GRANT, Asker(client.agency, None, Door.API, "1"), [])
    ASKED["review_request"] = {"access": ticket_of(Answered(CLEAN, None, look, bytes(there.person.number_index)))}
    consent = a_consent(there)
    found = {
        "query": a_query(there, **own), "check": a_check(there, **own, **done), "review": a_human_review(there),
    }  # fmt: skip
    numbers = {name: one.token for name, one in found.items()}
    numbers["announcement"] = a_prior_notice(there).number
    return {**numbers, "number": consent.number, "report": a_unit_report(there, consent).code}


def a_unit_report(there: SimpleNamespace, consent: Authorisation) -> CreditReport:
    """A report of the client's unit with both files."""
    for name in ("p", "s"):
        store.keep(name, b"file")
    said = json.dumps({"issued_for": {"case": "1"}})
    return a_report(there, agency=there.market, authorisation=consent, content=said)


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
        if name in ASKED and data.draw(st.booleans()):
            case.body = ASKED[name]
        if case.media_type in BODIES and "deliver" in name and data.draw(st.booleans()):
            case.body = BODIES[case.media_type]
        response = case.call(headers=headers)
        met.add(response.status_code)
        case.validate_response(response, checks=list(WRITTEN), headers=headers)

    call()
    assert met - {404} or mode is GenerationMode.NEGATIVE, "only addresses that are not there were asked for"
