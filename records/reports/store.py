"""Where the files of issued reports lie: in the private store by number, sealed with the key ring."""

import os
import secrets
from pathlib import Path

from django.conf import settings

from creditplatform.core import vault
from creditplatform.core.errors import NotFoundHere

SEALED_AS = "records.CreditReport.file"
FOLDER = "reports"
PDF, JWS = "application/pdf", "application/jose"  # what kinds of file there are of a report


def folder() -> Path:
    """The folder of reports; only the platform's user may enter it."""
    place = Path(settings.MEDIA_ROOT) / FOLDER
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def keep(name: str, data: bytes) -> None:
    """Seal a file under its name, which is never used twice; whole on the disk when this returns."""
    draft = folder() / f".{name}.{secrets.token_hex(6)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(vault.seal(data, SEALED_AS))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder() / name)


def fetch(name: str) -> bytes:
    """The file of that name, opened. Raises NotFoundHere where it is gone, VaultError where it was touched."""
    try:
        sealed = (folder() / name).read_bytes()
    except FileNotFoundError:
        raise NotFoundHere from None
    keys = vault.ring()
    return (keys if keys.knows(sealed) else vault.reload_ring()).unseal_bytes(sealed, SEALED_AS)


def discard(*names: str) -> None:
    """Remove files of a report that was not issued after all."""
    for name in names:
        (folder() / name).unlink(missing_ok=True)
