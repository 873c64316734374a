"""Reports for units: with a consent that covers them, once for each use, and to nobody else."""

import datetime
import json
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import AccessResult, Authority, Door, Role, Scope
from creditplatform.core.errors import Invalid
from creditplatform.core.models import AccessLog, Agency, User
from records.enums import AuthorisationState
from records.models import Authorisation, CreditRecord, CreditReport
from records.queries.grants import NotAuthorised
from records.queries.uses import use
from records.reports import checking
from records.services import authorisations
from records.services.reports import revoke_report
from records.services.unit_reports import Asking, issue_to_unit
from tests.cast import PERSON_NUMBER, Cast, member
from tests.records.queries_world import CASE, asked, consent, fined, market, purpose
from tests.records.report_world import has_authority, jws_of, payload, pdf_of, records_in, said
from tests.records.test_machine_deliveries import Machine

BACKEND = "django.contrib.auth.backends.ModelBackend"
INDUSTRY = "special-industry"


@pytest.fixture(autouse=True)
def _can_be_signed(policy: None) -> None:
    has_authority()


@pytest.fixture
def given(cast: Cast) -> Authorisation:
    """A consent for one report, of a person with one fine."""
    fined()
    return consent(purpose(INDUSTRY), cast.clerk, cast.person, case_number=CASE)


def asking(given: Authorisation, user: User | None = None, **changes: Any) -> Asking:
    words = {"agency": market(), "number": given.number, "case_number": CASE, "user": user, "door": Door.DESK}
    return Asking(**{**words, **changes})


def desk(user: User) -> Client:
    browser = Client()
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    browser.force_login(user, BACKEND)
    return browser


def made(user: User, given: Authorisation, case_number: str = CASE) -> Any:
    return desk(user).post(reverse("desk:authorisation-report", args=[given.number]), {"case_number": case_number})


def lines(result: AccessResult) -> list[AccessLog]:
    return list(AccessLog.objects.filter(result=result, agency=market()).order_by("pk"))


# --- what it holds ------------------------------------------------------------------------------------


def test_what_the_consent_does_not_cover_is_never_called_nothing_on_record(cast: Cast) -> None:
    """The person has a fine; the consent covers volunteers alone. A signed report must not say that there is none."""
    fined()
    wanted = purpose(INDUSTRY, fields=["administrative-penalty", "star-volunteer"])
    narrow = consent(wanted, cast.clerk, cast.person, granted=["star-volunteer"], case_number=CASE)
    content = said(issue_to_unit(asking(narrow, cast.officer, language="en")))
    said_of = {section["code"]: section["empty"] for section in content["sections"]}
    assert said_of.pop("honesty") == "Nothing on record of what is covered here: Star volunteer."
    assert set(said_of.values()) == {"Not covered by the purpose or the person's authorisation: nothing is said here."}
    limit = next(line for line in content["scope"] if "authorisation cover" in line)
    assert "Star volunteer" in limit and "not even whether there is any" in limit
    assert "Nothing on record." not in str(content)


def test_a_unit_gets_what_was_allowed_once(cast: Cast, given: Authorisation) -> None:
    report = issue_to_unit(asking(given, cast.officer))
    content = said(report)
    assert content["looks"] is None and not any(section["advice"] for section in content["sections"])
    assert content["issued_for"] == {"unit": "惠州市市场监督管理局", "case": CASE}
    assert len(records_in(report)) == 1
    line = AccessLog.objects.get(purpose=given.purpose_id)
    assert (line.authority, line.reference, line.case_number) == (Authority.CONSENT, given.number, CASE)
    given.refresh_from_db()
    assert given.state == AuthorisationState.USED
    with pytest.raises(NotAuthorised):
        issue_to_unit(asking(given, cast.officer))
    assert not checking.changed_since(report), "the consent is used up, the records are the same"
    CreditRecord.objects.update(withheld=True)
    assert checking.changed_since(report)


def test_a_number_of_a_person_is_no_case_and_takes_no_use(cast: Cast, given: Authorisation) -> None:
    for case in ("", PERSON_NUMBER):
        with pytest.raises(Invalid):
            issue_to_unit(asking(given, cast.officer, case_number=case))
    given.refresh_from_db()
    assert given.uses == 0 and not CreditReport.objects.exists()


def test_without_a_key_no_use_is_taken(cast: Cast, given: Authorisation, settings: Any, tmp_path: Any) -> None:
    settings.REPORT_AUTHORITY = tmp_path / "none"
    page = made(cast.clerk, given)
    assert page["Location"] == reverse("desk:authorisation", args=[given.number])
    given.refresh_from_db()
    assert given.uses == 0


def test_a_print_tells_no_changes_once_the_consent_has_ended(cast: Cast, given: Authorisation) -> None:
    report = issue_to_unit(asking(given, cast.officer))
    address = reverse("verify:answer", args=[report.code])
    assert "Changed since" in desk(cast.stranger).get(address).content.decode()
    withdrawn(cast, given)
    text = desk(cast.stranger).get(address).content.decode()
    assert "no longer backed by the person" in text and "Changed since" not in text and "withdrawn since" not in text


# --- on the desk --------------------------------------------------------------------------------------


def test_a_member_of_the_unit_makes_a_report_and_fetches_both_files(cast: Cast, given: Authorisation) -> None:
    page = desk(cast.clerk).get(reverse("desk:authorisation", args=[given.number])).content.decode()
    assert reverse("desk:authorisation-report", args=[given.number]) in page and CASE in page
    answer = made(cast.clerk, given)
    report = CreditReport.objects.get()
    assert answer["Location"] == reverse("desk:unit-report", args=[report.code])
    assert (report.agency, report.authorisation, report.requested_by) == (market(), given, cast.clerk)
    shown = desk(cast.officer).get(answer["Location"])
    assert shown["Cache-Control"] == "no-store" and f"/verify/{report.code}/" in shown.content.decode()
    assert PERSON_NUMBER not in shown.content.decode()
    for name, data in (("pdf", pdf_of(report)), ("json", jws_of(report))):
        file = desk(cast.officer).get(reverse(f"desk:unit-report-{name}", args=[report.code]))
        assert file.content == data and file["Cache-Control"] == "no-store"
    page = desk(cast.clerk).get(reverse("desk:authorisation", args=[given.number])).content.decode()
    assert report.code in page and reverse("desk:authorisation-report", args=[given.number]) not in page


def test_making_it_and_each_download_is_a_look_that_the_person_reads(cast: Cast, given: Authorisation) -> None:
    made(cast.clerk, given)
    report = CreditReport.objects.get()
    desk(cast.officer).get(reverse("desk:unit-report-pdf", args=[report.code]))
    first, second = lines(AccessResult.SHOWN)
    assert (first.actor, first.fields) == (cast.clerk, ["administrative-penalty"])
    assert (second.actor, second.fields, second.case_number) == (cast.officer, ["credit-report"], CASE)
    assert {first.purpose, second.purpose} == {INDUSTRY} and {first.reference, second.reference} == {given.number}
    assert desk(cast.person).get(reverse("me:looks")).content.decode().count(CASE) == 2


def test_a_report_is_nobodys_but_the_units(cast: Cast, given: Authorisation) -> None:
    made(cast.clerk, given)
    report, before = CreditReport.objects.get(), AccessLog.objects.count()
    for user in (cast.other_clerk, cast.centre, cast.auditor, cast.person):
        for name in ("", "-pdf", "-json"):
            status = desk(user).get(reverse(f"desk:unit-report{name}", args=[report.code])).status_code
            assert status in (403, 404), (user, name)
        assert made(user, given).status_code in (403, 404)
    assert AccessLog.objects.count() == before


# --- what is refused, all alike -------------------------------------------------------------------------


def withdrawn(cast: Cast, given: Authorisation) -> None:
    authorisations.revoke(authorisation=given, user=cast.person)


def used_up(cast: Cast, given: Authorisation) -> None:
    use(given)


def ended(cast: Cast, given: Authorisation) -> None:
    now = timezone.now()
    Authorisation.objects.filter(pk=given.pk).update(valid_from=now - datetime.timedelta(2), expires_at=now)


def no_records(cast: Cast, given: Authorisation) -> None:
    purpose(INDUSTRY, gives_records=False)


def second_person(cast: Cast, given: Authorisation) -> None:
    purpose(INDUSTRY, needs_approval=True)


CAUSES = [withdrawn, used_up, ended, no_records, second_person]


@pytest.mark.parametrize("cause", CAUSES)
def test_on_the_desk_a_consent_that_does_not_cover_it_is_refused_and_registered(
    cast: Cast, given: Authorisation, cause: Any
) -> None:
    cause(cast, given)
    browser = desk(cast.clerk)
    page = reverse("desk:authorisation", args=[given.number])
    address = reverse("desk:authorisation-report", args=[given.number])
    assert address not in browser.get(page).content.decode(), "no button"
    answer = browser.post(address, {"case_number": CASE}, follow=True)
    assert str(NotAuthorised.default_message)[:30] in answer.content.decode().replace("&#x27;", "'")
    (line,) = lines(AccessResult.REFUSED)
    assert (line.actor, line.subject_ref, line.case_number) == (cast.clerk, given.subject_id, CASE)
    assert not CreditReport.objects.exists()


def test_once_consent_or_report_is_withdrawn_or_the_end_has_come_no_file_is_handed_out(
    cast: Cast, given: Authorisation
) -> None:
    made(cast.clerk, given)
    report = CreditReport.objects.get()
    address = reverse("desk:unit-report-pdf", args=[report.code])
    with time_machine.travel(given.expires_at or timezone.now(), tick=False):
        assert desk(cast.clerk).get(address).status_code == 302
    assert desk(cast.clerk).get(address).status_code == 200
    with audit.context(actor=None, door=Door.WEB, reason="test"):
        revoke_report(report=report, user=cast.person)
    assert desk(cast.clerk).get(address).status_code == 302
    CreditReport.objects.filter(pk=report.pk).update(state="issued", revoked_at=None, revoked_by=None)
    given.refresh_from_db()
    withdrawn(cast, given)
    assert desk(cast.clerk).get(address).status_code == 302
    assert len(lines(AccessResult.REFUSED)) == 3
    assert address not in desk(cast.clerk).get(reverse("desk:unit-report", args=[report.code])).content.decode()


# --- over the interface -----------------------------------------------------------------------------------


@pytest.fixture
def system(cast: Cast) -> Machine:
    return Machine(Scope.QUERIES_WRITE)


def order(system: Machine, number: str, **said: str) -> Any:
    return system.call("POST", f"/api/v1/authorisations/{number}/report/", {"case_number": CASE, **said})


def path(address: str) -> str:
    return address.replace("http://testserver", "")


def test_a_system_makes_a_report_and_fetches_both_files(system: Machine, given: Authorisation) -> None:
    answer = order(system, given.number, language="en")
    assert answer.status_code == 201 and answer.headers["Cache-Control"] == "no-store"
    found, report = answer.json(), CreditReport.objects.get()
    assert set(found) == {"report", "issued_at", "valid_until", "verify", "pdf", "json"}
    assert found["report"] == report.code and report.language == "en"
    assert found["verify"].endswith(f"/verify/{report.code}/")
    pdf = system.get(path(found["pdf"]), Accept="application/pdf")
    assert (pdf.content, pdf.headers["Content-Type"]) == (pdf_of(report), "application/pdf")
    jws = system.get(path(found["json"]))
    assert payload(jws.content) == said(report)
    assert [(line.door, line.actor) for line in lines(AccessResult.SHOWN)] == [(Door.API, None)] * 3


def test_a_scope_for_consents_alone_makes_no_report(cast: Cast, given: Authorisation) -> None:
    assert order(Machine(Scope.AUTHORISATIONS_WRITE), given.number).status_code == 403
    given.refresh_from_db()
    assert given.uses == 0


def refusal(answer: Any) -> str:
    assert answer.status_code == 403, answer.content.decode()
    return json.dumps(answer.json(), sort_keys=True)


def test_over_the_interface_every_consent_that_does_not_cover_it_is_refused_alike(
    cast: Cast, system: Machine, given: Authorisation
) -> None:
    other = Machine(Scope.QUERIES_WRITE, agency="gs-market")
    answers = {refusal(order(other, given.number)), refusal(order(system, "a" * 26)), refusal(order(system, "nothing"))}
    waiting = asked(purpose(INDUSTRY), cast.clerk, case_number="2")
    answers.add(refusal(order(system, waiting.number)))
    ones = [consent(purpose(INDUSTRY), cast.clerk, cast.person) for _cause in CAUSES]
    for cause, one in zip(CAUSES, ones, strict=True):
        with audit.context(actor=None, door=Door.DESK, reason="test"):
            one.purpose = purpose(INDUSTRY, gives_records=True, needs_approval=False)
            cause(cast, one)
        answers.add(refusal(order(system, one.number)))
    assert len(answers) == 1
    assert not CreditReport.objects.exists()


def test_a_refusal_over_the_interface_is_registered_where_the_person_reads_it(
    system: Machine, cast: Cast, given: Authorisation
) -> None:
    other = Machine(Scope.QUERIES_WRITE, agency="gs-market")
    order(other, given.number)
    order(system, "a" * 26)
    refused = AccessLog.objects.filter(result=AccessResult.REFUSED).order_by("pk")
    found = list(refused.values_list("agency__code", "subject_ref"))
    assert found == [("gs-market", given.subject_id), ("hz-market", 0)]


def test_files_are_fetched_by_the_unit_alone_and_while_the_consent_lasts(
    cast: Cast, system: Machine, given: Authorisation
) -> None:
    found = order(system, given.number).json()
    other = Machine(Scope.QUERIES_WRITE, agency="gs-market")
    for name in ("pdf", "json"):
        assert other.get(path(found[name])).status_code == 404
    given.refresh_from_db()
    with audit.context(actor=None, door=Door.WEB, reason="test"):
        withdrawn(cast, given)
    assert system.get(path(found["pdf"]), Accept="application/pdf").json()["code"] == "not_authorised"
    assert len(lines(AccessResult.REFUSED)) == 1


@pytest.mark.parametrize("said", [{"case_number": ""}, {"case_number": PERSON_NUMBER}, {"language": "xx"}])
def test_what_is_wrong_is_told_and_takes_no_use(system: Machine, given: Authorisation, said: dict[str, str]) -> None:
    answer = order(system, given.number, **said)
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (400, next(iter(said)))
    given.refresh_from_db()
    assert given.uses == 0


def test_a_report_of_a_person_is_none_of_a_unit(cast: Cast, given: Authorisation) -> None:
    report = issue_to_unit(asking(given, cast.officer))
    CreditReport.objects.filter(pk=report.pk).update(agency=None)
    assert desk(cast.clerk).get(reverse("desk:unit-report", args=[report.code])).status_code == 404
    somebody = member("bank-clerk", Agency.objects.get(code="hz-bank"), Role.CLERK)
    assert desk(somebody).get(reverse("desk:unit-report", args=[report.code])).status_code == 404
