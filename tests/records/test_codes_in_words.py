"""Codes whose meaning a column standard gives are said in words, wherever a person or a unit reads them."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from records.models import CreditRecord, Query
from records.sentences import shown_label, shown_value
from tests.cast import PERSON_NUMBER, Cast
from tests.deliveries import quick_passwords  # noqa: F401
from tests.publicity.world import licence, taken_in
from tests.records.queries_world import CASE, NAME, consent, purpose
from tests.records.report_world import issued, records_in
from tests.records.test_queries_desk import NEW, typed

FIELD = "XK_ZT"


@pytest.fixture
def licensed(cast: Cast) -> CreditRecord:
    """A licence of the person of the cast, still valid."""
    of_person = {
        "XK_XDR_MC": NAME, "XK_XDR_LB": "自然人", "XK_XDR_SHXYM": "", "XK_FRDB": "", "XK_XDR_ZJLX": "身份证",
        "XK_XDR_ZJHM": PERSON_NUMBER,
    }  # fmt: skip
    (record,) = taken_in(licence(1, **of_person), feed="hz-licence")
    return record


def stating(record: CreditRecord, code: str) -> None:
    """The source has sent this as the current state."""
    CreditRecord.objects.filter(pk=record.pk).update(payload={**record.payload, FIELD: code})


def in_report(cast: Cast, language: str) -> dict[str, str]:
    (said,) = records_in(issued(cast.person, language=language))
    return {name: text for name, text in said["facts"]}


def browser(user: Any, language: str = "en") -> Client:
    client = Client()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def value_beside(label: str, html: str) -> str:
    found = re.search(rf"<dt>{label}</dt>\s*<dd[^>]*>(.*?)</dd>", html)
    assert found, label
    return found[1]


@pytest.mark.parametrize(("code", "word", "word_en"), [("1", "有效", "valid"), ("0", "无效", "not valid")])
def test_a_report_says_whether_a_licence_is_valid(
    cast: Cast, licensed: CreditRecord, code: str, word: str, word_en: str
) -> None:
    stating(licensed, code)
    assert in_report(cast, "zh-hans")["当前状态"] == word
    assert in_report(cast, "en")["Current state"] == word_en


def test_a_code_of_no_standard_is_shown_as_sent(cast: Cast, licensed: CreditRecord) -> None:
    stating(licensed, "9")
    assert in_report(cast, "zh-hans")["当前状态"] == "9"


def test_the_own_page_and_the_result_of_a_unit_say_it_too(cast: Cast, licensed: CreditRecord) -> None:
    own = browser(cast.person).get(reverse("me:record", args=[licensed.token])).content.decode()
    assert value_beside("Current state", own) == "valid"
    wanted = purpose("special-industry", fields=["administrative-licence"])
    consent(wanted, cast.clerk, cast.person, case_number=CASE)
    client = browser(cast.clerk)
    client.post(NEW, typed())
    result = client.post(f"/desk/queries/{Query.objects.get().token}/", {"act": "open"}).content.decode()
    assert value_beside("Current state", result) == "valid"


def test_the_record_itself_keeps_what_was_sent(licensed: CreditRecord) -> None:
    assert licensed.payload[FIELD] == "1"
    field = licensed.version.fields.get(code=FIELD)
    with translation.override("en"):
        assert (shown_label(field), shown_value(field, "1")) == ("Current state", "valid")
