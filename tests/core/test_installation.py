"""The virtual environment: made once for each list of packages, and plain words where it cannot be made."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from creditplatform.embedded import ServiceError
from creditplatform.embedded.installation import NO_ENSUREPIP, install


def test_packages_are_installed_once_for_each_list(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "信用 平台"
    root.mkdir()
    lock = root / "requirements.lock"
    lock.write_text("# nothing yet\n")
    said: list[str] = []
    install(root, [lock.name], said.append)
    assert [line.split()[0] for line in said] == ["Creating", "Installing"]
    tool = "sys" if shutil.which("uv") else "pip"  # where uv installs, the environment needs no pip of its own
    subprocess.run([root / ".venv" / "bin" / "python", "-c", f"import {tool}"], check=True)
    install(root, [lock.name], said.append)
    assert len(said) == 2
    lock.write_text("# changed\n")
    install(root, [lock.name], said.append)
    assert [line.split()[0] for line in said[2:]] == ["Installing"]
    lock.write_text("no-such-package-as-this==1 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(ServiceError, match="could not be installed") as raised:
        install(root, [lock.name], said.append)
    log = root / "var" / "log" / "install.log"
    assert capfd.readouterr() == ("", "")
    assert str(log) in str(raised.value) and "no-such-package-as-this" in log.read_text(encoding="utf-8")


def test_a_python_without_ensurepip_is_told_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_module(_name: str) -> Any:
        return None

    monkeypatch.setattr("importlib.util.find_spec", no_module)
    monkeypatch.setattr("shutil.which", no_module)
    with pytest.raises(ServiceError) as raised:
        install(tmp_path, [], lambda _: None)
    assert str(raised.value) == NO_ENSUREPIP
