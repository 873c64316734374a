"""A representative answers requests: as the representation says, in the open, and never for the own unit."""

import datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core.enums import Role
from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import AccessLog, Membership, Notice, StepEvent
from records.enums import AuthorisationState, OwnPurpose
from records.models import Authorisation, Representation
from records.queries.receipts import receipt
from records.services import authorisations
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import asked, consent, fined, purpose

pytestmark = pytest.mark.django_db
KIND = "administrative-penalty"


@pytest.fixture
def power(cast: Cast) -> Representation:
    """The stranger answers requests for the person by a power of attorney, and nothing else."""
    return Representation.objects.create(
        person=cast.person.real_name.subject, representative=cast.stranger.real_name.subject, kind="attorney",
        scope=["consent"], papers_kind="attorney", requested_by=cast.stranger, state="confirmed",
        decided_by=cast.centre, decided_at=timezone.now(), checked_by=cast.officer, checked_at=timezone.now(),
        valid_until=timezone.localdate() + datetime.timedelta(days=30),
    )  # fmt: skip


@pytest.fixture
def case(cast: Cast) -> Authorisation:
    fined()
    return asked(purpose("special-industry"), cast.clerk)


def acting(cast: Cast, power: Representation) -> Client:
    client = Client()
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(cast.stranger, "django.contrib.auth.backends.ModelBackend")
    opened = client.post(reverse("me:represent-act", args=[power.token]))
    assert opened["Location"] == reverse("me:authorisations")  # the first page this representation opens
    return client


def press(client: Client, case: Authorisation, **given: Any) -> Any:
    until = (timezone.localdate() + datetime.timedelta(days=7)).isoformat()
    words = {"act": "grant", "fields_allowed": [KIND], "until": until, "uses": "2", **given}
    return client.post(reverse("me:authorisation", args=[case.number]), words)


def test_a_representative_sees_what_would_be_shown_and_allows_it(
    cast: Cast, power: Representation, case: Authorisation
) -> None:
    client, address = acting(cast, power), reverse("me:authorisation", args=[case.number])
    assert address in client.get(reverse("me:authorisations")).content.decode()
    page = client.get(address)
    assert len(page.context["preview"].with_records[0].records) == 1
    look = AccessLog.objects.latest("pk")
    assert (look.actor, look.purpose, look.authority) == (cast.stranger, OwnPurpose.REPRESENTATIVE, "consent")
    assert (look.reference, look.case_number) == (power.token, case.number)
    press(client, case)
    case.refresh_from_db()
    assert (case.state, case.subject, case.decided_by) == (
        AuthorisationState.GRANTED, cast.person.real_name.subject, cast.stranger,
    )  # fmt: skip
    step = StepEvent.objects.get(workflow="authorisation", case_ref=case.pk)
    assert (step.step, step.actor) == ("grant_for", cast.stranger)


@pytest.mark.parametrize(
    ("act", "state"), [("grant", AuthorisationState.GRANTED), ("refuse", AuthorisationState.REFUSED)]
)
def test_the_person_is_told_who_answered_and_can_withdraw(
    cast: Cast, power: Representation, case: Authorisation, act: str, state: str
) -> None:
    press(acting(cast, power), case, act=act)
    case.refresh_from_db()
    assert case.state == state
    letter = Notice.objects.get(code=f"authorisation_{act}_for")
    assert bytes(letter.addressee) == bytes(case.number_index) and "represents you" in letter.text_en
    own = Client()
    own.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    own.force_login(cast.person, "django.contrib.auth.backends.ModelBackend")
    address = reverse("me:authorisation", args=[case.number])
    assert "for the person represented" in own.get(address).content.decode()
    assert address in own.get(reverse("me:notices")).content.decode()
    if act == "grant":
        own.post(address, {"act": "revoke"})
        case.refresh_from_db()
        assert case.state == AuthorisationState.REVOKED


def test_what_the_person_allowed_a_representative_may_withdraw(cast: Cast, power: Representation) -> None:
    given = consent(purpose("special-industry"), cast.clerk, cast.person)
    press(acting(cast, power), given, act="revoke")
    given.refresh_from_db()
    assert given.state == AuthorisationState.REVOKED
    assert Notice.objects.filter(code="authorisation_revoke_for").count() == 1
    assert StepEvent.objects.filter(case_ref=given.pk, workflow="authorisation", step="revoke_for").exists()


def test_the_receipt_names_the_representative_by_a_number_of_this_unit_alone(
    cast: Cast, power: Representation, case: Authorisation
) -> None:
    press(acting(cast, power), case)
    case.refresh_from_db()
    told = receipt(case)
    given = next(event for event in told["events"] if event["event_state"] == "given")
    parties = {one["party_id"]: one["party_role"] for one in told["party_identification"]}
    assert given["event_type"] == "explicit consent" and given["validity_duration"]
    assert parties[given["entity_id"]] == "representative of the PII principal"
    assert given["entity_id"] != told["pii_principal_id"]
    assert str(cast.stranger.pk) != given["entity_id"] and len(given["entity_id"]) >= 26


def test_nobody_answers_for_another_to_the_own_unit(cast: Cast, power: Representation, case: Authorisation) -> None:
    Membership.objects.create(user=cast.stranger, agency=case.agency, role=Role.CLERK)
    assert press(acting(cast, power), case).status_code in (302, 403)
    case.refresh_from_db()
    assert case.state == AuthorisationState.REQUESTED
    with pytest.raises(NotPermitted):
        authorisations.refuse(authorisation=case, user=cast.stranger)
    assert not Notice.objects.filter(code__startswith="authorisation_grant").exists()


def test_the_scope_is_asked_at_every_press(cast: Cast, power: Representation, case: Authorisation) -> None:
    client = acting(cast, power)
    Representation.objects.update(scope=["file"])
    address = reverse("me:authorisation", args=[case.number])
    pages = [reverse("me:authorisations"), address, reverse("me:authorisation-receipt", args=[case.number])]
    assert [client.get(page).status_code for page in pages] == [403, 403, 403]
    assert press(client, case).status_code == 403
    case.refresh_from_db()
    assert case.state == AuthorisationState.REQUESTED
    assert not AccessLog.objects.filter(actor=cast.stranger).exclude(fields=["authorisations"]).exists()


def test_the_first_page_leads_to_requests_only_with_that_scope(
    cast: Cast, power: Representation, case: Authorisation
) -> None:
    address = reverse("me:authorisation", args=[case.number])
    client = acting(cast, power)
    assert client.get(reverse("me:home")).status_code == 403
    Representation.objects.update(scope=["file", "consent"])
    assert address in client.get(reverse("me:home")).content.decode()
    Representation.objects.update(scope=["file"])
    assert address not in client.get(reverse("me:home")).content.decode()


def test_a_request_to_another_person_is_nobodys(cast: Cast, power: Representation, case: Authorisation) -> None:
    other = asked(purpose("special-industry"), cast.clerk, name="别人")
    assert acting(cast, power).get(reverse("me:authorisation", args=[other.number])).status_code == 404
