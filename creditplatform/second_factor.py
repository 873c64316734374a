"""The second factor: codes of an authenticator app (TOTP) and recovery codes, their secrets sealed.

Security keys (WebAuthn) are not offered: the library's pages for them need script that our content policy refuses.
"""

import base64
from collections.abc import Callable, Iterator
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from creditplatform.core import vault
from creditplatform.core.models import User

SECRET = "mfa.Authenticator.secret"  # noqa: S105 - the name the sealed value is bound to
SEALED_IN = ("secret", "seed")  # names in what the library keeps of an app, and of recovery codes
# What somebody without the factor may still open: setting it up, confirming who they are, leaving.
WITHOUT = frozenset(
    {
        "mfa_index", "mfa_activate_totp", "mfa_authenticate", "mfa_reauthenticate", "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes", "account_reauthenticate", "account_logout", "set_language",
        "publicity:size", "healthz", "readyz",
    }
)  # fmt: skip


class SealedAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seals the secrets with the key ring; whoever must have the factor cannot switch it off."""

    def encrypt(self, text: str) -> str:
        """As the library stores it: text."""
        return base64.b64encode(vault.seal(text, SECRET)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises VaultError for anything that was not sealed here."""
        return vault.unseal(base64.b64decode(encrypted_text), SECRET)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not by those whose role requires it."""
        return authenticator.type != Authenticator.Type.TOTP or not required_of(authenticator.user)


class FactorSecrets:
    """The sealed secrets of apps and recovery codes, for the change of the data key (setting SEALED_ELSEWHERE)."""

    def __str__(self) -> str:
        return "secrets of second factors"

    def seal_anew(self, batch_size: int) -> Iterator[int]:
        """Seal older ones anew, each in a transaction of its own; yields 1 for each. Raises VaultError."""
        for pk in list(Authenticator.objects.order_by("pk").values_list("pk", flat=True)):
            with transaction.atomic():
                one = Authenticator.objects.select_for_update().filter(pk=pk).first()
                older = {name: text for name in SEALED_IN if one and (text := one.data.get(name)) and _older(text)}
                if one and older:
                    adapter = SealedAdapter()
                    one.data |= {name: adapter.encrypt(adapter.decrypt(text)) for name, text in older.items()}
                    one.save(update_fields=["data"])
            if older:
                yield 1


def _older(text: str) -> bool:
    return vault.key_id_of(base64.b64decode(text)) != vault.ring().current


SECRETS = FactorSecrets()


def required_of(user: User) -> bool:
    """Whether one of the roles held today requires a second factor."""
    return bool(settings.MFA_REQUIRED_ROLES) and bool(user.roles & set(settings.MFA_REQUIRED_ROLES))


def has_second_factor(user: User) -> bool:
    """Whether codes of an app are set up."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).exists())


class SecondFactorMiddleware:
    """Leads members whose role requires a second factor to setting it up, before anything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on; the decision falls once the page is known."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Let the page be opened, or lead away from it."""
        user: Any = request.user
        match = request.resolver_match
        if not user.is_authenticated or (match and match.view_name in WITHOUT):
            return None
        if not required_of(user) or has_second_factor(user):
            return None
        messages.warning(request, _("Your role requires a second factor. Please set it up before you go on."))
        return redirect("mfa_activate_totp")
