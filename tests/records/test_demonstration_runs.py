"""Making the demonstration world: the same every time, finished after an interruption, refused where data are real."""

import datetime
import hashlib
import os
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from creditplatform.core.errors import Invalid
from creditplatform.core.models import Agency, User
from records.demonstration import seeding
from records.demonstration.seeding import choose_world, seed_world
from records.demonstration.world import World
from records.models import (
    Affiliation,
    CreditRecord,
    DemonstrationIdentity,
    FeedBatch,
    KeyGroupMembership,
    QuarantinedRow,
)

FAST = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
ANCHOR = timezone.localdate().replace(day=1)
SMALL = 0.05


def contents():
    """Everything the small world put into the database, keys and instants aside, opened and sorted."""
    records = [
        (
            r.agency.code, r.entry.code, r.document_number, r.subject.number_sealed or r.subject.code,
            r.subject.name_sealed or r.subject.name, r.decided_on, r.effects, r.tier, r.repairable_from,
            r.publish_until, r.retain_until, r.minor_at_decision, r.state, r.disputed, r.statement or "",
            sorted(r.payload.items()), r.sealed_payload or "", r.batch.file_name, r.row_number,
        )
        for r in CreditRecord.objects.select_related("agency", "entry", "subject", "batch")
    ]  # fmt: skip
    rows = QuarantinedRow.objects.values_list("batch__file_name", "row_number", "line_number", "state")
    ties = Affiliation.objects.values_list("person__number_index", "organisation__code", "role", "valid_from")
    groups = [
        (m.subject.number_sealed, m.group_id, m.licence_number, m.record.document_number, m.valid_from)
        for m in KeyGroupMembership.objects.select_related("subject", "record")
    ]
    identities = DemonstrationIdentity.objects.values_list("number_index", "name_index")
    digests = FeedBatch.objects.values_list(
        "file_name", "file_digest", "received", "accepted", "submitted_by__username"
    )
    codes = Agency.objects.values_list("code", "credit_code")
    return [sorted(part) for part in (records, rows, ties, groups, identities, digests, codes)]


@FAST
def small_world(seed, *, interrupted=False):
    """The contents of a small world made in a transaction that is taken back."""
    with transaction.atomic():
        if interrupted:
            with pytest.raises(RuntimeError):
                seed_world(seed=seed, scale=SMALL, tell=Interruption(9))
            assert not seeding.complete() and FeedBatch.objects.count() == 9
        seed_world(seed=seed if not interrupted else None, scale=SMALL)
        found = contents()
        transaction.set_rollback(True)
    return found


class Interruption:
    """Stops the seeder after so many files."""

    def __init__(self, files):
        self.left = files

    def __call__(self, sentence):
        self.left -= 1
        if not self.left:
            raise RuntimeError


def test_same_seed_same_world_even_after_an_interruption(db):
    first, again = small_world(2026), small_world(2026, interrupted=True)
    for one, other in zip(first, again, strict=True):
        assert one and one == other


def digest_of(world):
    text = repr([(d.key, d.party, d.decided_on, d.effects, d.content) for ds in world.decisions.values() for d in ds])
    return hashlib.sha256(text.encode()).hexdigest()


def test_another_process_draws_the_same_world():
    code = (
        "import django, datetime; django.setup()\n"
        "from tests.records.test_demonstration_runs import World, digest_of\n"
        "print(digest_of(World(5, datetime.date(2026, 11, 1), 0.1)))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77", "DJANGO_SETTINGS_MODULE": "creditplatform.settings"}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=django_settings.BASE_DIR, env=environment, capture_output=True, text=True
    )
    assert ran.stdout.strip() == digest_of(World(5, datetime.date(2026, 11, 1), 0.1)), ran.stderr


def test_other_seed_other_world():
    day = datetime.date(2026, 11, 1)
    assert digest_of(World(5, day, SMALL)) != digest_of(World(6, day, SMALL))
    assert {p.number for p in World(5, day, SMALL).persons} != {p.number for p in World(6, day, SMALL).persons}


def test_world_follows_its_anchor_alone():
    early, late = World(5, datetime.date(2026, 5, 1), SMALL), World(5, datetime.date(2026, 11, 1), SMALL)
    for world in (early, late):
        days = [d.decided_on for decisions in world.decisions.values() for d in decisions]
        assert max(days) < world.anchor and min(days) > world.anchor - datetime.timedelta(days=2700)


# --- where it is not made -------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [{"PRODUCTION": True}, {"DEMONSTRATION": False}])
def test_real_installations_are_refused(db, settings, wrong):
    for name, value in wrong.items():
        setattr(settings, name, value)
    with pytest.raises(CommandError, match="CREDIT_DEMONSTRATION"):
        call_command("seed_demo")
    assert not User.objects.exists() and not FeedBatch.objects.exists()


@pytest.mark.parametrize("days", [-1, 400])
def test_anchor_is_past_and_not_too_old(db, days):
    with pytest.raises(Invalid):
        choose_world(None, timezone.localdate() - datetime.timedelta(days=days), None)


@pytest.mark.parametrize("scale", [0, 1.5, -1])
def test_scale_is_a_share(db, scale):
    with pytest.raises(Invalid):
        choose_world(None, None, scale)


def test_anchor_is_the_first_of_the_month_by_default(db):
    assert choose_world(None, None, None) == World(2026, ANCHOR, 1.0)
