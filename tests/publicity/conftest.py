"""Every test counts for itself: no counts kept from another one."""

import itertools

import pytest
from django.core.cache.backends.locmem import LocMemCache

from creditplatform.core import remembered

NUMBER = itertools.count()


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch) -> LocMemCache:
    """A cache of this test alone."""
    own = LocMemCache(f"publicity-{next(NUMBER)}", {})
    monkeypatch.setattr(remembered, "cache", own)
    return own
