"""A person's own words on the public page of a record: wished for, looked over by an official, and over in time."""

import datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import Door, Role
from creditplatform.core.errors import Conflict, Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Agency, Notice, User
from records.enums import PublicWordsState, RecordState
from records.models import ChangeNote, CreditRecord, PublicWords
from records.services import public_words, retention
from records.services.statements import write_statement
from tests.cast import PERSON_NUMBER, Cast, member
from tests.deliveries import quick_passwords  # noqa: F401
from tests.publicity.world import address, defaulter
from tests.records.queries_world import fined

pytestmark = pytest.mark.usefixtures("context")
WORDS = "款项已于判决后交至法院账户。"
NAME = "林示例"


@pytest.fixture
def record(cast: Cast) -> CreditRecord:
    """The person of the cast on the public list of judgment defaulters of Gansu."""
    found = defaulter(name=NAME, identity_number=PERSON_NUMBER)
    assert found.subject == cast.person.real_name.subject
    return found


@pytest.fixture
def official(cast: Cast) -> User:
    """The credit centre of the place that shows the record."""
    return member("gs-centre", Agency.objects.get(code="gs-credit-centre"), Role.CENTRE)


def english() -> Client:
    one = Client()
    one.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return one


def browser(user: User) -> Client:
    one = english()
    one.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return one


def wish(record: CreditRecord, text: str = WORDS) -> PublicWords:
    write_statement(record=record, subject=record.subject, text=text, publicly=True)
    return PublicWords.objects.latest("pk")


def public_page(record: CreditRecord) -> str:
    return Client().get(address(record)).content.decode()


def public_data(record: CreditRecord) -> Any:
    return Client().get(f"{address(record)}?format=json").json()


def test_words_stand_on_the_public_page_once_an_official_has_looked_over_them(
    record: CreditRecord, official: User
) -> None:
    words = wish(record)
    assert WORDS not in public_page(record), "nobody has looked over them yet"
    assert public_data(record)["statement"] == ""
    public_words.show(words=words, user=official)
    assert WORDS in public_page(record) and public_data(record)["statement"] == WORDS
    letter = Notice.objects.get(code=public_words.TOLD)
    assert bytes(letter.addressee) == bytes(record.subject.number_index) and WORDS not in letter.text


def test_a_statement_without_the_wish_never_becomes_public(record: CreditRecord, official: User) -> None:
    write_statement(record=record, subject=record.subject, text=WORDS)
    assert not PublicWords.objects.exists()
    assert WORDS not in public_page(record)
    assert PublicWords.objects.visible_to(official).waiting().count() == 0


@pytest.mark.parametrize("how", ["changed", "taken back", "wish taken back", "by another platform"])
def test_what_was_looked_over_ends_with_the_words(record: CreditRecord, official: User, how: str) -> None:
    words = public_words.show(words=wish(record), user=official)
    if how == "changed":
        write_statement(record=record, subject=record.subject, text="另有说明。", publicly=True)
    elif how == "taken back":
        write_statement(record=record, subject=record.subject, text="")
    elif how == "wish taken back":
        write_statement(record=record, subject=record.subject, text=WORDS)
    else:  # nothing here noticed it; the page asks the words themselves
        CreditRecord.objects.filter(pk=record.pk).update(statement="别处改了。")
    page = public_page(record)
    assert WORDS not in page and "另有说明" not in page and "别处改了" not in page
    if how != "by another platform":
        ended = PublicWords.objects.get(pk=words.pk)
        assert (ended.state, ended.text) == (PublicWordsState.WITHDRAWN, None), "the copy is not kept"
    if how == "changed":
        assert PublicWords.objects.waiting().get().text == "另有说明。", "changed words are looked over anew"


def test_the_same_words_once_more_change_nothing(record: CreditRecord, official: User) -> None:
    words = public_words.show(words=wish(record), user=official)
    assert wish(record) == words and PublicWords.objects.count() == 1
    assert WORDS in public_page(record)


@pytest.mark.parametrize("ending", ["repaired", "withheld", "its last day"])
def test_words_are_gone_with_the_record_though_every_worker_sleeps(
    record: CreditRecord, official: User, ending: str
) -> None:
    words = public_words.show(words=wish(record), user=official)
    change: dict[str, Any] = {
        "repaired": {"state": RecordState.REPAIRED}, "withheld": {"withheld": True},
        "its last day": {"publish_until": timezone.localdate()},
    }[ending]  # fmt: skip
    CreditRecord.objects.filter(pk=record.pk).update(**change)
    answer = Client().get(address(record))
    assert answer.status_code == 404 and WORDS not in answer.content.decode()
    assert PublicWords.objects.get(pk=words.pk).state == PublicWordsState.SHOWN
    ended = retention.run_all(on=timezone.localdate(), door=Door.TIMER)["public_words_ended"]
    assert ended == (0 if ending == "withheld" else 1), "what is withheld may come back"


def test_only_what_the_public_reads_can_be_wished_for(cast: Cast) -> None:
    record = fined()
    with pytest.raises(Invalid) as refused:
        wish(record)
    assert refused.value.code == "not_public"
    assert CreditRecord.objects.get(pk=record.pk).statement is None, "all or nothing"
    page = browser(cast.person).get(reverse("me:statement", args=[record.token])).content.decode()
    assert "publicly" not in page


def test_a_person_asks_only_so_often(record: CreditRecord) -> None:
    for turn in range(public_words.MOST_OF_LATE):
        wish(record, f"第{turn}次说明。")
    with pytest.raises(Invalid) as refused:
        wish(record, "再说一次。")
    assert refused.value.code == "too_often"
    PublicWords.objects.update(asked_at=timezone.now() - public_words.OF_LATE - datetime.timedelta(minutes=1))
    assert wish(record, "再说一次。").state == PublicWordsState.WAITING


def test_numbers_from_another_platform_are_hidden(record: CreditRecord, official: User) -> None:
    CreditRecord.objects.filter(pk=record.pk).update(statement=f"我的号码{PERSON_NUMBER}")
    record.refresh_from_db()
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        words = PublicWords.objects.create(record=record, text=record.statement)
    public_words.show(words=words, user=official)
    page = public_page(record)
    assert "我的号码" in page and PERSON_NUMBER not in page


# --- who looks them over --------------------------------------------------------------------------


def test_only_the_centre_of_the_place_and_never_the_person(record: CreditRecord, official: User, cast: Cast) -> None:
    words = wish(record)
    others = [cast.centre, cast.officer, cast.auditor, cast.person, cast.stranger, cast.editor]
    for user in others:
        with pytest.raises(NotPermitted):
            public_words.show(words=words, user=user)
        assert browser(user).get(reverse("desk:words-one", args=[words.pk])).status_code in (403, 404)
    binding = cast.person.real_name
    binding.user = official
    binding.save()
    with pytest.raises(NotPermitted):
        public_words.show(words=words, user=User.objects.get(pk=official.pk))


def test_a_centre_does_not_look_over_words_about_its_own_decisions(record: CreditRecord, official: User) -> None:
    centre = Agency.objects.get(code="gs-credit-centre")
    CreditRecord.objects.filter(pk=record.pk).update(agency=centre)
    words = wish(CreditRecord.objects.get(pk=record.pk))
    with pytest.raises(NotPermitted):
        public_words.show(words=words, user=official)
    elsewhere = member("hz-centre", Agency.objects.get(code="hz-credit-centre"), Role.CENTRE)
    assert public_words.show(words=words, user=elsewhere).state == PublicWordsState.SHOWN


def test_a_refusal_has_a_reason_that_the_person_reads(record: CreditRecord, official: User, cast: Cast) -> None:
    words = wish(record)
    for given, code in (
        ({"refusal": ""}, "required"), ({"refusal": "unwelcome"}, "required"), ({"refusal": "other"}, "required"),
        ({"refusal": "other", "grounds": "长" * 201}, "too_long"),
        ({"refusal": "other", "grounds": f"写了{PERSON_NUMBER}"}, "holds_number"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            public_words.refuse(words=words, user=official, **given)
        assert [one.code for one in refused.value.problems] == [code]
    ended = public_words.refuse(words=words, user=official, refusal="names_another")
    assert (ended.state, ended.text) == (PublicWordsState.REFUSED, None)
    page = browser(cast.person).get(reverse("me:record", args=[record.token])).content.decode()
    assert "the words name another person" in page and WORDS in page, "they stand with the record as before"
    assert WORDS not in public_page(record)
    with pytest.raises(Conflict):
        public_words.show(words=ended, user=official)
    write_statement(record=record, subject=record.subject, text="另有说明。")
    again = browser(cast.person).get(reverse("me:record", args=[record.token])).content.decode()
    assert "names another" not in again, "the reason spoke of the former words"


def test_words_that_have_changed_meanwhile_are_not_shown(record: CreditRecord, official: User) -> None:
    words = wish(record)
    CreditRecord.objects.filter(pk=record.pk).update(statement="别的话。")
    with pytest.raises(Invalid) as refused:
        public_words.show(words=words, user=official)
    assert [one.code for one in refused.value.problems] == ["changed_since"]


# --- pages ---------------------------------------------------------------------------------------


def test_the_whole_way_on_the_pages(record: CreditRecord, official: User, cast: Cast) -> None:
    person, desk = browser(cast.person), browser(official)
    written = reverse("me:statement", args=[record.token])
    assert "Also show it on the public page" in person.get(written).content.decode()
    ChangeNote.objects.all().delete()
    assert person.post(written, {"text": WORDS, "publicly": "on"}).status_code == 302
    assert "looks over whether these words" in person.get(reverse("me:record", args=[record.token])).content.decode()
    assert "checked" in person.get(written).content.decode(), "the wish is kept when the words are changed"
    assert "Words for the public" in desk.get(reverse("desk:home")).content.decode()
    listed = desk.get(reverse("desk:words")).content.decode()
    words = PublicWords.objects.get()
    one = reverse("desk:words-one", args=[words.pk])
    assert one in listed and WORDS not in listed
    page = desk.get(one).content.decode()
    assert WORDS in page and NAME not in page, "who it is about is no question here"
    look = AccessLog.objects.filter(subject_ref=record.subject_id, actor=official).get()
    assert "statement" in look.fields and look.agency is not None and look.agency.code == "gs-credit-centre"
    assert "Choose a reason" in desk.post(one, {"act": "refuse", "refusal": ""}).content.decode()
    long = "理由" * 101
    refused = desk.post(one, {"act": "refuse", "refusal": "other", "grounds": long})
    assert refused.status_code == 400 and long in refused.content.decode(), "what was typed is not lost"
    assert desk.post(one, {"act": "nothing"}).status_code == 404
    assert desk.post(one, {"act": "show"})["Location"] == reverse("desk:words")
    assert "No words wait" in desk.get(reverse("desk:words")).content.decode()
    assert "also stand on the public page" in person.get(reverse("me:record", args=[record.token])).content.decode()
    assert (
        WORDS in public_page(record)
        and "Nobody has checked whether they are true" in english().get(address(record)).content.decode()
    )
    person.post(written, {"text": WORDS, "take_back": "1"})
    assert WORDS not in public_page(record)
