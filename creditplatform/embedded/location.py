"""Where data, sockets, secrets and programs of the embedded services live, and under which account.

PostgreSQL refuses to run as root and then runs as `nobody`; whatever it needs must be within that account's
reach. Rights of directories that are not ours are never changed: another place is chosen instead.
"""

import hashlib
import json
import os
import pwd
import re
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from creditplatform.embedded.errors import ServiceError

SOCKET_PATH_MAX = 107 if sys.platform.startswith("linux") else 103
POSTGRES_SOCKET = ".s.PGSQL.5432"
UNFIT = re.compile(r'["$`\\\n\r]')  # pg_ctl hands paths to a shell between double quotes
PRIVATE = ("secrets", "run", "log", "valkey")
PASSAGE = 0o711  # others may pass through to what is theirs, and see nothing
SHARED = ("/var/tmp", "/tmp")  # noqa: S108 - only directories that `own_directory` makes are used there
PLAIN = re.compile(r"[A-Za-z0-9/._-]+")  # addresses with sockets are read by several libraries in several ways


@dataclass(frozen=True)
class Account:
    """The operating-system account that PostgreSQL runs under."""

    uid: int
    gid: int

    @property
    def foreign(self) -> bool:
        """Whether this is another account than the one that starts it."""
        return self.uid != os.geteuid()

    def options(self) -> dict[str, Any]:
        """Arguments of `subprocess` that start a program under this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.foreign else {}


@dataclass(frozen=True)
class Places:
    """Directories of one set of services; `var`, `secrets`, `run` and `log` belong to whoever starts them."""

    var: Path
    postgres_data: Path
    postgres_sockets: Path
    valkey_sockets: Path
    outside: Path
    account: Account

    @property
    def valkey_data(self) -> Path:
        """Append-only file of Valkey."""
        return self.var / "valkey"

    @property
    def secrets(self) -> Path:
        """Passwords and keys, readable by nobody else."""
        return self.var / "secrets"

    @property
    def run(self) -> Path:
        """What is true while the platform runs: lock, address, numbers of processes."""
        return self.var / "run"

    @property
    def log(self) -> Path:
        """What the services have said."""
        return self.var / "log"

    @property
    def valkey_socket(self) -> Path:
        """Socket that Valkey listens on."""
        return self.valkey_sockets / "valkey.sock"


def clone_root() -> Path:
    """Top directory of this copy of the repository."""
    return Path(__file__).resolve().parents[2]


def var_directory() -> Path:
    """Directory for data: CREDIT_VAR, else `var` in the repository."""
    return Path(os.environ.get("CREDIT_VAR") or clone_root() / "var").resolve()


def postgres_account() -> Account:
    """Ourselves; `nobody` for root, since PostgreSQL refuses uid 0."""
    if os.geteuid():
        return Account(os.geteuid(), os.getegid())
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise ServiceError("PostgreSQL refuses to run as root, and there is no account `nobody` here.") from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def reachable(path: Path, account: Account) -> bool:
    """Whether the account may enter the directory, or start the program; asked of the system itself."""
    if not account.foreign:
        return os.access(path, os.X_OK)
    question = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]
    return subprocess.run(question, cwd="/", check=False, **account.options()).returncode == 0


def own_directory(path: Path, account: Account | None = None, *, mode: int = 0o700) -> Path:
    """Make, or take over, a directory that belongs to one account and that, by default, it alone may enter.

    Raises ServiceError where something else already stands there: in a shared directory it may be a trap.
    """
    owner = account or Account(os.geteuid(), os.getegid())
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        pass
    except OSError as error:
        raise ServiceError(f"Cannot make the directory {path}: {error.strerror}.") from error
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise ServiceError(f"{path} is not a directory of ours. Remove it.") from error
    try:
        found = os.fstat(handle)
        if found.st_uid not in {owner.uid, os.geteuid()}:
            raise ServiceError(f"{path} belongs to another account. Remove it, or start as its owner.")
        if found.st_uid != owner.uid:
            os.fchown(handle, owner.uid, owner.gid)
        if stat.S_IMODE(found.st_mode) != mode:
            os.fchmod(handle, mode)
    finally:
        os.close(handle)
    return path


def private_text(path: Path, make: Any) -> str:
    """Content of a file that only we may read; written once from `make()`, completely or not at all."""
    if not path.exists():
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(make())
        Path(name).replace(path)
    return path.read_text(encoding="utf-8").strip()


def secret(directory: Path, name: str) -> str:
    """A random word of 256 bits, made at the first request and kept in a file of this name."""
    return private_text(directory / name, lambda: secrets.token_urlsafe(32))


def _socket_base(account: Account) -> Path:
    """A directory with a short, plain path in which we may make ours, within reach of the account."""
    names = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), *SHARED]
    longest = len("credit-0123456789ab-postgres/") + len(POSTGRES_SOCKET)
    for base in map(Path, filter(None, names)):
        fits = PLAIN.fullmatch(str(base)) and len(str(base)) + 1 + longest <= SOCKET_PATH_MAX
        if fits and base.is_dir() and os.access(base, os.W_OK | os.X_OK) and reachable(base, account):
            return base
    raise ServiceError("No directory for sockets: /tmp cannot be written, or TMPDIR has too long a path.")


def _outside_base(account: Account) -> Path:
    """A lasting directory elsewhere, for data that the account could not reach inside the repository."""
    for base in map(Path, ("/var/lib", tempfile.gettempdir(), *SHARED)):
        if base.is_dir() and os.access(base, os.W_OK | os.X_OK) and reachable(base, account):
            return base
    raise ServiceError("PostgreSQL cannot reach this directory, and no other place for its data was found.")


def _shared_directory(path: Path) -> Path:
    """Make a directory that others may pass through to what is theirs; rights of an existing one stay."""
    if not path.is_dir():
        path.mkdir(parents=True)
        path.chmod(PASSAGE)
    if not os.access(path, os.W_OK | os.X_OK):
        raise ServiceError(f"{path} belongs to another account. Start as its owner, or set CREDIT_VAR.")
    return path


def places_of_clone(root: Path, var: Path) -> Places:
    """The lasting places of one copy of the repository; the same at every start."""
    if UNFIT.search(str(var)):
        raise ServiceError(f'The path {var} holds one of " $ ` \\: PostgreSQL cannot live there. Move it.')
    account = postgres_account()
    _shared_directory(var)
    for name in PRIVATE:
        own_directory(var / name)
    kept = _kept_places(var, root, account)
    if kept.outside != var:
        own_directory(kept.outside, mode=PASSAGE)
    return kept


def _kept_places(var: Path, root: Path, account: Account) -> Places:
    """Places chosen at the first start, as long as the repository has not been moved or copied since."""
    identity = secret(var / "secrets", "identity")
    digest = hashlib.sha256(f"{root}\0{var}\0{os.geteuid()}\0{identity}".encode()).hexdigest()[:12]
    file = var / "secrets" / "places.json"
    chosen = json.loads(file.read_text()) if file.exists() else {}
    if chosen.get("digest") != digest or not _still_there(chosen, account):
        chosen = {"digest": digest, **_choose(var, digest, account)}
        file.unlink(missing_ok=True)
        private_text(file, lambda: json.dumps(chosen))
    paths = {name: Path(value) for name, value in chosen.items() if name != "digest"}
    return Places(var=var, account=account, **paths)


def _still_there(chosen: dict[str, str], account: Account) -> bool:
    """Whether places chosen earlier can be used again; ServiceError where data would be lost sight of."""
    data = Path(chosen["postgres_data"])
    if data.exists() and not reachable(data.parent, account):
        raise ServiceError(f"The data in {data} can no longer be reached by PostgreSQL's account.")
    bases = {Path(chosen[name]).parent for name in ("postgres_sockets", "valkey_sockets")}
    return all(base.is_dir() and os.access(base, os.W_OK) and reachable(base, account) for base in bases)


def _choose(var: Path, digest: str, account: Account) -> dict[str, str]:
    """Choose places: data in `var` where PostgreSQL may go there, sockets where paths are short."""
    inside = var / "postgres"
    within_reach = reachable(var, account)
    outside = var if within_reach else _outside_base(account) / f"creditplatform-{digest}"
    return {
        "postgres_data": str(inside if within_reach else outside / "postgres"),
        "postgres_sockets": str(_socket_base(account) / f"credit-{digest}-postgres"),
        "valkey_sockets": str(_socket_base(Account(os.geteuid(), os.getegid())) / f"credit-{digest}-valkey"),
        "outside": str(outside),
    }


def places_for_a_while() -> Places:
    """Fresh places for services that live as long as a test run; the caller removes them."""
    account = postgres_account()
    top = Path(tempfile.mkdtemp(prefix="credit-", dir=_socket_base(account)))
    top.chmod(PASSAGE)
    for name in PRIVATE:
        own_directory(top / name)
    sockets = own_directory(top / "postgres", account)
    return Places(top, top / "data", sockets, top / "run", top, account)


def make_socket_directories(places: Places) -> None:
    """Make the two private directories of sockets, each for the account of its server."""
    own_directory(places.postgres_sockets, places.account)
    own_directory(places.valkey_sockets)


def remove_socket_directories(places: Places) -> None:
    """Leave nothing in shared directories once both servers have ended."""
    for path in (places.postgres_sockets, places.valkey_sockets):
        shutil.rmtree(path, ignore_errors=True)


def remove_data(places: Places) -> None:
    """Remove what the lasting services have stored, and nothing that somebody else put beside it."""
    names = (*PRIVATE, "postgres", "static", "files", "stamps")
    elsewhere = [] if places.outside == places.var else [places.outside]
    for path in [places.postgres_data, *elsewhere, *(places.var / name for name in names)]:
        shutil.rmtree(path, ignore_errors=True)
