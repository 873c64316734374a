"""Who looked at me: in words, narrowed down, as a file; later only by statute; and what the person says against it."""

import csv
import datetime
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.labels import Kind, label
from creditplatform.core.models import AccessLog, Agency, RuleValue
from records.enums import OwnPurpose, ReviewCause, ReviewState
from records.look_selectors import Chosen, all_looks, looks, years_and_units
from records.models import AccessDeferral, AccessReview, CatalogueEntry, LegalBasis, Subject
from records.queries.asking import ask_records
from records.queries.disclosure import NOBODY
from records.services import access_complaints, deferrals
from tests.accounts.representation_world import attorney, confirmed, opened
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import consent, fined, market, purpose, question

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
FORMULA = '=HYPERLINK("http://x")'


def person_of(cast: Cast) -> Subject:
    return Subject.objects.get(pk=cast.person.real_name.subject_id)


def looked(cast: Cast, **changes: Any) -> AccessLog:
    """A look of the market unit by statute."""
    words = {
        "subject_ref": cast.person.real_name.subject_id, "actor": cast.officer, "agency": market(),
        "purpose": "company-officer", "authority": Authority.STATUTE, "reference": "《公司法》第一百七十八条",
        "case_number": "1", "fields": ["judgment-defaulter"], "door": Door.DESK, **changes,
    }  # fmt: skip
    row = record_disclosure(**words)
    return AccessLog.objects.get(pk=row.pk)


def rule_in_force(days: int = 180) -> None:
    RuleValue.objects.filter(key=deferrals.LONGEST).update(value=days, confirmed=True, in_force=True)


def basis() -> LegalBasis:
    return LegalBasis.objects.filter(confirmed=True, in_force_until=None).order_by("pk")[0]


def put_off(cast: Cast, access: AccessLog, days: int = 30) -> AccessDeferral:
    asked = deferrals.defer(
        access=access, legal_basis=basis(), until=timezone.localdate() + days * DAY, user=cast.supervisor
    )
    return deferrals.approve(deferral=asked, user=cast.centre)


def browser(user: Any) -> Client:
    client = Client()
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


# --- in words --------------------------------------------------------------------------------------


def test_a_look_says_who_for_what_on_what_authority_and_what_was_seen(cast: Cast) -> None:
    fined()
    wanted = purpose("special-industry")
    receipt = consent(wanted, cast.clerk, cast.person)
    ask_records(question(wanted, user=cast.clerk))
    with translation.override("en"):
        (found,) = looks(person_of(cast))
    assert (found.purpose, found.receipt, found.own) == (wanted.name_en, receipt.number, False)
    assert found.who == f"{market().name_en} (data entry clerk)"
    assert CatalogueEntry.objects.get(code="administrative-penalty").name_en in found.shown
    with translation.override("zh-hans"):
        assert label(Kind.PURPOSE, wanted.code) == wanted.name
    text = browser(cast.person).get(reverse("me:looks")).content.decode()
    assert reverse("me:authorisation", args=[receipt.number]) in text and wanted.name_en in text


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"actor": None, "door": Door.API}, "Huizhou Administration for Market Regulation (its computer system)"),
        ({"agency": None, "actor": None, "purpose": OwnPurpose.SHARE_LINK, "authority": Authority.CONSENT},
         "whoever had the link and code you gave"),
        ({"agency": None, "purpose": OwnPurpose.PUBLIC_PAGE, "authority": Authority.PUBLICATION},
         "a visitor of the public site"),
        ({"agency": None, "purpose": OwnPurpose.OWN_FILE, "authority": Authority.SELF}, "a representative"),
    ],
)  # fmt: skip
def test_whoever_is_no_member_of_a_unit_is_said_in_words(cast: Cast, changes: dict[str, Any], who: str) -> None:
    looked(cast, **changes)
    with translation.override("en"):
        (found,) = looks(person_of(cast))
    expected = who.replace("Huizhou Administration for Market Regulation", market().name_en)
    assert found.who == expected


def test_own_looks_are_apart_and_those_of_a_representative_are_not_own(cast: Cast) -> None:
    own = {"agency": None, "purpose": OwnPurpose.OWN_FILE, "authority": Authority.SELF}
    looked(cast, actor=cast.person, **own)
    assert looks(person_of(cast)) == []
    (found,) = looks(person_of(cast), Chosen(with_own=True))
    assert found.own
    looked(cast, actor=cast.stranger, **own)
    (found,) = looks(person_of(cast))
    assert not found.own


def test_the_person_alone_reads_which_representative_it_was(cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    case = confirmed(cast, attorney(cast))
    acting, person = opened(cast, case), browser(cast.stranger)
    acting.get(reverse("me:records"))
    with translation.override("en"):
        (found, *_older) = looks(case.person, Chosen(names=True))
    assert found.row.reference == case.token and found.who == "a representative (林**)"
    assert "a representative (林**)" in person.get(reverse("me:looks")).content.decode()
    assert {look.who for look in acting.get(reverse("me:looks")).context["looks"]} == {"代理人"}, "no name for them"
    by_number = reverse("me:look", args=[found.token])
    assert (person.get(by_number).context["look"].who, acting.get(by_number).context["look"].who) == (
        "a representative (林**)", "代理人",
    )  # fmt: skip


def test_looks_are_narrowed_down_by_year_and_unit(cast: Cast) -> None:
    psb = Agency.objects.get(code="hz-psb")
    looked(cast)
    looked(cast, agency=psb, actor=None)
    today = timezone.localdate()
    assert years_and_units(person_of(cast)) == ([today.year], [market(), psb])
    assert len(looks(person_of(cast), Chosen(unit="hz-psb"))) == 1
    assert len(looks(person_of(cast), Chosen(year=today.year))) == 2
    assert looks(person_of(cast), Chosen(year=today.year - 1)) == []
    page = browser(cast.person).get(reverse("me:looks"), {"unit": "hz-psb", "year": str(today.year)})
    assert [look.row.agency for look in page.context["looks"]] == [psb]
    for nonsense in ({"year": "20x6"}, {"year": "９９９９"}, {"unit": "\x00"}, {"year": "99999"}):
        assert browser(cast.person).get(reverse("me:looks"), nonsense).status_code == 200


# --- as a file -------------------------------------------------------------------------------------


def test_everything_is_there_as_a_file_and_no_text_becomes_a_formula(cast: Cast) -> None:
    looked(cast, case_number=FORMULA)
    looked(cast, agency=Agency.objects.get(code="hz-psb"), actor=None)
    client = browser(cast.person)
    table = client.get(reverse("me:looks-export", args=["csv"]))
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert len(rows) == 3 and rows[2][5] == f"'{FORMULA}"
    book = zipfile.ZipFile(io.BytesIO(client.get(reverse("me:looks-export", args=["xlsx"])).content))
    sheet, strings = (book.read(f"xl/{name}.xml").decode() for name in ("worksheets/sheet1", "sharedStrings"))
    assert "<f>" not in sheet and "=HYPERLINK" in strings
    found = json.loads(client.get(reverse("me:looks-export", args=["json"])).content)
    assert [one["unit"] for one in found] == ["hz-psb", "hz-market"]
    assert set(found[1]) == {
        "at", "unit", "who", "own", "purpose", "purpose_name", "authority", "reference", "case_number", "fields",
        "field_names", "result", "door", "deferred", "review",
    }  # fmt: skip
    some = json.loads(client.get(reverse("me:looks-export", args=["json"]), {"unit": "hz-psb"}).content)
    assert len(some) == 1
    assert client.get(reverse("me:looks-export", args=["exe"])).status_code == 404
    assert "no-store" in table["Cache-Control"]


def test_a_file_holds_all_of_them_however_many(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("records.look_selectors.AT_A_TIME", 4)
    for number in range(10):
        looked(cast, case_number=str(number))
    found = [one.row.case_number for one in all_looks(person_of(cast), Chosen())]
    assert found == [str(number) for number in reversed(range(10))]


# --- shown later -----------------------------------------------------------------------------------


def test_without_a_rule_in_force_nothing_is_put_off(cast: Cast) -> None:
    access = looked(cast)
    with pytest.raises(Invalid) as refused:
        put_off(cast, access)
    assert {problem.code for problem in refused.value.problems} == {"no_rule"}
    assert "Nothing can be put off at present" in browser(cast.supervisor).get("/desk/deferrals/").content.decode()


def test_a_deferred_look_is_nowhere_until_its_day_and_then_says_so(cast: Cast) -> None:
    rule_in_force()
    access = looked(cast)
    held = put_off(cast, access, days=30)
    client, page = browser(cast.person), reverse("me:looks")
    token = None
    assert looks(person_of(cast), Chosen(with_own=True)) == []
    assert years_and_units(person_of(cast)) == ([], [])
    assert json.loads(client.get(reverse("me:looks-export", args=["json"])).content) == []
    assert "Nobody has looked at your data so far" in client.get(page).content.decode()
    start = datetime.datetime.combine(held.until, datetime.time.min, timezone.get_default_timezone())
    with time_machine.travel(start - datetime.timedelta(seconds=1), tick=False):
        assert looks(person_of(cast)) == []
    with time_machine.travel(start, tick=False):
        (found,) = looks(person_of(cast))
        token = found.token
        assert found.deferral == held
        with translation.override("en"):
            text = browser(cast.person).get(page).content.decode()
        assert ("Shown to you only from" in text and basis().citation in text) or held.legal_basis_id
        assert browser(cast.person).get(reverse("me:look", args=[token])).status_code == 200
    assert browser(cast.person).get(reverse("me:look", args=[token])).status_code == 404


def test_one_who_asks_and_another_who_approves(cast: Cast) -> None:
    rule_in_force()
    access, until = looked(cast), timezone.localdate() + 10 * DAY
    for other in (cast.officer, cast.clerk, cast.other_clerk, cast.centre, cast.auditor):
        with pytest.raises(NotPermitted):
            deferrals.defer(access=access, legal_basis=basis(), until=until, user=other)
    asked = deferrals.defer(access=access, legal_basis=basis(), until=until, user=cast.supervisor)
    assert len(looks(person_of(cast))) == 1, "without approval it is shown as any other"
    for other in (cast.supervisor, cast.officer, cast.auditor):
        with pytest.raises(NotPermitted):
            deferrals.approve(deferral=asked, user=other)
    with pytest.raises(Conflict):
        deferrals.defer(access=access, legal_basis=basis(), until=until, user=cast.supervisor)
    assert deferrals.approve(deferral=asked, user=cast.centre).approved_by == cast.centre
    with pytest.raises(Conflict):
        deferrals.approve(deferral=asked, user=cast.centre)


def test_a_look_that_was_complained_of_is_not_put_off_any_more(cast: Cast) -> None:
    rule_in_force()
    access, until = looked(cast), timezone.localdate() + 30 * DAY
    words = {"access": access, "legal_basis": basis(), "until": until, "user": cast.supervisor}
    asked = deferrals.defer(**words)
    access_complaints.open_complaint(user=cast.person, subject=person_of(cast), access=access, words="不对")
    with pytest.raises(Invalid) as refused:
        deferrals.approve(deferral=asked, user=cast.centre)
    assert {problem.code for problem in refused.value.problems} == {"complained_of"}
    assert len(looks(person_of(cast))) == 1


@pytest.mark.parametrize("authority", [Authority.CONSENT, Authority.DUTY, Authority.SELF])
def test_only_a_look_by_statute_is_put_off(cast: Cast, authority: Authority) -> None:
    rule_in_force()
    access = looked(cast, authority=authority)
    with pytest.raises(Invalid) as refused:
        put_off(cast, access)
    assert {problem.code for problem in refused.value.problems} == {"not_by_statute"}


def test_only_to_a_day_within_the_rule_and_by_a_statute_that_holds(cast: Cast) -> None:
    rule_in_force(20)
    access, today = looked(cast), timezone.localdate()
    draft = LegalBasis.objects.create(code="draft-law", title="待核实", title_en="To confirm", level="law")
    for until in (today, today - DAY, today + 21 * DAY):
        with pytest.raises(Invalid) as refused:
            deferrals.defer(access=access, legal_basis=draft, until=until, user=cast.supervisor)
        assert {problem.code for problem in refused.value.problems} == {"not_in_force", "out_of_bounds"}
    assert deferrals.defer(access=access, legal_basis=basis(), until=today + 20 * DAY, user=cast.supervisor)
    with pytest.raises(Invalid):
        put_off(cast, looked(cast, subject_ref=NOBODY))


def test_the_desk_asks_and_approves_and_names_no_person(cast: Cast) -> None:
    rule_in_force()
    access = looked(cast)
    page = browser(cast.supervisor).get("/desk/deferrals/").content.decode()
    assert f"/desk/deferrals/looks/{access.pk}/" in page and person_of(cast).name_sealed not in page
    address = f"/desk/deferrals/looks/{access.pk}/"
    assert browser(cast.supervisor).post(address, {}).status_code == 200
    assert not AccessDeferral.objects.exists()
    until = (timezone.localdate() + 5 * DAY).isoformat()
    given = {"legal_basis": basis().pk, "until": until}
    assert browser(cast.supervisor).post(address, given).status_code == 302
    held = AccessDeferral.objects.get()
    approve = f"/desk/deferrals/{held.pk}/approve/"
    browser(cast.supervisor).post(approve)
    assert AccessDeferral.objects.get().approved_by is None
    assert browser(cast.centre).post(approve).status_code == 302
    assert AccessDeferral.objects.get().approved_by == cast.centre
    for other in (cast.officer, cast.clerk, cast.auditor, cast.person):
        assert browser(other).get("/desk/deferrals/").status_code == 403
    assert browser(cast.supervisor).get("/desk/deferrals/looks/99999999999999999999/").status_code == 404


# --- this was not right ----------------------------------------------------------------------------


def test_what_a_unit_was_refused_is_one_line_a_day_and_hides_no_other_look(cast: Cast) -> None:
    noon = timezone.localtime().replace(hour=12, minute=0) - DAY
    words = {
        "subject_ref": cast.person.real_name.subject_id, "actor": cast.officer, "agency": market(), "door": Door.DESK,
        "purpose": "company-officer", "authority": Authority.STATUTE, "case_number": "1",
        "reference": "《公司法》第一百七十八条",
    }  # fmt: skip
    AccessLog.objects.create(**words, result=AccessResult.REFUSED, at=noon - DAY)
    for minute in range(5):
        at = noon + datetime.timedelta(minutes=minute)
        AccessLog.objects.create(**words, result=AccessResult.REFUSED, at=at)
        if minute == 3:
            AccessLog.objects.create(**words, result=AccessResult.SHOWN, fields=["judgment-defaulter"], at=at)
    found = looks(person_of(cast))
    assert [(one.row.result, one.times) for one in found] == [
        (AccessResult.REFUSED, 5), (AccessResult.SHOWN, 1), (AccessResult.REFUSED, 1),
    ]  # fmt: skip
    assert len(list(all_looks(person_of(cast), Chosen()))) == 7, "the file has every single one"


def test_a_person_says_that_a_look_was_not_right_and_reads_what_became_of_it(cast: Cast) -> None:
    access = looked(cast)
    client = browser(cast.person)
    (found,) = looks(person_of(cast))
    address = reverse("me:look", args=[found.token])
    assert "This was not right" in client.get(address).content.decode()
    assert "Please say in a few words" in client.post(address, {"words": "  "}).content.decode()
    assert client.post(address, {"words": "我与该单位无任何业务往来。"}).status_code == 302
    review = AccessReview.objects.get()
    assert (review.access_id, review.cause, review.actor, review.agency) == (
        access.pk, ReviewCause.COMPLAINT, cast.officer, market(),
    )  # fmt: skip
    assert review.words == "我与该单位无任何业务往来。" and review.due_on > timezone.localdate() + 14 * DAY
    text = client.get(address).content.decode()
    assert "waiting for review" in text and "我与该单位无任何业务往来。" in text and "Have it reviewed" not in text
    assert "waiting for review" in client.get(reverse("me:looks")).content.decode()
    assert client.post(address, {"words": "再说一次"}).status_code == 302
    assert AccessReview.objects.count() == 1
    AccessReview.objects.update(
        state=ReviewState.WRONG, grounds="无对应案件。", ended_at=timezone.now(), reviewed_by=cast.auditor
    )
    assert "无对应案件。" in client.get(address).content.decode()


def test_too_many_words_are_refused_and_the_number_of_days_is_a_rule(cast: Cast) -> None:
    access = looked(cast)
    with pytest.raises(Invalid):
        access_complaints.open_complaint(user=cast.person, subject=person_of(cast), access=access, words="字" * 2001)
    RuleValue.objects.filter(key=access_complaints.CLOCK).update(value=1)
    review = access_complaints.open_complaint(user=cast.person, subject=person_of(cast), access=access, words="不对")
    assert review.due_on <= timezone.localdate() + 12 * DAY


def test_a_stranger_neither_sees_nor_complains_of_a_look(cast: Cast) -> None:
    looked(cast)
    (found,) = looks(person_of(cast))
    client = browser(cast.stranger)
    for answer in (client.get(reverse("me:look", args=[found.token])),
                   client.post(reverse("me:look", args=[found.token]), {"words": "x"})):  # fmt: skip
        assert answer.status_code == 404
    assert not AccessReview.objects.exists()
    for token in ("0" * 26, "nothing", "a" * 5000):
        assert client.get(f"/me/looks/{token}/").status_code == 404


def test_nobody_complains_of_their_own_look(cast: Cast) -> None:
    looked(cast, actor=cast.person, agency=None, purpose=OwnPurpose.OWN_FILE, authority=Authority.SELF)
    (found,) = looks(person_of(cast), Chosen(with_own=True))
    browser(cast.person).post(reverse("me:look", args=[found.token]), {"words": "x"})
    assert not AccessReview.objects.exists()
