"""Where the files of issued reports lie: in the private store by number, sealed with the key ring."""

from pathlib import Path

from django.conf import settings

from creditplatform.core import sealed_files, vault
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
    sealed_files.write(folder() / name, [vault.seal(data, SEALED_AS)])


def fetch(name: str) -> bytes:
    """The file of that name, opened. Raises NotFoundHere where it is gone, VaultError where it was touched."""
    try:
        sealed = (folder() / name).read_bytes()
    except FileNotFoundError:
        raise NotFoundHere from None
    return vault.unseal_bytes(sealed, SEALED_AS)


def discard(*names: str) -> None:
    """Remove files of a report that was not issued after all."""
    for name in names:
        sealed_files.remove(folder() / name)


FILES = sealed_files.SealedFiles("reports", lambda: sealed_files.within(folder()), SEALED_AS)
