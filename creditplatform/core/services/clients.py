"""Machine clients: made for a unit, given a new secret, switched off. A secret is told once and kept as a hash only."""

import secrets
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import get_access_token_model

from creditplatform.core.enums import Scope
from creditplatform.core.errors import Invalid
from creditplatform.core.models import Agency, ApiClient

SECRET_BYTES = 48


def create_client(*, name: str, agency: Agency, scopes: Sequence[str]) -> tuple[ApiClient, str]:
    """A client of a unit and its secret, which is never shown again. Raises Invalid without a scope."""
    if not scopes or not set(scopes) <= set(Scope.values):
        raise Invalid.in_field("scopes", "scopes_missing", _("Say what the client may do."))
    secret = secrets.token_urlsafe(SECRET_BYTES)
    client = ApiClient.objects.create(
        name=name,
        agency=agency,
        scopes=sorted(scopes),
        client_type=ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
    )
    return client, secret


def renew_secret(*, client: ApiClient) -> str:
    """A new secret, which is never shown again; the old one and every token got with it end at once."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    client.client_secret = secret
    client.save(update_fields=["client_secret", "updated"])
    _end_tokens(client)
    return secret


def set_active(*, client: ApiClient, active: bool) -> None:
    """Switch a client off, which ends its tokens at once, or on again."""
    client.active = active
    client.save(update_fields=["active", "updated"])
    if not active:
        _end_tokens(client)


def _end_tokens(client: ApiClient) -> None:
    get_access_token_model().objects.filter(application=client).delete()
