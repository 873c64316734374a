"""A citizen's own file: only one's own, every look written down, never cached, never dear."""

import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from creditplatform.core import notices
from creditplatform.core.audit.access import record_disclosure
from creditplatform.core.enums import Authority, Door
from creditplatform.core.models import AccessLog, Agency, Notice
from records.models import CreditRecord, RealNameBinding, Subject
from records.sentences import reconsideration_sentence
from tests.cast import PERSON_NUMBER, STRANGER_NUMBER, Cast
from tests.deliveries import penalty, person_penalty
from tests.records.feedfiles import deliver, people_of_the_cast

PAGES = ("home", "records", "looks", "notices")
WITH_RECORDS = ("home", "records")
MOST_QUERIES, MOST_ON_THE_FILE = 14, 12


@pytest.fixture
def people(db: None, settings: Any) -> Cast:
    """The cast; what the pages themselves write needs a context of its own."""
    return people_of_the_cast(settings)


@pytest.fixture
def me(people: Cast, client: Client) -> Client:
    """The person, signed in."""
    client.force_login(people.person)
    return client


def fines(count: int, *, number: str = PERSON_NUMBER, name: str = "林示例", start: int = 1) -> list[CreditRecord]:
    """Penalties of a person, each on a day of its own."""
    day = datetime.date.today() - datetime.timedelta(days=30)
    batch = deliver(
        *(
            person_penalty(
                n, name, number, CF_JDRQ=(day - datetime.timedelta(days=n)).isoformat(), CF_NR=f"内容第{n}号"
            )
            for n in range(start, start + count)
        )
    )
    assert batch.accepted == count
    return list(CreditRecord.objects.filter(batch_id=batch.pk).order_by("-decided_on"))


def subject_of(cast_member: Any) -> Subject:
    return RealNameBinding.objects.get(user=cast_member).subject


def tokens(text: str) -> set[str]:
    return set(re.findall(r"/me/records/([0-9a-z]{26})/", text))


@pytest.mark.parametrize("page", PAGES)
def test_whoever_is_not_signed_in_is_led_to_sign_in(page: str, db: None, client: Client) -> None:
    response = client.get(reverse(f"me:{page}"))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("page", PAGES)
def test_an_account_without_a_person_is_led_to_the_binding(page: str, people: Cast, client: Client) -> None:
    fines(1)
    client.force_login(people.unbound)
    response = client.get(reverse(f"me:{page}"))
    assert (response.status_code, response["Location"]) == (302, reverse("me:bind"))
    assert not AccessLog.objects.exists()


def test_an_account_without_a_person_opens_no_record(people: Cast, client: Client) -> None:
    (record,) = fines(1)
    client.force_login(people.unbound)
    response = client.get(reverse("me:record", args=[record.token]))
    assert (response.status_code, response["Location"]) == (302, reverse("me:bind"))
    assert client.get(reverse("me:bind")).status_code == 200


def test_the_bound_are_led_from_the_binding_to_their_file(me: Client) -> None:
    response = me.get(reverse("me:bind"))
    assert (response.status_code, response["Location"]) == (302, reverse("me:home"))


def test_everybody_sees_their_own_records_and_no_others(people: Cast, me: Client) -> None:
    own = fines(3)
    others = fines(2, number=STRANGER_NUMBER, name="马示例", start=50)
    for page in WITH_RECORDS:
        text = me.get(reverse(f"me:{page}")).content.decode()
        assert tokens(text) == {record.token for record in own}
        assert not any(record.document_number in text for record in others)
    me.force_login(people.stranger)
    assert tokens(me.get(reverse("me:records")).content.decode()) == {record.token for record in others}


def test_a_record_shows_what_was_decided_and_by_whom(me: Client) -> None:
    (record,) = fines(1)
    text = me.get(reverse("me:record", args=[record.token])).content.decode()
    for words in (record.document_number, record.decided_on.isoformat(), record.agency.label, "内容第1号"):
        assert words in text


def test_a_record_names_organ_and_last_day_of_reconsideration(me: Client) -> None:
    (record,) = fines(1)
    me.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    end = record.decided_on + datetime.timedelta(days=60)
    text = re.sub(r"<[^>]+>", "", me.get(reverse("me:record", args=[record.token])).content.decode())
    assert f"within 60 days of learning of the decision, so until {end.isoformat()} at least" in text
    assert f"the people&#x27;s government of {record.agency.region.name_en}" in text
    with time_machine.travel(end + datetime.timedelta(days=1), tick=False):
        me.force_login(record.subject.binding.user)
        later = re.sub(r"<[^>]+>", "", me.get(reverse("me:record", args=[record.token])).content.decode())
    assert f"they ended on {end.isoformat()}; if later, they run from then" in later


@pytest.mark.parametrize(
    ("kind", "about", "named"),
    [("department", "administrative", True), ("court", "administrative", False), ("department", "commitment", False)],
)
def test_only_acts_of_administrative_organs_are_reconsidered(people: Cast, kind: str, about: str, named: bool) -> None:
    (record,) = fines(1)
    record.agency.kind, record.version.information_class = kind, about
    assert bool(reconsideration_sentence(record, datetime.date.today(), 60)) == named
    assert reconsideration_sentence(record, datetime.date.today(), None) == ""


def test_a_strangers_record_is_not_there(people: Cast, me: Client) -> None:
    (theirs,) = fines(1, number=STRANGER_NUMBER, name="马示例")
    assert me.get(reverse("me:record", args=[theirs.token])).status_code == 404
    assert not AccessLog.objects.exists()


@pytest.mark.parametrize("token", ["x", "1", "0" * 26, "a" * 26, "A" * 26, "../1", "%00", "１" * 26, "a" * 5000])
def test_a_made_up_number_is_not_there(token: str, me: Client) -> None:
    fines(1)
    assert me.get(f"/me/records/{token}/").status_code == 404
    assert not AccessLog.objects.exists()


def test_a_changed_token_is_not_there(me: Client) -> None:
    (record,) = fines(1)
    for at in range(0, 26, 5):
        other = "b" if record.token[at] == "a" else "a"
        changed = record.token[:at] + other + record.token[at + 1 :]
        assert me.get(f"/me/records/{changed}/").status_code == 404
    assert me.get(f"/me/records/{record.token.upper()}/").status_code == 404


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("page", WITH_RECORDS)
def test_a_page_with_records_writes_exactly_one_line(page: str, count: int, people: Cast, me: Client) -> None:
    if count:
        fines(count)
    me.get(reverse(f"me:{page}"))
    row = AccessLog.objects.get()
    assert (row.subject_ref, row.actor, row.authority) == (subject_of(people.person).pk, people.person, Authority.SELF)
    assert row.fields == (["administrative-penalty"] if count else [])


def test_opening_a_record_writes_exactly_one_line(people: Cast, me: Client) -> None:
    (record,) = fines(1)
    me.get(reverse("me:record", args=[record.token]))
    row = AccessLog.objects.get()
    assert (row.subject_ref, row.authority, row.fields) == (
        record.subject_id,
        Authority.SELF,
        ["administrative-penalty"],
    )


@pytest.mark.parametrize("page", ["looks", "notices"])
def test_a_page_without_records_writes_no_line(page: str, me: Client) -> None:
    fines(1)
    me.get(reverse(f"me:{page}"))
    assert not AccessLog.objects.exists()


def test_who_looked_is_listed_and_ones_own_looks_only_when_asked(people: Cast, me: Client) -> None:
    subject, agency = subject_of(people.person), Agency.objects.get(code="hz-market")
    record_disclosure(
        subject_ref=subject.pk, actor=people.clerk, agency=agency, purpose="upkeep-purpose-of-test",
        authority=Authority.DUTY, fields=["name"], door=Door.ADMIN,
    )  # fmt: skip
    record_disclosure(
        subject_ref=subject_of(people.stranger).pk, actor=people.clerk, agency=agency, purpose="look-at-a-stranger",
        authority=Authority.DUTY, fields=["name"], door=Door.ADMIN,
    )  # fmt: skip
    me.get(reverse("me:records"))
    usual = me.get(reverse("me:looks")).content.decode()
    assert "upkeep-purpose-of-test" in usual
    assert agency.label in usual
    assert "本人查看" not in usual
    everything = me.get(reverse("me:looks"), {"own": "1"}).content.decode()
    assert "本人查看" in everything
    assert "upkeep-purpose-of-test" in everything
    assert "look-at-a-stranger" not in usual + everything
    assert people.clerk.username not in usual


@pytest.mark.parametrize("page", PAGES)
def test_nothing_of_the_file_is_cached(page: str, me: Client) -> None:
    fines(1)
    assert "no-store" in me.get(reverse(f"me:{page}"))["Cache-Control"]


def test_neither_a_record_nor_its_absence_nor_the_binding_is_cached(people: Cast, me: Client) -> None:
    (record,) = fines(1)
    assert "no-store" in me.get(reverse("me:record", args=[record.token]))["Cache-Control"]
    me.force_login(people.unbound)
    assert "no-store" in me.get(reverse("me:bind"))["Cache-Control"]


@pytest.mark.parametrize("page", [*PAGES, "record"])
def test_the_cost_does_not_grow_with_the_file(page: str, people: Cast, me: Client) -> None:
    used = []
    for count in (1, 5, 40):
        records = fines(count, start=count * 20)
        subject = subject_of(people.person)
        for n in range(count):
            record_disclosure(
                subject_ref=subject.pk, actor=people.clerk, agency=Agency.objects.get(code="hz-market"),
                purpose="green-channel", authority=Authority.DUTY, fields=["name"],
            )  # fmt: skip
            notices.write_notice(
                addressee=subject.number_index, code="test", text="信", text_en="letter", about=f"{count}-{n}"
            )
        address = reverse("me:record", args=[records[0].token]) if page == "record" else reverse(f"me:{page}")
        me.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert me.get(address).status_code == 200
        used.append(sum("SAVEPOINT" not in query["sql"] for query in queries))
    assert max(used) <= (MOST_ON_THE_FILE if page in WITH_RECORDS else MOST_QUERIES), used
    assert len(set(used)) == 1, used


def test_all_records_are_reached_page_by_page_each_once(me: Client) -> None:
    day = datetime.date.today() - datetime.timedelta(days=60)
    deliver(*(person_penalty(n, "林示例", PERSON_NUMBER, CF_JDRQ=day.isoformat()) for n in range(120)))
    seen: list[str] = []
    address = reverse("me:records")
    for _page in range(5):
        text = me.get(address).content.decode()
        seen += re.findall(r'<h2 class="h3"><a href="/me/records/([0-9a-z]{26})/"', text)
        onward = re.search(r'href="(\?after=[^"]+)"', text)
        if onward is None:
            break
        address = reverse("me:records") + onward[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("mark", ["", "x", "a:b:c", "%00", "1" * 3000])
def test_a_mark_somebody_changed_shows_the_first_page(mark: str, me: Client) -> None:
    fines(1)
    response = me.get(reverse("me:records"), {"after": mark})
    assert response.status_code == 200
    assert len(tokens(response.content.decode())) == 1


def test_a_letter_to_another_is_neither_shown_nor_marked(people: Cast, me: Client) -> None:
    mine, theirs = subject_of(people.person), subject_of(people.stranger)
    own = notices.write_notice(addressee=mine.number_index, code="a", text="给我", text_en="to me", about="1")
    foreign = notices.write_notice(addressee=theirs.number_index, code="a", text="给别人", text_en="to them", about="2")
    text = me.get(reverse("me:notices")).content.decode()
    assert "给我" in text
    assert "给别人" not in text
    for notice in (own, foreign):
        me.post(reverse("me:notices"), {"notice": notice.pk})
    assert Notice.objects.get(pk=own.pk).read_at is not None
    assert Notice.objects.get(pk=foreign.pk).read_at is None
    assert Notice.objects.get(pk=foreign.pk).delivered_at is None


def test_only_a_letter_whose_text_was_shown_counts_as_delivered(people: Cast, me: Client) -> None:
    letter = notices.write_notice(
        addressee=subject_of(people.person).number_index, code="a", text="给我的信", text_en="to me", about="1"
    )
    assert "给我的信" not in me.get(reverse("me:home")).content.decode()
    assert Notice.objects.get(pk=letter.pk).delivered_at is None
    me.get(reverse("me:notices"))
    assert Notice.objects.get(pk=letter.pk).delivered_at is not None


def test_every_letter_is_reached_and_those_not_read_first(people: Cast, me: Client) -> None:
    addressee = people.person.real_name.subject.number_index
    for number in range(written := notices.PAGE + 3):
        notices.write_notice(addressee=addressee, code="test", text="信", text_en="Letter", about=f"test:{number}")
    total = Notice.objects.filter(addressee=addressee).count()
    assert total >= written
    found, address = set[int](), reverse("me:notices")
    while address:
        page = me.get(address)
        found |= {one.notice.pk for one in page.context["letters"]}
        address = f"{reverse('me:notices')}?after={page.context['after']}" if page.context["after"] else ""
    assert len(found) == total
    unread = f"{reverse('me:notices')}?unread=1"
    first = me.get(unread).context["letters"][0].notice.pk
    assert me.post(unread, {"notice": first})["Location"] == unread
    page = me.get(unread)
    assert first not in {one.notice.pk for one in page.context["letters"]} and page.context["unread"] == total - 1
    assert me.get(unread, {"after": "nothing"}).status_code == 200


def test_every_look_can_be_reached_however_many_there_are(people: Cast, me: Client) -> None:
    subject = subject_of(people.person)
    for number in range(120):
        record_disclosure(subject_ref=subject.pk, actor=people.clerk, agency=Agency.objects.get(code="hz-market"),
                          purpose=f"<{number}>", authority=Authority.DUTY, fields=["name"])  # fmt: skip
    found, address = [], reverse("me:looks")
    while address:
        response = me.get(address)
        found += [look.purpose for look in response.context["looks"]]
        after = response.context["after"]
        address = f"{reverse('me:looks')}?after={after}" if after else ""
    assert found == [f"<{number}>" for number in reversed(range(120))]
    assert "50+" in me.get(reverse("me:home")).content.decode()
    assert len(me.get(f"{reverse('me:looks')}?after=x").context["looks"]) == 50


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "9" * 5000, "１", "²"])
def test_a_notice_number_that_is_none_is_no_crash(number: str, me: Client) -> None:
    assert me.post(reverse("me:notices"), {"notice": number}).status_code == 302


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_file_is_there_in_both_languages(language: str, me: Client) -> None:
    (record,) = fines(1)
    with translation.override(language):
        for address in (*(reverse(f"me:{page}") for page in PAGES), reverse("me:record", args=[record.token])):
            assert me.get(address, headers={"accept-language": language}).status_code == 200


def test_what_the_person_is_shown_holds_no_mark_up_of_the_sender(me: Client) -> None:
    evil = "<script>alert(1)</script>"
    deliver(person_penalty(1, "林示例", PERSON_NUMBER, CF_SY=evil, CF_WSH=evil))
    record = CreditRecord.objects.get()
    for address in (reverse("me:home"), reverse("me:records"), reverse("me:record", args=[record.token])):
        assert evil not in me.get(address).content.decode()


def test_a_company_of_the_same_name_is_not_in_the_file(me: Client) -> None:
    deliver(penalty(1, CF_XDR_MC="林示例"))
    assert tokens(me.get(reverse("me:records")).content.decode()) == set()


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    """Labels are compared in the language of the pages."""
    with translation.override("zh-hans"):
        yield


def test_an_empty_name_does_not_hide_a_wrong_number(people: Cast, client: Client) -> None:
    client.force_login(people.unbound)
    wrong = {"name": "", "kind": "resident_id", "number": "620102199208099980"}
    form = client.post(reverse("me:bind"), wrong).context["form"]
    assert set(form.errors) == {"name", "number"} and all(len(found) == 1 for found in form.errors.values())
    both = client.post(reverse("me:bind"), {"name": " ", "kind": "resident_id", "number": ""}).context["form"]
    assert set(both.errors) == {"name", "number"}
    assert set(client.post(reverse("me:bind"), {**wrong, "name": "苏念禾"}).context["form"].errors) == {"number"}
