"""The pages on which a clerk enters and corrects records of penalties, and how they are filled in."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from creditplatform.core import audit
from creditplatform.core.enums import Door
from creditplatform.core.models import User
from records.feeds.vocabulary import effects
from records.models import CreditRecord, Entitlement, Feed
from tests.cast import Cast
from tests.deliveries import FEED, penalty
from tests.records.feedfiles import people_of_the_cast

ENTRY = "administrative-penalty"
WORDS = {effect.name: code for code, effect in effects().by_code.items()}


@pytest.fixture
def people(db: None, settings: Any) -> Cast:
    """The cast; what the pages themselves write needs a context of its own."""
    return people_of_the_cast(settings)


@pytest.fixture
def entitlement(people: Cast) -> Entitlement:
    """The market regulator may record penalties, and its clerk was given that by name."""
    found = Entitlement.objects.get(agency__code="hz-market", entry__code=ENTRY)
    grant(people.clerk, found)
    return found


@pytest.fixture
def clerk(people: Cast, entitlement: Entitlement, client: Client) -> Client:
    """A browser in which the clerk has signed in."""
    client.force_login(people.clerk)
    return client


def grant(user: User, entitlement: Entitlement) -> None:
    """Let somebody enter records."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        assign_perm("records.enter_records", user, entitlement)


def form_page(entitlement: Entitlement) -> str:
    """Where a record is entered."""
    return reverse("admin:records_creditrecord_enter", args=[entitlement.pk])


def change_page(record: CreditRecord) -> str:
    """Where a record is corrected."""
    return reverse("admin:records_creditrecord_change", args=[record.pk])


def typed(row: dict[str, str], *, feed: str = FEED) -> dict[str, Any]:
    """A row as a browser sends the form of the market regulator: effects as ticked boxes, and which feed."""
    return {
        **row,
        "CF_CFLB": [WORDS[word] for word in row["CF_CFLB"].split(";") if word],
        "act-feed": str(Feed.objects.get(code=feed).pk),
    }


def errors_of(response: Any) -> dict[str, list[str]]:
    """What a page says is wrong, by field."""
    return {name: list(texts) for name, texts in response.context["form"].errors.items()}


def entered(clerk: Client, entitlement: Entitlement, *, feed: str = FEED, **cells: str) -> CreditRecord:
    """A record that the clerk entered."""
    response = clerk.post(form_page(entitlement), typed(penalty(1, **cells), feed=feed))
    assert response.status_code == 302, errors_of(response)
    return CreditRecord.objects.get()


def opened(clerk: Client, record: CreditRecord) -> dict[str, Any]:
    """What the page of a record sends back if nothing is typed but the reason."""
    form = clerk.get(change_page(record)).context["form"]
    initial = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {**{name: value for name, value in initial.items() if value is not None}, "act-reason": "文书有误"}
