"""A window with two officials: what the first enters, what the second confirms."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from creditplatform.core import audit
from creditplatform.core.enums import Door, Role
from creditplatform.core.models import Agency, User
from records.models import WindowRequest
from tests.cast import PERSON_NUMBER, Cast, member

NAME, NUMBER = "苏念禾", "620102199208099981"
PERSON = {"name": "林示例", "number": PERSON_NUMBER}
BACKEND = "django.contrib.auth.backends.ModelBackend"


def second() -> User:
    """Another official of the same window."""
    found = User.objects.filter(username="centre-second").first()
    if found is not None:
        return found
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        return member("centre-second", Agency.objects.get(code="hz-drc"), Role.CENTRE)


def desk(user: User) -> Client:
    browser = Client()
    browser.force_login(user, BACKEND)
    return browser


def filled(**changes: str) -> dict[str, str]:
    usual = {
        "act": "bind", "account": "unbound", "name": NAME, "kind": "resident_id", "number": NUMBER,
        "papers": "resident_card", "seen": "on",
    }  # fmt: skip
    return {**usual, **changes}


def words(cast: Cast, **changes: Any) -> dict[str, Any]:
    usual = {
        "official": cast.centre, "user": cast.unbound, "name": NAME, "kind": "resident_id", "number": NUMBER,
        "papers": "resident_card",
    }  # fmt: skip
    return {**usual, **changes}


def press(cast: Cast, **changes: str) -> HttpResponse:
    """The first official sends the form."""
    return desk(cast.centre).post(reverse("desk:window"), filled(**changes))


def waiting() -> WindowRequest:
    return WindowRequest.objects.waiting().get()


def decide(case: WindowRequest, user: User | None = None, **given: str) -> HttpResponse:
    """The second official confirms, unless it is said otherwise."""
    address = reverse("desk:window-request", args=[case.token])
    return desk(user or second()).post(address, given or {"act": "confirm", "seen": "on"})


def moved(cast: Cast, **changes: str) -> HttpResponse:
    """An older account of the person is lost: both officials have done their part."""
    press(cast, **{"act": "move", **PERSON, **changes})
    return decide(waiting())


def slip(cast: Cast) -> str:
    """A recovery code for the person, given by two officials."""
    press(cast, act="code", account="person", **PERSON)
    response = decide(waiting())
    assert response.status_code == 200 and response["Cache-Control"] == "no-store"
    found = re.search(r'<code class="key">([A-Z2-9-]+)</code>', response.content.decode())
    assert found
    return found[1]
