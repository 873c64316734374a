"""Fixtures of the whole suite: policy data, audit context, the cast of people."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import translation
from pytest_django.plugin import blocking_manager_key

from creditplatform.core import audit, vault
from creditplatform.core.enums import Door
from creditplatform.core.models import Region
from tests import policy_kept
from tests.cast import Cast

STATE = {"ready": False}


def pytest_configure(config: pytest.Config) -> None:
    """One key ring for the run, one cache prefix per worker."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    settings.CACHES["default"]["KEY_PREFIX"] = f"test-{worker}"
    if not worker:
        ring = Path(settings.CREDIT_KEYRING)
        if not ring.exists():
            call_command("init_keyring", verbosity=0)
    vault.ring()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object) -> None:
    """The test database with the delivered policy in it."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        call_command("load_policy", stdout=io.StringIO())
        policy_kept.copy_database()
        policy_kept.keep()
    STATE["ready"] = True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin in the language of the platform, whatever an earlier test left.

    Give the policy back to a test with a database, where the clean-up of an earlier one emptied the tables.
    """
    translation.activate(settings.LANGUAGE_CODE)
    names = set(getattr(item, "fixturenames", ()))
    if not STATE["ready"] or not (names & {"db", "transactional_db"} or item.get_closest_marker("django_db")):
        return
    with item.config.stash[blocking_manager_key].unblock():
        if not Region.objects.exists():
            policy_kept.give_back()


@pytest.fixture
def policy(transactional_db: None) -> None:
    """For tests that commit for real: the policy data is there."""


@pytest.fixture
def context(db: None) -> Iterator[None]:
    """Lets a test write to audited tables."""
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        yield


@pytest.fixture
def cast(context: None) -> Cast:
    """The same people in every test: the person, a stranger, officers, supervisor, auditor, editor, operator."""
    return Cast.assemble()
