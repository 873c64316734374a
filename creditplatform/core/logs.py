"""Logs as JSON lines of codes: no words of exceptions, no addresses, nothing that looks like a personal value."""

import datetime
import enum
import logging
import logging.config
import re
import sys
import uuid
from collections.abc import Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

import structlog

from creditplatform.core.faults import codes, describe, in_words, install_hooks
from creditplatform.core.masking import HIDDEN_TEXT, scrub

Event = MutableMapping[str, Any]

# Our logs are English; a letter beyond ASCII can only come from what people and departments have written.
_WORDS_OF_PEOPLE = re.compile(r"(?:[^\x00-\x7f\W]|[\u3000-\u303f\uff00-\uffef])(?:[^\x00-\x7f]|\s(?=[^\x00-\x7f]))*")
# What PostgreSQL says beyond its first line: rows, keys, cells, statements with their values.
_REPORT = re.compile(
    r"(?s)\b(?:DETAIL|CONTEXT|HINT|STATEMENT|QUERY|LINE \d+):.*|Failing row contains.*|Key \(.*|\[SQL:.*"
)
# What a library may have put into a line of its own: names of programs, tasks, hosts, numbers; no path of a page.
_PLAIN = re.compile(r"[A-Za-z0-9_\[<][A-Za-z0-9_.:@/+<>\[\]-]*")
_PHRASES = frozenset(status.phrase for status in HTTPStatus)
_WARNING = re.compile(r"(?P<place>.+?:\d+: \w+):")
_KNOWN = (bool, int, float, str, enum.Enum, datetime.date, datetime.time, datetime.timedelta, uuid.UUID)


def describe_exception(_logger: Any, _name: str, event: Event) -> Event:
    """Put type, codes and frames in the place of an exception, and take its words out of the line itself."""
    given = event.pop("exc_info", None)
    error = _exception_of(given)
    if error is not None:
        event["exception"] = describe(error)
        words = _words_of(error)
        if words:
            event["event"] = str(event.get("event", "")).replace(words, HIDDEN_TEXT)
    return event


def hide_personal_values(_logger: Any, _name: str, event: Event) -> Event:
    """Hide numbers of persons, words that are not ours and reports of the database, wherever they stand."""
    for key, value in event.items():
        if key not in ("_record", "_from_structlog", "exception"):
            event[key] = _scrubbed(value)
    return event


class Out(logging.StreamHandler[Any]):
    """Writes lines to the terminal; of one that cannot be written it tells where and why, not what it held."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 — the name is the library's
        """Python's own handler would print the line with all its values."""
        error = sys.exc_info()[1]
        if error is not None:
            sys.stderr.write(in_words(error))


class LineFormatter(structlog.stdlib.ProcessorFormatter):
    """Formats lines of libraries too: what they put into their sentences is shown only where it is plain."""

    def format(self, record: logging.LogRecord) -> str:
        """The line as JSON; the record itself stays as it is for other handlers."""
        if isinstance(record.msg, dict):
            return super().format(record)
        copy = logging.makeLogRecord(record.__dict__)
        copy.msg, copy.args = _sentence(record), ()
        return super().format(copy)


def _sentence(record: logging.LogRecord) -> str:
    """What a library says, with every value in it that is not plain hidden; a page is named, not its address."""
    if record.name == "py.warnings":
        found = _WARNING.match(record.getMessage())
        return found["place"] if found else "warning"
    template, given = str(record.msg), record.args
    if not given:
        return template
    page = _page_of(record)
    try:
        if isinstance(given, Mapping):
            return template % {name: _plain(value, page) for name, value in given.items()}
        return template % tuple(_plain(value, page) for value in given)
    except (TypeError, ValueError, KeyError):  # a placeholder for numbers, and the value was hidden
        return template


def _page_of(record: logging.LogRecord) -> tuple[str, str] | None:
    """Address and name of the page that Django's own line is about."""
    request = getattr(record, "request", None)
    match = getattr(request, "resolver_match", None)
    path = getattr(request, "path", "")
    return (path, match.view_name or "unknown") if path and match else None


def _plain(value: object, page: tuple[str, str] | None) -> object:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, BaseException):
        return _named(value)
    if page and value == page[0]:
        return page[1]
    text = value if isinstance(value, str) else ""
    return text if text in _PHRASES or _PLAIN.fullmatch(text) else HIDDEN_TEXT


def _exception_of(given: Any) -> BaseException | None:
    """The exception behind `exc_info` in each of the forms that logging takes."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1] if len(given) == 3 else None
    return sys.exc_info()[1] if given else None


def _words_of(error: BaseException) -> str:
    """What the exception says; nothing where it fails even to say that."""
    try:
        return str(error).strip()
    except Exception:
        return ""


def _named(error: BaseException) -> str:
    return " ".join([type(error).__name__, *(f"{name}={value}" for name, value in codes(error).items())])


def _scrubbed(value: Any) -> Any:
    """A value with every text and number in it scrubbed, however deep it lies; of an object only its type."""
    if isinstance(value, dict):
        return {_hidden(str(key)): _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrubbed(item) for item in value]
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, BaseException):
        return _named(value)
    if not isinstance(value, _KNOWN) and not hasattr(value, "__fspath__"):
        return type(value).__name__
    text = str(value)
    hidden = _hidden(text)
    return value if isinstance(value, int) and hidden == text else hidden


def _hidden(text: str) -> str:
    return _WORDS_OF_PEOPLE.sub(HIDDEN_TEXT, scrub(_REPORT.sub(HIDDEN_TEXT, text)))


def configure(options: dict[str, Any]) -> None:
    """Set up structlog, the standard logging and Python's own hooks so that all tell in the same way."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=False),
        describe_exception,
        hide_personal_values,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": LineFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        "foreign_pre_chain": shared,
    }
    logging.captureWarnings(True)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": formatter},
            "handlers": {"out": {"()": Out, "formatter": "json"}},
            "root": {"handlers": ["out"], "level": options.get("level", "INFO")},
            "loggers": _loggers(),
        }
    )
    install_hooks()


def _loggers() -> dict[str, dict[str, Any]]:
    """Levels of libraries; those that bring handlers of their own (to mail, to the terminal) lose them to ours."""
    quiet = ("celery.app.trace", "celery.worker.strategy", "kombu", "faker")
    ours: dict[str, Any] = {"handlers": [], "propagate": True}
    return {
        **{name: {"level": "WARNING"} for name in quiet},
        "django": {**ours, "level": "INFO"},
        "django.server": {**ours, "level": "ERROR"},
        "django.request": {"level": "ERROR"},
        "gunicorn.error": {**ours, "level": "INFO"},
    }
