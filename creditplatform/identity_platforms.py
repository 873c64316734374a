"""Unified identity platforms by which citizens sign in (OpenID Connect), read from the environment.

`CREDIT_OIDC_PROVIDERS` lists short names; each, written in capitals, brings its own variables, see docs/accounts.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured

READER = "records.realname.ConfiguredClaims"
# Pages of the libraries: which anybody opens, and which only whoever is signed in.
OPEN_PAGES = (
    "account_login", "account_signup", "account_logout", "mfa_authenticate", "admin:login", "admin:jsi18n",
    "api:token", "set_language",
)  # fmt: skip
OWN_PAGES = (
    "account_change_password", "account_reauthenticate", "mfa_reauthenticate", "mfa_index", "mfa_activate_totp",
    "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
)  # fmt: skip
NEEDED = ("NAME", "URL", "CLIENT_ID", "CLIENT_SECRET")


@dataclass(frozen=True)
class Claims:
    """Under which names a platform says who somebody is; a dot goes into a nested claim.

    `kinds` translates the platform's codes of documents into ours; where `kind` is empty every number is of the
    kind under the empty code. `verified` holds one of `accepted` where the platform has checked the papers itself.
    """

    name: str = "name"
    number: str = "id_number"
    kind: str = ""
    verified: str = "real_name_verified"
    accepted: tuple[str, ...] = ("true",)
    kinds: Mapping[str, str] = field(default_factory=lambda: {"": "resident_id"})


@dataclass(frozen=True)
class IdentityPlatform:
    """One platform: what it is called, where it is, how it is asked and how its answers are read."""

    code: str
    name: str
    name_en: str
    url: str
    client_id: str
    secret: str
    scopes: tuple[str, ...] = ("openid", "profile")
    auth_method: str = "client_secret_basic"
    claims: Claims = field(default_factory=Claims)
    reader: str = READER

    @property
    def app(self) -> dict[str, Any]:
        """As the account library takes it."""
        return {
            "provider_id": self.code,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.secret,
            "settings": {
                "server_url": self.url,
                "token_auth_method": self.auth_method,
                "scope": list(self.scopes),
            },
        }


def from_environment(variables: Mapping[str, str], *, secure: bool) -> dict[str, IdentityPlatform]:
    """Every platform the environment names, by its code; none where it names none.

    Raises ImproperlyConfigured for a missing value and, where `secure`, for an address without TLS.
    """
    codes = [code.strip() for code in variables.get("CREDIT_OIDC_PROVIDERS", "").split(",") if code.strip()]
    return {code: _platform(code, variables, secure=secure) for code in codes}


def library_settings(platforms: Mapping[str, IdentityPlatform]) -> dict[str, Any]:
    """The same for the account library: proof of possession of the code (PKCE) always, our own reading of answers."""
    return {
        "openid_connect": {
            "provider_class": "creditplatform.oidc.PlatformProvider",
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [platform.app for platform in platforms.values()],
        }
    }


def _platform(code: str, variables: Mapping[str, str], *, secure: bool) -> IdentityPlatform:
    begin = f"CREDIT_OIDC_{code.upper().replace('-', '_')}_"
    given = {key.removeprefix(begin): value.strip() for key, value in variables.items() if key.startswith(begin)}
    missing = [begin + name for name in NEEDED if not given.get(name)]
    if missing:
        raise ImproperlyConfigured(f"The identity platform {code} needs {', '.join(missing)}.")
    if secure and not given["URL"].startswith("https://"):
        raise ImproperlyConfigured(f"{begin}URL begins with https:// in production.")
    return IdentityPlatform(
        code=code,
        name=given["NAME"],
        name_en=given.get("NAME_EN", given["NAME"]),
        url=given["URL"].rstrip("/"),
        client_id=given["CLIENT_ID"],
        secret=given["CLIENT_SECRET"],
        scopes=tuple(given.get("SCOPES", "openid profile").split()),
        auth_method=given.get("AUTH_METHOD", "client_secret_basic"),
        claims=_claims(given),
        reader=given.get("READER", READER),
    )


def _claims(given: Mapping[str, str]) -> Claims:
    usual = Claims()
    pairs = (pair.partition("=") for pair in given.get("KINDS", "").split(",") if pair.strip())
    kinds = {key.strip(): value.strip() for key, _sign, value in pairs}
    return Claims(
        name=given.get("CLAIM_NAME", usual.name),
        number=given.get("CLAIM_NUMBER", usual.number),
        kind=given.get("CLAIM_KIND", usual.kind),
        verified=given.get("CLAIM_VERIFIED", usual.verified),
        accepted=tuple(value.strip() for value in given.get("VERIFIED", "true").split(",")),
        kinds=kinds or usual.kinds,
    )
