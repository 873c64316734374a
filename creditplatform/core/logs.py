"""Logs as JSON lines; whatever looks like a personal value is hidden before it is written."""

import logging
import logging.config
from collections.abc import MutableMapping
from typing import Any

import structlog

from creditplatform.core.masking import scrub

Event = MutableMapping[str, Any]


def hide_personal_values(_logger: Any, _name: str, event: Event) -> Event:
    """Replace numbers of persons, phones and cards wherever in the event they stand."""
    for key, value in event.items():
        event[key] = _scrubbed(value)
    return event


def _scrubbed(value: Any) -> Any:
    """A value with every text and number in it scrubbed, however deep it lies."""
    if isinstance(value, dict):
        return {scrub(str(key)): _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrubbed(item) for item in value]
    if isinstance(value, bool | float) or value is None:
        return value
    text = str(value)
    hidden = scrub(text)
    return value if hidden == text else hidden


def configure(options: dict[str, Any]) -> None:
    """Set up structlog and the standard logging with the same processors."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=False),
        structlog.processors.format_exc_info,
        hide_personal_values,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processor": structlog.processors.JSONRenderer(ensure_ascii=False),
        "foreign_pre_chain": shared,
    }
    level = options.get("level", "INFO")
    quiet = {name: {"level": "WARNING"} for name in ("celery.app.trace", "celery.worker.strategy", "kombu", "faker")}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": formatter},
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["out"], "level": level},
            "loggers": {"django.server": {"level": "WARNING"}, "django.request": {"level": "ERROR"}, **quiet},
        }
    )
