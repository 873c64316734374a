"""Changing the data key: sealed files and what libraries keep are sealed anew too, however often it is interrupted."""

# ruff: noqa: F811 - fixtures of another file

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management.base import CommandError
from django.utils import translation

from creditplatform.core import audit, keyfile, sealed_files, vault
from creditplatform.core.enums import Door
from creditplatform.core.models import User
from creditplatform.second_factor import SealedAdapter
from records import papers
from records.models import BatchCheck
from records.queries.batch import AskedRow
from records.reports import store
from records.reports.authority import FILES, KEY, make_demonstration_authority
from records.services import check_files
from tests.core.test_rotate_keys import _no_waiting, ring_path, rotate  # noqa: F401

PDF = b"%PDF-1.7 a paper %%EOF"
PEOPLE = [AskedRow(number, f"示例{number}", "441300199001019986") for number in range(1, 1201)]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(ring_path: Path, tmp_path: Path, settings: Any) -> dict[str, Any]:
    """One sealed thing of each kind, sealed with the first key."""
    settings.MEDIA_ROOT, settings.REPORT_AUTHORITY = tmp_path / "files", tmp_path / "authority"
    make_demonstration_authority(settings.REPORT_AUTHORITY)
    store.keep("report.pdf", PDF)
    with audit.context(actor=None, door=Door.COMMAND, reason="test"):
        user = User.objects.create(username="with-app")
    secret = SealedAdapter().encrypt("JBSWY3DPEHPK3PXP")
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": secret})
    return {"check": check_files.keep_list(PEOPLE), "paper": papers.keep(PDF)}


def sealed_with(path: Path) -> set[int]:
    """The ids of the keys in a file, of every block where it has blocks."""
    content, found = path.read_bytes(), set()
    if path.parent != check_files.folder():
        return {content[1]}
    while content:
        length = sealed_files.LENGTH.unpack(content[:4])[0]
        found.add(content[5])
        content = content[4 + length :]
    return found


def everything(settings: Any) -> dict[str, set[int]]:
    folders = [check_files.folder(), papers.folder(), store.folder()]
    files = [*(path for folder in folders for path in folder.iterdir()), Path(settings.REPORT_AUTHORITY) / KEY]
    secret = Authenticator.objects.get().data["secret"]
    return {path.name: sealed_with(path) for path in files} | {"secret": {vault.key_id_of(base64.b64decode(secret))}}


def new_key(ring_path: Path) -> None:
    keyfile.add_key_to_file(ring_path, vault.AES_256_GCM)
    vault.reload_ring()


def stopped(*_given: Any) -> None:
    raise KeyboardInterrupt


def test_files_of_every_kind_are_sealed_anew_and_read_the_same(kept: dict[str, Any], settings: Any) -> None:
    assert set(map(tuple, everything(settings).values())) == {(1,)} and len(everything(settings)) == 5
    modes = {path: path.stat().st_mode for path in check_files.folder().iterdir()}
    said = rotate()
    assert set(map(tuple, everything(settings).values())) == {(2,)}
    assert "and 5 items beside them" in said and "lists of checks: 1 items sealed anew" in said
    batch = BatchCheck(file=kept["check"])
    assert list(check_files.asked_rows(batch)) == [one._replace(kind="") for one in PEOPLE]
    assert papers.read(*kept["paper"]) == store.fetch("report.pdf") == PDF
    assert SealedAdapter().decrypt(Authenticator.objects.get().data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert list(FILES.paths()) and {path: path.stat().st_mode for path in check_files.folder().iterdir()} == modes
    assert "and 0 items beside them" in rotate(reencrypt_only=True)


def test_the_old_key_is_needed_by_no_file_any_more(kept: dict[str, Any], ring_path: Path) -> None:
    rotate()
    document = keyfile.read_ring(ring_path)
    del document["data_keys"]["1"]
    keyfile.replace_ring(ring_path, document)
    vault.reload_ring()
    assert len(list(check_files.asked_rows(BatchCheck(file=kept["check"])))) == len(PEOPLE)
    assert papers.read(*kept["paper"]) == PDF


@pytest.mark.parametrize(("owner", "moment"), [(os, "fsync"), (Path, "replace")])
def test_interrupted_at_any_moment_every_file_is_whole_and_the_rest_follows(
    kept: dict[str, Any], ring_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, owner: Any, moment: str
) -> None:
    new_key(ring_path)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(owner, moment, stopped)
        rotate(reencrypt_only=True)
    assert [path.name for path in check_files.folder().iterdir()] == [kept["check"]], "no draft is left"
    assert len(list(check_files.asked_rows(BatchCheck(file=kept["check"])))) == len(PEOPLE)
    assert {1} in everything(settings).values()
    rotate(reencrypt_only=True)
    assert set(map(tuple, everything(settings).values())) == {(2,)}


def test_a_damaged_file_is_told_at_the_end_and_stops_no_other(kept: dict[str, Any], settings: Any) -> None:
    broken = store.folder() / "broken.pdf"
    broken.write_bytes(b"\x01\x01cut off")
    store.keep("whole.pdf", PDF)
    with translation.override("en"), pytest.raises(CommandError, match="1 sealed files do not open"):
        rotate()
    assert sealed_with(store.folder() / "whole.pdf") == {2} and broken.read_bytes() == b"\x01\x01cut off"


def test_a_file_removed_while_it_is_sealed_anew_does_not_come_back(
    kept: dict[str, Any], ring_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, seal = papers.folder() / kept["paper"].name, vault.seal
    new_key(ring_path)

    def seal_late(*given: Any) -> bytes:
        papers.remove(kept["paper"].name)
        return seal(*given)

    monkeypatch.setattr(vault, "seal", seal_late)
    assert papers.FILES.one_anew(place) is False
    assert list(papers.folder().iterdir()) == []


def test_a_list_written_while_the_key_changes_bears_one_key(kept: dict[str, Any], ring_path: Path) -> None:
    def lines() -> Any:
        yield [check_files.Line(1, ["示例", "1"])]
        new_key(ring_path)
        yield [check_files.Line(2, ["示例", "2"])]

    name, count = check_files._write(check_files.Sheet(["姓名", "证件号码"], 0, 1), lines())
    assert (count, sealed_with(check_files.folder() / name)) == (2, {2})
