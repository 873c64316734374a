"""Every address of the platform, opened by everybody: nobody meets an error, nobody sees what is not theirs."""
# ruff: noqa: S608 (names of tables and columns come from our own models)

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm

from creditplatform.core import notices
from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.models import AccessLog, StepEvent
from creditplatform.core.services.rules import propose_rule_value
from records.models import (
    CatalogueEntry,
    CreditRecord,
    Entitlement,
    FeedBatch,
    LegalBasis,
    QuarantinedRow,
    Subject,
    UnitNotice,
)
from records.services.catalogue import draft_new_version
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast
from tests.deliveries import ingest, penalty, person_penalty, quick_passwords  # noqa: F401
from tests.exchange_peers import a_peer
from tests.records.query_rows import (
    a_human_review,
    a_query,
    a_review,
    a_row,
    at_our_window,
)
from tests.records.report_world import issued
from tests.web.things import announced, consents_and_links
from tests.web.walk import ROUTES, World, addresses

PERSONAS = [
    "anonymous", "unbound", "person", "stranger", "clerk", "other_clerk", "officer", "supervisor", "centre",
    "auditor", "editor", "security", "operator",
]  # fmt: skip
# These open every address in every way; the others every page once.
THOROUGH = {"person", "clerk", "centre", "auditor"}
CITIZENS = {"unbound", "person", "stranger"}
STAFF = set(PERSONAS) - CITIZENS - {"anonymous"}
NAME, OTHER_NAME = "林示例", "马示例"
REACHED = {200, 302, 403, 404, 405}


@pytest.fixture
def world(cast: Cast) -> World:
    market, other = "hz-market-penalty", "gs-market-penalty"
    ingest(
        penalty(1), person_penalty(2, NAME, PERSON_NUMBER), person_penalty(3, "陈别名", STRANGER_NUMBER),
        feed=market, user=cast.clerk,
    )  # fmt: skip
    ingest(penalty(4), feed=other, user=cast.other_clerk)
    company, own = (CreditRecord.objects.get(document_number=f"惠市监罚〔2026〕{n}号") for n in (1, 2))
    foreign = CreditRecord.objects.get(document_number="惠市监罚〔2026〕4号")
    granted = Entitlement.objects.get(agency=own.agency_id, entry=own.entry_id)
    waiting = CatalogueEntry.objects.create(code="not-yet", name="待定", name_en="Not in force yet")
    draft = Entitlement.objects.create(agency=own.agency, entry=waiting)
    for entitlement in (granted, draft):
        assign_perm("records.enter_records", cast.clerk, entitlement)
    record_disclosure(
        subject_ref=own.subject_id, actor=cast.clerk, agency=own.agency, purpose="upkeep", authority=Authority.DUTY,
        fields=["administrative-penalty", "number"], door=Door.ADMIN,
    )  # fmt: skip
    notices.write_notice(
        addressee=own.subject.number_index, code="record_new", text=f"{NAME}：有一条新记录", text_en="A new record",
        about=str(own.pk),
    )  # fmt: skip
    propose_rule_value(
        user=cast.centre, key="test.rule", value=1, unit="", valid_from=own.decided_on, legal_basis="law", source="s"
    )
    record_disclosure(
        subject_ref=own.subject_id, actor=cast.clerk, agency=own.agency, purpose="company-officer",
        authority=Authority.STATUTE, reference="law", fields=["judgment-defaulter"], door=Door.DESK,
    )  # fmt: skip
    consents_and_links(cast, own)
    UnitNotice.objects.create(agency=own.agency, code="rows_set_aside", day=own.decided_on, text="一行", text_en="row")
    a_peer(cast, "administrative-penalty")
    LegalBasis.objects.create(code="draft-law", title="待核实", title_en="To confirm", level="law")
    version = draft_new_version(user=cast.centre, entry=own.entry)
    issued(cast.person)
    there = SimpleNamespace(cast=cast, person=own.subject, market=own.agency)
    for make in (a_query, a_row, a_human_review, a_review, at_our_window):
        make(there)
    announced(there)
    return World(cast, company, own, foreign, granted, draft, version)


# --- what may happen -----------------------------------------------------------------------------------

MACHINES = re.compile(r"/api/v1/")
PLATFORMS = re.compile(r"/accounts/platforms/")
OPEN = re.compile(
    r"/(share/|healthz|readyz|api/v1/(schema|docs)/|accounts/(login|signup|logout|recover)/|language/"
    r"|admin/(login|jsi18n)/)"
)
PUBLIC = re.compile(r"/(huizhou/|gansu/|size/|verify/|$)")


def expected(persona: str, address: str, name: str) -> set[int]:
    """Which answers this persona may get from this address."""
    if OPEN.match(address):
        return {200, 302}
    if PLATFORMS.match(address):  # none is connected, and one is gone to by a form alone
        return {404, 405}
    if PUBLIC.match(address):
        return {200, 302, 404, 405}
    if MACHINES.match(address):  # a session opens nothing here, a token does
        return {401, 405, 415}
    if persona == "anonymous":
        return {302}
    if address.startswith("/admin/"):
        return {200, 302, 403, 404, 405} if persona in STAFF else {403}
    if address.startswith("/desk/catalogue/"):
        return catalogue_answers(persona, name)
    if address.startswith("/accounts/"):  # setting up needs the password once more; what is not set up is not there
        return {200, 302, 404}
    if address.startswith("/me/"):
        return {200, 302, 404} if persona in {"person", "stranger"} else {302} if name not in UNBOUND else {200}
    return REACHED


CATALOGUE_TO_READ = {"desk:catalogue", "desk:catalogue-entry", "desk:catalogue-version"}


def catalogue_answers(persona: str, name: str) -> set[int]:
    """The catalogue is read by whoever sends or decides, drafts apart; the centre alone edits it."""
    if persona == "centre":
        return {200, 302, 404, 405}
    reads = persona in {"clerk", "other_clerk", "officer", "supervisor"} and name in CATALOGUE_TO_READ
    return {200, 404} if reads else {403}


UNBOUND = {"me:bind", "me:account"}
SEES_PERSON = {
    "person": r"/me/",
    **dict.fromkeys(
        ["clerk", "officer", "supervisor"], r"/admin/records/(creditrecord|quarantinedrow)/|/desk/set-aside/\d+/"
    ),
    # Of the unit only whoever may enter such records reads what the person replied.
    "clerk": r"/admin/records/(creditrecord|quarantinedrow)/|/desk/(set-aside/\d+|announcements/[a-z2-7]{26})/",
}
SEES_STRANGER = {**SEES_PERSON, "stranger": r"/me/", "centre": r"/desk/representations/[a-z2-7]{26}/"}
SEES_STRANGER.pop("person")


def leaks(persona: str, address: str, response: HttpResponse) -> list[str]:
    """Personal values in an answer that this persona may not see there."""
    body = b"" if response.streaming else response.content
    text = body.decode(errors="ignore") + str(response.headers)
    found = []
    for words, seers in (
        ((NAME, PERSON_NUMBER), SEES_PERSON),
        ((OTHER_NAME, STRANGER_NUMBER, "陈别名"), SEES_STRANGER),
    ):
        allowed = persona in seers and re.match(seers[persona], address)
        found += [word for word in words if word in text and not allowed]
    return found


SHOWING = re.compile(
    r"\s*(?:DECLARE \S+ NO SCROLL CURSOR \S+ HOLD FOR )?SELECT\b(?!.*\bFOR (?:NO KEY )?UPDATE)"
    r"|\s*WITH\b(?!.*\b(?:INSERT|UPDATE|DELETE)\b)|SAVEPOINT|CLOSE|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT"
    r'|INSERT INTO "core_accesslog"|UPDATE "core_notice"',
    re.DOTALL,
)


def writes(queries: Any) -> list[str]:
    """Statements that a page that only shows has no business with."""
    return sorted({query["sql"][:90] for query in queries if not SHOWING.match(query["sql"])})


def told(wrong: list[str]) -> str:
    """What went wrong, the first fifty of it."""
    return "\n".join([f"{len(wrong)} findings:", *wrong[:50]])


# --- the walks -----------------------------------------------------------------------------------------


def test_there_is_something_to_walk(world: World) -> None:
    assert len(ROUTES) > 80
    assert {name.split(":")[0] for _route, name in ROUTES} >= {"admin", "me", "publicity", "healthz"}


@pytest.mark.parametrize("persona", PERSONAS)
def test_everybody_walks_every_address(world: World, persona: str) -> None:
    client, wrong = world.client(persona), []
    for address, name in addresses(world, usual_only=persona not in THOROUGH):
        with CaptureQueriesContext(connection) as captured:
            response = client.get(address)
        if response.status_code not in expected(persona, address, name):
            wrong.append(f"{address}: {response.status_code}")
        wrong += [f"{address} shows {word}" for word in leaks(persona, address, response)]
        wrong += [f"{address} writes: {statement}" for statement in writes(captured)]
    assert wrong == [], told(wrong)


NONSENSE = (
    "?q=%00&after=%00&page=abc&own=%00&e=x&record=%00&next=%00&_popup=%00&o=abc&all=x&p=-1&unit=%00&tier=%00&year=%00"
)


@pytest.mark.parametrize("persona", ["person", "clerk", "centre"])
def test_nonsense_behind_the_question_mark_is_no_error(world: World, persona: str) -> None:
    client, wrong = world.client(persona), []
    for address, _name in addresses(world, usual_only=True):
        response = client.get(address + NONSENSE)
        if response.status_code not in {*REACHED, 400, 401}:
            wrong.append(f"{address}: {response.status_code}")
    assert wrong == [], told(wrong)


def on_file() -> list[tuple[int, str]]:
    """Number and digest of what is on file about anybody."""
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY id)) FROM {model._meta.db_table} t"
                for model in (CreditRecord, FeedBatch, QuarantinedRow, Subject)
            )
        )
        return list(cursor.fetchall())


@pytest.mark.parametrize("persona", ["anonymous", "person", "clerk", "centre"])
def test_an_empty_form_is_no_error_and_changes_no_record(world: World, persona: str) -> None:
    client, wrong, before = world.client(persona), [], on_file()
    for address, name in addresses(world, usual_only=True):
        if "logout" in name:
            continue
        with transaction.atomic():
            response = client.post(address, {"reason": ""})
            if response.status_code < 400 and on_file() != before:
                wrong.append(f"{address}: changed something")
            transaction.set_rollback(True)
        if response.status_code not in {*REACHED, 400, 401, 409, 415, 429}:
            wrong.append(f"{address}: {response.status_code}")
    assert wrong == [], told(wrong)


def test_an_entry_that_is_not_in_force_is_said_in_words(world: World) -> None:
    """The choice offers it to whoever was given it; opening it must not fail."""
    for method in ("get", "post"):
        response = getattr(world.client("clerk"), method)(f"/admin/records/creditrecord/enter/{world.draft.pk}/")
        assert response.status_code in (200, 302, 403, 404, 409), method


# --- areas ---------------------------------------------------------------------------------------------


def status(world: World, persona: str, address: str) -> int:
    return world.client(persona).get(address).status_code


@pytest.mark.parametrize("address", ["/me/", "/me/records/", "/me/looks/", "/me/notices/", "/me/reports/", "/me/bind/"])
def test_visitors_are_led_to_sign_in_and_the_unbound_to_the_binding(world: World, address: str) -> None:
    response = world.client("anonymous").get(address)
    assert response.headers["Location"] == f"/accounts/login/?next={address}"
    if address != "/me/bind/":
        assert world.client("unbound").get(address).headers["Location"] == "/me/bind/"
        assert status(world, "person", address) == 200


def test_the_own_record_is_shown_to_the_person_alone(world: World) -> None:
    address = f"/me/records/{world.own.token}/"
    assert world.own.document_number in world.client("person").get(address).content.decode()
    assert status(world, "stranger", address) == 404
    assert status(world, "person", f"/me/records/{world.foreign.token}/") == 404


def test_a_page_about_a_person_is_kept_nowhere(world: World) -> None:
    for address in ("/me/", "/me/records/", f"/me/records/{world.own.token}/", "/me/looks/", "/me/notices/"):
        assert "no-store" in world.client("person").get(address).headers["Cache-Control"], address


@pytest.mark.parametrize("page", ["", "change/", "history/", "delete/"])
def test_another_units_clerk_finds_no_record_of_ours(world: World, page: str) -> None:
    for record in (world.own, world.company):
        response = world.client("other_clerk").get(f"/admin/records/creditrecord/{record.pk}/{page}", follow=True)
        assert response.status_code in (403, 404) or response.redirect_chain
        text = response.content.decode()
        assert record.document_number not in text and NAME not in text
    assert status(world, "other_clerk", f"/admin/records/creditrecord/{world.own.pk}/change/") == 404
    assert status(world, "other_clerk", f"/admin/records/creditrecord/{world.foreign.pk}/change/") == 200


@pytest.mark.parametrize("persona", ["centre", "auditor", "editor", "security", "operator", "other_clerk"])
def test_other_staff_open_no_record_no_row_and_no_batch_of_a_unit(world: World, persona: str) -> None:
    row, batch = QuarantinedRow.objects.all()[0], FeedBatch.objects.filter(feed__agency=world.own.agency)[0]
    for table, key in (("creditrecord", world.own.pk), ("quarantinedrow", row.pk), ("feedbatch", batch.pk)):
        address = f"/admin/records/{table}/{key}/change/"
        response = world.client(persona).get(address, follow=True)
        if (persona, table) == ("centre", "feedbatch"):
            assert response.status_code == 200
        else:
            assert response.status_code in (403, 404) or response.redirect_chain, (persona, table)
        assert STRANGER_NUMBER not in response.content.decode()


def test_a_clerk_opens_the_record_of_the_own_unit_and_leaves_a_line(world: World) -> None:
    before = AccessLog.objects.count()
    text = world.client("clerk").get(f"/admin/records/creditrecord/{world.own.pk}/change/").content.decode()
    assert NAME in text
    line = AccessLog.objects.order_by("-pk")[0]
    assert AccessLog.objects.count() == before + 1
    assert (line.subject_ref, line.actor, line.authority) == (world.own.subject_id, world.cast.clerk, Authority.DUTY)
    assert world.own.agency.name in world.client("person").get("/me/looks/").content.decode()


def test_a_row_set_aside_that_names_a_known_person_leaves_a_line_when_it_is_opened(world: World) -> None:
    """Its cells hold name and number of a person on file; to look at them is a disclosure like any other."""
    row = QuarantinedRow.objects.get()
    before = AccessLog.objects.count()
    text = world.client("clerk").get(f"/admin/records/quarantinedrow/{row.pk}/change/").content.decode()
    assert STRANGER_NUMBER in text
    assert AccessLog.objects.count() == before + 1


def test_the_auditor_sees_that_somebody_looked_never_at_what(world: World) -> None:
    line = AccessLog.objects.order_by("pk")[0]
    client = world.client("auditor")
    listing = client.get("/admin/core/accesslog/")
    page = client.get(f"/admin/core/accesslog/{line.pk}/change/", headers={"accept-language": "en"}, follow=True)
    assert listing.status_code == 200
    assert "upkeep" in listing.content.decode()
    for response in (listing, page):
        text = re.sub(r"<[^>]+>", " ", response.content.decode())
        assert "administrative-penalty" not in text, "which entry was looked at"
        assert "person concerned" not in text.lower(), "whose data it was"


def test_roles_of_the_system_are_apart(world: World) -> None:
    """Who gives roles reads no log, who reads logs gives no roles, who operates does neither (GB/T 22239)."""
    tables = {"core/accesslog": {"auditor"}, "core/user": {"security"}, "core/stepevent": {"auditor", "supervisor"}}
    for table, allowed in tables.items():
        for persona in sorted(STAFF):
            assert (status(world, persona, f"/admin/{table}/") == 200) == (persona in allowed), (table, persona)


@pytest.mark.parametrize("persona", ["operator", "editor"])
def test_the_operator_and_the_editor_see_no_table_about_anybody(world: World, persona: str) -> None:
    seen = {
        address
        for address, name in addresses(world, usual_only=True)
        if name.endswith("_changelist") and status(world, persona, address) == 200
    }
    assert seen == ({"/admin/core/heartbeat/"} if persona == "operator" else set())


def test_nobody_deletes_anything_in_the_admin(world: World) -> None:
    pages = [address for address, name in addresses(world, usual_only=True) if name.endswith("_delete")]
    assert len(pages) > 10
    for persona in ("clerk", "supervisor", "centre", "security"):
        for address in pages:
            assert status(world, persona, address) in (302, 403, 404), (persona, address)


def test_a_record_of_a_person_is_on_no_public_page(world: World) -> None:
    assert status(world, "anonymous", f"/huizhou/records/{world.own.token}/") == 404
    assert status(world, "anonymous", f"/huizhou/records/{world.company.token}/") == 200
    assert status(world, "anonymous", f"/gansu/records/{world.company.token}/") == 404


def test_a_page_nobody_withdrew_by_post_changes_nothing(world: World) -> None:
    for persona in ("clerk", "other_clerk", "centre", "auditor", "person"):
        world.client(persona).post(f"/admin/records/creditrecord/{world.own.pk}/withdraw/", {"reason": "x"})
    world.own.refresh_from_db()
    assert world.own.state == "in_force"
    world.client("officer").post(f"/admin/records/creditrecord/{world.own.pk}/withdraw/", {"reason": "x"})
    world.own.refresh_from_db()
    assert world.own.state == "revoked"
    assert StepEvent.objects.filter(workflow="credit_record").count() == 1
