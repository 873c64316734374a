"""The identity platform of the tests, running and connected."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from creditplatform.identity_platforms import Claims, IdentityPlatform, library_settings
from tests.accounts.oidc_world import CALLBACK
from tests.unified_platform.running import CLIENT, SECRET, UnifiedPlatform


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnifiedPlatform]:
    running = UnifiedPlatform(tmp_path_factory.mktemp("platform"))
    running.start()
    running.allow(CALLBACK)
    yield running
    running.stop()


@pytest.fixture
def connected(platform: UnifiedPlatform, settings: Any) -> None:
    one = IdentityPlatform(
        code="province", name="省统一身份认证", name_en="Provincial identity", url=platform.address, client_id=CLIENT,
        secret=SECRET, claims=Claims(
            number="identity.number", kind="identity.kind", verified="level", accepted=("real",),
            kinds={"111": "resident_id", "414": "passport"},
        ),
    )  # fmt: skip
    settings.IDENTITY_PLATFORMS = {"province": one}
    settings.SOCIALACCOUNT_PROVIDERS = library_settings(settings.IDENTITY_PLATFORMS)


@pytest.fixture
def browser(db: None) -> Client:
    """No context is open around the requests: what they write, they write under one of their own."""
    return Client()
