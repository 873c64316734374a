"""Machine clients for tests: systems of a unit with a secret, and tokens for them."""

import datetime
import secrets

from django.utils import timezone
from oauth2_provider.models import AccessToken

from creditplatform.core.enums import Scope
from creditplatform.core.models import Agency, ApiClient

SECRET = "secret-of-every-test-client"


def machine(*scopes: Scope, agency: str = "hz-market", name: str = "exchange machine") -> ApiClient:
    """A client of a unit. Must run in an audit context."""
    return ApiClient.objects.create(
        name=name,
        agency=Agency.objects.get(code=agency),
        scopes=list(scopes),
        client_type=ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS,
        client_secret=SECRET,
    )


def token_for(client: ApiClient, *scopes: Scope) -> str:
    """A valid token of the client, with all its scopes or these only."""
    token = AccessToken.objects.create(
        application=client,
        token=secrets.token_urlsafe(24),
        expires=timezone.now() + datetime.timedelta(minutes=5),
        scope=" ".join(scopes or client.scopes),
    )
    return str(token.token)


def bearer(client: ApiClient, *scopes: Scope) -> dict[str, str]:
    """Headers of a call by this client."""
    return {"Authorization": f"Bearer {token_for(client, *scopes)}"}
