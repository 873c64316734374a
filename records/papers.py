"""Papers that people hand in: outside the web root, sealed with the key ring, told apart by their content."""

import hashlib
import secrets
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from creditplatform.core import sealed_files, vault
from creditplatform.core.errors import Invalid

FOLDER = "papers"
SEALED_AS = "records.papers"
MOST_BYTES = 10_000_000
# How a file of each kind begins, and how one that is whole ends (within its last bytes).
KINDS: tuple[tuple[str, bytes, bytes], ...] = (
    ("application/pdf", b"%PDF-", b"%%EOF"),
    ("image/jpeg", b"\xff\xd8\xff", b"\xff\xd9"),
    ("image/png", b"\x89PNG\r\n\x1a\n", b"IEND"),
)
END_BYTES = 1024


class Kept(NamedTuple):
    """Where a file lies within the store, and the SHA-256 of what was handed in."""

    name: str
    digest: str


def kind_of(content: bytes) -> str | None:
    """What a file is by its content, whatever it is called; None for anything but PDF, JPEG and PNG."""
    end = content[-END_BYTES:]
    return next((kind for kind, first, last in KINDS if content.startswith(first) and last in end), None)


def keep(content: bytes) -> Kept:
    """Seal a file and put it into the store. Raises Invalid for one that is too large or of another kind."""
    if len(content) > MOST_BYTES:
        raise Invalid.in_field("papers", "too_large", _("The file is larger than 10 MB."))
    if kind_of(content) is None:
        raise Invalid.in_field("papers", "wrong_kind", _("Only PDF, JPEG and PNG files can be taken; this is none."))
    name = f"{secrets.token_hex(16)}.sealed"
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    sealed_files.write(_place(name), [vault.seal(content, SEALED_AS)])
    return Kept(name, hashlib.sha256(content).hexdigest())


def read(name: str, digest: str) -> bytes:
    """A file of the store as it was handed in. Raises Invalid where it is gone or is not the same any more."""
    try:
        content = vault.unseal_bytes(_place(name).read_bytes(), SEALED_AS)
    except OSError as error:
        raise _gone() from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise _gone()
    return content


def remove(name: str) -> None:
    """Take a file out of the store."""
    sealed_files.remove(_place(name))


def _place(name: str) -> Path:
    return folder() / name


def folder() -> Path:
    """Where the papers lie."""
    return Path(settings.MEDIA_ROOT) / FOLDER


FILES = sealed_files.SealedFiles("papers of representations", lambda: sealed_files.within(folder()), SEALED_AS)


def _gone() -> Invalid:
    return Invalid(code="papers_gone", message=_("This file is no longer in the store."))
