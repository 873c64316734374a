"""Probes: what everybody learns, what staff learn, and that asking costs nothing."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from creditplatform.core import probes
from creditplatform.core.models import Heartbeat
from tests.cast import Cast


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    probes.forget()
    yield
    probes.forget()


@pytest.fixture
def stopped(context: None) -> str:
    Heartbeat.objects.all().delete()
    past = timezone.now() - datetime.timedelta(hours=1)
    return Heartbeat.objects.create(name="name-of-a-worker", at=past, expected_seconds=60).name


def test_everybody_learns_the_class_and_staff_the_names(stopped: str, cast: Cast) -> None:
    visitor, person, clerk = Client(), Client(), Client()
    person.force_login(cast.person, "django.contrib.auth.backends.ModelBackend")
    clerk.force_login(cast.clerk, "django.contrib.auth.backends.ModelBackend")
    for client in (visitor, person):
        response = client.get("/readyz")
        assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
        assert response.json() == {"status": "ready", "database": True, "broker": True, "worker": False}
    assert clerk.get("/readyz").json()["stopped"] == [stopped]


def test_what_is_well_is_said(db: None) -> None:
    Heartbeat.objects.all().delete()
    assert Client().get("/readyz").json() == {"status": "ready", "database": True, "broker": True, "worker": True}


@pytest.mark.parametrize("part", ["database", "broker"])
def test_a_part_that_does_not_answer_makes_us_not_ready(
    stopped: str, cast: Cast, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    check = {"database": "_database_migrated", "broker": "_broker_answers"}[part]
    monkeypatch.setattr(probes, check, lambda: False)
    clerk = Client()
    clerk.force_login(cast.clerk, "django.contrib.auth.backends.ModelBackend")
    response = clerk.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "database": True, "broker": True, "worker": False, part: False}


def test_asking_often_asks_once_until_two_seconds_are_over(
    db: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    Client().get("/readyz")
    with django_assert_num_queries(0):
        assert [Client().get("/readyz").status_code for _ in range(20)] == [200] * 20
    monkeypatch.setattr(probes, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(probes, "_database_migrated", lambda: False)
    assert Client().get("/readyz").status_code == 503
