"""Sealing of personal values, blind indexes and public tokens, all from one key ring outside the database.

The ring is a JSON file (setting `CREDIT_KEYRING`), readable by the platform's user alone:

    {"version": 1, "current": 1, "data_keys": {"1": {"algorithm": "AES-256-GCM", "key": "<base64>",
     "created": "<instant>"}}, "index_current": 1, "index_keys": {"1": "<base64>"}, "token_key": "<base64>"}

A sealed value is: 1 byte algorithm, 1 byte key id, 12 bytes nonce, then ciphertext and 16 bytes tag. The name
of the field is associated data: a value moved to another column does not open. Old data keys stay in the ring
for as long as anything sealed with them exists, history included.
"""

from __future__ import annotations

import base64
import os
import secrets
import threading
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import VaultError
from creditplatform.core.keyfile import AES_256_GCM, SM4_GCM, RingDocument, add_key, new_ring, read_ring

__all__ = [
    "AES_256_GCM",
    "INDEX_BYTES",
    "RECHECK_SECONDS",
    "SM4_GCM",
    "KeyRing",
    "VaultError",
    "add_key",
    "blind_index",
    "blind_index_many",
    "key_id_of",
    "new_ring",
    "pk_of_token",
    "public_token",
    "reload_ring",
    "ring",
    "seal",
    "seal_many",
    "unseal",
    "unseal_bytes",
    "unseal_many",
]

INDEX_BYTES = 16
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEADER_BYTES = 2
_SHORTEST = _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES
_ALGORITHM_BYTES = {AES_256_GCM: 1, SM4_GCM: 2}
_TOKEN_LENGTH = 26
_LARGEST_PK = 2**63 - 1
RECHECK_SECONDS = 1.0


class _Aead(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class Sm4Gcm:
    """SM4-GCM of RFC 8998, used like `AESGCM`: key 16 bytes, nonce 12, tag of 16 at the end."""

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The ciphertext with its tag."""
        encryptor = Cipher(self._algorithm, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data or b"")
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """The plain bytes; raises InvalidTag if anything was changed."""
        tag = data[-_TAG_BYTES:]
        decryptor = Cipher(self._algorithm, modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(associated_data or b"")
        return decryptor.update(data[:-_TAG_BYTES]) + decryptor.finalize()


def hmac_sm3(key: bytes, message: bytes) -> bytes:
    """HMAC with SM3 (GB/T 32905); 32 bytes."""
    mac = hmac.HMAC(key, hashes.SM3())
    mac.update(message)
    return mac.finalize()


class KeyRing:
    """The keys of one document, ready for use; immutable."""

    def __init__(self, document: RingDocument) -> None:
        try:
            self._load(document)
        except (KeyError, TypeError, ValueError) as error:
            raise VaultError("keyring_invalid", _("The key ring is damaged or incomplete.")) from error

    def _load(self, document: RingDocument) -> None:
        self._ciphers: dict[bytes, _Aead] = {}
        for key_id, entry in document["data_keys"].items():
            header = bytes((_ALGORITHM_BYTES[entry["algorithm"]], int(key_id)))
            key = base64.b64decode(entry["key"], validate=True)
            self._ciphers[header] = AESGCM(key) if entry["algorithm"] == AES_256_GCM else Sm4Gcm(key)
        self.current = document["current"]
        algorithm = document["data_keys"][str(self.current)]["algorithm"]
        self._header = bytes((_ALGORITHM_BYTES[algorithm], self.current))
        self._index_keys = {
            int(version): base64.b64decode(key, validate=True) for version, key in document["index_keys"].items()
        }
        self.index_current = document["index_current"]
        self._index_key = self._index_keys[self.index_current]
        token_key = base64.b64decode(document["token_key"], validate=True)
        self._block = algorithms.AES(hmac_sm3(token_key, b"block")[:16])
        self._kind_key = hmac_sm3(token_key, b"kind")
        self._field_mac = lru_cache(maxsize=256)(self._new_field_mac)
        self.kind_tag = lru_cache(maxsize=256)(self._new_kind_tag)

    def seal(self, value: str | bytes, field: str) -> bytes:
        """Encrypt a value for a field with the current key."""
        return self.seal_many((value,), field)[0]

    def seal_many(self, values: Iterable[str | bytes], field: str) -> list[bytes]:
        """Encrypt many values for one field, in order."""
        header, encrypt, name = self._header, self._ciphers[self._header].encrypt, field.encode()
        sealed = []
        for value in values:
            nonce = os.urandom(_NONCE_BYTES)
            data = value.encode() if isinstance(value, str) else value
            sealed.append(header + nonce + encrypt(nonce, data, name))
        return sealed

    def knows(self, blob: bytes) -> bool:
        """Whether the key a value was sealed with is in this ring."""
        return blob[:_HEADER_BYTES] in self._ciphers

    def unseal(self, blob: bytes, field: str) -> str:
        """Decrypt; raises VaultError for another field, an unknown key or a changed value."""
        return self.unseal_bytes(blob, field).decode()

    def unseal_bytes(self, blob: bytes, field: str) -> bytes:
        """Decrypt to bytes; raises VaultError as `unseal` does."""
        cipher = self._ciphers.get(blob[:_HEADER_BYTES])
        if cipher is None or len(blob) < _SHORTEST:
            raise VaultError("unknown_key", _("A protected value was sealed with a key that is not in the ring."))
        try:
            return cipher.decrypt(blob[2:14], blob[14:], field.encode())
        except InvalidTag:
            raise VaultError("sealed_value_changed") from None

    def blind_index_many(self, values: Iterable[str], field: str) -> list[bytes]:
        """The blind indexes of many values of one field, in order; 16 bytes each."""
        keyed = self._field_mac(field)
        found = []
        for value in values:
            mac = keyed.copy()
            mac.update(value.encode())
            found.append(mac.finalize()[:INDEX_BYTES])
        return found

    def _new_field_mac(self, field: str) -> hmac.HMAC:
        return hmac.HMAC(hmac_sm3(self._index_key, field.encode()), hashes.SM3())

    def _new_kind_tag(self, kind: str) -> bytes:
        return hmac_sm3(self._kind_key, kind.encode())[:8]

    def encrypt_block(self, block: bytes) -> bytes:
        """One block of 16 bytes under the token key."""
        # ECB is sound here: exactly one block, and every input occurs once.
        encryptor = Cipher(self._block, modes.ECB()).encryptor()  # noqa: S305
        return encryptor.update(block) + encryptor.finalize()

    def decrypt_block(self, block: bytes) -> bytes:
        """The opposite of `encrypt_block`."""
        decryptor = Cipher(self._block, modes.ECB()).decryptor()  # noqa: S305
        return decryptor.update(block) + decryptor.finalize()


class _Loader:
    """Keeps the ring in memory and notices within a second that the file was replaced."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: tuple[str, tuple[int, int], KeyRing] | None = None
        self._look_again_at = 0.0

    def get(self, *, now: bool = False) -> KeyRing:
        state, path = self._state, str(settings.CREDIT_KEYRING)
        fresh = not now and time.monotonic() < self._look_again_at
        if state is not None and fresh and state[0] == path:
            return state[2]
        with self._lock:
            return self._reload(path)

    def _reload(self, path: str) -> KeyRing:
        stamp = _stamp(path)
        if self._state is None or self._state[:2] != (path, stamp):
            self._state = (path, stamp, KeyRing(read_ring(Path(path))))
        self._look_again_at = time.monotonic() + RECHECK_SECONDS
        return self._state[2]


def _stamp(path: str) -> tuple[int, int]:
    try:
        found = Path(path).stat()
    except OSError as error:
        raise VaultError(
            "keyring_missing", _("The key ring is missing; create it with the command init_keyring.")
        ) from error
    return found.st_mtime_ns, found.st_ino


_loader = _Loader()


def ring() -> KeyRing:
    """The ring of this installation, read from its file when first needed and when the file is replaced."""
    return _loader.get()


def reload_ring() -> KeyRing:
    """The ring as its file stands now; other processes notice a new file within `RECHECK_SECONDS`."""
    return _loader.get(now=True)


def seal(value: str | bytes, field: str) -> bytes:
    """Encrypt a value for a field (`app.Model.field`); the same value gives another result every time."""
    return ring().seal_many((value,), field)[0]


def seal_many(values: Iterable[str | bytes], field: str) -> list[bytes]:
    """Encrypt many values for one field, in order; about 1.5 microseconds each with AES."""
    return ring().seal_many(values, field)


def unseal(blob: bytes | memoryview, field: str) -> str:
    """Decrypt. Raises VaultError for another field, an unknown key or a changed value."""
    return unseal_many((blob,), field)[0]


def unseal_bytes(blob: bytes, field: str) -> bytes:
    """Decrypt what is no text. Raises VaultError as `unseal` does."""
    keys = ring()
    return (keys if keys.knows(blob) else reload_ring()).unseal_bytes(blob, field)


def unseal_many(blobs: Iterable[bytes | memoryview], field: str) -> list[str]:
    """Decrypt many values of one field, in order. Raises VaultError as `unseal` does."""
    keys, plain = ring(), []
    for blob in map(bytes, blobs):
        if not keys.knows(blob):
            keys = reload_ring()  # another process may just have added a key
        plain.append(keys.unseal(blob, field))
    return plain


def key_id_of(blob: bytes | memoryview) -> int:
    """The id of the key a value was sealed with."""
    return bytes(blob[1:2])[0]


def blind_index(value: str, field: str) -> bytes:
    """16 bytes that are equal for equal values of one field and tell nothing without the key (HMAC-SM3).

    Normalise the value first; the same number typed in two ways has two indexes.
    """
    return ring().blind_index_many((value,), field)[0]


def blind_index_many(values: Iterable[str], field: str) -> list[bytes]:
    """The blind indexes of many values of one field, in order."""
    return ring().blind_index_many(values, field)


def public_token(kind: str, pk: int) -> str:
    """The number under which the public sees a row: 26 small letters and digits, the same every time.

    The token is one AES block over a keyed tag of the kind (8 bytes) and the primary key (8 bytes). So it is
    a 128-bit number nobody can guess or count on from, that needs no column and no index, and that says at
    once whether it is one of ours. Raises ValueError unless the key is from 0 to 2**63 - 1.
    """
    if not 0 <= pk <= _LARGEST_PK:
        raise ValueError("A public token needs a primary key of 0 to 2**63 - 1.")
    keys = ring()
    return _to_base32(keys.encrypt_block(keys.kind_tag(kind) + pk.to_bytes(8, "big")))


def pk_of_token(kind: str, token: str) -> int | None:
    """The primary key behind a public token; None for anything that is not exactly a token of this kind."""
    if len(token) != _TOKEN_LENGTH or not token.isascii():
        return None
    try:
        sealed = base64.b32decode(token.upper() + "======")
    except ValueError:
        return None
    if _to_base32(sealed) != token:
        return None
    keys = ring()
    block = keys.decrypt_block(sealed)
    ours = secrets.compare_digest(block[:8], keys.kind_tag(kind))
    return int.from_bytes(block[8:], "big") if ours else None


def _to_base32(block: bytes) -> str:
    return base64.b32encode(block).decode().rstrip("=").lower()
