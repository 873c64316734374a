"""Set-up repeats a step only where its sources, its product or its database have changed."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from creditplatform.core.demonstration import NEWCOMERS_NAME, NEWCOMERS_NUMBER, accounts
from creditplatform.core.management.commands import quickstart

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> list[str]:
    """Names of the steps that set-up has run, in order; nothing is really done, in a world of its own."""
    commands: list[str] = []
    settings.BASE_DIR = settings.VAR_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static-collected"
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    settings.CREDIT_KEYRING = tmp_path / "keyring.json"
    settings.REPORT_AUTHORITY = tmp_path / "report-authority"
    settings.REPORT_AUTHORITY.mkdir()
    settings.DEMONSTRATION = True
    settings.CREDIT_KEYRING.write_text("{}")
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "rules.py").write_text("first = 1\n")
    monkeypatch.setenv("DATABASE_URL", "postgresql://credit_app:x@/credit")
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://credit:x@/credit")

    def run(command: str, *words: str) -> None:
        commands.append(" ".join([command, *words]))
        if command == "collectstatic":
            settings.STATIC_ROOT.mkdir(exist_ok=True)

    monkeypatch.setattr(quickstart, "_call", run)
    monkeypatch.setattr(quickstart, "_run_as_owner", lambda *words: run("as owner:", *words))
    return commands


def set_up(**options: Any) -> str:
    output = StringIO()
    call_command("quickstart", stdout=output, **options)
    return output.getvalue()


ALL = [
    "as owner: grant_application_role credit_app",
    "load_policy",
    "seed_demo",
    "collectstatic --no-input",
]


def test_a_second_set_up_has_nothing_to_do(done: list[str]) -> None:
    set_up()
    assert done == ALL
    done.clear()
    set_up()
    assert done == []


def test_every_way_in_is_among_the_addresses(done: list[str]) -> None:
    shown = set_up(port=8123)
    for path in ("huizhou/", "gansu/", "me/", "desk/", "admin/"):
        assert f"  http://127.0.0.1:8123/{path}" in shown


def test_changed_code_loads_again_and_lost_files_are_made_again(done: list[str], tmp_path: Path) -> None:
    set_up()
    done.clear()
    (tmp_path / "records" / "rules.py").write_text("first = 2\n")
    set_up()
    assert done == ALL[:3]
    done.clear()
    (tmp_path / "static-collected").rmdir()
    set_up()
    assert done == ALL[3:]


def test_another_database_is_filled_though_the_code_is_the_same(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up()
    done.clear()
    monkeypatch.setattr(quickstart, "_database_identity", lambda: "another one")
    set_up()
    assert done == ALL[:3]


def test_an_interrupted_step_is_done_again(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = quickstart._call

    def fail(command: str, *words: str) -> None:
        if command == "seed_demo":
            raise CommandError("interrupted")
        real(command, *words)

    with monkeypatch.context() as interrupted:
        interrupted.setattr(quickstart, "_call", fail)
        with pytest.raises(CommandError, match="interrupted"):
            set_up()
    done.clear()
    set_up()
    assert done == ALL[2:]


def test_missing_migrations_come_first_and_run_as_owner(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quickstart, "_behind", lambda: True)
    set_up()
    assert done[:2] == ["as owner: migrate --no-input", ALL[0]]


def test_one_role_for_everything_needs_no_grants(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_OWNER_URL")
    set_up()
    assert done == ALL[1:]


def test_the_demonstration_gets_an_authority_for_reports(done: list[str], settings: Any) -> None:
    settings.REPORT_AUTHORITY.rmdir()
    set_up()
    assert done == ["init_report_authority", *ALL]


def test_who_brings_a_key_for_reports_gets_none(done: list[str], settings: Any) -> None:
    settings.REPORT_AUTHORITY.rmdir()
    settings.REPORT_KEY = "key.p12"
    set_up()
    assert done == ALL


def test_real_installations_get_neither_the_demonstration_nor_its_accounts(done: list[str], settings: Any) -> None:
    settings.DEMONSTRATION = False
    text = set_up()
    assert done == [command for command in ALL if command != "seed_demo"]
    assert "Demonstration" not in text


def test_addresses_and_an_account_of_every_role_are_shown(done: list[str]) -> None:
    lines = set_up(port=8123).splitlines()
    for door in ("huizhou/", "gansu/", "me/", "admin/"):
        assert [line for line in lines if line.strip().startswith(f"http://127.0.0.1:8123/{door}")]
    for account in accounts():
        assert [line for line in lines if line.split()[:2] == [account.username, account.password]]


def test_changed_catalogues_are_compiled(done: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text('msgid ""\nmsgstr ""\n')
    set_up()
    assert done == ["compile_catalogues", *ALL], "before anything writes texts in two languages"
    done.clear()
    (folder / "django.mo").write_bytes(b"")
    set_up()
    assert done == []


def test_what_was_compiled_speaks_in_the_process_that_compiled_it(settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    words = "Language: zh_Hans\\nContent-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=1; plural=0;\\n"
    (folder / "django.po").write_text(f'msgid ""\nmsgstr "{words}"\n\nmsgid "Not compiled yet"\nmsgstr "已编译"\n')
    settings.LOCALE_PATHS = [tmp_path]
    with translation.override("zh-hans"):
        assert translation.gettext("Not compiled yet") == "Not compiled yet"
    call_command("compile_catalogues", stdout=StringIO())
    with translation.override("zh-hans"):
        assert translation.gettext("Not compiled yet") == "已编译"


def test_what_a_failing_step_of_the_owner_said_is_shown(
    done: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "manage.py").write_text("raise SystemExit('the table is locked')\n")
    monkeypatch.undo()
    monkeypatch.setenv("DATABASE_URL", "postgresql://credit_app:x@/credit")
    monkeypatch.setattr(quickstart, "_behind", lambda: True)
    with pytest.raises(CommandError, match="the table is locked"):
        set_up()


def test_the_end_says_how_to_bind_a_person(done: list[str]) -> None:
    said = set_up()
    assert f"enter {NEWCOMERS_NAME}, {NEWCOMERS_NUMBER} (fictitious)" in said.split("Demonstration accounts")[1]
