"""Production refuses to start without its secrets, says which, and takes each from a file."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SECRETS = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "CREDIT_KEYRING", "ALLOWED_HOSTS")


def values(folder: Path) -> dict[str, str]:
    """Everything a production server is given."""
    return {
        "SECRET_KEY": "a-secret-of-a-test-that-is-long-enough-000000000000000000",
        "DATABASE_URL": "postgres://credit:word@127.0.0.1:1/credit",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "CREDIT_KEYRING": str(folder / "ring.json"),
        "ALLOWED_HOSTS": "credit.example",
    }


def run(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python on the platform with nothing in the environment but what is given."""
    hidden = ("DATABASE_", "REDIS_", "CREDIT_", "DJANGO_", "SECRET_KEY", "ALLOWED_", "CSRF_", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**kept, "CREDIT_MODE": "production", "CREDIT_VAR": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


SHOW = (
    "from creditplatform import settings as s; "
    "print(*map(repr, [s.SECRET_KEY, s.DATABASES, s.REDIS_URL, s.CREDIT_KEYRING, s.ALLOWED_HOSTS]))"
)


def test_without_secrets_production_does_not_start_and_names_each(tmp_path: Path) -> None:
    result = run(tmp_path, "manage.py", "check")
    assert result.returncode != 0
    assert [name for name in SECRETS if name not in result.stderr] == []


@pytest.mark.parametrize("name", SECRETS)
def test_a_single_missing_secret_is_named_alone(tmp_path: Path, name: str) -> None:
    given = values(tmp_path)
    del given[name]
    result = run(tmp_path, "-c", SHOW, **given)
    last = result.stderr.strip().splitlines()[-1]
    assert result.returncode != 0
    assert name in last
    assert [other for other in SECRETS if other != name and other in last] == []
    assert given.get("SECRET_KEY", "none") not in result.stderr


def test_an_empty_secret_is_a_missing_one(tmp_path: Path) -> None:
    result = run(tmp_path, "-c", SHOW, **{**values(tmp_path), "SECRET_KEY": ""})
    assert result.returncode != 0
    assert "SECRET_KEY" in result.stderr.strip().splitlines()[-1]


def test_with_every_secret_in_a_file_production_starts(tmp_path: Path) -> None:
    files = {}
    for name, value in values(tmp_path).items():
        (tmp_path / name).write_text(value)
        files[f"{name}_FILE"] = str(tmp_path / name)
    result = run(tmp_path, "manage.py", "check", **files)
    assert result.returncode == 0, result.stderr
    shown = run(tmp_path, "-c", SHOW, **files).stdout
    given = values(tmp_path)
    assert all(given[name] in shown for name in ("SECRET_KEY", "REDIS_URL", "CREDIT_KEYRING", "ALLOWED_HOSTS"))
    assert "'USER': 'credit'" in shown


def test_a_secret_file_that_ends_with_a_line_break_is_read_as_it_was_meant(tmp_path: Path) -> None:
    files = {}
    for name, value in values(tmp_path).items():
        (tmp_path / name).write_text(value + "\n")
        files[f"{name}_FILE"] = str(tmp_path / name)
    shown = run(tmp_path, "-c", SHOW, **files)
    assert shown.returncode == 0, shown.stderr
    assert "\\n" not in shown.stdout


def test_a_secret_file_that_is_not_there_is_no_secret(tmp_path: Path) -> None:
    given = values(tmp_path)
    del given["SECRET_KEY"]
    result = run(tmp_path, "-c", SHOW, **given, SECRET_KEY_FILE=str(tmp_path / "nowhere"))
    assert result.returncode != 0


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path, "-c", SHOW, **{**values(tmp_path), "CREDIT_MODE": "prod"})
    assert result.returncode != 0
    assert "CREDIT_MODE" in result.stderr


def test_a_mode_that_nobody_named_is_production(tmp_path: Path) -> None:
    code = "from creditplatform import settings as s; print(s.MODE, s.DEMONSTRATION, s.SESSION_COOKIE_SECURE)"
    forgotten = run(tmp_path, "-c", code, CREDIT_MODE="")
    assert forgotten.returncode != 0
    last = forgotten.stderr.strip().splitlines()[-1]
    assert [name for name in (*SECRETS, "CREDIT_MODE", "make run") if name not in last] == []
    for unnamed in ({"CREDIT_MODE": ""}, {}):
        result = run(tmp_path, "-c", "import os; os.environ.pop('CREDIT_MODE');" + code, **values(tmp_path), **unnamed)
        assert result.stdout.split() == ["production", "False", "True"], result.stderr


@pytest.mark.parametrize(
    "words",
    [("manage.py", "check"), ("manage.py", "seed_demo"), ("-c", "import creditplatform.wsgi"),
     ("-m", "celery", "--app", "creditplatform.celery:app", "report")],
)  # fmt: skip
def test_every_door_refuses_without_mode_and_secrets(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = run(tmp_path, *words, CREDIT_MODE="")
    assert result.returncode != 0
    assert "Production cannot start: set SECRET_KEY" in result.stderr


def test_production_is_strict(tmp_path: Path) -> None:
    code = (
        "from creditplatform import settings as s; assert not s.DEBUG and not s.DEMONSTRATION; "
        "assert s.SESSION_COOKIE_SECURE and s.CSRF_COOKIE_SECURE and s.SECURE_SSL_REDIRECT and s.SECURE_HSTS_SECONDS; "
        "assert s.LANGUAGE_COOKIE_SECURE; "
        "assert s.LIMITS_PER_MINUTE == {'publicity:search': 60, 'publicity:*': 300, 'share': 20, 'verify:*': 30, "
        "'api:token': 30}; "
        "assert 'allow_truncate' not in str(s.DATABASES), 'history could be truncated'"
    )
    result = run(tmp_path, "-c", code, **values(tmp_path))
    assert result.returncode == 0, result.stderr


def test_deployment_checks_of_the_framework_find_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, "manage.py", "check", "--deploy", **values(tmp_path))
    found = set(re.findall(r"\((\w+\.W\d+)\)", result.stderr))
    choices_of_the_operator = {"security.W005", "security.W021"}  # subdomains and preload lists
    assert (result.returncode, found - choices_of_the_operator) == (0, set()), result.stderr


def test_a_register_that_compares_name_and_number_alone_stops_production(tmp_path: Path) -> None:
    adapter = {"CREDIT_REAL_NAME_ADAPTER": "tests.records.test_realname.Denies"}
    stopped = run(tmp_path, "manage.py", "check", **values(tmp_path), **adapter)
    assert stopped.returncode != 0 and "records.E001" in stopped.stderr
    knowingly = {**adapter, "CREDIT_ALLOW_TWO_ELEMENT_REGISTER": "true"}
    assert run(tmp_path, "manage.py", "check", **values(tmp_path), **knowingly).returncode == 0


def test_a_web_process_hands_its_work_to_the_broker_of_the_settings(tmp_path: Path) -> None:
    """A file delivered in the admin is queued by the web server, which nobody starts as a worker."""
    code = (
        "import creditplatform.wsgi\nfrom records.tasks import process_batch\n"
        "conf = process_batch.app.conf\nprint(conf.broker_url, conf.task_acks_late, bool(conf.task_routes))"
    )
    result = run(tmp_path, "-c", code, **values(tmp_path), DJANGO_SETTINGS_MODULE="creditplatform.settings")
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["redis://127.0.0.1:1/0", "True", "True"]
