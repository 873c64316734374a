"""Short memory for figures on pages: a cache that is down makes them slower, never wrong or missing."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import structlog
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

Value = TypeVar("Value")
MOST_KEPT = 5000
log = structlog.get_logger(__name__)


def remembered(key: str, seconds: int, make: Callable[[], Value]) -> Value:
    """The value under a key, made anew once it is older than `seconds` or while the cache does not answer."""
    try:
        found: Value | None = cache.get(key)
        if found is None:
            found = make()
            cache.set(key, found, seconds)
    except RedisError as error:
        log.warning("cache_down", error=type(error).__name__)
        return make()
    return found


class Recently(Generic[Value]):
    """Answers of the database that change rarely, kept in the process for REMEMBERED_SECONDS and never longer.

    For what every call of an interface needs and people of the centre change by the day: rule values, purposes.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Value]] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value under a key, not older than the seconds; an error of `make` is remembered by nobody."""
        now = time.monotonic()
        found = self._known.get(key)
        if found is not None and found[0] > now:
            return found[1]
        value = make()
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[key] = (now + settings.REMEMBERED_SECONDS, value)
        return value
