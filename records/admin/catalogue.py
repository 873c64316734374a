"""Catalogue, legal bases, key groups and entitlements in the staff admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from guardian.admin import GuardedModelAdminMixin

from creditplatform.core.enums import Role
from creditplatform.core.staff import ReadOnlyAdmin, RoleAdmin
from records.models import CatalogueEntry, Entitlement, EntryField, EntryVersion, KeyGroup, LegalBasis

WORKING = (Role.CLERK, Role.OFFICER, Role.SUPERVISOR, Role.CENTRE)


@admin.register(LegalBasis)
class LegalBasisAdmin(ReadOnlyAdmin):
    """Statutes that entries rest on."""

    viewers = WORKING
    list_display = ("title", "article", "level", "number", "confirmed")
    list_filter = ("level", "confirmed")
    search_fields = ("title", "title_en", "number")


@admin.register(CatalogueEntry)
class CatalogueEntryAdmin(ReadOnlyAdmin):
    """Kinds of information that may be collected."""

    viewers = WORKING
    list_display = ("name", "name_en", "code")
    search_fields = ("code", "name", "name_en")


class EntryFieldInline(admin.TabularInline):  # type: ignore[type-arg]
    """Fields of a version."""

    model = EntryField
    fields = ("position", "code", "name", "name_en", "type", "length", "required", "role", "personal", "published")
    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the version."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A version in force is immutable."""
        return False

    has_change_permission = has_add_permission


@admin.register(EntryVersion)
class EntryVersionAdmin(ReadOnlyAdmin):
    """Versions of entries with basis, openness and tiers."""

    viewers = WORKING
    list_display = ("entry", "number", "state", "valid_from", "openness", "person_openness", "polarity", "legal_basis")
    list_filter = ("state", "information_class", "openness")
    list_select_related = ("entry", "legal_basis")
    inlines = (EntryFieldInline,)


@admin.register(KeyGroup)
class KeyGroupAdmin(ReadOnlyAdmin):
    """Key groups of the plans."""

    viewers = WORKING
    list_display = ("name", "name_en", "licence_name")


@admin.register(Entitlement)
class EntitlementAdmin(GuardedModelAdminMixin, RoleAdmin):  # type: ignore[misc]
    """Which unit may record what, and which of its staff may enter it."""

    changers = (Role.CENTRE,)
    list_display = ("agency", "entry")
    list_filter = ("agency__site",)
    search_fields = ("agency__name", "entry__name")
    list_select_related = ("agency", "entry")
    autocomplete_fields = ("agency", "entry")
