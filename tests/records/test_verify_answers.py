"""What the page about a report says first, of a file and of a number; and that it tells a limited report as such."""

import datetime
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import AccessLog
from records.enums import OwnPurpose
from records.models import Authorisation, CreditRecord, CreditReport
from records.reports.content import grouped
from records.services import authorisations
from records.services.reports import revoke_report
from records.services.unit_reports import Asking, issue_to_unit
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import ingest, person_penalty
from tests.records.queries_world import CASE, asked, market, purpose
from tests.records.report_world import days_ago, has_authority, issued, jws_of, pdf_of

NAME = "林示例"
NARROW_PURPOSE = "special-industry"
FULL_WIDTH = {ord(one): ord(one) + 0xFEE0 for one in "abcdefghijklmnopqrstuvwxyz234567-ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@pytest.fixture
def report(cast: Cast) -> CreditReport:
    ingest(person_penalty(1, NAME, PERSON_NUMBER))
    return issued(cast.person)


@pytest.fixture
def visitor() -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    return client


def act() -> Any:
    return audit.context(actor=None, door=Door.COMMAND, reason="test")


def page(client: Client, report: CreditReport) -> str:
    response = client.get(reverse("verify:answer", args=[report.code]))
    assert response.status_code == 200
    return response.content.decode()


def compared(client: Client, report: CreditReport, data: bytes | None) -> str:
    given = {} if data is None else {"file": SimpleUploadedFile("report.pdf", data)}
    response = client.post(reverse("verify:answer", args=[report.code]), given)
    assert response.status_code == 200
    return response.content.decode()


def headline(text: str) -> tuple[str, str]:
    """The words of the headline with its tags, which have to be those of the page's title too."""
    found = re.search(r'<div class="headline"><h1>(.*?)</h1>(.*?)</div>', text, re.DOTALL)
    title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)
    assert found and title and title[1].startswith(found[1])
    assert len(re.findall("<h1", text)) == 1
    return found[1], re.sub("<[^>]+>", "", found[2])


def altered(data: bytes) -> bytes:
    """The file with one byte turned, well within it."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


# --- the file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [pdf_of, jws_of])
def test_a_file_with_one_byte_altered_is_not_ours_before_anything_else_is_said(
    visitor: Client, report: CreditReport, of: Callable[[CreditReport], bytes]
) -> None:
    text = compared(visitor, report, altered(of(report)))
    assert headline(text) == ("This file is not the one that was issued", "✕ not our file")
    assert "✓ genuine" not in text and "This report was issued here" not in text
    verdict, state = text.index("Do not rely on it"), text.index("State of the report")
    assert text.index("<h1") < verdict < state < text.index("in force")
    assert "is said of that report and not of the file you gave" in text


def test_the_very_file_is_told_as_such(visitor: Client, report: CreditReport) -> None:
    for data in (pdf_of(report), jws_of(report)):
        text = compared(visitor, report, data)
        assert headline(text) == ("This is the file that was issued here", "✓ the same file")
        assert "This is exactly the file" in text and "in force" in text


def test_the_file_of_another_report_is_no_file_of_this_one(cast: Cast, visitor: Client, report: CreditReport) -> None:
    for data in (pdf_of(issued(cast.stranger)), jws_of(issued(cast.person))):
        text = compared(visitor, report, data)
        assert headline(text) == ("This is the file of another report", "▲ another report")
        assert "✓ genuine" not in text


def test_the_very_file_of_a_report_that_does_not_hold_gets_no_good_word(
    cast: Cast, visitor: Client, report: CreditReport
) -> None:
    CreditRecord.objects.update(withheld=True)
    outdated = ("The file is unchanged, but no longer up to date", "▲ genuine, outdated")
    assert headline(compared(visitor, report, pdf_of(report))) == outdated
    with act():
        revoke_report(report=report, user=cast.person)
    text = compared(visitor, report, pdf_of(report))
    assert headline(text) == ("The file is unchanged, but the report was withdrawn", "✕ withdrawn")
    assert headline(compared(visitor, report, altered(pdf_of(report))))[1] == "✕ not our file"
    assert headline(page(visitor, report)) == ("Issued here, and withdrawn since", "✕ withdrawn")


@pytest.mark.parametrize(("data", "why"), [(None, "required"), (b"", "empty"), (b"%PDF-" + b"0" * 50, "larger")])
def test_where_nothing_was_compared_the_number_gets_no_good_word_either(
    visitor: Client, report: CreditReport, data: bytes | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("records.verify.views.LARGEST_FILE", 20)
    text = compared(visitor, report, data)
    assert headline(text) == ("The file was not compared", "▲ nothing compared")
    summary = re.search(r'role="alert">(.*?)</div>', text, re.DOTALL)
    assert summary and why in summary[1] and 'href="#id_file"' in summary[1]
    assert "✓ genuine" not in text


def test_white_space_at_the_end_of_signed_json_does_not_matter(visitor: Client, report: CreditReport) -> None:
    jws = jws_of(report)
    for ending in (b"\n", b"\r\n", b" \n\n", b"\t"):
        assert headline(compared(visitor, report, jws + ending))[1] == "✓ the same file"
    for wrong in (b"x", b"\n.", b"\0"):
        assert headline(compared(visitor, report, jws + wrong))[1] == "✕ not our file"
    assert headline(compared(visitor, report, jws[:40] + b"\n" + jws[40:]))[1] == "✕ not our file"
    assert headline(compared(visitor, report, pdf_of(report) + b"\n"))[1] == "✕ not our file"


def test_no_byte_of_signed_json_may_be_another_though_its_signature_reads_the_same(
    visitor: Client, report: CreditReport
) -> None:
    """The last letter of a signature holds bits that nobody reads."""
    jws = jws_of(report)
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for last in {letters[letters.index(jws[-1:]) ^ bit] for bit in (1, 2, 4, 8, 16)}:
        assert headline(compared(visitor, report, jws[:-1] + bytes([last])))[1] == "✕ not our file"
    for wrong in (jws[:-1] + b"\xff", jws + b"==", b"a.b.c", b".", b"\0" * 9):
        assert headline(compared(visitor, report, wrong))[1] == "✕ not our file"


def test_another_reports_json_with_a_final_newline_is_another_reports(
    cast: Cast, visitor: Client, report: CreditReport
) -> None:
    assert headline(compared(visitor, report, jws_of(issued(cast.person)) + b"\n"))[1] == "▲ another report"


def by_file(client: Client, data: bytes) -> str:
    answer = client.post(reverse("verify:ask"), {"by_file": "1", "file": SimpleUploadedFile("report.pdf", data)})
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_file_alone_is_found_without_its_number(visitor: Client, report: CreditReport, cast: Cast) -> None:
    other = issued(cast.stranger)
    for one, data in ((report, pdf_of(report)), (report, jws_of(report) + b"\r\n"), (other, pdf_of(other))):
        text = by_file(visitor, data)
        assert "exactly the file that was issued" in text and grouped(one.code) in text
        assert f'action="{reverse("verify:answer", args=[one.code])}"' in text
    looks = AccessLog.objects.filter(purpose=OwnPurpose.REPORT_CHECK)
    assert looks.filter(subject_ref=report.subject_id).count() == 2


def test_a_file_that_was_not_issued_says_so_and_nothing_of_anybody(visitor: Client, report: CreditReport) -> None:
    for data in (altered(pdf_of(report)), jws_of(report)[:-1], b"%PDF-1.7", b"x"):
        text = by_file(visitor, data)
        assert "no file that was issued here" in text and grouped(report.code) not in text
    missing = visitor.post(reverse("verify:ask"), {"by_file": "1"})
    assert missing.status_code == 200 and "errors" in missing.content.decode()
    assert not AccessLog.objects.filter(purpose=OwnPurpose.REPORT_CHECK).exists()


# --- the number -------------------------------------------------------------------------------------------


def test_a_full_width_number_and_unseen_characters_are_read(visitor: Client, report: CreditReport) -> None:
    here = reverse("verify:answer", args=[report.code])
    wide = (report.code.translate(FULL_WIDTH), grouped(report.code).translate(FULL_WIDTH))
    unseen = (f"\ufeff{report.code}\u200b", grouped(report.code).replace("-", "\u2212"))
    for typed in (*wide, *unseen, grouped(report.code).replace("-", "\u3000")):
        assert visitor.get(reverse("verify:ask"), {"code": typed})["Location"] == here
        assert visitor.get(reverse("verify:answer", args=[typed])).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["---", "☃", "报告编号", "a/b", "https://credit.example.org/", "\u200b"])
def test_what_can_be_no_number_is_told_beside_the_field_and_leads_nowhere(visitor: Client, typed: str) -> None:
    response = visitor.get(reverse("verify:ask"), {"code": typed})
    assert response.status_code == 200
    assert "letters and digits only" in response.content.decode()
    assert "Location" not in response
    assert not AccessLog.objects.filter(purpose=OwnPurpose.REPORT_CHECK).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("typed", [PERSON_NUMBER, "13800138000", "１３８００１３８０００"])
def test_the_number_of_a_person_goes_into_no_address(visitor: Client, typed: str) -> None:
    response = visitor.post(reverse("verify:ask"), {"code": typed})
    assert response.status_code == 200 and "Location" not in response
    assert "never entered here" in response.content.decode()
    assert 'method="post"' in response.content.decode()


# --- limited ----------------------------------------------------------------------------------------------


@pytest.fixture
def under_consent(cast: Cast) -> CreditReport:
    """A report to a unit, under a consent to one of the kinds of record that its purpose names."""
    ingest(person_penalty(1, NAME, PERSON_NUMBER))
    has_authority()
    case = asked(purpose(NARROW_PURPOSE), cast.clerk, case_number=CASE)
    with act():
        authorisations.grant(
            authorisation=case, user=cast.person, fields=case.requested_fields[:1], uses_allowed=1,
            expires_at=timezone.now() + datetime.timedelta(days=30),
        )  # fmt: skip
        given = Authorisation.objects.get(pk=case.pk)
        return issue_to_unit(Asking(market(), given.number, CASE, cast.clerk, Door.DESK))


def test_a_report_under_a_consent_is_told_as_limited_and_not_as_full(
    visitor: Client, under_consent: CreditReport
) -> None:
    text = page(visitor, under_consent)
    assert headline(text) == ("This report was issued here", "✓ genuine▲ limited")
    assert "full report" not in text.lower()
    assert "what the purpose and the person&#x27;s consent cover" in text or "person's consent cover" in text
    assert "Within its limits, what is on file today is what the report shows." in text
    assert "What is on file today is what the report shows." not in text
    assert "✓ the same file▲ limited" in headline(compared(visitor, under_consent, pdf_of(under_consent)))


def test_a_limited_report_tells_nothing_more_of_person_or_unit(visitor: Client, under_consent: CreditReport) -> None:
    text = page(visitor, under_consent)
    consent = under_consent.authorisation
    assert consent and under_consent.agency
    named = [under_consent.agency.label, consent.purpose.label, consent.number, CASE, NAME, PERSON_NUMBER]
    kinds = {name.split(".")[0] for name in consent.purpose.fields}
    for private in (*named, *kinds, "行政处罚", "dministrative penalt"):
        assert private not in text.replace(under_consent.code, ""), private


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"period_from": days_ago(400)}, "decisions of a chosen period only"),
        ({"period_until": days_ago(1)}, "decisions of a chosen period only"),
        ({"kind": "special", "entries": ("judgment-defaulter",)}, "chosen kinds of record only"),
    ],
)
def test_a_period_and_chosen_kinds_are_told_but_not_which(
    cast: Cast, visitor: Client, report: CreditReport, order: dict[str, Any], said: str
) -> None:
    text = page(visitor, issued(cast.person, **order))
    assert headline(text)[1] == "✓ genuine▲ limited" and said in text
    for private in ("judgment-defaulter", "efaulter", days_ago(400).isoformat(), days_ago(1).isoformat()):
        assert private not in text
    assert "consent cover" not in text


def test_a_whole_report_is_not_called_limited(visitor: Client, report: CreditReport) -> None:
    text = page(visitor, report)
    assert "limited" not in text and "Extent" not in text and "Full report" in text
    assert "What is on file today is what the report shows." in text


def test_a_file_that_is_not_the_report_is_not_called_limited_in_the_headline(
    visitor: Client, under_consent: CreditReport
) -> None:
    text = compared(visitor, under_consent, altered(pdf_of(under_consent)))
    assert headline(text)[1] == "✕ not our file"
    assert "▲ limited" in text, "below, of the report"
