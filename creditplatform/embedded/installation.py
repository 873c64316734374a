"""The virtual environment: made from a hash-locked list, and again only when the list has changed."""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from creditplatform.embedded.errors import ServiceError
from creditplatform.embedded.postgres import Say

VERSION_CHECK = "import sys; sys.exit(sys.version_info < (3, 11))"
LINES_SHOWN = 12
NO_ENSUREPIP = (
    "This Python cannot make a virtual environment: its module ensurepip is missing.\n"
    "On Debian or Ubuntu: apt install python3-venv. Elsewhere install Python 3.11 or newer with pip, or uv."
)


def install(root: Path, locks: list[str], say: Say) -> None:
    """Bring `.venv` to what these lock files name; does nothing where it already is so.

    Raises ServiceError where Python lacks what it needs or a package cannot be fetched.
    """
    with _one_at_a_time(root):
        if not _usable(_python(root)):
            _create(root, say)
        for name in locks:
            lock = root / name
            stamp = root / ".venv" / f"installed-{name}"
            digest = _digest(lock, root / ".venv" / "pyvenv.cfg")
            if not stamp.exists() or stamp.read_text() != digest:
                _install_lock(root, lock, say)
                stamp.write_text(digest)


@contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Two starts in one clone wait for each other."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _python(root: Path) -> Path:
    return root / ".venv" / "bin" / "python"


def _usable(python: Path) -> bool:
    """Whether the environment's Python can be started and is new enough."""
    try:
        return subprocess.run([python, "-c", VERSION_CHECK], check=False, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _base_python() -> str:
    """The Python that environments are made from, also when we run inside one ourselves."""
    return getattr(sys, "_base_executable", "") or sys.executable


def _create(root: Path, say: Say) -> None:
    say("Creating the virtual environment .venv")
    uv = shutil.which("uv")
    if uv and _run([uv, "venv", "-q", "--clear", "--python", _base_python(), ".venv"], root):
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise ServiceError(NO_ENSUREPIP)
    if not _run([_base_python(), "-m", "venv", "--clear", ".venv"], root):
        raise ServiceError(NO_ENSUREPIP)


def _install_lock(root: Path, lock: Path, say: Say) -> None:
    """Install with uv where there is one, else (or where it fails) with pip."""
    count = sum(1 for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line and line[0] not in " #")
    say(f"Installing {count} packages of {lock.name} into .venv (only when it has changed; a minute or two)")
    words = ["install", "-q", "--no-deps", "--require-hashes", "-r", lock.name]  # a lock names everything itself
    python, uv = str(_python(root)), shutil.which("uv")
    if uv and _run([uv, "pip", *words, "--python", python], root):
        return
    if not _run([python, "-c", "import pip"], root):
        _run([python, "-m", "ensurepip", "--default-pip"], root)
    if not _run([python, "-m", "pip", "--disable-pip-version-check", *words], root):
        log = _log(root)
        raise ServiceError(f"The packages of {lock.name} could not be installed. End of {log}:\n{_last_lines(log)}")


def _run(words: list[str], root: Path) -> bool:
    """Run an installer; what it says stands in the log, where it disturbs nobody whom it does not concern."""
    with _log(root).open("ab") as log:
        log.write(f"$ {' '.join(words)}\n".encode())
        log.flush()
        return subprocess.run(words, cwd=root, env=_environment(), check=False, stdout=log, stderr=log).returncode == 0


def _log(root: Path) -> Path:
    """What the installers have said; the directory is private, as that of the services' logs is."""
    directory = root / "var" / "log"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory / "install.log"


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LINES_SHOWN:])


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "UV_PYTHON_DOWNLOADS": "never"}
