"""What the identity platform of the tests says about its users: whatever a test wrote into its file."""

import json
from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from django.conf import settings


class Adapter(DefaultOIDCAdapter):
    """Adds the claims of the file; those under `id_token` go into the token alone."""

    def get_claims(self, purpose: str, user: Any, client: Any, scopes: Any, **kwargs: Any) -> dict[str, Any]:
        """Claims of a user."""
        claims = super().get_claims(purpose, user, client, scopes, **kwargs)
        said = json.loads((settings.PLACE / "claims.json").read_text()).get(user.username, {})
        token = said.pop("id_token", {})
        return {**claims, **(said if purpose == "userinfo" else token)}

    def populate_id_token(self, id_token: dict[str, Any], client: Any, scopes: Any, **kwargs: Any) -> None:
        """Leaves out what the file says is nothing."""
        for name in [name for name, value in id_token.items() if value is None]:
            del id_token[name]
