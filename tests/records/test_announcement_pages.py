"""The pages of announcements: the person reads and replies, the unit sees delivery and reply, nobody sees another's."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import assign_perm

from creditplatform.core.enums import Authority, Door
from creditplatform.core.models import AccessLog, Agency, RuleValue, User
from records import announcement_selectors
from records.models import PriorNotice
from records.services import announcements
from records.services.announcements import SHOWN_REPLY
from tests.accounts.representation_world import attorney, confirmed, opened
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.announcing import INTENDED, REPLY, announced, fresh, held
from tests.records.queries_world import NAME, ON_FILE, STRANGER, STRANGER_NAME, fined

pytestmark = pytest.mark.django_db


def browser(user: User) -> Client:
    client = Client()
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def page(client: Client, name: str, *args: Any) -> str:
    response = client.get(reverse(name, args=args))
    assert response.status_code == 200, name
    text: str = response.content.decode()
    return text


# --- the person ---------------------------------------------------------------------------------------


def test_the_person_finds_it_in_the_letters_the_list_and_the_timeline_and_replies(cast: Cast) -> None:
    case = announced(cast)
    client, address = browser(cast.person), reverse("me:announcement", args=[case.number])
    for name in ("announcements", "notices", "timeline"):
        assert address in page(client, f"me:{name}"), name
    text = page(client, "me:announcement", case.number)
    assert INTENDED in text and case.entry.versions.get(state="in_force").legal_basis.title_en in text
    assert client.post(address, {"words": REPLY})["Location"] == address
    assert (fresh(case).state, fresh(case).reply) == ("replied", REPLY)
    text = page(client, "me:announcement", case.number)
    assert REPLY in text and "<textarea" not in text
    for name in ("announcements", "timeline"):
        text = page(client, f"me:{name}")
        assert "replied" in text and "reply until" not in text, name
    assert client.post(address, {"words": "再说一次。"}).status_code == 200 and fresh(case).reply == REPLY


def test_what_waits_for_a_reply_stands_on_the_first_page_until_it_is_given(cast: Cast) -> None:
    client = browser(cast.person)
    assert "Something unfavourable is announced" not in page(client, "me:home")
    case, other = announced(cast), announced(cast, document_number="惠市监罚〔2026〕9号")
    PriorNotice.objects.filter(pk=other.pk).update(reply_until=case.reply_until + datetime.timedelta(days=1))
    text = page(client, "me:home")
    assert "Units intend to put 2 unfavourable things" in text and "to the first until" in text
    announcements.reply(case=case, user=cast.person, words=REPLY)
    assert announcement_selectors.waiting_for(cast.person.real_name.subject).replies == 1
    assert "A unit intends to put something unfavourable on file about you" in page(client, "me:home")
    announcements.reply(case=other, user=cast.person, words=REPLY)
    assert "Something unfavourable is announced" not in page(client, "me:home")


@pytest.mark.parametrize(("words", "said"), [("", "Please write"), ("字" * 1001, "1000"), (PERSON_NUMBER, "leave out")])
def test_a_wrong_reply_is_told_beside_its_field(cast: Cast, words: str, said: str) -> None:
    case = announced(cast)
    text = browser(cast.person).post(reverse("me:announcement", args=[case.number]), {"words": words}).content.decode()
    assert said in text and fresh(case).state == "announced"


def test_another_persons_number_and_none_at_all_are_alike(cast: Cast) -> None:
    theirs = announced(cast, person=STRANGER, name=STRANGER_NAME).number
    misnamed = announced(cast, name="别名示例").number
    client = browser(cast.person)
    for number in (theirs, misnamed, "0" * 26, "nothing"):
        address = reverse("me:announcement", args=[number])
        assert client.get(address).status_code == client.post(address, {"words": REPLY}).status_code == 404
    assert theirs not in page(client, "me:announcements") + page(client, "me:timeline")
    assert not PriorNotice.objects.exclude(state="announced").exists()


def test_a_representative_reads_and_does_not_reply(cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    standing = confirmed(cast, attorney(cast))
    case = announced(cast, person=STRANGER, name=STRANGER_NAME)
    client = opened(cast, standing)
    address = reverse("me:announcement", args=[case.number])
    assert address in page(client, "me:announcements")
    text = page(client, "me:announcement", case.number)
    assert INTENDED in text and "<textarea" not in text and "只有本人登录自己的账号后方可陈述申辩" in text
    looks = AccessLog.objects.filter(reference=standing.token, fields__contains=[SHOWN_REPLY])
    assert looks.count() == 2
    client.post(address, {"words": REPLY})
    assert fresh(case).state == "announced"


def test_the_page_of_the_record_says_how_it_was_announced(cast: Cast) -> None:
    case = announced(cast)
    client = browser(cast.person)
    page(client, "me:notices")
    record = fined()
    text = page(client, "me:record", record.token)
    assert reverse("me:announcement", args=[case.number]) in text
    assert "Announced on" in text and "reply until" in text and "The record came before that day." in text
    assert "shown to you on" in text
    assert reverse("me:record", args=[record.token]) in page(client, "me:announcement", case.number)


# --- the unit -----------------------------------------------------------------------------------------


def form(cast: Cast, **changes: str) -> dict[str, str]:
    words = {
        "entitlement": str(held(cast).pk), "name": NAME, "kind": "resident_id", "number": ON_FILE.number,
        "intended": INTENDED, "case_number": "惠市监案〔2026〕1号",
    }  # fmt: skip
    return {**words, **changes}


def test_a_clerk_announces_and_sees_delivery_and_reply(cast: Cast) -> None:
    client = browser(cast.clerk)
    response = client.post(reverse("desk:announcement-new"), form(cast))
    case = PriorNotice.objects.get()
    assert response["Location"] == reverse("desk:announcement", args=[case.number])
    before = page(client, "desk:announcement", case.number)
    assert "Not opened yet" in before and NAME not in before and ON_FILE.number not in before
    assert not AccessLog.objects.filter(fields__contains=[SHOWN_REPLY]).exists(), "nothing of the person is shown yet"
    page(browser(cast.person), "me:notices")
    announcements.reply(case=case, user=cast.person, words=REPLY)
    after = page(client, "desk:announcement", case.number)
    assert "Shown to the person" in after and REPLY in after
    line = AccessLog.objects.filter(fields__contains=[SHOWN_REPLY]).latest("pk")
    assert (line.subject_ref, line.actor, line.authority, line.door) == (
        cast.person.real_name.subject.pk, cast.clerk, Authority.DUTY, Door.DESK,
    )  # fmt: skip
    assert "Replies to announcements" in page(client, "desk:home")
    act = {"act": "consider", "words": "减为五千元。"}
    client.post(reverse("desk:announcement", args=[case.number]), act)
    assert "Replies to announcements" not in page(client, "desk:home")
    assert "减为五千元。" in page(browser(cast.person), "me:announcement", case.number)
    client.post(reverse("desk:announcement", args=[case.number]), {"act": "withdraw"})
    assert fresh(case).state == "withdrawn" and case.number in page(client, "desk:announcements")


def test_what_is_wrong_with_an_announcement_is_told_and_nothing_written(cast: Cast) -> None:
    client = browser(cast.clerk)
    for changes in (
        {"number": "441300199001011230"}, {"intended": ""}, {"intended": "字" * 501}, {"case_number": PERSON_NUMBER},
        {"reply_until": timezone.localdate().isoformat()}, {"reply_until": "never"}, {"entitlement": "0"},
        {"name": "\x00"},
    ):  # fmt: skip
        response = client.post(reverse("desk:announcement-new"), form(cast, **changes))
        assert response.status_code == 200 and "Nothing is announced yet" in response.content.decode(), changes
    assert not PriorNotice.objects.exists()
    everything = {"number": "441300199001011230", "intended": "", "entitlement": ""}
    told = client.post(reverse("desk:announcement-new"), form(cast, **everything)).context["form"].errors
    assert set(told) == {"number", "intended", "entitlement"}, "all that is wrong is told at once"
    client.post(reverse("desk:announcement-new"), form(cast))
    assert (
        "announced to the person already" in client.post(reverse("desk:announcement-new"), form(cast)).content.decode()
    )


def test_other_units_and_colleagues_without_the_grant_find_nothing(cast: Cast) -> None:
    case = announced(cast)
    assign_perm("records.enter_records", cast.other_clerk, held(cast, unit="gs-market", by=cast.other_clerk))
    for user in (cast.other_clerk, cast.officer, cast.supervisor):
        client = browser(user)
        address = reverse("desk:announcement", args=[case.number])
        for number in (case.number, "0" * 26):
            assert client.get(reverse("desk:announcement", args=[number])).status_code == 404
        assert client.post(address, {"act": "withdraw"}).status_code == 404
        assert case.number not in page(client, "desk:announcements")
    for user in (cast.centre, cast.person):
        assert browser(user).get(reverse("desk:announcements")).status_code == 403
    assert fresh(case).state == "announced"


def test_the_list_counts_what_came_early_and_costs_the_same_for_few_and_many(cast: Cast) -> None:
    RuleValue.objects.filter(key=announcements.MOST_OPEN).update(value=1000)
    client, used = browser(cast.clerk), []
    for turn, count in enumerate((1, 40)):
        for at in range(count):
            announced(cast, document_number=f"第{turn}-{at}号")
        page(client, "desk:announcements")
        with CaptureQueriesContext(connection) as found:
            page(client, "desk:announcements")
        used.append(len(found))
    assert used[0] == used[1]
    announced(cast)
    fined()
    assert "1 announced record has come" in page(client, "desk:announcements")
    for at in range(20):
        announced(cast, document_number=f"再{at}号")
    first = client.get(reverse("desk:announcements"))
    assert len(first.context["announced"]) == 50
    older = client.get(reverse("desk:announcements"), {"before": first.context["before"]})
    shown = [one.case.pk for response in (first, older) for one in response.context["announced"]]
    assert (
        len(shown) == len(set(shown)) == PriorNotice.objects.filter(agency=Agency.objects.get(code="hz-market")).count()
    )
