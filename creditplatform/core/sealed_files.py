"""Sealed files outside the database: written whole, removed, and sealed anew with the current data key."""

import fcntl
import os
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog
from django.utils.translation import gettext_lazy as _

from creditplatform.core import vault
from creditplatform.core.errors import VaultError

LENGTH = struct.Struct(">I")
_HEADER_BYTES = 2
log = structlog.get_logger(__name__)


def write(place: Path, parts: Iterable[bytes]) -> None:
    """Write a file under a name never used before, for the platform's user alone; whole on the disk when it appears."""
    draft = _draft_of(place)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def remove(place: Path) -> None:
    """Take a file away for good: one that is being sealed anew at this moment does not come back."""
    if place.parent.is_dir():
        with _turn(place.parent):
            place.unlink(missing_ok=True)


@dataclass(frozen=True)
class SealedFiles:
    """Sealed files of one kind, for the change of the data key (setting SEALED_ELSEWHERE).

    `paths` lists them, drafts left out; `in_blocks`: each file is a run of sealed blocks with the length before each,
    otherwise one sealed value. All are bound to the name `sealed_as`.
    """

    name: str
    paths: Callable[[], Iterable[Path]]
    sealed_as: str
    in_blocks: bool = False

    def __str__(self) -> str:
        return self.name

    def seal_anew(self, batch_size: int) -> Iterator[int]:
        """Seal files with an older key anew, one by one; yields 1 for each. Interrupted, it goes on with what is left.

        Walked until nothing is left, since another process may still write with the older key. Damaged files are
        left as they are; raises VaultError at the end where there are any.
        """
        damaged, changed = set[Path](), True
        while changed:
            changed = False
            for path in sorted(set(self.paths()) - damaged):
                try:
                    if self.one_anew(path):
                        changed = True
                        yield 1
                except VaultError as error:
                    damaged.add(path)
                    log.error("sealed_file_damaged", kind=self.name, file=path.name, code=error.code)
        if damaged:
            sentence = _("%(number)s sealed files do not open; the log names them.")
            raise VaultError("sealed_files_damaged", sentence, number=len(damaged))

    def one_anew(self, path: Path) -> bool:
        """Seal one file anew unless it is sealed with the current key; readers see the one or the other, whole."""
        draft = _draft_of(path)
        try:
            if not self._is_older(path):
                return False
            with path.open("rb") as file:
                fresh = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(fresh, "wb") as out:
                    out.writelines(self._fresh_parts(file))
                    out.flush()
                    os.fsync(out.fileno())
            with _turn(path.parent):
                if path.exists():
                    draft.replace(path)
                    return True
        except FileNotFoundError:
            return False  # removed meanwhile
        finally:
            draft.unlink(missing_ok=True)
        return False

    def _is_older(self, path: Path) -> bool:
        with path.open("rb") as file:
            return any(head[1:] != bytes((vault.ring().current,)) for head in self._heads(file))

    def _heads(self, file: BinaryIO) -> Iterator[bytes]:
        if not self.in_blocks:
            yield file.read(_HEADER_BYTES)
            return
        while size := file.read(LENGTH.size):
            length = _length(size)
            yield file.read(_HEADER_BYTES)
            file.seek(length - _HEADER_BYTES, os.SEEK_CUR)

    def _fresh_parts(self, file: BinaryIO) -> Iterator[bytes]:
        if not self.in_blocks:
            yield vault.seal(vault.unseal_bytes(file.read(), self.sealed_as), self.sealed_as)
            return
        while size := file.read(LENGTH.size):
            block = vault.seal(vault.unseal_bytes(file.read(_length(size)), self.sealed_as), self.sealed_as)
            yield LENGTH.pack(len(block)) + block


def _length(size: bytes) -> int:
    """The length that stands before a block. Raises VaultError where the file was cut off within it."""
    if len(size) < LENGTH.size:
        raise VaultError("sealed_value_changed")
    length: int = LENGTH.unpack(size)[0]
    return length


def _draft_of(place: Path) -> Path:
    """A name beside the file that no listing takes for one."""
    return place.with_name(f".{place.name}.{secrets.token_hex(6)}")


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One at a time removes or replaces files of a folder; the lock dies with the process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def within(folder: Path) -> list[Path]:
    """The files of a folder, drafts left out; none where there is no folder yet."""
    return [path for path in folder.iterdir() if path.name[0] != "."] if folder.is_dir() else []
