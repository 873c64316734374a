"""Counts of attempts that no other test has left behind."""

from typing import Any

from django.core.cache import cache


def forget_counts() -> None:
    """Empty what the cache holds for this process of tests; `cache.clear` would empty it for those beside it too."""
    server: Any = cache
    client = server._cache.get_client(write=True)
    for key in client.scan_iter(match=f"{server.key_prefix}:*"):
        client.delete(key)
