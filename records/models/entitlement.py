"""Which unit may record which entry, and which of its staff may enter it (object permissions)."""

from typing import ClassVar

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from creditplatform.core.audit import audited
from creditplatform.core.models import Agency
from records.enums import VersionState
from records.models.catalogue import CatalogueEntry, EntryVersion

# Some kinds of information have their own sources: student archives come from schools, members from associations.
SOURCE_KIND = """
IF EXISTS (
    SELECT 1 FROM records_entryversion v JOIN core_agency a ON a.id = NEW.agency_id
    WHERE v.entry_id = NEW.entry_id AND v.state = 'in_force' AND cardinality(v.source_kinds) > 0
    AND NOT a.kind = ANY (v.source_kinds)
) THEN
    RAISE EXCEPTION 'units of this kind may not send this catalogue entry' USING ERRCODE = 'CR014';
END IF;
RETURN NEW;
"""


def source_kind_trigger() -> pgtrigger.Trigger:
    """Refuses a unit whose kind the entry in force does not name among its sources."""
    return pgtrigger.Trigger(
        name="source_kind", when=pgtrigger.Before, operation=pgtrigger.Insert | pgtrigger.Update, func=SOURCE_KIND
    )


def refuse_foreign_source(agency_id: int | None, entry_id: int | None) -> None:
    """The same for forms, in words. Raises ValidationError."""
    named = EntryVersion.objects.filter(entry=entry_id, state=VersionState.IN_FORCE).exclude(source_kinds=[])
    kinds = named.values_list("source_kinds", flat=True).first()
    if agency_id and kinds and not Agency.objects.filter(pk=agency_id, kind__in=kinds).exists():
        raise ValidationError({"agency": _("Units of this kind may not send this catalogue entry.")})


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
        triggers: ClassVar = [source_kind_trigger()]

    def __str__(self) -> str:
        return f"{self.agency} · {self.entry}"

    def clean(self) -> None:
        """The unit is of a kind that may send the entry; the database refuses it in any case."""
        super().clean()
        refuse_foreign_source(self.agency_id, self.entry_id)


@audited
class EntitlementUserObjectPermission(UserObjectPermissionBase):
    """A person may act on an entitlement (direct foreign key instead of generic rows)."""

    content_object = models.ForeignKey(Entitlement, on_delete=models.PROTECT)


@audited
class EntitlementGroupObjectPermission(GroupObjectPermissionBase):
    """A group may act on an entitlement (direct foreign key instead of generic rows)."""

    content_object = models.ForeignKey(Entitlement, on_delete=models.PROTECT)
