"""Who sees what persons belong to: the person, the unit that put it on file, others as the entry is open."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from creditplatform.core.enums import Role
from creditplatform.core.models import AccessLog, Agency, Membership
from records.models import Affiliation, CreditRecord, KeyGroupMembership
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast, member
from tests.deliveries import credit_code, quick_passwords  # noqa: F401
from tests.records import tie_entries
from tests.records.feedfiles import deliver
from tests.records.tie_entries import TIES, WHAT, WHO, row

NAME, LICENCE, CLOSED, SHARED = "林示例", "机密证号L1", "test-lawyers", "test-doctors"
OWN_CODE = credit_code(8001)
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def ties(cast: Cast) -> None:
    """One lawyer, whose entry is closed, and one physician, whose entry authorities share; both work for our unit."""
    Agency.objects.filter(code="hz-market").update(credit_code=OWN_CODE)
    Agency.objects.filter(code="gs-market").update(credit_code=credit_code(8002))
    fields = (*WHO, *WHAT, *TIES)
    for feed, group, openness in ((CLOSED, "lawyers", "authorised"), (SHARED, "physicians", "shared")):
        entry = tie_entries.entry(
            f"entry-{group}", fields, key_group=group, affiliation="member", person_openness=openness
        )
        tie_entries.feed(feed, entry)
        tie_entries.feed(f"{feed}-2", entry, agency="gs-market")
        cells = {"licence": LICENCE, "employer": "示例单位", "employer_code": OWN_CODE, "ended_on": ""}
        deliver({**row(1, PERSON_NUMBER, NAME), **cells}, feed=feed)


def browser(user: Any) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user, BACKEND)
    return client


def look_up(user: Any, group: str, number: str = PERSON_NUMBER) -> str:
    answer = browser(user).post(f"/desk/key-groups/{group}/", {"kind": "resident_id", "number": number})
    return str(answer.content.decode())


def test_a_unit_finds_its_own_member_by_the_exact_number_and_the_look_is_written(cast: Cast) -> None:
    before = AccessLog.objects.count()
    text = look_up(cast.clerk, "lawyers")
    assert NAME in text and LICENCE in text
    line = AccessLog.objects.latest("pk")
    assert AccessLog.objects.count() == before + 1
    assert (line.subject_ref, line.actor, line.case_number) == (
        cast.person.real_name.subject_id, cast.clerk, "lawyers"
    )  # fmt: skip


def test_another_unit_and_the_centre_see_members_of_shared_entries_only(cast: Cast) -> None:
    for user in (cast.other_clerk, cast.centre):
        assert NAME in look_up(user, "physicians")
        closed = look_up(user, "lawyers")
        assert NAME not in closed and LICENCE not in closed
        assert AccessLog.objects.latest("pk").result == "nothing"


def test_a_name_or_a_wrong_number_finds_nobody(cast: Cast) -> None:
    before = AccessLog.objects.count()
    assert LICENCE not in look_up(cast.clerk, "lawyers", NAME)
    assert AccessLog.objects.count() == before, "it was nobody's number"
    assert LICENCE not in look_up(cast.clerk, "lawyers", STRANGER_NUMBER)


def test_figures_name_no_person_and_only_units_of_the_group_see_them(cast: Cast) -> None:
    text = browser(cast.centre).get("/desk/key-groups/").content.decode()
    assert NAME not in text and LICENCE not in text
    assert browser(cast.clerk).get("/desk/key-groups/lawyers/").status_code == 200
    assert browser(cast.clerk).get("/desk/key-groups/tour_guides/").status_code == 404
    assert browser(cast.auditor).get("/desk/key-groups/lawyers/").status_code == 404


def test_an_organisation_sees_its_own_members_and_nobody_else_does(cast: Cast) -> None:
    before = AccessLog.objects.count()
    assert NAME in browser(cast.clerk).get("/desk/members/").content.decode()
    assert AccessLog.objects.count() == before + Affiliation.objects.count()
    for user in (cast.other_clerk, cast.centre):
        answer = browser(user).get("/desk/members/?unit=hz-market")
        assert NAME not in answer.content.decode()
    assert browser(cast.centre).get("/desk/members/").status_code == 403, "the centre enters nothing here"


def test_what_another_unit_says_of_our_members_is_not_our_list(cast: Cast) -> None:
    cells = {"licence": "X", "employer": "示例单位", "employer_code": OWN_CODE, "name": "马示例", "ended_on": ""}
    deliver({**row(2, STRANGER_NUMBER), **cells}, feed=f"{SHARED}-2")
    assert "马示例" not in browser(cast.clerk).get("/desk/members/").content.decode()


def test_the_person_sees_all_of_it_with_who_says_so(cast: Cast) -> None:
    before = AccessLog.objects.count()
    text = browser(cast.person).get("/me/ties/").content.decode()
    assert LICENCE in text and "示例单位" in text
    assert Agency.objects.get(code="hz-market").name_en in text
    assert AccessLog.objects.count() == before + 1
    assert LICENCE not in browser(cast.stranger).get("/me/ties/").content.decode()


def test_what_has_ended_is_said_and_what_was_withdrawn_is_gone(cast: Cast) -> None:
    KeyGroupMembership.objects.update(valid_until="2026-05-01")
    text = browser(cast.person).get("/me/ties/").content.decode()
    assert "not in force" in text and LICENCE in text
    CreditRecord.objects.update(state="revoked")
    assert LICENCE not in browser(cast.person).get("/me/ties/").content.decode()
    assert NAME not in look_up(cast.clerk, "lawyers")
    assert NAME not in browser(cast.clerk).get("/desk/members/").content.decode()


def test_the_look_is_written_under_the_unit_that_may_send_the_group(cast: Cast) -> None:
    eco, market, centre = (Agency.objects.get(code=code) for code in ("hz-eco", "hz-market", "hz-drc"))
    other = member("in-two-units", eco, Role.CLERK)
    Membership.objects.create(user=other, agency=centre, role=Role.EDITOR)
    Membership.objects.create(user=other, agency=market, role=Role.OFFICER)
    look_up(other, "lawyers")
    assert AccessLog.objects.latest("pk").agency == market
    leading = member("leads-too", eco, Role.CLERK)
    Membership.objects.create(user=leading, agency=centre, role=Role.CENTRE)
    look_up(leading, "lawyers")
    assert AccessLog.objects.latest("pk").agency == centre
