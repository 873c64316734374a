"""A person is told before an unfavourable record is entered, and speaks; nobody else learns anything by it."""

import datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.identity import IdentifierKind, make_resident_id
from creditplatform.core.models import ApiClient, RuleValue, StepEvent, User
from creditplatform.core.notices import show_notices
from records.identifiers import identifier
from records.models import PriorNotice, Subject
from records.rules import add_months
from records.services import announcements, expiry, retention
from records.services.announcement_letters import deliveries
from records.services.announcements import AnnouncedAlready, Draft, reply_days
from tests.cast import MINOR_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.announcing import INTENDED, REPLY, announced, fresh, held, letters
from tests.records.queries_world import NAME, ON_FILE, STRANGER, UNKNOWN, market
from tests.records.test_consent import outcomes

DAY = datetime.timedelta(days=1)
NEWBORN = make_resident_id("441300", timezone.localdate(), 3)


def problems(act: Any) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        act()
    return {(problem.field, problem.code) for problem in caught.value.problems}


def on(day: datetime.date) -> time_machine.travel:
    noon = datetime.datetime.combine(day, datetime.time(12), tzinfo=timezone.get_default_timezone())
    return time_machine.travel(noon, tick=False)


# --- announcing ---------------------------------------------------------------------------------------


def test_a_unit_buries_nobody_under_announcements(cast: Cast) -> None:
    RuleValue.objects.filter(key=announcements.MOST_OPEN).update(value=2)
    first = announced(cast, document_number="甲〔2026〕1号")
    announced(cast, document_number="甲〔2026〕2号")
    with pytest.raises(announcements.TooManyAnnounced):
        announced(cast, document_number="甲〔2026〕3号")
    assert (PriorNotice.objects.count(), len(letters())) == (2, 2), "what is refused writes no letter"
    assert announced(cast, person=STRANGER, name="马示例").pk, "another person has an own count"
    announcements.withdraw(case=first, user=cast.clerk)
    assert announced(cast, document_number="甲〔2026〕3号").pk


def test_the_letter_says_who_intends_what_on_which_basis_and_until_when(cast: Cast) -> None:
    case = announced(cast)
    (letter,) = letters()
    basis = case.entry.versions.get(state="in_force").legal_basis
    assert bytes(letter.addressee) == ON_FILE.blind_index and case.state == "announced"
    for text, unit, entry, cited in (
        (letter.text, case.agency.name, case.entry.name, basis.original_citation),
        (letter.text_en, case.agency.name_en, case.entry.name_en, basis.title_en),
    ):
        assert all(said in text for said in (unit, entry, cited, case.reply_until.isoformat()))
        assert NAME not in text and INTENDED not in text and ON_FILE.number not in text
    assert case.reply_until == reply_days(market()).usual


def test_an_announcement_to_nobody_is_an_announcement_like_any_other(cast: Cast) -> None:
    known, nobody = announced(cast), announced(cast, person=UNKNOWN, name="无此示例")
    assert (nobody.state, nobody.subject_id, known.subject_id) == ("announced", None, None)
    assert {bytes(one.addressee) for one in letters()} == {ON_FILE.blind_index, UNKNOWN.blind_index}
    assert not Subject.objects.by_number(UNKNOWN.blind_index).exists()


def test_somebody_on_file_under_another_name_is_not_written_to(cast: Cast) -> None:
    case = announced(cast, name="别名示例")
    assert letters() == [] and deliveries([case]) == {}
    with pytest.raises(NotPermitted):
        announcements.reply(case=case, user=cast.person, words=REPLY)


def test_only_who_may_enter_such_records_announces_them(cast: Cast) -> None:
    right = held(cast)
    draft = Draft(person=ON_FILE, name=NAME, intended=INTENDED)
    for user in (cast.officer, cast.other_clerk, cast.centre):
        with pytest.raises(NotPermitted):
            announcements.announce(draft, entitlement=right, user=user)
    with pytest.raises(NotPermitted):
        announcements.announce(draft, entitlement=right)
    with pytest.raises(NotPermitted):
        announcements.announce(draft, entitlement=right, client=ApiClient(agency_id=right.agency_id + 1))
    assert not PriorNotice.objects.exists() and letters() == []


def test_what_speaks_for_its_subject_or_of_no_person_is_not_announced(cast: Cast) -> None:
    licence, fine = held(cast, entry="administrative-licence"), held(cast)
    assert announcements.announceable(User.objects.get(pk=cast.clerk.pk)) == [fine]
    draft = Draft(person=ON_FILE, name=NAME, intended=INTENDED)
    assert problems(lambda: announcements.announce(draft, entitlement=licence, user=cast.clerk)) == {
        ("entry", "not_announced")
    }


def test_everything_wrong_is_told_at_once_and_a_number_is_repeated_nowhere(cast: Cast) -> None:
    told = problems(
        lambda: announced(
            cast, intended=f"{ON_FILE.number}", case_number=ON_FILE.number, document_number="x" * 129,
            reply_until=timezone.localdate(),
        )
    )  # fmt: skip
    assert told == {
        ("intended", "holds_number"), ("case_number", "holds_number"), ("document_number", "too_long"),
        ("reply_until", "out_of_bounds"),
    }  # fmt: skip
    assert problems(lambda: announced(cast, intended=" ")) == {("intended", "required")}
    assert problems(lambda: announced(cast, intended="字" * 501)) == {("intended", "too_long")}


def test_the_time_to_reply_has_its_bounds_by_rule(cast: Cast) -> None:
    days = reply_days(market())
    for day, good in (
        (days.earliest - DAY, False),
        (days.earliest, True),
        (days.latest, True),
        (days.latest + DAY, False),
    ):
        number = f"第{day.toordinal()}号"
        if good:
            assert announced(cast, reply_until=day, document_number=number).reply_until == day
        else:
            assert problems(lambda: announced(cast, reply_until=day, document_number=number))  # noqa: B023
    RuleValue.objects.filter(key=announcements.LEAST_DAYS).update(value=20)
    assert reply_days(market()).earliest > days.earliest


@pytest.mark.parametrize("number", [MINOR_NUMBER, NEWBORN])
def test_minors_are_refused_as_their_records_are_and_nobody_is_told(cast: Cast, number: str) -> None:
    person, name = identifier(IdentifierKind.RESIDENT_ID, number), "小示例"
    assert problems(lambda: announced(cast, person=person, name=name)) == {("number", "minor")}
    assert letters() == [] and not PriorNotice.objects.exists()


def test_the_same_is_announced_once_while_it_is_open(cast: Cast) -> None:
    case = announced(cast)
    with pytest.raises(AnnouncedAlready):
        announced(cast, intended="另有说法。")
    announced(cast, document_number="惠市监罚〔2026〕9号")
    announcements.withdraw(case=case, user=cast.clerk)
    announced(cast)
    assert PriorNotice.objects.count() == 3


# --- replying -----------------------------------------------------------------------------------------


def test_the_person_replies_once_and_the_unit_says_how_it_took_that_into_account(cast: Cast) -> None:
    case = announced(cast)
    assert problems(lambda: announcements.withdraw(case=case, user=cast.clerk, words="已考虑。")) == {
        ("words", "no_reply")
    }
    replied = announcements.reply(case=case, user=cast.person, words=f" {REPLY} ")
    assert (replied.state, replied.reply, replied.subject) == ("replied", REPLY, cast.person.real_name.subject)
    with pytest.raises(Conflict):
        announcements.reply(case=case, user=cast.person, words="再说一次。")
    assert problems(lambda: announcements.consider(case=case, user=cast.clerk, words="")) == {("words", "required")}
    announcements.consider(case=case, user=cast.clerk, words="减为五千元。")
    assert problems(lambda: announcements.consider(case=case, user=cast.clerk, words="又改。")) == {
        ("words", "answered_already")
    }
    assert fresh(case).considered == "减为五千元。"


def test_nobody_replies_for_the_person_and_nobody_else_of_the_unit_answers(cast: Cast) -> None:
    case = announced(cast)
    for user in (cast.stranger, cast.unbound, cast.clerk, cast.centre):
        with pytest.raises(NotPermitted):
            announcements.reply(case=case, user=user, words=REPLY)
    announcements.reply(case=case, user=cast.person, words=REPLY)
    for user in (cast.officer, cast.other_clerk, cast.person):
        for step in (announcements.consider, announcements.withdraw):
            with pytest.raises(NotPermitted):
                step(case=case, user=user, words="已考虑。")


def test_the_last_day_counts_whole_and_the_next_is_too_late(cast: Cast) -> None:
    case = announced(cast)
    with on(case.reply_until + DAY):
        assert problems(lambda: announcements.reply(case=case, user=cast.person, words=REPLY)) == {("", "too_late")}
    with on(case.reply_until):
        assert announcements.reply(case=case, user=cast.person, words=REPLY).state == "replied"


@pytest.mark.parametrize(
    ("words", "code"), [("", "required"), ("字" * 1001, "too_long"), (ON_FILE.number, "holds_number")]
)
def test_a_reply_has_its_bounds(cast: Cast, words: str, code: str) -> None:
    case = announced(cast)
    assert problems(lambda: announcements.reply(case=case, user=cast.person, words=words)) == {("words", code)}


def test_what_is_not_pursued_is_told(cast: Cast) -> None:
    case = announced(cast)
    announcements.reply(case=case, user=cast.person, words=REPLY)
    announcements.withdraw(case=case, user=cast.clerk, words="理由成立。")
    (letter,) = letters("prior_notice_ended")
    assert case.agency.name in letter.text and REPLY not in letter.text
    assert (fresh(case).state, fresh(case).considered) == ("withdrawn", "理由成立。")
    steps = StepEvent.objects.filter(workflow="prior_notice", case_ref=case.pk).values_list("step", flat=True)
    assert list(steps) == ["reply", "withdraw"]


def test_delivery_is_proven_by_what_was_shown(cast: Cast) -> None:
    case = announced(cast)
    assert deliveries([case])[case.pk].shown_at is None
    show_notices(addressee=ON_FILE.blind_index, user=cast.person)
    assert deliveries([case])[case.pk].shown_at and deliveries([case])[case.pk].read_at is None


# --- ending -------------------------------------------------------------------------------------------


def test_what_never_comes_ends_by_itself_and_the_person_is_told(cast: Cast) -> None:
    case, days = announced(cast), RuleValue.objects.get(key=announcements.LAPSE_DAYS).value
    last = case.reply_until + days * DAY
    assert expiry.run_all(on=last, door=Door.TIMER)["announcements"] == 0
    assert expiry.run_all(on=last + DAY, door=Door.TIMER)["announcements"] == 1
    assert expiry.run_all(on=last + DAY, door=Door.TIMER)["announcements"] == 0
    assert fresh(case).state == "lapsed" and len(letters("prior_notice_ended")) == 1


def test_words_of_both_sides_go_some_years_after_the_end_and_are_in_no_history(cast: Cast) -> None:
    RuleValue.objects.filter(key=retention.ANNOUNCEMENTS).update(confirmed=True, in_force=True)
    case, waiting = announced(cast), announced(cast, document_number="惠市监罚〔2026〕9号")
    announcements.reply(case=case, user=cast.person, words=REPLY)
    announcements.withdraw(case=case, user=cast.clerk, words="理由成立。")
    later = add_months(timezone.localdate(), 37)
    assert retention.clear_announcements(on=add_months(timezone.localdate(), 36), door=Door.TIMER) == 0
    assert [retention.clear_announcements(on=later, door=Door.TIMER) for _time in range(2)] == [1, 0]
    gone = fresh(case)
    assert (gone.intended, gone.reply, gone.considered) == (None, None, None) and gone.replied_at and gone.cleared_at
    assert fresh(waiting).intended == INTENDED
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM records_priornoticeevent LIMIT 1")
        kept = {column.name for column in cursor.description}
    assert "state" in kept and not kept & {"intended", "reply", "considered"}


# --- at the same time ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_at_once_announce_once_and_reply_once(policy: None) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        cast = Cast.assemble()
        held(cast)
    assert outcomes(lambda: announced(cast), 2) == ["announced_already", "done"]
    case = PriorNotice.objects.get()
    replies = outcomes(lambda: announcements.reply(case=case, user=cast.person, words=REPLY), 2)
    assert replies == ["done", "step_not_possible"]
    assert len(letters()) == 1 and fresh(case).state == "replied"


def test_the_other_persons_number_is_another_person(cast: Cast) -> None:
    case = announced(cast, person=STRANGER, name="马示例")
    assert not PriorNotice.objects.of_person(cast.person.real_name.subject).exists()
    assert announcements.reply(case=case, user=cast.stranger, words=REPLY).subject == cast.stranger.real_name.subject
