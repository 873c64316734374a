"""Links by which a person shows a part of the own file: once, with a code, within bounds, and told."""

import datetime
import re
import threading
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from creditplatform.core import audit
from creditplatform.core.enums import AccessResult, Authority, Door
from creditplatform.core.errors import CreditError, Invalid, NotPermitted
from creditplatform.core.models import AccessLog, Notice, RuleValue
from creditplatform.core.paper_codes import LETTERS
from creditplatform.core.vault import public_token
from records.enums import OwnPurpose
from records.models import Representation, ShareLink
from records.models.authorisation import MOST_WRONG_CODES, SHARE_KIND
from records.services import share_links
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.records.queries_world import NAME, fined

pytestmark = pytest.mark.django_db
KIND = "administrative-penalty"
DAY = datetime.timedelta(days=1)


def made(cast: Cast, **changes: Any) -> tuple[ShareLink, str]:
    words = {
        "user": cast.person, "subject": cast.person.real_name.subject, "fields": [KIND], "lifetime": DAY,
        "recipient": "房东示例", **changes,
    }  # fmt: skip
    return share_links.make(**words)


def opened(link: ShareLink, code: str, user: Any = None) -> share_links.Opened:
    return share_links.open_link(token=link.token, code=code, user=user)


def refusal(token: str, code: str) -> tuple[str, str]:
    with pytest.raises(CreditError) as error:
        share_links.open_link(token=token, code=code, user=None)
    return error.value.code, error.value.message


def wrong(code: str) -> str:
    return "".join("Z" if letter != "Z" else "Y" for letter in code)


# --- making ----------------------------------------------------------------------------------------


def test_the_code_is_told_once_and_kept_by_nobody(cast: Cast) -> None:
    _link, code = made(cast)
    assert re.fullmatch(f"[{LETTERS}]{{8}}", code)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM records_sharelink t UNION ALL SELECT t::text FROM records_sharelinkevent t")
        kept = "\n".join(row[0] for row in cursor.fetchall())
    assert code not in kept and "房东示例" not in kept
    assert len({made(cast)[1] for _turn in range(5)}) == 5


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"fields": []}, "required"),
        ({"lifetime": datetime.timedelta(minutes=59)}, "out_of_bounds"),
        ({"lifetime": datetime.timedelta(days=30, seconds=1)}, "out_of_bounds"),
        ({"recipient": "字" * 201}, "too_long"),
    ],
)
def test_a_link_without_bounds_is_not_made(cast: Cast, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        made(cast, **changes)
    assert [problem.code for problem in refused.value.problems] == [code]


def test_its_bounds_are_rule_values(cast: Cast) -> None:
    RuleValue.objects.filter(key=share_links.LONGEST_DAYS).update(value=2)
    with pytest.raises(Invalid):
        made(cast, lifetime=datetime.timedelta(days=3))
    assert made(cast, lifetime=datetime.timedelta(days=2))


def test_nobody_shows_the_file_of_another(cast: Cast) -> None:
    for other in (cast.stranger, cast.clerk, cast.unbound):
        with pytest.raises(NotPermitted):
            made(cast, user=other)
    Representation.objects.create(
        person=cast.person.real_name.subject, representative=cast.stranger.real_name.subject, kind="guardian",
        scope=["consent"], papers_kind="户口簿", requested_by=cast.stranger, state="confirmed", decided_by=cast.centre,
        decided_at=timezone.now(), checked_by=cast.officer, checked_at=timezone.now(),
    )  # fmt: skip
    with pytest.raises(NotPermitted):  # to answer requests is not to show the file by link
        made(cast, user=cast.stranger)


# --- opening ---------------------------------------------------------------------------------------


def test_link_and_code_show_the_chosen_parts_once_and_the_person_is_told(cast: Cast) -> None:
    record = fined()
    link, code = made(cast)
    found = opened(link, f" {code[:4].lower()} {code[4:]} ")
    assert [one.record.pk for one in found.records] == [record.pk]
    assert not any(field.personal for one in found.records for field, _text in one.fields)
    line = AccessLog.objects.latest("pk")
    assert (line.subject_ref, line.actor, line.agency) == (link.subject_id, None, None)
    assert (line.purpose, line.authority, line.reference) == (OwnPurpose.SHARE_LINK, Authority.CONSENT, link.token)
    assert (line.fields, line.result) == ([KIND], AccessResult.SHOWN)
    letter = Notice.objects.get(code="share_link_opened")
    assert bytes(letter.addressee) == bytes(link.subject.number_index) and NAME not in (letter.text or "")
    code_of_replay, words = refusal(link.token, code)
    assert code_of_replay == "share_link_opened_before" and timezone.localdate().isoformat() in words
    assert AccessLog.objects.latest("pk").result == AccessResult.REFUSED


def test_only_what_was_chosen_is_shown(cast: Cast) -> None:
    fined()
    link, code = made(cast, fields=["honesty-model"])
    assert opened(link, code).records == []
    assert AccessLog.objects.latest("pk").result == AccessResult.NOTHING


def test_every_failure_says_the_same(cast: Cast) -> None:
    """Unknown, made up, ended, withdrawn, closed, wrong code, opened before but without the code: one answer."""
    said = {refusal("0" * 26, "ABCDEFGH"), refusal("nothing", ""), refusal(public_token(SHARE_KIND, 10**9), "A" * 8)}
    said.add(refusal(public_token("authorisation", 1), "A" * 8))
    link, code = made(cast)
    with time_machine.travel(link.expires_at, tick=False):
        said.add(refusal(link.token, code))
    said |= {refusal(link.token, wrong(code)), refusal(link.token, f"{code}X")}
    share_links.revoke(link=link, user=cast.person)
    said.add(refusal(link.token, code))
    other, second = made(cast)
    for _turn in range(MOST_WRONG_CODES):
        said.add(refusal(other.token, wrong(second)))
    said.add(refusal(other.token, second))
    third, right = made(cast)
    opened(third, right)
    said.add(refusal(third.token, wrong(right)))
    assert len(said) == 1


def test_it_opens_until_just_before_its_end(cast: Cast) -> None:
    link, code = made(cast)
    with time_machine.travel(link.expires_at - datetime.timedelta(milliseconds=1), tick=False):
        assert opened(link, code)


def test_five_wrong_codes_close_it_and_each_is_written_down(cast: Cast) -> None:
    link, code = made(cast)
    for turn in range(1, MOST_WRONG_CODES + 1):
        assert share_links.is_live(ShareLink.objects.get(pk=link.pk))
        refusal(link.token, wrong(code))
        assert ShareLink.objects.get(pk=link.pk).wrong_codes == turn
        assert Notice.objects.filter(code="share_link_closed").count() == (turn == MOST_WRONG_CODES)
    assert not share_links.is_live(ShareLink.objects.get(pk=link.pk))
    refusal(link.token, code)
    assert ShareLink.objects.get(pk=link.pk).wrong_codes == MOST_WRONG_CODES
    refused = AccessLog.objects.filter(subject_ref=link.subject_id, result=AccessResult.REFUSED, reference=link.token)
    assert refused.count() == MOST_WRONG_CODES + 1
    letter = Notice.objects.get(code="share_link_closed")
    assert bytes(letter.addressee) == bytes(link.subject.number_index) and "entered 5 times" in letter.text_en
    assert not any(secret in f"{letter.text}{letter.text_en}{letter.subject_key}" for secret in (code, wrong(code)))


def test_only_the_person_withdraws_and_not_after_it_was_opened(cast: Cast) -> None:
    link, code = made(cast)
    with pytest.raises(NotPermitted):
        share_links.revoke(link=link, user=cast.stranger)
    opened(link, code)
    with pytest.raises(share_links.OpenedBefore):
        share_links.revoke(link=link, user=cast.person)


def at_once(acts: list[Any]) -> list[str]:
    """What becomes of acts at the same moment, each over a connection of its own."""
    start, found = threading.Barrier(len(acts)), list[str]()

    def run(act: Any) -> None:
        try:
            start.wait()
            refused = ""
            with audit.context(actor=None, door=Door.WEB, reason="test"):
                try:
                    act()
                except CreditError as error:
                    refused = error.code  # what is refused stays written, as a page keeps it
            found.append(refused or "opened")
        finally:
            connection.close()

    workers = [threading.Thread(target=run, args=(act,)) for act in acts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(found)


@pytest.fixture
def people(policy: None) -> Cast:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        return Cast.assemble()


@pytest.mark.django_db(transaction=True)
def test_one_of_many_who_open_it_at_the_same_moment_sees_it(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        link, code = made(people)
    found = at_once([lambda: opened(link, code)] * 6)
    assert found == ["opened", *["share_link_opened_before"] * 5]
    shown = AccessLog.objects.filter(reference=link.token).exclude(result=AccessResult.REFUSED)
    assert (shown.count(), Notice.objects.filter(code="share_link_opened").count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_page_sent_twice_by_one_browser_is_one_reading(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        link, code = made(people)
    words = {"token": link.token, "code": code, "user": None, "reader": "one browser"}
    assert at_once([lambda: share_links.open_link(**words)] * 3) == ["opened"] * 3
    assert Notice.objects.filter(code="share_link_opened").count() == 1


@pytest.mark.django_db(transaction=True)
def test_wrong_codes_at_the_same_moment_are_all_counted(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        link, code = made(people)
    found = at_once([lambda: opened(link, wrong(code))] * 8)
    assert found == ["share_link_not_opened"] * 8
    assert ShareLink.objects.get(pk=link.pk).wrong_codes == MOST_WRONG_CODES
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        refusal(link.token, code)


@pytest.mark.django_db(transaction=True)
def test_opening_and_withdrawing_at_the_same_moment_is_one_or_the_other(people: Cast) -> None:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        link, code = made(people)
    at_once([lambda: opened(link, code), lambda: share_links.revoke(link=link, user=people.person)])
    link.refresh_from_db()
    assert (link.opened_at is None) != (link.revoked_at is None)


# --- the pages -------------------------------------------------------------------------------------


@pytest.fixture
def visitor(cast: Cast) -> Client:
    client = Client()
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def test_looking_at_the_address_uses_nothing_and_says_nothing(cast: Cast, visitor: Client) -> None:
    link, code = made(cast)
    before = AccessLog.objects.count()
    pages = [visitor.get(reverse("share", args=[token])) for token in (link.token, link.token, "0" * 26, "nothing")]
    assert {page.status_code for page in pages} == {200}
    bodies = {re.sub(r'csrfmiddlewaretoken" value="\w+"|/share/\w+/', "", page.content.decode()) for page in pages}
    assert len(bodies) == 1
    assert AccessLog.objects.count() == before
    assert opened(link, code)


def test_the_page_shows_it_once_is_kept_nowhere_and_names_nobody(cast: Cast, visitor: Client) -> None:
    record = fined()
    link, code = made(cast)
    address = reverse("share", args=[link.token])
    page = visitor.post(address, {"code": code})
    text = page.content.decode()
    assert page.status_code == 200 and record.document_number in text
    assert NAME not in text and PERSON_NUMBER not in text and "林**" in text and "房东示例" not in text
    for answer in (page, visitor.get(address)):
        assert "no-store" in answer["Cache-Control"]
        assert "noindex" in answer["X-Robots-Tag"] and answer["Referrer-Policy"] == "same-origin"
    other = Client()
    other.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    again = other.post(address, {"code": code})
    assert again.status_code == 409 and "was opened on" in again.content.decode()
    assert record.document_number not in again.content.decode()


def test_the_browser_that_opened_it_may_send_or_load_the_page_again_for_minutes(cast: Cast, visitor: Client) -> None:
    record = fined()
    link, code = made(cast)
    address = reverse("share", args=[link.token])
    visitor.get(address)
    cookie = visitor.cookies["share_reader"]
    assert cookie["path"] == address and cookie["httponly"] and cookie["samesite"] == "Lax"
    pages = [visitor.post(address, {"code": code}), visitor.post(address, {"code": code}), visitor.get(address)]
    assert [page.status_code for page in pages] == [200] * 3
    assert all(record.document_number in page.content.decode() for page in pages)
    looks = AccessLog.objects.filter(reference=link.token)
    assert looks.count() == 3 and not looks.filter(result=AccessResult.REFUSED).exists()
    assert Notice.objects.filter(code="share_link_opened").count() == 1
    assert cookie.value.encode() not in bytes(ShareLink.objects.get().reader_index)
    with time_machine.travel(timezone.now() + share_links.READING):
        late = visitor.get(address)
        assert late.status_code == 200 and record.document_number not in late.content.decode()
        assert visitor.post(address, {"code": code}).status_code == 409
    other, _code = made(cast)
    assert record.document_number not in visitor.get(reverse("share", args=[other.token])).content.decode()


def test_a_reading_ends_with_the_link(cast: Cast) -> None:
    fined()
    link, code = made(cast)
    with time_machine.travel(link.expires_at - datetime.timedelta(minutes=1), tick=False):
        found = share_links.open_link(token=link.token, code=code, user=None, reader="a")
        assert found.until == link.expires_at
        assert share_links.read_on(token=link.token, user=None, reader="a")
        assert share_links.read_on(token=link.token, user=None, reader="b") is None
    with time_machine.travel(link.expires_at, tick=False):
        assert share_links.read_on(token=link.token, user=None, reader="a") is None


@pytest.mark.parametrize("typed", ["{0}", "{1}", "{2}", " {3}\u3000{4} "])
def test_a_code_is_understood_however_it_is_typed(cast: Cast, typed: str) -> None:
    link, code = made(cast)
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in code)
    assert opened(link, typed.format(code.lower(), wide, wide.lower(), code[:4], code[4:]))


def test_pages_of_links_that_open_nothing_look_alike(cast: Cast, visitor: Client) -> None:
    live, code = made(cast)
    ended, other = made(cast)
    ShareLink.objects.filter(pk=ended.pk).update(made_at=timezone.now() - 2 * DAY, expires_at=timezone.now() - DAY)
    gone, third = made(cast)
    share_links.revoke(link=gone, user=cast.person)
    tries = [(live.token, "ABCDEFGH"), (ended.token, other), (gone.token, third), ("0" * 26, code), ("nothing", code)]
    bodies = set()
    for token, typed in tries:
        page = visitor.post(reverse("share", args=[token]), {"code": typed})
        text = re.sub(r'csrfmiddlewaretoken" value="\w+"|/share/\w+/', "", page.content.decode()).replace(typed, "")
        bodies.add((page.status_code, text))
    assert len(bodies) == 1 and next(iter(bodies))[0] == 403


def test_a_wrong_code_on_the_page_is_counted_though_the_answer_is_a_refusal(cast: Cast, visitor: Client) -> None:
    link, code = made(cast)
    visitor.post(reverse("share", args=[link.token]), {"code": wrong(code)})
    assert ShareLink.objects.get(pk=link.pk).wrong_codes == 1


def test_a_client_guesses_only_so_often_in_a_minute(cast: Cast, visitor: Client, settings: Any) -> None:
    settings.LIMITS_PER_MINUTE = {**settings.LIMITS_PER_MINUTE, "share": 3}
    address, visitor.defaults["REMOTE_ADDR"] = reverse("share", args=["0" * 26]), "203.0.113.77"
    with time_machine.travel(timezone.now(), tick=False):
        answers = [visitor.post(address, {"code": "ABCDEFGH"}).status_code for _turn in range(4)]
    assert answers == [403, 403, 403, 429]


def test_the_person_makes_sees_and_withdraws_links(cast: Cast, visitor: Client) -> None:
    fined()
    visitor.force_login(cast.person, "django.contrib.auth.backends.ModelBackend")
    page = visitor.get(reverse("me:shares"))
    assert KIND in page.content.decode() and "honesty-model" not in page.content.decode()
    empty = visitor.post(reverse("me:shares"), {"lifetime": "24"})
    assert "Choose at least one kind of record." in empty.content.decode() and not ShareLink.objects.exists()
    answer = visitor.post(reverse("me:shares"), {"fields_shown": [KIND], "lifetime": "24", "recipient": "房东示例"})
    link = ShareLink.objects.get()
    text = answer.content.decode()
    assert f"/share/{link.token}/" in text and re.search(r"<b>[2-9A-Z]{4} [2-9A-Z]{4}</b>", text)
    listed = visitor.get(reverse("me:shares")).content.decode()
    assert "房东示例" in listed and not re.search(r"<b>[2-9A-Z]{4} [2-9A-Z]{4}</b>", listed)
    assert visitor.post(reverse("me:shares"), {"act": "revoke", "link": link.token}).status_code == 302
    assert not share_links.is_live(ShareLink.objects.get())
    visitor.force_login(cast.stranger, "django.contrib.auth.backends.ModelBackend")
    assert visitor.post(reverse("me:shares"), {"act": "revoke", "link": link.token}).status_code == 404
    assert "房东示例" not in visitor.get(reverse("me:shares")).content.decode()
