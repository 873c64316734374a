"""Whoever sees the looks at a person's data may say that one was not right: also guardians, attorneys and relatives."""

from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from creditplatform.core.enums import Authority, Door, Role
from creditplatform.core.errors import Conflict, NotPermitted
from creditplatform.core.models import AccessLog, Agency, Membership, Notice, User
from creditplatform.core.vault import public_token
from records.enums import OwnPurpose, ReviewCause, ReviewState
from records.look_selectors import LOOK_KIND
from records.models import AccessReview, RealNameBinding, Representation
from records.services import access_reviews, representations
from records.services.access_alarms import review_day
from records.services.access_complaints import open_complaint
from records.workflows.access_review import ACCESS_REVIEW, finder
from tests.accounts.representation_world import asked, attorney, browser, confirmed, opened
from tests.cast import Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.test_access_reviews import DAY, TODAY, at, look

pytestmark = pytest.mark.django_db
WORDS, OWN_WORDS = "孩子从未申请过。", "我也没有同意。"


def page_of(line: AccessLog) -> str:
    return reverse("me:look", args=[public_token(LOOK_KIND, line.pk)])


def look_at(cast: Cast, case: Representation, **changes: Any) -> AccessLog:
    return look(cast, subject_ref=case.person_id, **changes)


@pytest.mark.usefixtures("context")
def test_a_guardian_complains_for_a_child_and_reads_the_answer(cast: Cast) -> None:
    case = confirmed(cast, asked(cast))
    line, guardian = look_at(cast, case), opened(cast, case)
    guardian.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert "Have it reviewed" in guardian.get(page_of(line)).content.decode()
    assert guardian.post(page_of(line), {"words": WORDS}).status_code == 302
    found = AccessReview.objects.get()
    assert (found.cause, found.complainant, found.representation, found.subject) == (
        ReviewCause.COMPLAINT, cast.person, case, case.person,
    )  # fmt: skip
    page = guardian.get(page_of(line)).content.decode()
    assert WORDS in page and "Have it reviewed" not in page
    access_reviews.find(review=found, user=cast.centre, right=False, words="无授权")
    told = {bytes(letter.addressee) for letter in Notice.objects.filter(code=access_reviews.TOLD)}
    assert told == {bytes(case.person.number_index), bytes(case.representative.number_index)}
    assert "无授权" in guardian.get(page_of(line)).content.decode()


@pytest.mark.usefixtures("context")
def test_heirs_who_see_the_looks_may_complain(cast: Cast) -> None:
    RealNameBinding.objects.filter(user=cast.stranger).delete()
    case = confirmed(cast, attorney(cast, kind="heir", papers_kind="kinship", valid_until=None))
    assert opened(cast, case).post(page_of(look_at(cast, case)), {"words": WORDS}).status_code == 302
    assert AccessReview.objects.get().representation == case


@pytest.mark.usefixtures("context")
def test_the_person_may_complain_too_and_reads_both_the_representative_only_the_own(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast))
    line = look_at(cast, case)
    representative, person = opened(cast, case), browser(cast.stranger)
    representative.post(page_of(line), {"words": WORDS})
    before = person.get(page_of(line)).content.decode()
    assert WORDS in before and "textarea" in before, "a complaint of somebody else takes nobody's own away"
    person.post(page_of(line), {"words": OWN_WORDS})
    assert AccessReview.objects.count() == 2
    after = person.get(page_of(line)).content.decode()
    assert WORDS in after and OWN_WORDS in after and "textarea" not in after
    seen = representative.get(page_of(line)).content.decode()
    assert WORDS in seen and OWN_WORDS not in seen
    for who in (representative, person):
        who.post(page_of(line), {"words": "再说一次"})
    assert AccessReview.objects.count() == 2


@pytest.mark.usefixtures("context")
def test_who_no_longer_sees_the_file_neither_complains_nor_is_told(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast))
    line, other = look_at(cast, case), look_at(cast, case, at=at(11))
    found = open_complaint(user=cast.person, subject=case.person, access=line, words=WORDS)
    representations.end(case=case, user=cast.stranger)
    with pytest.raises(NotPermitted):
        open_complaint(user=cast.person, subject=case.person, access=other, words=WORDS)
    access_reviews.find(review=found, user=cast.centre, right=True, words="相符")
    (letter,) = Notice.objects.filter(code=access_reviews.TOLD)
    assert bytes(letter.addressee) == bytes(case.person.number_index), "the person is told, who represented is not"


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("scope", [["consent"], ["report"]])
def test_without_the_file_there_is_no_look_to_complain_of(cast: Cast, scope: list[str]) -> None:
    case = confirmed(cast, attorney(cast, scope=scope))
    with pytest.raises(NotPermitted):
        open_complaint(user=cast.person, subject=case.person, access=look_at(cast, case), words=WORDS)


@pytest.mark.usefixtures("context")
def test_a_look_at_somebody_else_and_the_own_look_are_refused(cast: Cast) -> None:
    case = confirmed(cast, attorney(cast))
    with pytest.raises(NotPermitted):
        open_complaint(user=cast.stranger, subject=case.person, access=look(cast, subject_ref=0), words=WORDS)
    with pytest.raises(NotPermitted):
        open_complaint(user=cast.unbound, subject=case.person, access=look_at(cast, case), words=WORDS)
    own = look_at(
        cast, case, actor=cast.person, agency=None, purpose=OwnPurpose.REPRESENTATIVE, authority=Authority.CONSENT
    )
    with pytest.raises(Conflict):
        open_complaint(user=cast.person, subject=case.person, access=own, words=WORDS)
    assert opened(cast, case).post(page_of(own), {"words": WORDS}).status_code == 200
    assert not AccessReview.objects.exists()
    assert browser(cast.stranger).post(page_of(own), {"words": WORDS}).status_code == 302, "the person may"


@pytest.mark.usefixtures("context")
def test_nobody_judges_the_own_complaint_or_a_look_at_themselves(cast: Cast) -> None:
    """The representative works in the credit centre; so does, in the end, the person."""
    case = confirmed(cast, attorney(cast))
    found = open_complaint(user=cast.person, subject=case.person, access=look_at(cast, case), words=WORDS)
    Membership.objects.create(user=cast.person, agency=Agency.objects.get(code="hz-drc"), role=Role.CENTRE)
    Membership.objects.create(user=cast.stranger, agency=Agency.objects.get(code="hz-drc"), role=Role.AUDITOR)
    for official in (cast.person, cast.stranger):
        user = User.objects.get(pk=official.pk)
        assert not finder(found, user) and not ACCESS_REVIEW.available(found, user)
        assert not AccessReview.objects.visible_to(user).exists()
        with pytest.raises(NotPermitted):
            access_reviews.find(review=found, user=user, right=True, words="x")
    assert access_reviews.find(review=found, user=cast.centre, right=True, words="相符").state == ReviewState.RIGHT


def test_a_complaint_and_a_draw_of_the_same_look_stand_beside_each_other(cast: Cast) -> None:
    line = look(cast)
    open_complaint(user=cast.stranger, subject=cast.stranger.real_name.subject, access=line, words=OWN_WORDS)
    for _turn in range(2):
        review_day(day=DAY, today=TODAY, door=Door.TIMER)
    causes = sorted(AccessReview.objects.values_list("cause", flat=True))
    assert causes == ["complaint", "sample"]
