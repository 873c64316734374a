"""Looks reviewed by a second person: drawn by sample, unusual, or complained of (H4.1, G8)."""

import datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from creditplatform.core.enums import Authority, Door, Role
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Agency, Membership, Notice, User
from records.enums import AffiliationRole, OwnPurpose, ReviewCause, ReviewState
from records.figures import query_review
from records.models import AccessReview, Affiliation, RealNameBinding, Representation
from records.services import access_alarms, access_reviews
from records.services.access_alarms import review_day
from records.workflows.access_review import finder
from tests.cast import Cast, member, person_subject
from tests.deliveries import one_record, quick_passwords  # noqa: F401
from tests.records.queries_world import CASE, market

pytestmark = pytest.mark.django_db
TODAY = datetime.date(2026, 11, 26)
DAY = datetime.date(2026, 11, 25)  # a Wednesday that is worked
BACKEND = "django.contrib.auth.backends.ModelBackend"


def at(hour: int = 10, *, day: datetime.date = DAY, minute: int = 0) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time(hour, minute)))


def look(cast: Cast, **changes: Any) -> AccessLog:
    """A clerk of the market unit looked at the stranger, at ten in the morning, for a case."""
    words = {
        "at": at(), "actor": cast.clerk, "agency": market(), "door": Door.DESK, "purpose": "green-channel",
        "authority": Authority.CONSENT, "reference": "r", "case_number": CASE, "result": "shown",
        "subject_ref": cast.stranger.real_name.subject_id, "fields": ["eligibility"], **changes,
    }  # fmt: skip
    return AccessLog.objects.create(**words)


def drawn() -> dict[str, int]:
    return {cause: n for cause, n in review_day(day=DAY, today=TODAY, door=Door.TIMER).items() if n}


def reviews(cause: str) -> list[AccessReview]:
    return list(AccessReview.objects.filter(cause=cause).order_by("pk"))


def browser(user: Any) -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user, BACKEND)
    return client


# --- samples -------------------------------------------------------------------------------------------


def test_of_every_unit_and_day_at_least_one_is_drawn_and_a_second_run_draws_no_other(cast: Cast) -> None:
    for minute in range(8):
        look(cast, at=at(minute=minute))
    look(cast, agency=Agency.objects.get(code="gs-market"), actor=cast.other_clerk)
    look(cast, agency=Agency.objects.get(code="hz-bank"), actor=None, door=Door.API)
    assert drawn() == {"sample": 3}
    assert drawn() == {}
    assert {review.agency.code for review in reviews("sample") if review.agency} == {
        "hz-market",
        "gs-market",
        "hz-bank",
    }
    assert {review.due_on for review in reviews("sample")} == {datetime.date(2026, 12, 10)}


def test_a_share_of_many_is_drawn_and_never_more_than_the_bound(cast: Cast) -> None:
    for number in range(150):
        look(cast, at=at(minute=number % 60), case_number=f"{CASE}-{number // 5}")
    assert drawn() == {"sample": 3}, "two percent of 150"


def test_own_looks_public_pages_and_the_exchange_are_no_looks_of_staff(cast: Cast) -> None:
    look(cast, authority=Authority.SELF, agency=None, actor=cast.stranger)
    look(cast, authority=Authority.PUBLICATION, agency=None)
    look(cast, authority=Authority.STATUTE, purpose=OwnPurpose.EXCHANGE, actor=None)
    assert drawn() == {}


def test_days_without_a_worker_are_made_up_for(cast: Cast) -> None:
    for back in (1, 2, 3, 4):
        look(cast, at=at(day=TODAY - datetime.timedelta(days=back)))
    opened = access_alarms.review_last_days(today=TODAY, door=Door.TIMER)
    days = {timezone.localdate(review.access_at) for review in reviews("sample")}
    assert days == {TODAY - datetime.timedelta(days=back) for back in (1, 2, 3)}
    assert opened >= 3
    assert access_alarms.review_last_days(today=TODAY, door=Door.TIMER) == 0


# --- alarms --------------------------------------------------------------------------------------------


def test_more_than_the_ceiling_is_always_unusual(cast: Cast) -> None:
    for number in range(201):
        look(cast, at=at(minute=number % 60), case_number=f"{CASE}-{number // 5}")
    assert drawn()["volume"] == 1
    (review,) = reviews("volume")
    assert (review.actor, review.number) == (cast.clerk, 201)


@pytest.mark.parametrize(("usual", "unusual"), [(5, True), (15, False)])
def test_more_than_thrice_the_own_usual_number_is_unusual(cast: Cast, usual: int, unusual: bool) -> None:
    for back in range(1, 6):
        for minute in range(usual):
            look(cast, at=at(day=DAY - datetime.timedelta(days=back), minute=minute))
    for number in range(25):
        look(cast, at=at(minute=number), case_number=f"{CASE}-{number // 5}")
    assert ("volume" in drawn()) is unusual


def test_few_looks_are_never_unusual_and_newcomers_have_only_the_ceiling(cast: Cast) -> None:
    for number in range(60):
        look(cast, at=at(minute=number), case_number=f"{CASE}-{number // 5}")
    assert "volume" not in drawn()


@pytest.mark.parametrize(
    ("when", "outside"),
    [
        (at(6, minute=59), True), (at(7), False), (at(19, minute=59), False), (at(20), True), (at(23, minute=59), True),
    ],
)  # fmt: skip
def test_looks_outside_working_hours_are_looked_at(cast: Cast, when: datetime.datetime, outside: bool) -> None:
    look(cast, at=when)
    assert ("night" in drawn()) is outside


@pytest.mark.parametrize(
    ("day", "outside"),
    [(datetime.date(2026, 11, 22), True), (datetime.date(2026, 10, 1), True), (datetime.date(2026, 10, 10), False)],
)
def test_days_off_count_by_the_calendar_of_working_days(cast: Cast, day: datetime.date, outside: bool) -> None:
    """A Sunday, the National Day, and a Saturday worked in return."""
    look(cast, at=at(day=day))
    opened = review_day(day=day, today=TODAY, door=Door.TIMER)
    assert bool(opened["night"]) is outside


def test_the_own_file_through_the_door_of_the_staff(cast: Cast) -> None:
    own = person_subject("441300199203030016", "职示例")
    RealNameBinding.objects.create(user=cast.clerk, subject=own, adapter="test")
    look(cast, subject_ref=own.pk)
    assert drawn() == {"sample": 1, "own_file": 1}


@pytest.mark.parametrize("official_is", ["representative", "person"])
@pytest.mark.parametrize("state", ["confirmed", "ended"])
def test_own_relatives_by_what_representations_say(cast: Cast, official_is: str, state: str) -> None:
    own = person_subject("441300199203030016", "职示例")
    RealNameBinding.objects.create(user=cast.clerk, subject=own, adapter="test")
    other = cast.stranger.real_name.subject
    sides = {"representative": own, "person": other} if official_is == "representative" else {
        "representative": other, "person": own,
    }  # fmt: skip
    now = timezone.now()
    Representation.objects.create(
        **sides, kind="guardian", scope=["file"], valid_from=DAY, papers_kind="x", requested_by=cast.stranger,
        state=state, decided_at=now, decided_by=cast.officer, checked_by=cast.centre, checked_at=now,
        ended_at=now if state == "ended" else None,
    )  # fmt: skip
    look(cast)
    look(cast, at=at(11))
    assert drawn()["relative"] == 1, "one review for the day, not one for each look"
    assert reviews("relative")[0].number == 2


def test_colleagues_by_the_unit_of_their_accounts(cast: Cast) -> None:
    for user, number in ((cast.clerk, "441300199203030016"), (cast.officer, "441300199203030024")):
        RealNameBinding.objects.create(user=user, subject=person_subject(number, "职示例"), adapter="test")
    look(cast, subject_ref=cast.officer.real_name.subject_id)
    assert "colleague" not in drawn(), "they became colleagues only later"
    Membership.objects.update(valid_from=DAY)
    assert drawn()["colleague"] == 1


@pytest.mark.parametrize(("role", "colleague"), [(AffiliationRole.PRACTITIONER, 1), (AffiliationRole.STUDENT, 0)])
def test_colleagues_by_a_common_employer_not_by_a_common_school(cast: Cast, role: str, colleague: int) -> None:
    company, other = one_record(1).subject, cast.stranger.real_name.subject
    own = person_subject("441300199203030016", "职示例")
    RealNameBinding.objects.create(user=cast.clerk, subject=own, adapter="test")
    for person in (own, other):
        Affiliation.objects.create(person=person, organisation=company, role=role, valid_from=DAY)
    look(cast)
    assert drawn().get("colleague", 0) == colleague


def test_a_query_without_a_case_and_a_case_for_many_persons(cast: Cast) -> None:
    look(cast, case_number="")
    for number in range(11):
        look(cast, subject_ref=900 + number, case_number="一案多查")
    assert drawn()["no_case"] == 2
    assert sorted(review.number for review in reviews("no_case")) == [1, 11]
    assert all(review.subject is None for review in reviews("no_case") if review.number == 11), "nobody on file there"


def test_upkeep_of_own_records_needs_no_case_number(cast: Cast) -> None:
    look(cast, authority=Authority.DUTY, reference="", case_number="", purpose=OwnPurpose.UPKEEP)
    assert drawn() == {"sample": 1}


# --- the way of a review ---------------------------------------------------------------------------------


@pytest.fixture
def review(cast: Cast) -> AccessReview:
    look(cast)
    review_day(day=DAY, today=TODAY, door=Door.TIMER)
    return AccessReview.objects.get()


def test_never_by_whoever_looked(review: AccessReview, cast: Cast) -> None:
    AccessReview.objects.filter(pk=review.pk).update(actor=cast.supervisor)
    review.refresh_from_db()
    for act in (
        lambda: access_reviews.ask(review=review, user=cast.supervisor),
        lambda: access_reviews.find(review=review, user=cast.supervisor, right=True, words="x"),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert not AccessReview.objects.all().visible_to(cast.supervisor).exists()


def test_asked_explained_and_found_wrong_with_grounds(review: AccessReview, cast: Cast) -> None:
    access_reviews.ask(review=review, user=cast.supervisor)
    assert list(AccessReview.objects.all().asked_of(cast.clerk)) == [review]
    with pytest.raises(NotPermitted):
        access_reviews.explain(review=review, user=cast.officer, words="x")
    with pytest.raises(Invalid):
        access_reviews.explain(review=review, user=cast.clerk, words=" ")
    access_reviews.explain(review=review, user=cast.clerk, words="核对申请")
    with pytest.raises(Invalid):
        access_reviews.find(review=review, user=cast.supervisor, right=False, words="")
    done = access_reviews.find(review=review, user=cast.supervisor, right=False, words="案件不存在")
    assert (done.state, done.reviewed_by, done.explanation) == (ReviewState.WRONG, cast.supervisor, "核对申请")
    with pytest.raises(Conflict):
        access_reviews.ask(review=review, user=cast.supervisor)
    assert not Notice.objects.exists(), "only who complained is told"


@pytest.mark.parametrize("persona", ["clerk", "officer", "other_clerk", "editor", "security", "operator"])
def test_others_do_not_review(review: AccessReview, cast: Cast, persona: str) -> None:
    user = getattr(cast, persona)
    with pytest.raises(NotPermitted):
        access_reviews.find(review=review, user=user, right=True, words="x")
    assert not AccessReview.objects.all().visible_to(user).exists()


def complaint(cast: Cast) -> AccessReview:
    line = look(cast)
    return AccessReview.objects.create(
        access_id=line.pk, access_at=line.at, subject=cast.stranger.real_name.subject, actor=cast.clerk,
        agency=market(), cause=ReviewCause.COMPLAINT, words="我没有申请过", due_on=DAY,
    )  # fmt: skip


def test_a_unit_does_not_judge_a_complaint_about_itself_and_the_person_is_told(cast: Cast) -> None:
    found = complaint(cast)
    access_reviews.ask(review=found, user=cast.supervisor)
    access_reviews.explain(review=found, user=cast.clerk, words="误录")
    with pytest.raises(NotPermitted):
        access_reviews.find(review=found, user=cast.supervisor, right=True, words="x")
    access_reviews.find(review=found, user=cast.centre, right=False, words="无授权")
    letter = Notice.objects.get(code=access_reviews.TOLD)
    assert bytes(letter.addressee) == bytes(cast.stranger.real_name.subject.number_index)
    assert "2026-11-25" in letter.text and "found wrong" in letter.text_en
    assert "无授权" not in letter.text


def test_a_credit_centre_does_not_judge_a_complaint_about_itself(cast: Cast) -> None:
    """Neither its staff nor its auditors nor a unit below it: the other place, the superior unit, an auditor."""
    drc, centre = Agency.objects.get(code="hz-drc"), Agency.objects.get(code="hz-credit-centre")
    assert centre.parent == drc
    inside, below = member("inside", drc, Role.CENTRE), member("below", centre, Role.CENTRE)
    other = member("elsewhere", Agency.objects.get(code="gs-credit-centre"), Role.CENTRE)
    outside = member("outside", Agency.objects.get(code="gs-market"), Role.AUDITOR)
    above, aside = member("above", drc, Role.SUPERVISOR), cast.supervisor

    def about(unit: Agency, looker: User) -> AccessReview:
        line = look(cast, actor=looker, agency=unit, case_number="惠信访〔2026〕2号")
        return AccessReview.objects.create(
            access_id=line.pk, access_at=line.at, subject=cast.stranger.real_name.subject, actor=looker, agency=unit,
            cause=ReviewCause.COMPLAINT, words="为什么看我", due_on=DAY,
        )  # fmt: skip

    def judges(found: AccessReview) -> set[str]:
        users = (cast.centre, inside, below, other, outside, above, aside, cast.auditor)
        judging = {user.username for user in users if finder(found, user)}
        seeing = {user.username for user in users if AccessReview.objects.visible_to(user).filter(pk=found.pk).exists()}
        assert judging <= seeing
        return judging

    assert judges(about(drc, cast.centre)) == {"elsewhere", "outside"}
    lower = about(centre, below)
    assert judges(lower) == {"centre", "inside", "above", "elsewhere", "outside", "auditor"}
    assert "Looks to review" in browser(other).get("/desk/").content.decode()
    page = browser(other).get(f"/desk/access-reviews/{lower.pk}/").content.decode()
    assert "为什么看我" in page and "Found wrong" in page
    assert access_reviews.find(review=lower, user=other, right=False, words="无事由").state == ReviewState.WRONG


def test_who_works_in_two_units_judges_no_complaint_about_either(cast: Cast) -> None:
    found = complaint(cast)
    Membership.objects.create(user=cast.centre, agency=market(), role=Role.OFFICER)
    with pytest.raises(NotPermitted):
        access_reviews.find(review=found, user=User.objects.get(pk=cast.centre.pk), right=True, words="x")


def test_a_machine_is_explained_by_an_officer_of_its_unit(cast: Cast) -> None:
    look(cast, actor=None, door=Door.API)
    drawn()
    review = access_reviews.ask(review=AccessReview.objects.get(), user=cast.centre)
    with pytest.raises(NotPermitted):
        access_reviews.explain(review=review, user=cast.clerk, words="x")
    explained = access_reviews.explain(review=review, user=cast.supervisor, words="接口批量办理")
    with pytest.raises(NotPermitted):
        access_reviews.find(review=explained, user=cast.supervisor, right=True, words="who explained does not judge")
    assert access_reviews.find(review=explained, user=cast.centre, right=True, words="相符").state == ReviewState.RIGHT


# --- pages -----------------------------------------------------------------------------------------------


def test_the_auditor_sees_that_somebody_looked_never_at_what_or_whom(cast: Cast) -> None:
    found = complaint(cast)
    text = browser(cast.auditor).get(f"/desk/access-reviews/{found.pk}/").content.decode()
    assert CASE in text and "clerk" in text
    assert "我没有申请过" not in text and "Kinds of information" not in text
    centre = browser(cast.centre).get(f"/desk/access-reviews/{found.pk}/").content.decode()
    assert "我没有申请过" in centre and "Kinds of information" in centre
    for page in (text, centre):
        assert "马示例" not in page


def test_the_whole_way_on_the_pages(review: AccessReview, cast: Cast) -> None:
    address = f"/desk/access-reviews/{review.pk}/"
    assert "Looks to review" in browser(cast.supervisor).get("/desk/").content.decode()
    assert browser(cast.clerk).get(address).status_code == 404, "nobody is told before being asked"
    browser(cast.supervisor).post(address, {"act": "ask"})
    assert "Looks to explain" in browser(cast.clerk).get("/desk/").content.decode()
    assert "What was this look needed for?" in browser(cast.clerk).get(address).content.decode()
    browser(cast.clerk).post(address, {"act": "explain", "words": "核对，号码620100198506154320"})
    text = browser(cast.supervisor).get(address).content.decode()
    assert "核对" in text and "620100198506154320" not in text
    browser(cast.supervisor).post(address, {"act": "right", "words": "相符"})
    review.refresh_from_db()
    assert review.state == ReviewState.RIGHT
    assert review.get_cause_display() in browser(cast.supervisor).get("/desk/access-reviews/?ended=1").content.decode()


def test_the_monthly_report_counts_looks_and_findings(review: AccessReview, cast: Cast) -> None:
    look(cast, result="refused", at=at(11), purpose="special-industry")
    look(cast, agency=Agency.objects.get(code="gs-market"), actor=cast.other_clerk)
    access_reviews.find(review=review, user=cast.supervisor, right=False, words="x")
    complaint(cast)
    (row,) = query_review.monthly({market().pk}, datetime.date(2026, 11, 1))
    assert (row.looks, row.by_consent, row.refused, row.drawn, row.wrong, row.complaints, row.open) == (
        3,
        3,
        1,
        1,
        1,
        1,
        1,
    )
    assert row.purposes == {"green-channel": 2, "special-industry": 1}
    page = browser(cast.supervisor).get("/desk/access-reviews/report/?month=2026-11")
    assert market().name_en in page.content.decode()
    assert Agency.objects.get(code="gs-market").name_en not in page.content.decode(), "only the own unit"
    book = browser(cast.centre).get("/desk/access-reviews/report/workbook/?month=2026-11")
    assert book.content[:2] == b"PK"
    assert browser(cast.clerk).get("/desk/access-reviews/report/").status_code == 403
