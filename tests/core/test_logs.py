"""Nothing that a row holds reaches a log, whoever raises what and wherever it is told."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.conf import settings as django_settings
from django.db import IntegrityError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from creditplatform.core import faults, logs
from creditplatform.core.errors import FieldProblem, Invalid
from creditplatform.core.permissions import anyone, rule
from creditplatform.embedded import ephemeral
from creditplatform.embedded.postgres import OWNER
from tests.cast import PERSON_NUMBER

NAME, ADDRESS, FACT = "林示例", "惠州市惠城区示例路8号", "bankrupt since spring"
SECRETS = (NAME, "示例路", FACT, PERSON_NUMBER, "Zhang", "E12345678")
ROW = f"{NAME}|{ADDRESS}|{FACT}|{PERSON_NUMBER}|Zhang San|E12345678"

# Raises what the title says; run in a request, a task and a command alike.
FAILURES = """
from django.db import connection

def value_error(row):
    int(row)

def constraint(row):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE person (facts text CONSTRAINT facts_are_short CHECK (length(facts) < 3))")
        cursor.execute("INSERT INTO person VALUES (%s)", [row])

def copy(row):
    import io
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE figure (number integer)")
        cursor.cursor.copy_expert("COPY figure FROM STDIN", io.StringIO(row))

def chained(row):
    try:
        constraint(row)
    except Exception as error:
        raise RuntimeError(f"row {row}") from error
"""
failures: dict[str, Any] = {}
exec(FAILURES, failures)  # noqa: S102
KINDS = {
    "value_error": ["ValueError"],
    "constraint": ["django.db.utils.IntegrityError", "23514", "facts_are_short", "person"],
    "copy": ["psycopg2.errors.InvalidTextRepresentation", "22P02"],
    "chained": ["RuntimeError", "django.db.utils.IntegrityError", "23514", "facts_are_short"],
}


@rule(anyone)
def fails(request: HttpRequest, kind: str) -> HttpResponse:
    failures[kind](ROW)
    return HttpResponse()


urlpatterns = [path("fails/<str:kind>/", fails, name="fails"), path("", include("creditplatform.urls"))]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What the platform's handler writes, formatted as in production."""
    out = StringIO()
    handlers = [h for h in logging.getLogger().handlers if isinstance(h, logs.Out)]
    before = [handler.setStream(out) for handler in handlers]
    yield out
    for handler, stream in zip(handlers, before, strict=True):
        handler.setStream(stream or sys.stderr)


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_fails_leaves_codes_and_places_only(kind: str, written: StringIO, settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    assert Client(raise_request_exception=False).get(f"/fails/{kind}/").status_code == 500
    said = written.getvalue()
    assert leaks(said) == []
    assert [word for word in KINDS[kind] if word not in said] == []
    line = next(json.loads(line) for line in said.splitlines() if "django.request" in line)
    assert line["event"] == "Internal Server Error: fails"
    assert any(
        "tests/core/test_logs.py" in frame and frame.endswith(" fails") for frame in line["exception"][0]["frames"]
    )


RUN = """
import sys, django
django.setup()
"""
TASK = (
    RUN
    + """
from celery.contrib.testing.worker import start_worker
from creditplatform.celery import app

@app.task(name="test.fails")
def fails(kind, row):
    globals()[kind](row)

app.conf.task_default_queue = app.conf.task_routes = None
app.conf.task_default_queue = "test-logs-" + str(__import__("os").getpid())
with start_worker(app, perform_ping_check=False, loglevel="INFO", shutdown_timeout=30):
    for kind in sys.argv[2:]:
        fails.delay(kind, sys.argv[1])
    import time
    time.sleep(4)
"""
)


def run(script: str, *words: str) -> str:
    """What a process of its own writes to the terminal."""
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "creditplatform.settings"},
        capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_a_task_that_fails_in_a_worker_leaves_codes_and_places_only() -> None:
    said = run(FAILURES + TASK, ROW, *KINDS)
    assert leaks(said) == []
    assert [word for words in KINDS.values() for word in words if word not in said] == []
    failed = [json.loads(line) for line in said.splitlines() if "celery.app.trace" in line]
    assert len([line for line in failed if line["exception"]]) == len(KINDS), said
    assert all("test.fails" in line["event"] for line in failed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["{}(sys.argv[1])", "threading.Thread(target={}, args=sys.argv[1:2]).start()"])
def test_a_command_that_fails_tells_codes_and_places_only(kind: str, way: str) -> None:
    said = run(FAILURES + RUN + "import threading\n" + way.format(kind), ROW)
    assert leaks(said) == []
    assert [word for word in KINDS[kind] if word not in said] == []
    assert kind in said, "the function that failed is named"


def test_lines_of_libraries_show_plain_values_only(written: StringIO) -> None:
    library = logging.getLogger("some.library")
    for template, values in [
        ("refused %s", (ROW,)), ("refused %r", (ValueError(ROW),)), ("refused %(row)s", ({"row": [ROW]},)),
        ("DETAIL:  Failing row contains (Zhang San)", ()),
        ('invalid "Zhang"\nCONTEXT:  COPY person, line 1: "Zhang San"', ()),
    ]:  # fmt: skip
        library.warning(template, *values)
    library.info("Task %s took %.1f s on %s", "records.tasks.x", 1.5, "celery@host")
    said = written.getvalue()
    assert "Task records.tasks.x took 1.5 s on celery@host" in said
    assert "ValueError" in said
    assert [secret for secret in leaks(said) if secret != "Zhang"] == []
    assert "Zhang San" not in said


def test_a_value_that_fits_no_placeholder_is_left_out() -> None:
    record = logging.makeLogRecord({"msg": "row %d", "args": (ROW,)})
    assert json.loads(logs.LineFormatter(processor=structlog.processors.JSONRenderer()).format(record)) == {
        "event": "row %d"
    }


def test_a_line_that_cannot_be_written_is_told_without_its_values(
    written: StringIO, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> str:
        raise ValueError(ROW)

    monkeypatch.setattr(logs, "_sentence", breaks)
    logging.getLogger("some.library").warning("refused %s", ROW)
    said = capsys.readouterr().err
    assert "ValueError" in said and "breaks" in said
    assert leaks(said) == []


def test_words_of_an_exception_are_taken_out_of_the_line_itself(written: StringIO) -> None:
    try:
        int(ROW)
    except ValueError as error:
        logging.getLogger("some.library").exception(f"It went wrong: {error}")
        structlog.get_logger("ours").warning("it_went_wrong", error=error, facts={NAME: [ROW, error]})
    said = written.getvalue()
    assert "It went wrong: [hidden]" in said
    assert [secret for secret in leaks(said.splitlines()[0])] == []
    assert '"error": "ValueError"' in said and NAME not in said


def test_objects_are_named_by_their_type_only() -> None:
    class Row:
        def __repr__(self) -> str:
            return ROW

    event = logs.hide_personal_values(None, "", {"event": "x", "row": Row(), "rows": [Row()], "number": 7})
    assert event == {"event": "x", "row": "Row", "rows": ["Row"], "number": 7}


def test_an_error_of_ours_tells_its_code_and_its_problems() -> None:
    error = Invalid([FieldProblem("name", "required", NAME)], code="row_refused", message=NAME)
    assert faults.codes(error) == {"code": "row_refused", "problems": ["required"]}
    assert faults.codes(FileNotFoundError(2, NAME, NAME)) == {"errno": "ENOENT"}


def test_groups_causes_and_circles_are_told_once() -> None:
    inner, outer = KeyError(NAME), ValueError(NAME)
    inner.__cause__, outer.__cause__ = outer, inner
    told = faults.describe(ExceptionGroup(NAME, [outer, inner]))
    assert [fault["type"] for fault in told] == ["ExceptionGroup", "ValueError", "KeyError"]
    assert leaks(str(told) + faults.in_words(outer)) == []


@pytest.mark.django_db
def test_the_names_of_the_database_are_told() -> None:
    with pytest.raises(IntegrityError) as caught, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE lone (name text PRIMARY KEY)")
        cursor.execute("INSERT INTO lone VALUES (%s), (%s)", [NAME, NAME])
    said = faults.describe(caught.value)
    assert {"sqlstate": "23505", "table": "lone", "constraint": "lone_pkey"}.items() <= said[1].items()


def test_hooks_of_python_are_ours() -> None:
    assert sys.excepthook is not sys.__excepthook__
    assert threading.excepthook is not threading.__excepthook__


def test_the_log_of_our_database_holds_no_row(tmp_path: Path) -> None:
    script = "import os, psycopg2\nconnection = psycopg2.connect(os.environ['DATABASE_URL'])\n"
    with ephemeral() as services:
        for statement in (
            f"SELECT '{ROW}'::integer",
            f"CREATE TEMP TABLE person (facts text CHECK (facts = '')); INSERT INTO person VALUES ('{ROW}')",  # noqa: S608
            f"DO $$ BEGIN RAISE WARNING 'about {ROW}'; END $$",
        ):
            subprocess.run(
                [sys.executable, "-c", f"{script}connection.cursor().execute({statement!r})"],
                env={**os.environ, "DATABASE_URL": services.owner_url}, capture_output=True, timeout=60,
            )  # fmt: skip
        said = services.postgres.log.read_text(errors="replace")
        shown = services.postgres.run_sql("SHOW log_error_verbosity; SHOW log_min_error_statement")
        roles = services.postgres.run_sql(f"SELECT rolconfig FROM pg_roles WHERE rolname = '{OWNER}'")  # noqa: S608
    assert said and leaks(said) == []
    assert shown.split() == ["terse", "panic"]
    assert "log_min_messages=log" in roles
