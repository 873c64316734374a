"""The pages of consent: exactly what would be shown, answered within bounds, receipted; the desk learns no more."""

import datetime
import json
import re
from collections import Counter
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from structlog.testing import capture_logs

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.identity import IdentifierKind, make_resident_id
from creditplatform.core.models import AccessLog, Agency, Membership, Notice
from creditplatform.core.vault import public_token
from records.enums import AuthorisationState, Outcome, OwnPurpose
from records.identifiers import identifier
from records.look_selectors import LOOK_KIND
from records.models import Authorisation, PurposeUser
from records.queries.asking import ask_records
from records.queries.receipts import EVENT_STATES, SCHEMA, receipt
from records.services import authorisations
from records.services.share_links import make as make_link
from records.services.statements import write_statement
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import (
    CASE,
    NAME,
    UNKNOWN,
    asked,
    consent,
    fined,
    market,
    purpose,
    question,
)  # fmt: skip

pytestmark = pytest.mark.django_db
KIND = "administrative-penalty"


def browser(user: Any) -> Client:
    client = Client()
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def answer(case: Authorisation, user: Any, **given: Any) -> Any:
    """Press a button of the answer page."""
    until = (timezone.localdate() + datetime.timedelta(days=7)).isoformat()
    words = {"act": "grant", "fields_allowed": [KIND], "until": until, "uses": "2", **given}
    return browser(user).post(reverse("me:authorisation", args=[case.number]), words)


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


# --- the person ------------------------------------------------------------------------------------


def test_a_request_waits_on_the_first_page_and_in_the_letters(cast: Cast) -> None:
    case = asked(purpose("special-industry"), cast.clerk)
    client, address = browser(cast.person), reverse("me:authorisation", args=[case.number])
    for page in ("home", "authorisations", "notices"):
        assert address in client.get(reverse(f"me:{page}")).content.decode(), page
    assert Notice.objects.get(code="authorisation_asked").delivered_at


def test_the_preview_shows_exactly_what_the_unit_would_see(cast: Cast) -> None:
    record, wanted = fined(), purpose("special-industry")
    write_statement(record=record, subject=record.subject, text="罚款已缴清。")
    case = asked(wanted, cast.clerk, message="请您确认。")
    page = browser(cast.person).get(reverse("me:authorisation", args=[case.number]))
    shown = page.context["preview"].with_records[0].records[0]
    text = plain(page.content.decode())
    assert "Preview" in text and "请您确认。" in text and "罚款已缴清。" in text and "added later" in text
    line = AccessLog.objects.latest("pk")
    assert (line.purpose, line.authority, line.reference) == (OwnPurpose.PREVIEW, Authority.SELF, case.number)
    answer(case, cast.person)
    (seen,) = ask_records(question(wanted, user=cast.clerk))
    assert len(shown.fields) == len(seen.fields) and shown.statement == seen.statement
    assert {kind.code for kind in page.context["preview"].kinds} == set(wanted.fields)


def test_a_purpose_that_answers_yes_or_no_shows_that_answer(cast: Cast) -> None:
    fined()
    case = asked(purpose("green-channel"), cast.clerk)
    text = plain(browser(cast.person).get(reverse("me:authorisation", args=[case.number])).content.decode())
    assert "✕ no" in text and "not what stands in them" in text and "Tick what the unit may see" not in text
    assert AccessLog.objects.latest("pk").purpose == OwnPurpose.PREVIEW
    assert answer(case, cast.person, fields_allowed=[]).status_code == 302
    case.refresh_from_db()
    assert set(case.granted_fields) == set(case.requested_fields)


def test_a_part_is_allowed_within_bounds_and_receipted(cast: Cast) -> None:
    case = asked(purpose("special-industry"), cast.clerk)
    assert answer(case, cast.person).status_code == 302
    case.refresh_from_db()
    assert (case.state, case.granted_fields, case.uses_allowed) == (AuthorisationState.GRANTED, [KIND], 2)
    end = timezone.localtime(case.expires_at)
    assert (end.date() - timezone.localdate()).days == 8 and (end.hour, end.minute) == (0, 0)
    text = browser(cast.person).get(reverse("me:authorisation", args=[case.number])).content.decode()
    assert case.number in text and "0 of 2" in text and "It has not been used." in text


def test_everything_is_allowed_by_one_tick_and_the_longest_time_is_really_possible(cast: Cast) -> None:
    wanted = purpose("special-industry")
    case = asked(wanted, cast.clerk)
    last = (timezone.localdate() + datetime.timedelta(days=wanted.longest_days)).isoformat()
    assert answer(case, cast.person, fields_allowed=[], everything="on", until=last).status_code == 302
    case.refresh_from_db()
    assert set(case.granted_fields) == set(wanted.fields)


def test_all_mistakes_are_told_at_once_and_nothing_is_allowed(cast: Cast) -> None:
    case = asked(purpose("special-industry"), cast.clerk)
    late = (timezone.localdate() + datetime.timedelta(days=999)).isoformat()
    page = answer(case, cast.person, fields_allowed=[], until=late, uses="99")
    text = page.content.decode()
    assert page.status_code == 200
    for words in ("Choose at least one of the kinds", "Choose an end within", "This purpose allows"):
        assert words in text
    again = answer(case, cast.person, fields_allowed=["honesty-model"], until="x", uses="")
    assert "Choose at least one" in again.content.decode() and "Say how often." in again.content.decode()
    case.refresh_from_db()
    assert case.state == AuthorisationState.REQUESTED


def test_refused_and_withdrawn_by_a_button(cast: Cast) -> None:
    given = consent(purpose("special-industry"), cast.clerk, cast.person, case_number="2")
    case = asked(purpose("special-industry"), cast.clerk)
    assert answer(case, cast.person, act="refuse").status_code == 302
    client = browser(cast.person)
    assert "Withdraw" in client.get(reverse("me:authorisations")).content.decode()
    client.post(reverse("me:authorisation", args=[given.number]), {"act": "revoke"})
    states = dict(Authorisation.objects.values_list("pk", "state"))
    assert states == {case.pk: AuthorisationState.REFUSED, given.pk: AuthorisationState.REVOKED}
    assert answer(case, cast.person, act="nonsense").status_code == 302


@pytest.mark.parametrize("who", ["stranger", "unbound", "clerk"])
def test_nobody_else_sees_answers_or_keeps_it(cast: Cast, who: str) -> None:
    case, user = asked(purpose("special-industry"), cast.clerk), getattr(cast, who)
    client = browser(user)
    for address in (reverse("me:authorisation", args=[case.number]),
                    reverse("me:authorisation-receipt", args=[case.number])):  # fmt: skip
        assert client.get(address).status_code in (302, 404)
    assert answer(case, user).status_code in (302, 404)
    case.refresh_from_db()
    assert case.state == AuthorisationState.REQUESTED


def test_numbers_that_are_tried_are_refused_alike_and_logged(cast: Cast) -> None:
    """Another's number and one that nobody has look alike; the log names the kind and the account, and no number."""
    case = asked(purpose("special-industry"), cast.clerk)
    link, _code = make_link(
        user=cast.person, subject=cast.person.real_name.subject, fields=[KIND], lifetime=datetime.timedelta(days=1)
    )
    record_disclosure(
        subject_ref=link.subject_id, actor=cast.clerk, agency=market(), purpose="loan", authority=Authority.STATUTE,
        reference="law", fields=[KIND], door=Door.DESK,
    )  # fmt: skip
    look = public_token(LOOK_KIND, AccessLog.objects.latest("pk").pk)
    client, unit, said = browser(cast.stranger), browser(cast.other_clerk), set()
    with capture_logs() as lines:
        for number in (case.number, "0" * 26, "nothing"):
            said.add(client.post(reverse("me:authorisation", args=[number]), {"act": "grant"}).status_code)
            said.add(client.get(reverse("me:authorisation-receipt", args=[number])).status_code)
            said.add(unit.post(f"/desk/authorisations/{number}/", {"act": "recall"}).status_code)
        for number in (link.token, "0" * 26):
            said.add(client.post(reverse("me:shares"), {"act": "revoke", "link": number}).status_code)
        for number in (look, "0" * 26):
            said.add(client.post(reverse("me:look", args=[number]), {"words": "x"}).status_code)
    assert said == {404}
    tried = [line for line in lines if line["event"] == "number_not_theirs"]
    assert Counter(line["kind"] for line in tried) == {"authorisation": 9, "share-link": 2, "look": 2}
    assert {line["account"] for line in tried} == {cast.stranger.pk, cast.other_clerk.pk}
    assert not any(number in str(lines) for number in (case.number, link.token, look))
    case.refresh_from_db()
    link.refresh_from_db()
    assert case.state == AuthorisationState.REQUESTED and link.revoked_at is None


def test_a_request_under_another_name_is_not_there(cast: Cast) -> None:
    case = asked(purpose("special-industry"), cast.clerk, name="某示例")
    client = browser(cast.person)
    assert client.get(reverse("me:authorisation", args=[case.number])).status_code == 404
    assert case.number not in client.get(reverse("me:authorisations")).content.decode()


# --- the receipt -----------------------------------------------------------------------------------


def test_the_receipt_bears_the_fields_of_the_standard_and_names_nobody(cast: Cast) -> None:
    fined()
    wanted = purpose("special-industry")
    case = consent(wanted, cast.clerk, cast.person, granted=[KIND], uses=2, case_number=CASE)
    ask_records(question(wanted, user=cast.clerk))
    answered = browser(cast.person).get(reverse("me:authorisation-receipt", args=[case.number]))
    assert "attachment" in answered["Content-Disposition"] and "no-store" in answered["Cache-Control"]
    body = answered.content.decode()
    found = json.loads(body)
    assert NAME not in body and PERSON_NUMBER not in body
    assert (found["schema_version"], found["record_id"]) == (SCHEMA, case.number)
    (processing,) = found["pii_processing"]["purposes"]
    assert processing["purpose"] == wanted.code and processing["legal_basis"]["code"] == wanted.legal_basis_id
    assert [one["pii_type"] for one in processing["pii_information"]] == [KIND]
    for name in ("pii_controllers", "collection_method", "processing_methods", "storage_locations", "retention_period",
                 "recipient_third_parties", "withdrawal_method", "jurisdiction", "privacy_rights"):  # fmt: skip
        assert name in processing
    assert processing["pii_controllers"] == [found["party_identification"][0]["party_id"]]
    states = [event["event_state"] for event in found["events"]]
    assert states == ["requested", "given", "given"]
    assert found["events"][1]["validity_duration"] == processing["retention_period"] == "P7D"
    assert found["extension"]["uses_made"] == 1
    authorisations.revoke(authorisation=Authorisation.objects.get(pk=case.pk), user=cast.person)
    last = receipt(Authorisation.objects.get(pk=case.pk))["events"][-1]
    assert (last["event_state"], last["entity_id"]) == ("withdrawn", found["pii_principal_id"])
    unit = found["party_identification"][0]["party_id"]
    assert [event["entity_id"] for event in found["events"]] == [unit, found["pii_principal_id"], unit]
    assert processing["processing_methods"] == ["look at records"]


def test_a_receipt_names_a_yes_or_no_only_where_all_of_it_is_allowed(cast: Cast) -> None:
    whole = receipt(consent(purpose("special-industry"), cast.clerk, cast.person))
    (processing,) = whole["pii_processing"]["purposes"]
    assert processing["processing_methods"] == ["look at records", "answer yes or no"]


def test_the_number_of_the_person_is_another_one_for_every_unit(cast: Cast) -> None:
    wanted, psb = purpose("special-industry"), Agency.objects.get(code="hz-psb")
    one = receipt(consent(wanted, cast.clerk, cast.person))["pii_principal_id"]
    same = receipt(consent(wanted, cast.clerk, cast.person, case_number="2"))["pii_principal_id"]
    other = receipt(consent(wanted, cast.clerk, cast.person, agency=psb))["pii_principal_id"]
    assert one == same != other


def test_every_state_has_its_word_in_the_receipt() -> None:
    assert set(EVENT_STATES) == set(AuthorisationState)


def test_a_request_without_an_answer_has_a_receipt_too(cast: Cast) -> None:
    found = receipt(asked(purpose("special-industry"), cast.clerk))
    assert (found["pii_principal_id"], found["events"][0]["event_state"]) == ("", "requested")


# --- the desk --------------------------------------------------------------------------------------

ASK = "/desk/authorisations/ask/hz-market/special-industry/"


def filled(**changes: Any) -> dict[str, Any]:
    return {
        "name": NAME, "kind": "resident_id", "number": PERSON_NUMBER, "case_number": CASE, "message": "请您确认。",
        "fields_asked": [KIND], **changes,
    }  # fmt: skip


def test_a_member_of_the_unit_asks_and_the_desk_never_says_whether_anybody_is_on_file(cast: Cast) -> None:
    fined()
    client, pages = browser(cast.clerk), []
    for name, number in ((NAME, PERSON_NUMBER), ("无此示例", UNKNOWN.number)):
        answered = client.post(ASK, filled(name=name, number=number), follow=True)
        page = answered.content.decode()
        assert name not in page and number not in page
        pages.append(re.sub(r"[0-9a-z]{26}|csrfmiddlewaretoken\" value=\"\w+", "", plain(page)))
    assert pages[0] == pages[1] and "waiting for the person" in pages[0]
    known, unknown = Authorisation.objects.order_by("pk")
    assert known.requested_fields == [KIND] and known.message == "请您确认。" and unknown.subject is None
    listed = client.get("/desk/authorisations/").content.decode()
    assert known.number in listed and NAME not in listed and "请您确认。" not in listed


def test_all_mistakes_of_a_request_are_told_at_once(cast: Cast) -> None:
    page = browser(cast.clerk).post(ASK, filled(name="", number="1", fields_asked=[]))
    text = page.content.decode()
    assert text.count('class="errors"') >= 2 and not Authorisation.objects.exists()
    page = browser(cast.clerk).post(ASK, filled(number="441300199001011230"))
    assert page.status_code == 200 and not Authorisation.objects.exists()
    page = browser(cast.clerk).post(ASK, filled(fields_asked=["honesty-model"]))
    assert page.status_code == 200 and not Authorisation.objects.exists()


def test_nothing_is_asked_for_unless_it_is_ticked(cast: Cast) -> None:
    client, wanted = browser(cast.clerk), purpose("special-industry")
    text = client.get(ASK).content.decode()
    assert "checked" not in text and "only then you also learn yes or no" in plain(text).lower()
    page = client.post(ASK, filled(fields_asked=[]))
    assert "Choose at least one kind of record." in page.content.decode() and not Authorisation.objects.exists()
    assert client.post(ASK, filled(fields_asked=[], everything="on")).status_code == 302
    assert set(Authorisation.objects.get().requested_fields) == set(wanted.fields)


def test_a_yes_or_no_is_asked_for_as_a_whole(cast: Cast) -> None:
    client, wanted = browser(cast.clerk), purpose("green-channel")
    address = "/desk/authorisations/ask/hz-market/green-channel/"
    text = client.get(address).content.decode()
    assert "fields_asked" not in text and "you learn a yes or no" in text
    assert client.post(address, filled()).status_code == 302
    assert set(Authorisation.objects.get().requested_fields) == set(wanted.fields)


def test_no_answer_is_announced_that_the_unit_would_not_get(cast: Cast) -> None:
    part, whole = (asked(purpose("special-industry"), cast.clerk, fields=fields) for fields in ([KIND], ()))
    client = browser(cast.person)
    shown = [
        client.get(reverse("me:authorisation", args=[one.number])).context["preview"].answer for one in (part, whole)
    ]
    assert shown == [None, Outcome.YES]


def test_only_members_ask_and_only_for_purposes_of_their_unit(cast: Cast) -> None:
    assert browser(cast.other_clerk).get(ASK).status_code == 403
    assert browser(cast.centre).get(ASK).status_code == 403
    assert browser(cast.person).get(ASK).status_code == 403
    client = browser(cast.clerk)
    for code in ("loan", "company-officer", "nothing"):
        assert client.get(f"/desk/authorisations/ask/hz-market/{code}/").status_code == 404
    PurposeUser.objects.filter(agency=market()).update(
        valid_from=timezone.localdate() - datetime.timedelta(days=2), valid_until=timezone.localdate()
    )
    assert client.get(ASK).status_code == 404
    assert "Your unit may ask for no purpose" in client.get("/desk/authorisations/").content.decode()


def test_a_unit_sees_its_own_requests_alone_and_takes_one_back(cast: Cast) -> None:
    case = asked(purpose("special-industry"), cast.clerk)
    address = f"/desk/authorisations/{case.number}/"
    assert browser(cast.other_clerk).get(address).status_code == 404
    assert case.number not in browser(cast.other_clerk).get("/desk/authorisations/").content.decode()
    assert browser(cast.officer).get(address).status_code == 200
    browser(cast.officer).post(address, {"act": "recall"})
    case.refresh_from_db()
    assert case.state == AuthorisationState.RECALLED
    assert "taken back by the unit" in browser(cast.person).get(reverse("me:authorisations")).content.decode()
    Membership.objects.filter(user=cast.officer).update(
        valid_from=timezone.localdate() - datetime.timedelta(days=2), valid_until=timezone.localdate()
    )
    assert browser(cast.officer).get(address).status_code in (302, 403, 404)


def test_the_desk_sees_what_was_allowed_and_not_what_is_on_file(cast: Cast) -> None:
    record = fined()
    case = consent(purpose("special-industry"), cast.clerk, cast.person, granted=[KIND])
    text = browser(cast.clerk).get(f"/desk/authorisations/{case.number}/").content.decode()
    assert "Allowed" in text and record.document_number not in text and NAME not in text


def test_requests_are_listed_page_by_page(cast: Cast) -> None:
    for number in range(53):
        person = identifier(IdentifierKind.RESIDENT_ID, make_resident_id("441300", datetime.date(1990, 1, 1), number))
        asked(purpose("special-industry"), cast.clerk, person=person)
    page = browser(cast.clerk).get("/desk/authorisations/")
    assert len(page.context["cases"]) == 50
    rest = browser(cast.clerk).get("/desk/authorisations/", {"before": page.context["before"]})
    assert len(rest.context["cases"]) == 3
    assert browser(cast.clerk).get("/desk/authorisations/", {"before": "²"}).status_code == 200
