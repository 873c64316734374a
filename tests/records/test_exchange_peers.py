"""Peers: two people, a confirmed basis, the desk, the public figure, who was told."""

import datetime
from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from creditplatform.core.enums import Door, Role
from creditplatform.core.errors import NotPermitted
from creditplatform.core.models import Agency, Site, User
from records.enums import PeerKind
from records.exchange import overview
from records.exchange.giving import hand_over
from records.exchange.numbering import number_changes
from records.models import CatalogueEntry, CreditRecord, ExchangePeer, LegalBasis, PeerEntry, PeerReceipt, PeerState
from records.services.peers import (
    NoLegalBasis,
    OwnProposal,
    approve_peer,
    end_peer,
    mark_of,
    pause_peer,
    tell_again,
)
from tests.cast import PERSON_NUMBER, Cast, member
from tests.core.tracked import refused
from tests.deliveries import ingest, one_record, person_penalty, quick_passwords  # noqa: F401
from tests.exchange_peers import BASIS, DEFAULTER, PENALTY, a_peer, revoke, second_person
from tests.publicity.world import defaulter


def proposed(cast: Cast, basis: str | None = BASIS) -> ExchangePeer:
    peer = ExchangePeer.objects.create(
        code="proposed", name="甲", name_en="A", kind=PeerKind.PROVINCIAL, proposed_by=cast.centre,
        agency=Agency.objects.get(code="gd-platform"), legal_basis_id=basis,
    )  # fmt: skip
    PeerEntry.objects.create(peer=peer, entry=CatalogueEntry.objects.get(code=PENALTY))
    return peer


def page(user: object, address: str) -> str:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    if user:
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")  # type: ignore[arg-type]
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


# --- setting up -------------------------------------------------------------------------------------------


def test_who_proposed_a_peer_does_not_approve_it(cast: Cast) -> None:
    peer = proposed(cast)
    with pytest.raises(OwnProposal):
        approve_peer(user=cast.centre, peer=peer)
    with pytest.raises(NotPermitted):
        approve_peer(user=cast.officer, peer=peer)
    assert approve_peer(user=second_person(), peer=peer).active


def test_a_peer_without_a_basis_that_holds_is_not_approved(cast: Cast) -> None:
    peer = proposed(cast)
    LegalBasis.objects.filter(pk=BASIS).update(in_force_until=timezone.localdate())
    with pytest.raises(NoLegalBasis):
        approve_peer(user=second_person(), peer=peer)


@pytest.mark.parametrize("basis", [None, "unconfirmed"])
def test_the_database_refuses_an_active_peer_without_a_confirmed_basis(cast: Cast, basis: str | None) -> None:
    LegalBasis.objects.create(code="unconfirmed", title="x", title_en="x", level="law", confirmed=False)
    peer = proposed(cast, basis)
    with refused("CR004"):
        ExchangePeer.objects.filter(pk=peer.pk).update(active=True, approved_by=second_person())


def test_what_was_approved_is_not_changed_behind_the_approval(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    with refused("CR003"):
        peer.entries.update(persons=True)
    with refused("CR003"):
        PeerEntry.objects.create(peer=peer, entry=CatalogueEntry.objects.get(code=DEFAULTER))
    with refused("CR003"):
        peer.entries.all()._raw_delete("default")
    end_peer(user=cast.centre, peer=peer)
    assert peer.entries.update(persons=True) == 1


def test_a_peer_is_set_up_by_one_and_approved_by_another_on_the_pages(cast: Cast) -> None:
    one, other = Client(), Client()
    one.force_login(cast.centre, "django.contrib.auth.backends.ModelBackend")
    other.force_login(second_person(), "django.contrib.auth.backends.ModelBackend")
    entry, agency = CatalogueEntry.objects.get(code=PENALTY), Agency.objects.get(code="gd-platform")
    values = {
        "code": "above", "name": "省级平台（虚构）", "name_en": "Province", "kind": "provincial", "agency": agency.pk,
        "legal_basis": BASIS, "push_url": "https://example.org/api/v1/", "push_client_id": "us",
        "secret": "hidden-word",
        "entries-TOTAL_FORMS": 1, "entries-INITIAL_FORMS": 0, "entries-0-entry": entry.pk,
        "entries-0-direction": "given",
    }  # fmt: skip
    assert one.post("/admin/records/exchangepeer/add/", values).status_code == 302
    peer = ExchangePeer.objects.get(code="above")
    assert (peer.push_secret, peer.active, peer.proposed_by) == ("hidden-word", False, cast.centre)
    assert "hidden-word" not in one.get(f"/admin/records/exchangepeer/{peer.pk}/change/").content.decode()
    one.post("/desk/exchange/above/approve/", {"seen": mark_of(peer)})
    peer.refresh_from_db()
    assert not peer.active
    shown = other.get("/desk/exchange/above/").content.decode()
    assert "https://example.org/api/v1/" in shown and f'name="seen" value="{mark_of(peer)}"' in shown
    other.post("/desk/exchange/above/approve/", {"seen": mark_of(peer)})
    peer.refresh_from_db()
    assert peer.active and peer.approved_by == second_person()


def of_huizhou(cast: Cast) -> ExchangePeer:
    peer = proposed(cast)
    peer.site = Site.objects.get(code="huizhou")
    peer.save()
    return peer


def signed(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def test_the_centre_of_another_place_decides_nothing_about_a_peer(cast: Cast) -> None:
    peer, other = of_huizhou(cast), member("other-centre", Agency.objects.get(code="gs-drc"), Role.CENTRE)
    acts: list[Callable[[User], object]] = [
        lambda user: approve_peer(user=user, peer=peer), lambda user: tell_again(user=user, peer=peer),
        lambda user: pause_peer(user=user, peer=peer, paused=True), lambda user: end_peer(user=user, peer=peer),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(NotPermitted):
            act(other)
    assert "Approve" not in page(other, "/desk/exchange/proposed/").partition("What can be done")[2]
    assert "Approve" in page(second_person(), "/desk/exchange/proposed/").partition("What can be done")[2]
    for act in acts:
        act(second_person())


def test_the_centre_of_another_place_sets_up_nothing_for_it(cast: Cast) -> None:
    peer, site = of_huizhou(cast), Site.objects.get(code="huizhou")
    other = signed(member("other-centre", Agency.objects.get(code="gs-drc"), Role.CENTRE))
    change = f"/admin/records/exchangepeer/{peer.pk}/change/"
    assert other.post(change, {}).status_code == 403
    assert 'name="_save"' not in other.get(change).content.decode()
    assert 'name="_save"' in signed(cast.centre).get(change).content.decode()
    values = {
        "code": "foreign", "name": "x", "name_en": "x", "kind": "provincial", "agency": peer.agency_id,
        "entries-TOTAL_FORMS": 0, "entries-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert other.post("/admin/records/exchangepeer/add/", {**values, "site": site.pk}).status_code == 200
    assert not ExchangePeer.objects.filter(code="foreign").exists()
    assert other.post("/admin/records/exchangepeer/add/", values).status_code == 302


@pytest.mark.parametrize("change", ["entry", "fields", "address"])
def test_a_page_that_is_out_of_date_approves_nothing(cast: Cast, change: str) -> None:
    peer = proposed(cast)
    seen = mark_of(peer)
    if change == "entry":
        PeerEntry.objects.create(peer=peer, entry=CatalogueEntry.objects.get(code=DEFAULTER), persons=True)
    elif change == "fields":
        peer.entries.update(fields=["CF_WSH"])
    else:
        ExchangePeer.objects.update(push_url="https://elsewhere.example/api/v1/", push_client_id="x", push_secret="x")
    for said in (seen, ""):
        answer = signed(second_person()).post("/desk/exchange/proposed/approve/", {"seen": said}, follow=True)
        assert "This has changed in the meantime" in answer.content.decode()
    peer.refresh_from_db()
    assert not peer.active
    assert approve_peer(user=second_person(), peer=peer, seen=mark_of(peer)).active


def test_the_page_names_the_client_that_fetches(cast: Cast) -> None:
    peer = a_peer(cast, PENALTY)
    assert peer.client and peer.client.name == "province"
    assert "<dd>province · " in page(cast.centre, "/desk/exchange/province/")


# --- the desk ---------------------------------------------------------------------------------------------


def told_and_withdrawn(cast: Cast, *, days_ago: int = 0) -> tuple[ExchangePeer, PeerReceipt]:
    peer, record = a_peer(cast, PENALTY), one_record()
    hand_over(peer=peer, after=0, limit=10, door=Door.API)
    revoke(cast, record)
    number_changes()
    receipt = PeerReceipt.objects.get()
    receipt.due_on -= datetime.timedelta(days=days_ago)
    receipt.save()
    return peer, receipt


def test_the_centre_sees_what_is_overdue_and_everybody_else_is_turned_away(cast: Cast) -> None:
    _peer, receipt = told_and_withdrawn(cast, days_ago=30)
    assert "1 confirmation overdue" in page(cast.centre, "/desk/exchange/")
    text = page(cast.centre, "/desk/exchange/province/")
    assert receipt.due_on.isoformat() in text and receipt.record.document_number not in text
    client = Client()
    client.force_login(cast.officer, "django.contrib.auth.backends.ModelBackend")
    assert client.get("/desk/exchange/").status_code == 403


def test_a_peer_that_stopped_raises_an_alarm(cast: Cast) -> None:
    peer, _receipt = told_and_withdrawn(cast)
    assert overview.alarms() == []
    long_ago = timezone.now() - datetime.timedelta(days=2)
    PeerState.objects.filter(peer=peer).update(last_contact_at=long_ago)
    assert len(overview.alarms()) == 1
    assert "Provincial platform (fictitious)" in page(cast.centre, "/desk/")
    ExchangePeer.objects.update(paused=True)
    assert overview.alarms() == []


def test_a_peer_is_told_again_from_before_the_oldest_open_withdrawal(cast: Cast) -> None:
    peer, receipt = told_and_withdrawn(cast)
    PeerState.objects.filter(peer=peer).update(confirmed=9, attempts=7)
    assert tell_again(user=cast.centre, peer=peer) == receipt.number - 1
    state = PeerState.objects.get(peer=peer)
    assert (state.confirmed, state.attempts) == (receipt.number - 1, 0)


# --- the public figure and those concerned ------------------------------------------------------------------


def test_the_public_figure_counts_what_was_due_and_names_nobody(cast: Cast) -> None:
    _peer, receipt = told_and_withdrawn(cast, days_ago=30)
    figures = overview.figures(receipt.site)
    assert (figures.due, figures.in_time, figures.overdue, figures.share, figures.days) == (1, 0, 1, 0, 1)
    PeerReceipt.objects.update(
        due_on=timezone.localdate(), sent_at=timezone.now(), confirmed_at=timezone.now(), proof="p"
    )
    assert overview.figures(receipt.site).share == 100
    text = page(None, "/huizhou/about/confirmations/")
    assert "100 %" in text and receipt.record.document_number not in text
    assert "no confirmation was due" in page(None, "/gansu/about/confirmations/")


def test_the_unit_sees_which_systems_were_told_of_its_record(cast: Cast) -> None:
    _peer, receipt = told_and_withdrawn(cast)
    address = f"/admin/records/creditrecord/{receipt.record_id}/change/"
    assert "Provincial platform (fictitious)" in page(cast.officer, address)
    assert "not confirmed yet" in page(cast.officer, address)


def test_the_person_sees_who_was_told_and_who_was_not(cast: Cast) -> None:
    ingest(person_penalty(2, "林示例", PERSON_NUMBER))
    record = CreditRecord.objects.get()
    assert "No other system was told" in page(cast.person, f"/me/records/{record.token}/")
    own = defaulter(identity_number=PERSON_NUMBER, name="林示例")
    hand_over(peer=a_peer(cast, DEFAULTER, persons=True), after=0, limit=10, door=Door.API)
    assert "Provincial platform (fictitious)" in page(cast.person, f"/me/records/{own.token}/")
