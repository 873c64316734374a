"""Numbers that are another's or nobody's are refused alike, and noted by kind and by whoever brought them."""

from collections import Counter
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from structlog.testing import capture_logs

from creditplatform.core import audit
from creditplatform.core.enums import Door, Scope
from records.models import BatchCheck, Query
from records.models.query import REVIEW_KIND
from records.services import representations
from tests.accounts.test_representation import attorney
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import NAME, batch_check, consent, fined, purpose
from tests.records.report_world import issued
from tests.records.test_consent_pages import browser
from tests.records.test_machine_deliveries import Machine

pytestmark = pytest.mark.django_db
ALL = (Scope.ELIGIBILITY_READ, Scope.QUERIES_WRITE, Scope.AUTHORISATIONS_WRITE, Scope.FEEDS_READ)
NOBODYS = ("0" * 26, "nothing")


def noted(lines: Any, event: str = "number_not_theirs") -> list[Any]:
    return [line for line in lines if line["event"] == event]


def test_under_my_credit_every_kind_is_noted(cast: Cast, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    record, report = fined(), issued(cast.person)
    case = representations.end(case=attorney(cast, user=cast.person), user=cast.person)
    client, said = browser(cast.stranger), set()
    with capture_logs() as lines:
        for number in (record.token, *NOBODYS):
            said |= {client.get(reverse(f"me:{page}", args=[number])).status_code for page in ("record", "statement")}
        for number in (report.code, *NOBODYS):
            for page in ("report", "report-pdf", "report-json"):
                said.add(client.get(reverse(f"me:{page}", args=[number])).status_code)
        for number in (case.token, *NOBODYS):
            said.add(client.post(reverse("me:represent-act", args=[number])).status_code)
        for number in NOBODYS:
            said.add(client.post(reverse("me:represent-end", args=[number])).status_code)
    assert said == {404}
    assert Counter(line["kind"] for line in noted(lines)) == {
        "credit-record": 6, "credit-report": 9, "representation": 5,
    }  # fmt: skip
    assert {line["account"] for line in noted(lines)} == {cast.stranger.pk}
    assert not any(value in str(lines) for value in (record.token, report.code, case.token, PERSON_NUMBER, NAME))


def test_at_the_check_of_reports_a_number_that_is_nobodys_is_noted(cast: Cast) -> None:
    report = issued(cast.person)
    with capture_logs() as lines:
        for number in NOBODYS:
            assert Client().get(reverse("verify:answer", args=[number])).status_code == 404
        file = SimpleUploadedFile("x.pdf", b"%PDF-")
        assert browser(cast.clerk).post(reverse("verify:answer", args=["1" * 26]), {"file": file}).status_code == 404
        assert Client().get(reverse("verify:answer", args=[report.code])).status_code == 200
    tried = noted(lines, "number_nobodys")
    assert [(line["kind"], line["account"]) for line in tried] == [
        ("credit-report", None), ("credit-report", None), ("credit-report", cast.clerk.pk),
    ]  # fmt: skip
    assert not any(value in str(lines) for value in (*NOBODYS, "1" * 26, "127.0.0.1", report.code))


def test_over_the_interface_the_client_is_noted(cast: Cast) -> None:
    wanted = purpose("green-channel")
    given = consent(wanted, cast.clerk, cast.person)
    listed: BatchCheck = batch_check(wanted, cast.clerk, 1)
    report = issued(cast.person)
    numbers = {"authorisation": given.number, "batch-check": listed.token, "credit-report": report.code}
    with audit.context(actor=None, door=Door.API, reason="test"):
        other = Machine(*ALL, agency="hz-tax")
    with capture_logs() as lines:
        for number in (*numbers.values(), *NOBODYS):
            answers = [
                other.get(f"/api/v1/{page}/")
                for page in (
                    f"authorisations/{number}", f"queries/{number}", f"queries/batch/{number}",
                    f"queries/batch/{number}/results", f"eligibility/review/{number}", f"reports/{number}/pdf",
                    f"reports/{number}/json",
                )
            ]  # fmt: skip
            answers.append(other.call("POST", f"/api/v1/queries/{number}/result/"))
            answers.append(other.call("POST", "/api/v1/eligibility/review/", {"access": number}))
            assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
        assert other.get("/api/v1/batches/999999/").status_code == 404
    tried, times = noted(lines), len(numbers) + len(NOBODYS)
    assert Counter(line["kind"] for line in tried) == {
        "authorisation": times, "query": 2 * times, "batch-check": 2 * times, REVIEW_KIND: times, "answer": times,
        "credit-report": 2 * times, "delivery": 1,
    }  # fmt: skip
    assert len({line["client"] for line in tried}) == 1 and not Query.objects.exists()
    assert not any(value in str(lines) for value in (*numbers.values(), *NOBODYS))
