"""Which unit may record which entry, and which of its staff may enter it (object permissions)."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from creditplatform.core.audit import audited
from creditplatform.core.models import Agency
from records.models.catalogue import CatalogueEntry


@audited
class Entitlement(models.Model):
    """A unit may record an entry. The grant to a person hangs on this pair, never on a record."""

    agency = models.ForeignKey(Agency, verbose_name=_("unit"), on_delete=models.PROTECT, related_name="entitlements")
    entry = models.ForeignKey(
        CatalogueEntry, verbose_name=_("entry"), on_delete=models.PROTECT, related_name="entitlements"
    )

    class Meta:
        verbose_name = _("entitlement")
        verbose_name_plural = _("entitlements")
        permissions: ClassVar = [("enter_records", _("May enter records of this entry for this unit"))]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agency", "entry"],
                name="entitlement_once",
                violation_error_message=_("The unit is entitled already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency} · {self.entry}"


@audited
class EntitlementUserObjectPermission(UserObjectPermissionBase):
    """A person may act on an entitlement (direct foreign key instead of generic rows)."""

    content_object = models.ForeignKey(Entitlement, on_delete=models.PROTECT)


@audited
class EntitlementGroupObjectPermission(GroupObjectPermissionBase):
    """A group may act on an entitlement (direct foreign key instead of generic rows)."""

    content_object = models.ForeignKey(Entitlement, on_delete=models.PROTECT)
