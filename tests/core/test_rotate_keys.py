"""Changing the data key: everything is sealed anew, once, however often the work is interrupted."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import translation

from creditplatform.core import audit, keyfile, reencryption, vault
from creditplatform.core.identity import IdentifierKind
from records.enums import SubjectKind
from records.models import Subject

NUMBER, NAME = "records.Subject.number_sealed", "records.Subject.name_sealed"
PEOPLE = 25

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no other process to wait for."""
    monkeypatch.setattr("creditplatform.core.management.commands.rotate_keys.time.sleep", lambda seconds: None)


@pytest.fixture
def ring_path(tmp_path: Path, settings: Any) -> Path:
    """A ring of this test's own."""
    settings.CREDIT_KEYRING, settings.CREDIT_CIPHER = tmp_path / "ring.json", vault.AES_256_GCM
    settings.MEDIA_ROOT, settings.REPORT_AUTHORITY = tmp_path / "files", tmp_path / "authority"
    keyfile.create_ring(settings.CREDIT_KEYRING, vault.AES_256_GCM)
    return Path(settings.CREDIT_KEYRING)


@pytest.fixture
def people(ring_path: Path) -> list[int]:
    """Persons sealed with the first key; only some have a telephone."""
    with audit.context(actor=None, door="command", reason="test"):
        made = [
            Subject(
                kind=SubjectKind.PERSON,
                identifier_kind=IdentifierKind.PASSPORT,
                number_index=vault.blind_index(f"E{n:08d}", NUMBER),
                name_index=vault.blind_index(f"张{n}", NAME),
                number_sealed=f"E{n:08d}",
                name_sealed=f"张{n}",
                phone_sealed="13800138000" if n % 2 else None,
            )
            for n in range(PEOPLE)
        ]
        return [person.pk for person in Subject.objects.bulk_create(made)]


def rotate(**options: Any) -> str:
    """Run the command; what it said."""
    out = io.StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()


def keys_in_use() -> set[tuple[int | None, ...]]:
    """The ids of the keys with which the columns of all persons are sealed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT get_byte(number_sealed, 1), get_byte(name_sealed, 1), get_byte(phone_sealed, 1)"
            " FROM records_subject"
        )
        return set(cursor.fetchall())


def test_everything_is_sealed_anew_and_still_reads_the_same(people: list[int], settings: Any) -> None:
    settings.CREDIT_CIPHER = vault.SM4_GCM
    said = rotate(batch_size=10)
    assert keys_in_use() == {(2, 2, 2), (2, 2, None)}
    assert f"records.Subject: {PEOPLE} rows sealed anew" in said
    person = Subject.objects.get(number_index=vault.blind_index("E00000007", NUMBER))
    assert (person.number_sealed, person.name_sealed, person.phone_sealed) == (
        "E00000007",
        "张7",
        "13800138000",
    )


def test_an_interrupted_rotation_is_finished_with_the_same_key(
    people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = reencryption._write, []

    def write_twice(table: Any, rows: Any) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.extend(rows[:1])
        write(table, rows)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(reencryption, "_write", write_twice)
        rotate(batch_size=10)
    assert {keys[0] for keys in keys_in_use()} == {1, 2}
    said = rotate(batch_size=10, reencrypt_only=True)
    assert f"Sealed anew: {PEOPLE - 20} rows in all" in said
    assert keys_in_use() == {(2, 2, 2), (2, 2, None)}
    assert "Sealed anew: 0 rows in all" in rotate(reencrypt_only=True)
    assert vault.ring().current == 2


def test_history_still_opens_with_the_older_key(people: list[int]) -> None:
    rotate()
    event = Subject._meta.apps.get_model("records", "SubjectEvent")
    kept = event.objects.filter(id=people[3]).latest("pgh_id")
    assert kept.name_sealed == "张3"
    assert not any(table.model is event for table in reencryption.sealed_tables())


def test_a_lost_key_stops_the_work_and_changes_nothing(people: list[int], ring_path: Path) -> None:
    document = vault.add_key(vault.add_key(keyfile.read_ring(ring_path), vault.AES_256_GCM), vault.AES_256_GCM)
    del document["data_keys"]["1"]
    keyfile.replace_ring(ring_path, document)
    vault.reload_ring()
    with translation.override("en"), pytest.raises(CommandError, match="not in the ring"):
        rotate(reencrypt_only=True)
    assert keys_in_use() == {(1, 1, 1), (1, 1, None)}


def test_a_batch_has_at_least_one_row(ring_path: Path) -> None:
    before = ring_path.read_bytes()
    with pytest.raises(CommandError, match="at least 1"):
        rotate(batch_size=0)
    assert ring_path.read_bytes() == before
