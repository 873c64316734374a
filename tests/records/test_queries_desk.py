"""The pages of queries: mistakes beside their fields, refusals alike for everybody, results on no page that is kept."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from creditplatform.core.enums import AccessResult, Authority
from creditplatform.core.models import AccessLog
from records.enums import Outcome
from records.models import AccessDeferral, CreditRecord, HumanReview, Query
from records.services import human_review, queries
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import CASE, NAME, consent, fined, market, purpose
from tests.records.test_batch_check import UNKNOWN_NUMBER
from tests.records.test_staff_queries import draft

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
NEW = "/desk/queries/new/"


def browser(user: Any) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user, BACKEND)
    return client


def typed(**changes: str) -> dict[str, str]:
    return {
        "purpose": "hz-market:special-industry", "case_number": CASE, "kind": "records", "name": NAME,
        "document": "resident_id", "number": PERSON_NUMBER, **changes,
    }  # fmt: skip


def test_from_the_form_to_the_result(cast: Cast) -> None:
    record = fined()
    consent(purpose("special-industry"), cast.clerk, cast.person)
    client = browser(cast.clerk)
    answer = client.post(NEW, typed())
    query = Query.objects.get()
    assert answer.headers["Location"] == f"/desk/queries/{query.token}/"
    before = AccessLog.objects.count()
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Open the result" in page and CASE in page
    assert NAME not in page and PERSON_NUMBER not in page and record.document_number not in page
    assert AccessLog.objects.count() == before, "the page of a query shows nothing of the person"
    result = client.post(answer.headers["Location"], {"act": "open"})
    assert record.entry.name_en in result.content.decode() and "no-store" in result.headers["Cache-Control"]
    assert AccessLog.objects.count() == before + 1
    client.post(answer.headers["Location"], {"act": "open"})
    assert AccessLog.objects.count() == before + 2, "a look each time it is opened"
    assert CASE in client.get("/desk/queries/").content.decode()


def test_all_mistakes_stand_beside_their_fields(cast: Cast) -> None:
    wrong = typed(name=" ", number="12345", case_number="", purpose="hz-market:company-officer", kind="eligibility")
    answer = browser(cast.clerk).post(NEW, wrong)
    assert answer.status_code == 400
    assert answer.content.decode().count('class="errors"') == 4
    assert AccessLog.objects.latest("pk").result == AccessResult.REFUSED
    assert not Query.objects.exists()


def test_without_consent_the_page_names_the_next_step_and_nothing_else(cast: Cast) -> None:
    fined()
    client = browser(cast.clerk)
    known = client.post(NEW, typed())
    unknown = client.post(NEW, typed(name="无此示例", number=UNKNOWN_NUMBER))
    said = [answer.content.decode().partition('role="alert"')[2].partition("</div>")[0] for answer in (known, unknown)]
    assert known.status_code == unknown.status_code == 403
    assert said[0] == said[1] and "ask the person for consent" in said[0]
    assert AccessLog.objects.filter(result=AccessResult.REFUSED).count() == 2, "kept although it was refused"


def test_a_purpose_of_another_unit_is_not_offered_and_not_taken(cast: Cast) -> None:
    client = browser(cast.clerk)
    assert "hz-bank:loan" not in client.get(NEW).content.decode()
    assert client.post(NEW, typed(purpose="hz-bank:loan")).status_code == 400
    assert client.post(NEW, typed(purpose="hz-market:loan")).status_code == 400
    assert not Query.objects.exists()


@pytest.mark.parametrize("persona", ["centre", "auditor", "editor", "security", "operator", "person"])
def test_who_sends_for_no_unit_asks_nothing(cast: Cast, persona: str) -> None:
    client = browser(getattr(cast, persona))
    for address in ("/desk/queries/", NEW, "/desk/batch-checks/", "/desk/batch-checks/new/"):
        assert client.get(address).status_code == 403, address


def test_another_unit_finds_no_query_of_ours(cast: Cast) -> None:
    consent(purpose("special-industry"), cast.clerk, cast.person)
    query = queries.submit(draft(cast.clerk))
    assert browser(cast.other_clerk).get(f"/desk/queries/{query.token}/").status_code == 404
    assert browser(cast.officer).get(f"/desk/queries/{query.token}/").status_code == 404
    assert browser(cast.supervisor).get(f"/desk/queries/{query.token}/").status_code == 200
    refused = browser(cast.supervisor).post(f"/desk/queries/{query.token}/", {"act": "open"}, follow=True)
    assert NAME not in refused.content.decode()
    assert not AccessLog.objects.filter(case_number=CASE, result=AccessResult.SHOWN).exists()


def test_a_supervisor_finds_what_waits_on_the_first_page(cast: Cast) -> None:
    consent(purpose("special-industry", needs_approval=True), cast.clerk, cast.person)
    query = queries.submit(draft(cast.clerk))
    client = browser(cast.supervisor)
    assert "Queries to approve" in client.get("/desk/").content.decode()
    assert query.token in client.get("/desk/queries/").content.decode()
    client.post(f"/desk/queries/{query.token}/", {"act": "approve"})
    query.refresh_from_db()
    assert (query.state, query.approved_by) == ("approved", cast.supervisor)


def test_a_clean_record_goes_to_a_person_who_decides_on_the_page(cast: Cast) -> None:
    record = fined()
    CreditRecord.objects.filter(pk=record.pk).update(disputed=True)
    consent(purpose("green-channel"), cast.clerk, cast.person)
    client = browser(cast.officer)
    address = client.post(NEW, typed(purpose="hz-market:green-channel", kind="eligibility")).headers["Location"]
    result = client.post(address, {"act": "open"}).content.decode()
    assert "needs a person" in result and record.entry.name_en in result and "Rule" in result
    assert record.document_number not in result, "this purpose shows no record"
    client.post(address, {"act": "person", "words": "请核对"})
    review = HumanReview.objects.get()
    assert "Results before a person" in browser(cast.supervisor).get("/desk/").content.decode()
    page = f"/desk/results/{review.token}/"
    assert "Somebody else of your unit decides" in client.get(page).content.decode()
    before = AccessLog.objects.count()
    text = browser(cast.supervisor).get(page).content.decode()
    assert record.document_number in text
    look = AccessLog.objects.latest("pk")
    assert (AccessLog.objects.count(), look.actor, look.authority) == (before + 1, cast.supervisor, Authority.STATUTE)
    assert look.reference == human_review.STATUTE
    browser(cast.supervisor).post(page, {"decision": "yes", "grounds": "异议成立"})
    review.refresh_from_db()
    assert review.decision == Outcome.YES
    assert browser(cast.clerk).get("/desk/results/").status_code == 403


# --- the person's side -----------------------------------------------------------------------------------


def test_the_person_reads_the_own_answer_with_its_reasons_and_leaves_an_own_look(cast: Cast) -> None:
    record = fined()
    text = browser(cast.person).get("/me/eligibility/").content.decode()
    assert record.entry.name_en in text and "unfavourable records within the period" in text
    look = AccessLog.objects.latest("pk")
    assert (look.subject_ref, look.authority) == (record.subject_id, Authority.SELF)
    clean = browser(cast.stranger).get("/me/eligibility/").content.decode()
    assert "no unfavourable record counts" in clean
    assert "Ask a person to decide" not in text + clean, "no unit has asked"


def _asked(cast: Cast) -> AccessLog:
    consent(purpose("green-channel"), cast.clerk, cast.person)
    query = queries.submit(draft(cast.clerk, purpose="green-channel", kind="eligibility"))
    queries.open_result(query=query, user=cast.clerk)
    return AccessLog.objects.latest("pk")


def test_the_person_has_a_person_decide_and_reads_the_grounds(cast: Cast) -> None:
    record = fined()
    line, client = _asked(cast), browser(cast.person)
    assert "Ask a person to decide" in client.get("/me/eligibility/").content.decode()
    client.post("/me/eligibility/", {"access": str(line.pk)})
    review = HumanReview.objects.get()
    assert (review.subject_id, review.agency, review.outcome) == (record.subject_id, market(), Outcome.NO)
    assert (review.asked_by, review.looked_by, review.records) == (cast.person, cast.clerk, [record.pk])
    page = client.get("/me/eligibility/").content.decode()
    assert "before a person" in page and "Ask a person to decide" not in page
    human_review.decide(review=review, user=cast.supervisor, decision="yes", grounds="已履行完毕")
    assert "已履行完毕" in client.get("/me/eligibility/").content.decode()
    assert "decided" in client.get("/me/notices/").content.decode()


@pytest.mark.parametrize("access", ["", "0", "abc", "99999999999999999999", "1" * 400])
def test_only_answers_about_oneself_go_to_a_person(cast: Cast, access: str) -> None:
    line = _asked(cast)
    for sent in (access, str(line.pk)):
        assert browser(cast.stranger).post("/me/eligibility/", {"access": sent}).status_code == 302
    assert not HumanReview.objects.exists()


def test_what_is_deferred_by_statute_is_not_shown_here_either(cast: Cast) -> None:
    fined()
    line = _asked(cast)
    AccessDeferral.objects.create(
        access_id=line.pk, access_at=line.at, subject_id=line.subject_ref, legal_basis_id="penalty-law-48",
        until="2099-01-01", entered_by=cast.officer, approved_by=cast.supervisor, approved_at=line.at,
    )  # fmt: skip
    assert "Ask a person to decide" not in browser(cast.person).get("/me/eligibility/").content.decode()
