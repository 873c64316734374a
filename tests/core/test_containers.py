"""The files for production in containers, parsed and held against each other: no engine runs here."""

import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, parsed."""
    content = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def test_every_part_runs_and_says_whether_it_is_well(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"web", "worker", "beat", "migrate", "database", "broker"}
    assert [name for name, service in services.items() if "healthcheck" not in service] == ["migrate"]
    assert services["database"]["image"] == "postgres:18"
    assert services["broker"]["image"].startswith("valkey/valkey:")


def test_secrets_come_from_files_only(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"SECRET|PASSWORD|DATABASE", name) and name != "POSTGRES_DB":
                assert name.endswith("_FILE"), name
                assert value.removeprefix("/run/secrets/") in service["secrets"]
    used = {name for service in compose["services"].values() for name in service.get("secrets", [])}
    assert used == set(compose["secrets"])


def test_only_migrate_is_given_the_owners_address(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert [name for name, service in services.items() if "owner_url" in service.get("secrets", [])] == ["migrate"]
    assert [name for name, service in services.items() if "ports" in service] == ["web"]
    assert services["web"]["ports"][0].startswith("127.0.0.1:")
    assert compose["networks"]["inside"]["internal"] is True


def test_who_calls_other_systems_has_a_way_out(compose: dict[str, Any]) -> None:
    ways_out = {name for name, network in compose["networks"].items() if not (network or {}).get("internal")}
    services = compose["services"]
    assert {name for name, service in services.items() if ways_out & set(service["networks"])} == {"web", "worker"}


def test_what_is_mounted_and_awaited_is_declared(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (REPOSITORY / source).is_file(), source


def test_the_image_does_not_run_as_root() -> None:
    lines = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER credit"]
    last = max(number for number, line in enumerate(lines) if line.startswith(("RUN ", "COPY ")))
    assert lines.index("USER credit") > last
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()
    assert {"var", "secrets", ".venv", ".git"} <= set(ignored)


def test_secrets_are_written_once_and_fit_the_compose_file(compose: dict[str, Any], tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    words = [sys.executable, "-m", "creditplatform.embedded", "production-secrets", str(directory)]
    contents = []
    for _ in range(2):
        answer = subprocess.run(words, cwd=REPOSITORY, check=True, capture_output=True, text=True)
        contents.append({file.name: file.read_text() for file in directory.iterdir()})
        assert not [word for word in contents[-1].values() if word in answer.stdout]
    assert contents[0] == contents[1]
    assert {Path(entry["file"]).name for entry in compose["secrets"].values()} == set(contents[0])
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    address = urlsplit(contents[0]["application_url"])
    assert (address.username, address.password) == ("credit_app", contents[0]["application_password"])
    assert address.hostname in compose["services"]
    assert len(set(contents[0].values())) == len(contents[0])
