"""Reports that units got with a person's consent: the person finds and withdraws them, and a representative none.

Also what whoever orders a report is told of mistakes, and what downloads are called.
"""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Invalid
from creditplatform.core.models import AccessLog, User
from records.enums import RepresentationKind, RepresentationState
from records.models import Authorisation, CreditReport, LegalBasis, Representation
from records.reports.content import grouped
from records.services import authorisations
from records.services.deferrals import defer
from records.services.unit_reports import Asking, issue_to_unit
from tests.cast import PERSON_NUMBER, Cast
from tests.records.queries_world import CASE, consent, fined, market, purpose
from tests.records.report_world import has_authority, issued, person_of

BACKEND = "django.contrib.auth.backends.ModelBackend"
HEADING = "Reports that units got with my consent"


@pytest.fixture
def given(cast: Cast) -> Authorisation:
    """A consent to two looks, of a person with one fine."""
    has_authority()
    with act():
        fined()
        return consent(purpose("special-industry"), cast.clerk, cast.person, case_number=CASE, uses=2)


@pytest.fixture
def report(cast: Cast, given: Authorisation) -> CreditReport:
    """What the unit got with it."""
    return got(cast, given)


def unit() -> str:
    """What the unit is called on the pages."""
    with translation.override("en"):
        return market().label


def act() -> Any:
    return audit.context(actor=None, door=Door.COMMAND, reason="test")


def got(cast: Cast, given: Authorisation) -> CreditReport:
    with act():
        return issue_to_unit(Asking(market(), given.number, CASE, cast.clerk, Door.DESK))


def me(user: User) -> Client:
    browser = Client()
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    browser.force_login(user, BACKEND)
    return browser


def shown(browser: Client, name: str, *args: str) -> str:
    response = browser.get(reverse(f"me:{name}", args=args))
    assert response.status_code == 200
    return response.content.decode()


def guardian(cast: Cast, *scope: str) -> Client:
    """The stranger of the cast, who represents the person and has their file open."""
    standing = Representation.objects.create(
        person=person_of(cast.person), representative=person_of(cast.stranger), kind=RepresentationKind.GUARDIAN,
        state=RepresentationState.CONFIRMED, scope=list(scope), requested_by=cast.stranger, decided_by=cast.officer,
        decided_at=timezone.now(), papers_kind="p", checked_by=cast.centre, checked_at=timezone.now(),
    )  # fmt: skip
    browser = me(cast.stranger)
    browser.post(reverse("me:represent-act", args=[standing.token]))
    return browser


# --- where the person finds them ----------------------------------------------------------------------------


def test_the_page_of_a_consent_leads_to_the_reports_made_with_it(
    cast: Cast, given: Authorisation, report: CreditReport
) -> None:
    second = got(cast, given)
    page = shown(me(cast.person), "authorisation", given.number)
    for one in (report, second):
        assert grouped(one.code) in page and reverse("me:report", args=[one.code]) in page
    made = page[page.index("Reports made with it") :]
    assert unit() in made and f"{timezone.localtime(report.issued_at):%Y-%m-%d %H:%M}" in made
    assert made.count("✓ issued") == 2 and made.index(second.code) < made.index(report.code)


def test_a_consent_with_which_none_was_made_speaks_of_none(cast: Cast, given: Authorisation) -> None:
    assert "Reports made with it" not in shown(me(cast.person), "authorisation", given.number)
    assert HEADING not in shown(me(cast.person), "reports")


def test_my_reports_list_them_apart_from_my_own(cast: Cast, given: Authorisation, report: CreditReport) -> None:
    own = issued(cast.person)
    page = shown(me(cast.person), "reports")
    first, second = page.split(HEADING)
    assert grouped(own.code) in first and grouped(report.code) not in first
    assert grouped(report.code) in second and grouped(own.code) not in second
    assert unit() in second and reverse("me:authorisation", args=[given.number]) in second


def test_the_person_withdraws_one_and_the_consent_stays(cast: Cast, given: Authorisation, report: CreditReport) -> None:
    browser = me(cast.person)
    page = shown(browser, "report", report.code)
    assert unit() in page and "Full report" not in page and reverse("me:authorisation", args=[given.number]) in page
    for _press in range(2):
        browser.post(reverse("me:report", args=[report.code]))
    report.refresh_from_db()
    assert (report.state, report.revoked_by) == ("revoked", cast.person)
    for page in (shown(browser, "reports"), shown(browser, "authorisation", given.number)):
        assert "✕ withdrawn" in page and "✓ issued" not in page
    given.refresh_from_db()
    assert given.state == "granted"


def test_a_consent_that_is_over_is_told_beside_its_reports(
    cast: Cast, given: Authorisation, report: CreditReport
) -> None:
    with act():
        authorisations.revoke(authorisation=Authorisation.objects.get(pk=given.pk), user=cast.person)
    browser = me(cast.person)
    for name, args in (("reports", []), ("authorisation", [given.number]), ("report", [report.code])):
        page = shown(browser, name, *args)
        assert "– consent over" in page and "✓ issued" not in page


# --- and nobody else ----------------------------------------------------------------------------------------


def test_a_representative_is_shown_none(cast: Cast, given: Authorisation, report: CreditReport) -> None:
    browser = guardian(cast, "file", "report", "consent")
    own = issued(cast.stranger, subject=person_of(cast.person))
    page = shown(browser, "reports")
    assert grouped(own.code) in page and HEADING not in page and grouped(report.code) not in page
    page = shown(browser, "authorisation", given.number)
    assert CASE in page and "Reports made with it" not in page and report.code not in page
    for name in ("report", "report-pdf", "report-json"):
        assert browser.get(reverse(f"me:{name}", args=[report.code])).status_code == 404
    assert browser.post(reverse("me:report", args=[report.code])).status_code == 404
    report.refresh_from_db()
    assert report.state == "issued"


def test_a_stranger_is_shown_none(cast: Cast, given: Authorisation, report: CreditReport) -> None:
    browser = me(cast.stranger)
    assert HEADING not in shown(browser, "reports")
    assert browser.get(reverse("me:authorisation", args=[given.number])).status_code == 404
    assert browser.post(reverse("me:report", args=[report.code])).status_code == 404


def test_no_report_is_listed_whose_look_could_be_deferred(cast: Cast, report: CreditReport) -> None:
    """What rests on consent is never put off, so the list betrays nothing that is."""
    line = AccessLog.objects.get(purpose="special-industry")
    basis = LegalBasis.objects.filter(confirmed=True)[0]
    with act(), pytest.raises(Invalid) as refused:
        defer(access=line, legal_basis=basis, until=timezone.localdate(), user=cast.supervisor)
    assert "not_by_statute" in {problem.code for problem in refused.value.problems}


# --- the order ----------------------------------------------------------------------------------------------


def kinds_in(page: str) -> str:
    """The list of the kinds of record."""
    start = page.index('<details class="card-x')
    return page[start : page.index("</details>", start)]


def test_a_special_report_without_kinds_is_told_on_top_with_a_link_to_the_open_list(cast: Cast) -> None:
    has_authority()
    browser = me(cast.person)
    entries = kinds_in(shown(browser, "report-order"))
    assert entries.startswith('<details class="card-x kinds" open>') and "(optional)" not in entries
    answer = browser.post(reverse("me:report-order"), {"kind": "special", "language": "en", "site": "gansu"})
    page = answer.content.decode()
    summary = re.search(r'role="alert">(.*?)</div>', page, re.DOTALL)
    assert summary and '<a href="#id_entries">' in summary[1] and "Choose at least one kind of record." in summary[1]
    entries = kinds_in(page)
    assert page.index(entries) > page.index('role="alert"') and 'id="id_entries"' in entries
    assert entries.startswith('<details class="card-x" open>') and "(optional)" not in entries
    assert "Choose at least one kind of record." in entries
    assert not CreditReport.objects.exists()


def test_every_mistake_stands_in_the_summary_and_a_refusal_only_once(cast: Cast, settings: Any, tmp_path: Any) -> None:
    has_authority()
    browser, words = me(cast.person), {"kind": "special", "language": "en", "site": "gansu"}
    page = browser.post(reverse("me:report-order"), {**words, "as_of": "2999-01-01"}).content.decode()
    for field in ("entries", "as_of"):
        assert page.count(f'href="#id_{field}"') == 1 and f'id="id_{field}"' in page
    page = browser.post(reverse("me:report-order"), {**words, "entries": ["no-such-kind"]}).content.decode()
    assert 'href="#id_entries"' in page
    settings.REPORT_AUTHORITY = tmp_path / "none"
    page = browser.post(reverse("me:report-order"), {**words, "kind": "full"}).content.decode()
    assert page.count("the key that signs them is missing") == 1
    assert not CreditReport.objects.exists()


# --- what downloads are called --------------------------------------------------------------------------------


def test_the_name_of_a_download_tells_kind_day_and_first_group(
    cast: Cast, given: Authorisation, report: CreditReport
) -> None:
    full = issued(cast.person)
    special = issued(cast.person, kind="special", entries=("judgment-defaulter",))
    for user, prefix, found, kind in (
        (cast.person, "me:report", full, "full"),
        (cast.person, "me:report", special, "special"),
        (cast.person, "me:report", report, "unit"),
        (cast.clerk, "desk:unit-report", report, "unit"),
    ):
        for way, ending in (("pdf", "pdf"), ("json", "jws")):
            answer = me(user).get(reverse(f"{prefix}-{way}", args=[found.code]))
            day, group = timezone.localdate(found.issued_at), grouped(found.code).split("-")[0]
            name = f"credit-report-{kind}-{day}-{group}.{ending}"
            assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
            assert name.isascii() and PERSON_NUMBER[-4:] not in name.replace(group, "").replace(str(day), "")
