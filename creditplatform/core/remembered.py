"""Short memory for figures on pages: a cache that is down makes them slower, never wrong or missing."""

from collections.abc import Callable
from typing import TypeVar

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

Value = TypeVar("Value")
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
