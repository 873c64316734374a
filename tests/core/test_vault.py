"""Sealed values, blind indexes, public tokens and the file they depend on."""

from __future__ import annotations

import base64
import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from creditplatform.core import keyfile, vault
from creditplatform.core.errors import VaultError
from creditplatform.core.vault import AES_256_GCM, SM4_GCM, KeyRing, Sm4Gcm

FIELD, OTHER = "records.Subject.number", "records.Subject.name"
ALGORITHMS = [AES_256_GCM, SM4_GCM]

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
pks = st.integers(0, 2**63 - 1)


@pytest.fixture
def ring_path(tmp_path: Path, settings: Any) -> Path:
    """A ring of this test's own."""
    path = tmp_path / "secrets" / "ring.json"
    keyfile.create_ring(path, AES_256_GCM)
    settings.CREDIT_KEYRING = path
    settings.CREDIT_CIPHER = AES_256_GCM
    return path


@pytest.fixture(params=ALGORITHMS)
def ring(request: pytest.FixtureRequest) -> KeyRing:
    """A ring in memory, once per algorithm."""
    return KeyRing(vault.new_ring(request.param))


# --- known answers


def test_sm4_gcm_of_rfc_8998() -> None:
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    aad = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = bytes.fromhex("".join(letter * 16 for letter in "ABCDEFEA"))
    sealed = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    assert Sm4Gcm(key).encrypt(nonce, plain, aad) == sealed
    assert Sm4Gcm(key).decrypt(nonce, sealed, aad) == plain
    with pytest.raises(InvalidTag):
        Sm4Gcm(key).decrypt(nonce, sealed, aad[:-1])


def test_sm3_of_the_standard_and_the_hmac_built_on_it() -> None:
    def sm3(data: bytes) -> bytes:
        digest = hashes.Hash(hashes.SM3())
        digest.update(data)
        return digest.finalize()

    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    key, message = b"k" * 32, b"message"
    padded = key.ljust(64, b"\0")
    inner = sm3(bytes(byte ^ 0x36 for byte in padded) + message)
    assert vault.hmac_sm3(key, message) == sm3(bytes(byte ^ 0x5C for byte in padded) + inner)


# --- sealing


@given(value=st.text(), algorithm=st.sampled_from(ALGORITHMS))
def test_what_is_sealed_opens_again(value: str, algorithm: str) -> None:
    assume(value.isprintable())
    ring = KeyRing(vault.new_ring(algorithm))
    blob = ring.seal(value, FIELD)
    assert ring.unseal(blob, FIELD) == value
    assert len(blob) == 2 + 12 + len(value.encode()) + 16
    assert vault.key_id_of(blob) == vault.key_id_of(memoryview(blob)) == 1


def test_bytes_are_sealed_as_they_are(ring: KeyRing) -> None:
    assert ring.unseal_bytes(ring.seal(b"\xff\x00", FIELD), FIELD) == b"\xff\x00"


def test_the_first_byte_names_the_algorithm() -> None:
    assert KeyRing(vault.new_ring(AES_256_GCM)).seal("x", FIELD)[0] == 1
    assert KeyRing(vault.new_ring(SM4_GCM)).seal("x", FIELD)[0] == 2


def test_equal_values_are_sealed_differently(ring: KeyRing) -> None:
    blobs = ring.seal_many(["same"] * 50, FIELD)
    assert len({blob[2:14] for blob in blobs}) == 50
    assert all(b"same" not in blob for blob in blobs)


def test_a_value_of_another_field_does_not_open(ring: KeyRing) -> None:
    blob = ring.seal("11010519491231002X", FIELD)
    with pytest.raises(VaultError) as refused:
        ring.unseal(blob, OTHER)
    assert "1949" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_every_changed_byte_is_noticed(ring: KeyRing) -> None:
    blob = ring.seal("secret", FIELD)
    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises(VaultError):
            ring.unseal(bytes(changed), FIELD)


def test_every_cut_is_noticed(ring: KeyRing) -> None:
    blob = ring.seal("", FIELD)
    for length in range(len(blob)):
        with pytest.raises(VaultError):
            ring.unseal(blob[:length], FIELD)


def test_a_value_of_another_ring_does_not_open(ring: KeyRing) -> None:
    other = KeyRing(vault.new_ring(AES_256_GCM))
    with pytest.raises(VaultError):
        other.unseal(ring.seal("x", FIELD), FIELD)


def test_an_added_key_seals_and_the_older_ones_still_open() -> None:
    document = vault.new_ring(AES_256_GCM)
    old = KeyRing(document).seal("value", FIELD)
    ring = KeyRing(vault.add_key(document, SM4_GCM))
    new = ring.seal("value", FIELD)
    assert (vault.key_id_of(old), vault.key_id_of(new)) == (1, 2)
    assert (old[0], new[0]) == (1, 2)
    assert ring.unseal(old, FIELD) == ring.unseal(new, FIELD) == "value"


def test_adding_a_key_changes_neither_indexes_nor_tokens() -> None:
    document = vault.new_ring(AES_256_GCM)
    before, after = KeyRing(document), KeyRing(vault.add_key(document, AES_256_GCM))
    assert before.blind_index_many(["x"], FIELD) == after.blind_index_many(["x"], FIELD)
    assert before.encrypt_block(b"x" * 16) == after.encrypt_block(b"x" * 16)


def test_key_ids_end_at_one_byte() -> None:
    document = vault.new_ring(AES_256_GCM)
    for _ in range(254):
        document = vault.add_key(document, AES_256_GCM)
    assert document["current"] == 255
    with pytest.raises(VaultError) as refused:
        vault.add_key(document, AES_256_GCM)
    assert refused.value.code == "keyring_full"


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(VaultError) as refused:
        vault.new_ring("ROT13")
    assert refused.value.code == "unknown_algorithm"


# --- blind indexes


def test_blind_indexes_are_equal_for_equal_values_of_one_field(ring: KeyRing) -> None:
    one, same, other = ring.blind_index_many(["11010519491231002X", "11010519491231002X", "x"], FIELD)
    assert one == same != other
    assert len(one) == vault.INDEX_BYTES == 16
    assert ring.blind_index_many(["11010519491231002X"], OTHER) != [one]
    assert KeyRing(vault.new_ring(AES_256_GCM)).blind_index_many(["11010519491231002X"], FIELD) != [one]


def test_the_blind_index_is_the_documented_function() -> None:
    document = vault.new_ring(AES_256_GCM)
    key = base64.b64decode(document["index_keys"]["1"])
    expected = vault.hmac_sm3(vault.hmac_sm3(key, FIELD.encode()), b"value")[:16]
    assert KeyRing(document).blind_index_many(["value"], FIELD) == [expected]


# --- the installation's ring


def test_functions_work_on_the_ring_of_the_settings(ring_path: Path) -> None:
    blob = vault.seal("value", FIELD)
    assert vault.unseal(blob, FIELD) == vault.unseal(memoryview(blob), FIELD) == "value"
    assert vault.unseal_many(vault.seal_many(["a", "b", "张三"], FIELD), FIELD) == ["a", "b", "张三"]
    assert vault.blind_index_many(["a", "b"], FIELD) == [vault.blind_index(v, FIELD) for v in "ab"]


def test_a_value_sealed_by_another_process_with_a_new_key_opens_at_once(ring_path: Path) -> None:
    vault.seal("loads the ring", FIELD)
    keyfile.add_key_to_file(ring_path, SM4_GCM)
    blob = KeyRing(keyfile.read_ring(ring_path)).seal("new", FIELD)
    assert vault.key_id_of(blob) == 2
    assert vault.unseal(blob, FIELD) == "new"
    assert vault.key_id_of(vault.seal("now with the new key too", FIELD)) == 2


def test_a_replaced_file_is_noticed_in_time(ring_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert vault.key_id_of(vault.seal("x", FIELD)) == 1
    keyfile.add_key_to_file(ring_path, AES_256_GCM)
    now = vault.time.monotonic()
    monkeypatch.setattr(vault.time, "monotonic", lambda: now + vault.RECHECK_SECONDS + 0.01)
    assert vault.key_id_of(vault.seal("x", FIELD)) == 2


def test_an_unchanged_file_is_read_once(ring_path: Path) -> None:
    first = vault.ring()
    assert vault.reload_ring() is first


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "keyring_missing"),
        ("", "keyring_unreadable"),
        ("[]", "keyring_invalid"),
        ('{"version": 2}', "keyring_invalid"),
        ('{"version": 1}', "keyring_invalid"),
    ],
)
def test_a_ring_that_cannot_be_used_is_refused_with_a_reason(ring_path: Path, content: str | None, code: str) -> None:
    ring_path.unlink()
    if content is not None:
        ring_path.write_text(content)
    with pytest.raises(VaultError) as refused:
        vault.reload_ring()
    assert refused.value.code == code


def test_a_ring_with_a_key_of_wrong_size_or_coding_is_refused() -> None:
    for spoiled in ("AAAA", "not base64!"):
        document = vault.new_ring(AES_256_GCM)
        document["data_keys"]["1"]["key"] = spoiled
        with pytest.raises(VaultError) as refused:
            KeyRing(document)
        assert refused.value.code == "keyring_invalid"


# --- the file


def test_the_file_is_for_its_owner_alone_and_nothing_else_is_left(ring_path: Path) -> None:
    keyfile.add_key_to_file(ring_path, AES_256_GCM)
    assert stat.S_IMODE(ring_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ring_path.parent.stat().st_mode) == 0o700
    assert {entry.name for entry in ring_path.parent.iterdir()} == {"ring.json", "ring.json.lock"}


def test_a_ring_that_exists_is_never_overwritten(ring_path: Path) -> None:
    before = ring_path.read_bytes()
    assert keyfile.create_ring(ring_path, AES_256_GCM) is False
    assert ring_path.read_bytes() == before


def test_of_many_creating_at_once_one_wins_and_all_see_its_ring(tmp_path: Path) -> None:
    path, barrier = tmp_path / "ring.json", threading.Barrier(8)
    seen: list[tuple[bool, bytes]] = []

    def create() -> None:
        barrier.wait()
        created = keyfile.create_ring(path, AES_256_GCM)
        seen.append((created, path.read_bytes()))

    _run_all(create)
    assert sum(created for created, _content in seen) == 1
    assert len({content for _created, content in seen}) == 1
    assert os.listdir(tmp_path) == ["ring.json"]


def test_keys_added_at_once_are_all_kept(ring_path: Path) -> None:
    _run_all(lambda: keyfile.add_key_to_file(ring_path, AES_256_GCM))
    document = json.loads(ring_path.read_text())
    assert sorted(map(int, document["data_keys"])) == list(range(1, 10))
    assert document["current"] == 9


def test_init_keyring_creates_once_and_says_where(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "ring.json"
    settings.CREDIT_KEYRING, settings.CREDIT_CIPHER = path, SM4_GCM
    call_command("init_keyring")
    assert f"created: {path}" in capsys.readouterr().out
    content = path.read_text()
    assert json.loads(content)["data_keys"]["1"]["algorithm"] == SM4_GCM
    call_command("init_keyring")
    assert f"exists: {path}" in capsys.readouterr().out
    assert path.read_text() == content


def test_init_keyring_with_an_unknown_cipher_creates_nothing(tmp_path: Path, settings: Any) -> None:
    path = tmp_path / "ring.json"
    settings.CREDIT_KEYRING, settings.CREDIT_CIPHER = path, "ROT13"
    with pytest.raises(CommandError, match="CREDIT_CIPHER"):
        call_command("init_keyring")
    assert os.listdir(tmp_path) == []


# --- public tokens


@shared
@given(pk=pks)
def test_a_token_leads_back_to_its_key(ring_path: Path, pk: int) -> None:
    token = vault.public_token("record", pk)
    assert vault.pk_of_token("record", token) == pk
    assert token == vault.public_token("record", pk)
    assert len(token) == 26
    assert token.isascii() and token.isalnum() and token == token.lower()


@shared
@given(pk=pks)
def test_tokens_of_another_kind_are_refused(ring_path: Path, pk: int) -> None:
    assert vault.pk_of_token("case", vault.public_token("record", pk)) is None


@shared
@given(pk=pks, position=st.integers(0, 25), other=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_changed_token_is_refused(ring_path: Path, pk: int, position: int, other: str) -> None:
    token = vault.public_token("record", pk)
    assume(token[position] != other)
    assert vault.pk_of_token("record", token[:position] + other + token[position + 1 :]) is None


@shared
@given(text=st.one_of(st.text(max_size=40), st.text("abc234", min_size=26, max_size=26)))
def test_anything_else_is_no_token(ring_path: Path, text: str) -> None:
    assert vault.pk_of_token("record", text) is None


def test_tokens_have_one_spelling_and_one_installation(ring_path: Path, settings: Any) -> None:
    token = vault.public_token("record", 1)
    assert vault.pk_of_token("record", token.upper()) is None
    assert vault.pk_of_token("record", token + "======") is None
    elsewhere = ring_path.with_name("other.json")
    keyfile.create_ring(elsewhere, AES_256_GCM)
    settings.CREDIT_KEYRING = elsewhere
    assert vault.pk_of_token("record", token) is None


def test_neighbouring_keys_have_tokens_with_nothing_in_common(ring_path: Path) -> None:
    tokens = [vault.public_token("record", pk) for pk in range(200)]
    assert len({token[:6] for token in tokens}) == 200
    assert len({token[-6:] for token in tokens}) > 190


@pytest.mark.parametrize("pk", [-1, 2**63])
def test_keys_beyond_the_database_have_no_token(ring_path: Path, pk: int) -> None:
    with pytest.raises(ValueError, match="primary key"):
        vault.public_token("record", pk)


def _run_all(work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
