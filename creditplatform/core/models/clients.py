"""Machine clients: other systems that speak for a unit over the interface."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AbstractApplication

from creditplatform.core.audit import audited
from creditplatform.core.enums import Scope
from creditplatform.core.models.people import Agency


@audited
class ApiClient(AbstractApplication):  # type: ignore[misc]  # the library bears no types
    """A system of one unit, with the scopes it was given; OAuth 2 client credentials and nothing else (RFC 6749, 4.4).

    Its secret is kept as a hash only. Tokens live for minutes, see `ACCESS_TOKEN_EXPIRE_SECONDS`.
    """

    agency = models.ForeignKey(Agency, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="api_clients")
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope), verbose_name=_("scopes"), default=list)
    active = models.BooleanField(_("active"), default=True)

    objects: ClassVar[models.Manager["ApiClient"]] = models.Manager()

    class Meta:
        verbose_name = _("machine client")
        verbose_name_plural = _("machine clients")
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(
                    client_type=AbstractApplication.CLIENT_CONFIDENTIAL,
                    authorization_grant_type=AbstractApplication.GRANT_CLIENT_CREDENTIALS,
                    hash_client_secret=True,
                    user=None,
                ),
                name="api_client_credentials_only",
                violation_error_message=_(
                    "A machine client speaks for a unit, by client credentials with a hashed secret."
                ),
            ),
        ]

    def is_usable(self, request: object) -> bool:
        """Whether the client may have tokens and use them; asked by the library at each of both."""
        return self.active and self.agency.active
