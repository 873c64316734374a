"""What whoever holds a report is told, and what nobody is: genuine or not, withdrawn, changed since; files compared."""

import datetime
import re
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Authority, Door
from creditplatform.core.errors import Conflict, NotPermitted
from creditplatform.core.models import AccessLog, RuleValue
from records.enums import OwnPurpose, RepresentationKind, RepresentationState
from records.look_selectors import A_DAY, Chosen, all_looks
from records.look_selectors import looks as found_looks
from records.models import CreditRecord, CreditReport, Representation
from records.reports import checking
from records.reports.content import grouped
from records.services.reports import revoke_report
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast
from tests.deliveries import ingest, person_penalty, quick_passwords  # noqa: F401
from tests.records.report_world import issued, jws_of, pdf_of, person_of, said

NAME = "林示例"
OF_THE_REQUEST = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|value="/verify/[^"]*"|nonce="[^"]+"')


@pytest.fixture
def report(cast: Cast) -> CreditReport:
    ingest(person_penalty(1, NAME, PERSON_NUMBER))
    return issued(cast.person)


@pytest.fixture
def visitor() -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    return client


def page(client: Client, report: CreditReport) -> str:
    response = client.get(reverse("verify:answer", args=[report.code]))
    assert response.status_code == 200
    return response.content.decode()


def act(**words: Any) -> Any:
    return audit.context(actor=None, door=Door.COMMAND, reason="test", **words)


# --- the number ---------------------------------------------------------------------------------------


def test_a_report_is_found_genuine_with_a_masked_name_and_nothing_else_of_the_person(
    visitor: Client, report: CreditReport
) -> None:
    text = page(visitor, report)
    assert "This report was issued here" in text and "林**" in text
    for private in (NAME, PERSON_NUMBER, PERSON_NUMBER[-4:], "罚款", "惠市监罚"):
        assert private not in text.replace(report.code, "").replace(grouped(report.code), ""), private


def test_a_check_is_written_where_the_person_sees_it(cast: Cast, visitor: Client, report: CreditReport) -> None:
    page(visitor, report)
    line = AccessLog.objects.get(purpose=OwnPurpose.REPORT_CHECK)
    assert (line.subject_ref, line.actor, line.authority) == (report.subject_id, None, Authority.CONSENT)
    assert line.fields == ["name"]


@pytest.mark.parametrize("shape", ["{}", " {} ", "{}\n"])
def test_a_number_is_read_from_paper_as_people_type_it(visitor: Client, report: CreditReport, shape: str) -> None:
    for typed in (report.code, grouped(report.code), grouped(report.code).replace("-", " "), report.code.upper()):
        response = visitor.get(reverse("verify:ask"), {"code": shape.format(typed)})
        assert response["Location"] == reverse("verify:answer", args=[report.code])
    like_letters = report.code.translate(str.maketrans("obg", "089"))
    assert checking.typed(like_letters) == report.code


def test_a_number_that_is_not_ours_tells_nothing(cast: Cast, visitor: Client, report: CreditReport) -> None:
    """The same page for a slip, for nonsense, for the number of a record and for one of the right form."""
    (record,) = CreditRecord.objects.all()
    wrong = [report.code[:-1] + ("a" if report.code[-1] != "a" else "q"), "a" * 26, "x", "unknown", record.token, "㛃"]
    pages = set()
    for code in wrong:
        response = visitor.get(reverse("verify:answer", args=[code]))
        assert response.status_code == 404
        text = re.sub(
            r'name="csrfmiddlewaretoken" value="\w+"|value="/verify/[^"]*"|nonce="[^"]+"', "", response.content.decode()
        )
        pages.add(text)
    assert len(pages) == 1
    assert "No report of this number" in pages.pop()
    assert not AccessLog.objects.filter(purpose=OwnPurpose.REPORT_CHECK).exists()


def test_an_unknown_number_costs_one_query(
    visitor: Client, report: CreditReport, django_assert_num_queries: Any
) -> None:
    for code in ("x", "a" * 26):
        with django_assert_num_queries(2):  # the report, and the names of both sites for the frame
            visitor.get(reverse("verify:answer", args=[code]))


def test_the_numbers_of_two_reports_have_nothing_in_common(cast: Cast, report: CreditReport) -> None:
    other = issued(cast.person)
    assert len(report.code) == 26
    assert other.pk == report.pk + 1
    assert sum(a == b for a, b in zip(report.code, other.code, strict=True)) < 10


# --- withdrawn, changed, over ------------------------------------------------------------------------


def test_a_withdrawn_report_is_told_as_such(cast: Cast, visitor: Client, report: CreditReport) -> None:
    with act():
        revoke_report(report=report, user=cast.person)
    text = page(visitor, report)
    assert "Issued here, and withdrawn since" in text
    report.refresh_from_db()
    assert report.revoked_by == cast.person
    with act(), pytest.raises(Conflict):
        revoke_report(report=report, user=cast.person)


@pytest.mark.parametrize("name", ["stranger", "officer", "auditor", "unbound"])
def test_nobody_else_withdraws_it(cast: Cast, report: CreditReport, name: str) -> None:
    with act(), pytest.raises(NotPermitted):
        revoke_report(report=report, user=getattr(cast, name))
    with act():
        revoke_report(report=report, user=cast.centre, grounds="issued in error")
    assert CreditReport.objects.get().revocation == "issued in error"


@pytest.mark.parametrize(
    "values", [{"state": "revoked"}, {"disputed": True}, {"withheld": True}, {"statement": "说明"}, {"tier": "serious"}]
)
def test_a_change_on_file_is_told_but_not_what_changed(
    visitor: Client, report: CreditReport, values: dict[str, Any]
) -> None:
    assert "What is on file today is what the report shows." in page(visitor, report)
    CreditRecord.objects.update(**values)
    text = page(visitor, report)
    assert "Issued here, but no longer up to date" in text
    assert "What is on file today is not what the report shows." in text


def test_a_new_record_is_a_change_and_an_end_that_came_by_itself_too(visitor: Client, report: CreditReport) -> None:
    ingest(person_penalty(9, "马示例", STRANGER_NUMBER))
    assert not checking.changed_since(report)
    ingest(person_penalty(2, NAME, PERSON_NUMBER))
    assert checking.changed_since(report)
    CreditRecord.objects.filter(document_number__contains="〕2号").update(withheld=True)
    assert not checking.changed_since(report)
    ended = CreditRecord.objects.get(document_number__contains="〕1号").publish_until
    with time_machine.travel(datetime.datetime.combine(ended, datetime.time(12), timezone.get_default_timezone())):
        assert checking.changed_since(report)


def test_neither_language_nor_looks_are_a_change(cast: Cast, visitor: Client) -> None:
    ingest(person_penalty(1, NAME, PERSON_NUMBER))
    english = issued(cast.person, language="en")
    page(visitor, english)
    assert not checking.changed_since(english)
    special = issued(cast.person, kind="special", entries=("judgment-defaulter",))
    ingest(person_penalty(2, NAME, PERSON_NUMBER))
    assert not checking.changed_since(special)
    assert checking.changed_since(english)


def test_a_validity_that_is_over_is_said(cast: Cast, visitor: Client) -> None:
    with act():
        RuleValue.objects.filter(key="report.valid_days").update(in_force=True, confirmed=True)
    report = issued(cast.person)
    assert "valid until" in page(visitor, report)
    with time_machine.travel(timezone.now() + datetime.timedelta(days=8)):
        CreditRecord.objects.update(withheld=True)
        assert_no_window(page(visitor, report), "past its validity")


# --- no window on the file ----------------------------------------------------------------------------


def assert_no_window(text: str, why: str) -> None:
    assert "genuine, outdated" in text or "withdrawn since" in text
    assert why in text and "told only of a report that is in force" in text
    assert "Changed since" not in text and "What is on file today is" not in text


def test_a_withdrawn_report_tells_no_changes(cast: Cast, visitor: Client, report: CreditReport) -> None:
    with act():
        revoke_report(report=report, user=cast.person)
    before = page(visitor, report)
    assert_no_window(before, "The report was withdrawn.")
    CreditRecord.objects.update(withheld=True)
    assert OF_THE_REQUEST.sub("", page(visitor, report)) == OF_THE_REQUEST.sub("", before)


def test_a_report_without_validity_tells_changes_for_so_many_days_only(visitor: Client, report: CreditReport) -> None:
    issued_on = timezone.now()
    with time_machine.travel(issued_on + datetime.timedelta(days=30)):
        assert "Changed since" in page(visitor, report)
    with time_machine.travel(issued_on + datetime.timedelta(days=31)):
        assert_no_window(page(visitor, report), "too old to be compared")


def test_one_report_is_checked_so_often_a_day_and_stands_in_one_line(
    cast: Cast, visitor: Client, report: CreditReport
) -> None:
    with act():
        RuleValue.objects.filter(key="report.checks_a_day").update(value=3)
    address = reverse("verify:answer", args=[report.code])
    other, today = issued(cast.person), timezone.now()
    with time_machine.travel(timezone.now() + datetime.timedelta(days=1), tick=False):
        assert [visitor.get(address).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        file = SimpleUploadedFile("report.pdf", pdf_of(report))
        assert visitor.post(reverse("verify:ask"), {"by_file": "1", "file": file}).status_code == 429
        assert "check it again tomorrow" in visitor.post(address).content.decode()
        page(visitor, other)
        AccessLog.objects.create(
            subject_ref=report.subject_id, purpose=OwnPurpose.REPORT_CHECK, reference=grouped(report.code),
            door=Door.WEB, authority=Authority.CONSENT, result="shown", fields=["name"], at=today - A_DAY,
        )  # fmt: skip
        looks = [one for one in found_looks(report.subject) if one.row.purpose == OwnPurpose.REPORT_CHECK]
        assert [(one.row.reference, one.times) for one in looks] == [
            (grouped(other.code), 1), (grouped(report.code), 3), (grouped(report.code), 1),
        ]  # fmt: skip
        assert len([one for one in all_looks(report.subject, Chosen()) if one.row.fields == ["name"]]) == 5


# --- the file -----------------------------------------------------------------------------------------


def compared(client: Client, report: CreditReport, data: bytes) -> str:
    file = SimpleUploadedFile("report.pdf", data)
    response = client.post(reverse("verify:answer", args=[report.code]), {"file": file})
    assert response.status_code == 200
    return response.content.decode()


def test_a_file_is_compared(cast: Cast, visitor: Client, report: CreditReport) -> None:
    for file in (pdf_of(report), jws_of(report)):
        assert "This is exactly the file" in compared(visitor, report, file)
        assert "Do not rely on it" in compared(visitor, report, file[:-9] + b"x" + file[-8:])
    assert "the file of another report" in compared(visitor, report, pdf_of(issued(cast.stranger)))
    assert "Do not rely on it" in compared(visitor, report, b"anything")


def test_a_file_too_large_or_missing_is_told_beside_its_field(
    visitor: Client, report: CreditReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("records.verify.views.LARGEST_FILE", 10)
    assert "larger than any report" in compared(visitor, report, b"%PDF-" + b"0" * 20)
    response = visitor.post(reverse("verify:answer", args=[report.code]), {})
    assert "errors" in response.content.decode()


# --- downloads ----------------------------------------------------------------------------------------


def me(user: Any) -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def test_the_person_downloads_and_every_download_is_written_down(cast: Cast, report: CreditReport) -> None:
    before = AccessLog.objects.count()
    client = me(cast.person)
    pdf = client.get(reverse("me:report-pdf", args=[report.code]))
    jws = client.get(reverse("me:report-json", args=[report.code]))
    assert (pdf.content, jws.content) == (pdf_of(report), jws_of(report))
    assert pdf["Content-Type"] == "application/pdf" and "no-store" in pdf["Cache-Control"]
    assert AccessLog.objects.count() == before + 2
    assert NAME not in pdf["Content-Disposition"]


def test_a_stranger_finds_no_page_and_no_file(cast: Cast, report: CreditReport) -> None:
    before = AccessLog.objects.count()
    for user in (cast.stranger, cast.officer, cast.centre):
        client = me(user)
        for name in ("report", "report-pdf", "report-json"):
            response = client.get(reverse(f"me:{name}", args=[report.code]))
            assert response.status_code == 404 or response["Location"] == reverse("me:bind")
        assert client.post(reverse("me:report", args=[report.code])).status_code in (302, 404)
    assert CreditReport.objects.get().state == "issued"
    assert AccessLog.objects.count() == before
    assert grouped(report.code) not in me(cast.stranger).get(reverse("me:reports")).content.decode()


def test_a_representative_who_may_get_reports_does_and_is_named_in_the_log(cast: Cast, report: CreditReport) -> None:
    words = {
        "person": person_of(cast.person), "representative": person_of(cast.stranger),
        "kind": RepresentationKind.GUARDIAN, "state": RepresentationState.CONFIRMED, "requested_by": cast.stranger,
        "decided_by": cast.officer, "decided_at": timezone.now(), "papers_kind": "p",
        "checked_by": cast.centre, "checked_at": timezone.now(),
    }  # fmt: skip
    standing = Representation.objects.create(scope=["file"], **words)
    address = reverse("me:report-pdf", args=[report.code])
    browser = me(cast.stranger)
    assert browser.get(address).status_code == 404  # the own file is open
    browser.post(reverse("me:represent-act", args=[standing.token]))
    assert browser.get(address).status_code == 403
    Representation.objects.update(scope=["report"])
    assert browser.get(address).status_code == 404, "made for the person"
    made = issued(cast.stranger, subject=person_of(cast.person))
    assert made.subject_id == report.subject_id
    assert browser.get(reverse("me:report-pdf", args=[made.code])).status_code == 200
    line = AccessLog.objects.order_by("-pk")[0]
    assert (line.actor, line.authority, line.reference) == (cast.stranger, Authority.CONSENT, standing.token)


def test_ordering_by_the_form(cast: Cast, report: CreditReport) -> None:
    client = me(cast.person)
    words = {"kind": "special", "entries": ["administrative-penalty"], "language": "en", "site": "gansu"}
    response = client.post(reverse("me:report-order"), words)
    made = CreditReport.objects.order_by("-pk")[0]
    assert response["Location"] == reverse("me:report", args=[made.code])
    assert (made.kind, made.fields, made.site.code, made.language) == (
        "special",
        ["administrative-penalty"],
        "gansu",
        "en",
    )
    assert made.code in said(made)["verify"]
    assert grouped(made.code) in client.get(reverse("me:reports")).content.decode()
    wrong = client.post(reverse("me:report-order"), {**words, "entries": [], "as_of": "2999-01-01"})
    text = wrong.content.decode()
    assert "Choose at least one kind of record." in text and "Choose today or a day that is past." in text
    client.post(response["Location"])
    assert "withdrawn" in client.get(response["Location"]).content.decode()
    assert client.post(response["Location"]).status_code == 302


def test_without_a_key_the_form_says_so(cast: Cast, settings: Any, tmp_path: Any) -> None:
    settings.REPORT_AUTHORITY = tmp_path / "none"
    response = me(cast.person).post(reverse("me:report-order"), {"kind": "full", "language": "en", "site": "gansu"})
    assert "the key that signs them is missing" in response.content.decode()


def test_nothing_of_a_check_is_in_the_log_of_the_server(
    visitor: Client, report: CreditReport, capsys: pytest.CaptureFixture[str]
) -> None:
    page(visitor, report)
    visitor.get(reverse("verify:ask"), {"code": report.code})
    captured = capsys.readouterr()
    assert report.code not in captured.out + captured.err
