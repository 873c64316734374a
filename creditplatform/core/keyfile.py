"""The key ring's file: made, read and replaced so that no reader ever sees half of it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, cast

from django.utils.translation import gettext_lazy as _

from creditplatform.core.errors import VaultError

AES_256_GCM = "AES-256-GCM"
SM4_GCM = "SM4-GCM"
KEY_BYTES = {AES_256_GCM: 32, SM4_GCM: 16}
_LARGEST_KEY_ID = 255


class DataKey(TypedDict):
    """One key that seals values."""

    algorithm: str
    key: str
    created: str


class RingDocument(TypedDict):
    """What the file holds."""

    version: int
    data_keys: dict[str, DataKey]
    current: int
    index_keys: dict[str, str]
    index_current: int
    token_key: str


def new_ring(algorithm: str) -> RingDocument:
    """A fresh ring with one key of each sort. Raises VaultError for an unknown algorithm."""
    return {
        "version": 1,
        "data_keys": {"1": _new_data_key(algorithm)},
        "current": 1,
        "index_keys": {"1": _random_key(32)},
        "index_current": 1,
        "token_key": _random_key(16),
    }


def add_key(ring: RingDocument, algorithm: str) -> RingDocument:
    """The ring with one more data key, which becomes the current one; all others stay.

    Raises VaultError for an unknown algorithm or when all 255 key ids are taken.
    """
    key_id = max(map(int, ring["data_keys"])) + 1
    if key_id > _LARGEST_KEY_ID:
        raise VaultError("keyring_full", _("The key ring is full; no further key can be added."))
    keys = {**ring["data_keys"], str(key_id): _new_data_key(algorithm)}
    return {**ring, "data_keys": keys, "current": key_id}


def read_ring(path: Path) -> RingDocument:
    """The document in the file. Raises VaultError if it is missing, unreadable or of an unknown version."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise VaultError("keyring_unreadable", _("The key ring cannot be read.")) from error
    if not isinstance(document, dict) or document.get("version") != 1:
        raise VaultError("keyring_invalid", _("The key ring is damaged or incomplete."))
    return cast("RingDocument", document)


def create_ring(path: Path, algorithm: str) -> bool:
    """Write a fresh ring unless there is a file already; says whether it did. Safe to run twice at once."""
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _write_draft(path, new_ring(algorithm))
    try:
        os.link(draft, path)  # fails where a rename would overwrite
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    _flush_directory(path)
    return True


def replace_ring(path: Path, ring: RingDocument) -> None:
    """Put another ring in place of the file at once; only the owner may read it."""
    _write_draft(path, ring).replace(path)
    _flush_directory(path)


def add_key_to_file(path: Path, algorithm: str) -> int:
    """Add a data key to the ring in the file and make it the current one; returns its id.

    Two at once take turns, since a key overwritten is data lost. Raises VaultError as the functions above do.
    """
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ring = add_key(read_ring(path), algorithm)
        replace_ring(path, ring)
    return ring["current"]


def _write_draft(path: Path, ring: RingDocument) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(ring, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    return draft


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _new_data_key(algorithm: str) -> DataKey:
    if algorithm not in KEY_BYTES:
        raise VaultError("unknown_algorithm", _("The setting CREDIT_CIPHER names no known algorithm."))
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return {"algorithm": algorithm, "key": _random_key(KEY_BYTES[algorithm]), "created": created}


def _random_key(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode()
