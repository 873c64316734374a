"""Logs as JSON lines; whatever looks like a personal value is hidden before it is written."""

import logging
import logging.config
from collections.abc import MutableMapping
from typing import Any

import structlog

from creditplatform.core.masking import scrub

Event = MutableMapping[str, Any]


def hide_personal_values(_logger: Any, _name: str, event: Event) -> Event:
    """Replace numbers of persons, phones and cards in every text of the event."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = scrub(value)
    return event


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
