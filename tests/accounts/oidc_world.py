"""The identity platform of the tests, connected; and what a browser does on the way through it."""

import datetime
import re
from html import unescape
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.identity import make_resident_id
from creditplatform.core.models import User
from records.models import Subject
from tests.cast import citizen, person_subject
from tests.unified_platform.running import UnifiedPlatform

NAME, NUMBER = "苏念禾", make_resident_id("620102", datetime.date(1992, 8, 9), 998)
CHILD = make_resident_id("620102", datetime.date.today() - datetime.timedelta(days=16 * 365), 997)
CALLBACK = "http://testserver/accounts/platforms/province/callback/"
GOOD = {"name": NAME, "identity": {"number": NUMBER, "kind": "111"}, "level": "REAL"}


def on_file(number: str, name: str, username: str = "") -> Subject:
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        subject = person_subject(number, name)
        if username:
            citizen(username, subject)
    return subject


def begin(browser: Client, **data: str) -> str:
    """Press the button of the sign-in page; where the browser is led."""
    response = browser.post(reverse("openid_connect_login", args=["province"]), data)
    assert response.status_code == 200, response.content.decode()
    address = response["Refresh"].removeprefix("0; url=")
    assert address in unescape(response.content.decode())
    return address


def come_back(browser: Client, address: str) -> HttpResponse:
    return browser.get(address.removeprefix("http://testserver"))


def sign_in(browser: Client, platform: UnifiedPlatform, username: str, **claims: Any) -> HttpResponse:
    platform.know(username, **claims)
    return come_back(browser, platform.sign_in(begin(browser), username, CALLBACK))


def account(browser: Client) -> User | None:
    return User.objects.filter(pk=browser.session.get("_auth_user_id")).first()


def sentence(response: HttpResponse) -> str:
    assert response.status_code == 403, response
    found = re.search(r'role="alert">(.*?)</p>', response.content.decode(), re.DOTALL)
    assert found
    return found[1]
